//! The losses of pre-training.

use crate::Curve;
use crate::numbers::{count, significant};
use crate::svg::axis::Axis;
use crate::svg::chart::{Chart, Point, Series};

/// Points of a loss curve that a figure of this size can tell apart.
const CURVE_POINTS: usize = 150;

/// The losses of all encoders; slot 0 is training, slot 1 validation.
pub(crate) fn pretraining_chart(curves: &[Curve]) -> Option<Chart> {
    let mut lines = Vec::new();
    for curve in curves {
        let train: Vec<(f64, f64)> = curve.points.iter().map(|p| (p.step as f64, p.train_loss)).collect();
        let valid: Vec<(f64, f64)> = curve.points.iter().filter_map(|p| Some((p.step as f64, p.valid_loss?))).collect();
        for (slot, points) in [(0, train), (1, valid)] {
            let points = thinned(points);
            if !points.is_empty() {
                // A single point makes no line.
                let marked = points.len() == 1;
                lines.push(Series { slot, label: curve.name.clone(), points, marked });
            }
        }
    }
    // All training lines below all validation lines.
    lines.sort_by_key(|line| line.slot);
    let all = || lines.iter().flat_map(|line| &line.points);
    let ends: Vec<String> = curves
        .iter()
        .filter_map(|c| {
            let last = c.points.last()?;
            Some(format!("{}: training loss {} at step {}", c.name, significant(last.train_loss), count(last.step)))
        })
        .collect();
    let mut x = Axis::linear(all().map(|p| p.x), 4)?;
    for (step, label) in &mut x.ticks {
        *label = count(step.round().max(0.0) as u64);
    }
    Some(Chart {
        id: "fig-pretraining".into(),
        title: "Loss over hidden frames".into(),
        aside: "one line an encoder".into(),
        description: format!("Pre-training losses by step. {}.", ends.join("; ")),
        x,
        x_title: "optimiser steps".into(),
        y: Axis::linear(all().map(|p| p.mean), 5)?,
        reference: None,
        series: lines,
    })
}

/// At most [`CURVE_POINTS`] points, each the mean of its neighbours; values that are not finite are left out.
fn thinned(points: Vec<(f64, f64)>) -> Vec<Point> {
    let finite: Vec<(f64, f64)> = points.into_iter().filter(|p| p.1.is_finite()).collect();
    let each = finite.len().div_ceil(CURVE_POINTS).max(1);
    let mean = |of: &[(f64, f64)]| {
        let x = eval::mean(of.iter().map(|p| p.0))?;
        Some(Point { x, mean: eval::mean(of.iter().map(|p| p.1))?, spread: None, singles: Vec::new() })
    };
    finite.chunks(each).filter_map(mean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CurvePoint;

    #[test]
    fn long_curves_are_averaged_not_sampled() {
        let points = (0..1000).map(|i| (f64::from(i), f64::from(i % 2))).collect();
        let got = thinned(points);
        assert!(got.len() <= CURVE_POINTS);
        assert!(got.iter().all(|p| (p.mean - 0.5).abs() < 0.1), "{got:?}");
    }

    #[test]
    fn losses_that_are_no_numbers_do_not_break_the_figure() {
        let point = |step, train_loss| CurvePoint { step, train_loss, valid_loss: Some(f64::NAN) };
        let curve = Curve { name: "a".into(), points: vec![point(1, 0.5), point(2, f64::NAN)] };
        assert_eq!(pretraining_chart(&[curve]).unwrap().series.len(), 1);
        assert!(pretraining_chart(&[]).is_none());
    }
}
