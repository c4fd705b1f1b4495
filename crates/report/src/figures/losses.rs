//! The losses of pre-training and of fine-tuning, by step.

use crate::drawing::axis::Axis;
use crate::drawing::chart::{Chart, LineStyle, Point, Series};
use crate::numbers::{count, significant};
use crate::study::Study;
use crate::style::slots;
use crate::{Curve, CurvePoint};
use std::collections::BTreeMap;

/// Points of a loss curve that a figure of this size can tell apart.
const CURVE_POINTS: usize = 150;

/// The losses of all encoders; slot 0 is training, slot 1 validation.
pub(crate) fn pretraining_chart(curves: &[Curve]) -> Option<Chart> {
    let mut lines = Vec::new();
    for curve in curves {
        let train = curve
            .points
            .iter()
            .map(|p| (p.step as f64, p.train_loss))
            .collect();
        let valid = curve
            .points
            .iter()
            .filter_map(|p| Some((p.step as f64, p.valid_loss?)))
            .collect();
        lines
            .extend([(0, train), (1, valid)].map(|(slot, points)| line(slot, &curve.name, points)));
    }
    // All training lines below all validation lines.
    lines.sort_by_key(|line| line.slot);
    let ends: Vec<String> = curves
        .iter()
        .filter_map(|c| {
            let last = c.points.last()?;
            Some(format!(
                "{}: training loss {} at step {}",
                c.name,
                significant(last.train_loss),
                count(last.step)
            ))
        })
        .collect();
    let mut chart = loss_chart("fig-pretraining", "Loss over masked frames", lines)?;
    chart.aside = "one line per encoder".into();
    chart.description = format!("Pre-training losses by step. {}.", ends.join("; "));
    Some(chart)
}

/// The losses of fine-tuning on training batches and on the validation split: a line for each
/// start, the mean over its cells.
pub(crate) fn finetuning_charts(study: &Study<'_>) -> Vec<Chart> {
    let looks = slots(&study.starts);
    type Loss = fn(&CurvePoint) -> Option<f64>;
    let losses: [(&str, &str, Loss); 2] = [
        ("fig-training-loss", "Loss on training batches", |p| {
            Some(p.train_loss)
        }),
        ("fig-validation-loss", "Loss on the validation split", |p| {
            p.valid_loss
        }),
    ];
    let chart = |(id, title, loss): (&str, &str, Loss)| {
        let of_start = |(start, slot): (&String, &usize)| {
            let curves = study
                .input
                .trainings
                .iter()
                .filter(|t| t.start == *start)
                .map(|t| &t.curve);
            line(*slot, start, mean_curve(curves, loss))
        };
        let lines: Vec<Series> = study.starts.iter().zip(&looks).map(of_start).collect();
        let least = |line: &Series| {
            let least = line
                .points
                .iter()
                .min_by(|a, b| a.mean.total_cmp(&b.mean))?;
            Some(format!(
                "{}: lowest {} at step {}",
                line.label,
                significant(least.mean),
                significant(least.x)
            ))
        };
        let lowest: Vec<String> = lines.iter().filter_map(least).collect();
        let mut chart = loss_chart(id, title, lines)?;
        chart.aside = "mean over cells".into();
        chart.description = format!("{title} by step of fine-tuning. {}.", lowest.join("; "));
        Some(chart)
    };
    losses.into_iter().filter_map(chart).collect()
}

/// The mean over curves at each step that any of them has. A cell that ended before others is in no
/// mean after its end.
fn mean_curve<'c>(
    curves: impl Iterator<Item = &'c Curve>,
    loss: fn(&CurvePoint) -> Option<f64>,
) -> Vec<(f64, f64)> {
    let mut by_step: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
    for point in curves.flat_map(|curve| &curve.points) {
        by_step.entry(point.step).or_default().extend(loss(point));
    }
    by_step
        .into_iter()
        .filter_map(|(step, losses)| Some((step as f64, eval::mean(losses)?)))
        .collect()
}

fn line(slot: usize, label: &str, points: Vec<(f64, f64)>) -> Series {
    Series {
        slot,
        label: label.into(),
        points: thinned(points),
        style: LineStyle::Line,
    }
}

fn loss_chart(id: &str, title: &str, mut series: Vec<Series>) -> Option<Chart> {
    series.retain(|line| !line.points.is_empty());
    let all = || series.iter().flat_map(|line| &line.points);
    let mut x = Axis::linear(all().map(|p| p.x), 4)?;
    for (step, label) in &mut x.ticks {
        *label = count(step.round().max(0.0) as u64);
    }
    Some(Chart {
        id: id.into(),
        title: title.into(),
        aside: String::new(),
        description: String::new(),
        x,
        x_title: "optimiser steps".into(),
        y: Axis::linear(all().map(|p| p.mean), 5)?,
        reference: None,
        shaded: Vec::new(),
        series,
    })
}

/// At most [`CURVE_POINTS`] points, each the mean of its neighbours; values that are not finite are
/// left out.
fn thinned(points: Vec<(f64, f64)>) -> Vec<Point> {
    let finite: Vec<(f64, f64)> = points.into_iter().filter(|p| p.1.is_finite()).collect();
    let each = finite.len().div_ceil(CURVE_POINTS).max(1);
    let mean = |of: &[(f64, f64)]| {
        let x = eval::mean(of.iter().map(|p| p.0))?;
        Some(Point::at(x, eval::mean(of.iter().map(|p| p.1))?))
    };
    finite.chunks(each).filter_map(mean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::tests::row;
    use crate::{ReportInput, Training};

    #[test]
    fn long_curves_are_averaged_not_sampled() {
        let points = (0..1000)
            .map(|i| (f64::from(i), f64::from(i % 2)))
            .collect();
        let got = thinned(points);
        assert!(got.len() <= CURVE_POINTS);
        assert!(got.iter().all(|p| (p.mean - 0.5).abs() < 0.1), "{got:?}");
    }

    #[test]
    fn losses_that_are_no_numbers_do_not_break_the_figure() {
        let point = |step, train_loss| CurvePoint {
            step,
            train_loss,
            valid_loss: Some(f64::NAN),
        };
        let curve = Curve {
            name: "a".into(),
            points: vec![point(1, 0.5), point(2, f64::NAN)],
        };
        assert_eq!(pretraining_chart(&[curve]).unwrap().series.len(), 1);
        assert!(pretraining_chart(&[]).is_none());
    }

    #[test]
    fn fine_tunings_are_averaged_by_start_and_step() {
        let training = |start: &str, losses: &[f64]| {
            let point = |(i, &loss)| CurvePoint {
                step: i as u64 * 10,
                train_loss: loss,
                valid_loss: None,
            };
            let points = losses.iter().enumerate().map(point).collect();
            Training {
                start: start.into(),
                curve: Curve {
                    name: String::new(),
                    points,
                },
                best_step: None,
            }
        };
        let input = ReportInput {
            results: ["ssl", "scratch"]
                .map(|s| row(s, 10, 0.1, [0, 0, 0], Some(0.5)))
                .to_vec(),
            trainings: vec![
                training("ssl", &[1.0, 0.5]),
                training("scratch", &[9.0]),
                training("ssl", &[3.0]),
            ],
            ..ReportInput::default()
        };
        let charts = finetuning_charts(&Study::new(&input).unwrap());
        assert_eq!(charts.len(), 1, "no validation loss was measured");
        let means: Vec<Vec<f64>> = charts[0]
            .series
            .iter()
            .map(|s| s.points.iter().map(|p| p.mean).collect())
            .collect();
        assert_eq!(means, [vec![2.0, 0.5], vec![9.0]]);
    }
}
