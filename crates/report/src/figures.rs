//! What each figure of the report shows; how it is drawn is `svg`'s.

use crate::numbers::{count, fixed, significant};
use crate::paired::{BASELINE, Paired, TREATED};
use crate::study::{Scope, Study};
use crate::style::slots;
use crate::svg::axis::Axis;
use crate::svg::chart::{Chart, HEIGHT, Point, Series, SpreadAs, WIDTH};
use crate::svg::{css, escape, legend};
use crate::{Curve, ReportError, ReportInput};
use eval::Metric;

/// Metrics of the macro panels.
pub(crate) const MACRO_METRICS: [Metric; 5] =
    [Metric::RocAuc, Metric::AveragePrecision, Metric::F1, Metric::Mae, Metric::Accuracy4];
/// Metrics shown emotion by emotion.
pub(crate) const EMOTION_METRICS: [Metric; 4] = [Metric::RocAuc, Metric::F1, Metric::Mae, Metric::Accuracy4];

const X_TITLE: &str = "labelled training segments (log scale)";
/// How to read the learning curves.
pub(crate) const READING: [&str; 3] = [
    "Line and marker: mean over runs.",
    "Band (bar where alone): \u{b1}1 standard deviation.",
    "Faint dots: single runs.",
];

/// Learning curves of the macro average, a panel for each metric that has values.
pub(crate) fn macro_panels(study: &Study<'_>) -> Vec<Chart> {
    let metrics = MACRO_METRICS.into_iter().filter(|&m| study.has(m));
    metrics.filter_map(|m| panel(study, Scope::Macro, m, shared_axis(study, &[Scope::Macro], m)?)).collect()
}

/// Learning curves of each emotion on one scale; empty where the metric has no values.
pub(crate) fn emotion_panels(study: &Study<'_>, metric: Metric) -> Vec<Chart> {
    let scopes: Vec<Scope> = (0..study.emotions.len()).map(Scope::Emotion).collect();
    let Some(axis) = shared_axis(study, &scopes, metric) else { return Vec::new() };
    scopes.into_iter().filter_map(|scope| panel(study, scope, metric, axis.clone())).collect()
}

fn x_axis(study: &Study<'_>) -> Option<Axis> {
    Axis::log(&study.budgets.iter().map(|b| (b.labels, b.short_label())).collect::<Vec<_>>())
}

fn series(study: &Study<'_>, scope: Scope, metric: Metric) -> Vec<Series> {
    let looks = slots(&study.starts);
    (0..study.starts.len())
        .map(|start| {
            let point = |budget: usize| {
                let spread = study.spread(start, budget, scope, metric)?;
                // A standard deviation may reach past what a share can be.
                let most = if metric == Metric::Mae { f64::INFINITY } else { 1.0 };
                Some(Point {
                    x: study.budgets[budget].labels,
                    mean: spread.mean,
                    spread: spread.sd.map(|sd| ((spread.mean - sd).max(0.0), (spread.mean + sd).min(most))),
                    singles: study.values(start, budget, scope, metric),
                })
            };
            let points = (0..study.budgets.len()).filter_map(point).collect();
            Series { slot: looks[start], label: study.starts[start].clone(), points, marked: true }
        })
        .filter(|s| !s.points.is_empty())
        .collect()
}

fn shared_axis(study: &Study<'_>, scopes: &[Scope], metric: Metric) -> Option<Axis> {
    let all: Vec<Series> = scopes.iter().flat_map(|&scope| series(study, scope, metric)).collect();
    Axis::linear(all.iter().flat_map(|s| &s.points).flat_map(extent), 5)
}

fn extent(point: &Point) -> Vec<f64> {
    let (low, high) = point.spread.unwrap_or((point.mean, point.mean));
    point.singles.iter().copied().chain([low, high]).collect()
}

fn panel(study: &Study<'_>, scope: Scope, metric: Metric, y: Axis) -> Option<Chart> {
    let series = series(study, scope, metric);
    let chance = (metric == Metric::RocAuc && (y.low..=y.high).contains(&0.5)).then_some(0.5);
    let (title, id, aside) = match scope {
        Scope::Emotion(e) => (study.emotions[e].clone(), format!("emotion{e}"), positives(study, scope)),
        _ if metric == Metric::Mae => (metric.title().to_string(), "macro".into(), "lower is better".into()),
        _ if chance.is_some() => (metric.title().to_string(), "macro".into(), "dotted: chance".into()),
        _ => (metric.title().to_string(), "macro".into(), String::new()),
    };
    Some(Chart {
        id: format!("fig-{id}-{}", metric.name()),
        title,
        aside,
        description: describe(study, scope, metric),
        x: x_axis(study)?,
        x_title: X_TITLE.into(),
        y,
        reference: chance,
        spread_as: SpreadAs::Band,
        series,
    })
}

fn positives(study: &Study<'_>, scope: Scope) -> String {
    let total: u64 = study.support(scope, Metric::RocAuc).values().map(|&(_, most)| most).sum();
    format!("{} positive in test", count(total))
}

fn describe(study: &Study<'_>, scope: Scope, metric: Metric) -> String {
    let mut out = format!("{} {} by number of labels.", study.scope_name(scope), metric.title());
    for (start, name) in study.starts.iter().enumerate() {
        let means: Vec<String> = (0..study.budgets.len())
            .filter_map(|b| {
                let mean = study.spread(start, b, scope, metric)?.mean;
                Some(format!("{} with {}", fixed(mean, 3), study.budgets[b].label()))
            })
            .collect();
        if !means.is_empty() {
            out.push_str(&format!(" {name}: {}.", means.join(", ")));
        }
    }
    out
}

/// The paired differences of the primary metric, with bars of twice the standard error.
pub(crate) fn difference_chart(study: &Study<'_>) -> Option<Chart> {
    let points: Vec<Point> = (0..study.budgets.len())
        .filter_map(|b| {
            let paired = Paired::of(study, b, Scope::Macro, study.primary)?;
            let spread = paired.spread()?;
            let bar = spread.standard_error().map(|e| (spread.mean - 2.0 * e, spread.mean + 2.0 * e));
            Some(Point { x: study.budgets[b].labels, mean: spread.mean, spread: bar, singles: paired.differences })
        })
        .collect();
    let y = Axis::linear(points.iter().flat_map(extent).chain([0.0]), 5).filter(|_| !points.is_empty())?;
    let better = if study.primary.higher_is_better() { "above" } else { "below" };
    Some(Chart {
        id: "fig-paired".into(),
        title: format!("{} \u{2212} {}", TREATED, BASELINE),
        aside: format!("macro {}, {better} 0 is better", study.primary.title()),
        description: format!(
            "Difference of macro {} between {TREATED} and {BASELINE} in each pair of runs, by number of labels; the \
             numbers stand in the table of paired differences.",
            study.primary.title()
        ),
        x: x_axis(study)?,
        x_title: X_TITLE.into(),
        y,
        reference: Some(0.0),
        spread_as: SpreadAs::Bars,
        series: vec![Series { slot: 0, label: TREATED.into(), points, marked: true }],
    })
}

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
        spread_as: SpreadAs::Band,
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

/// The macro learning curves as an SVG file of its own, with a legend, on a ground that follows the reader's scheme.
///
/// # Errors
/// As [`crate::render`].
pub fn learning_curve_svg(input: &ReportInput) -> Result<String, ReportError> {
    const GAP: f64 = 16.0;
    let study = Study::new(input)?;
    let panels = macro_panels(&study);
    let rows = panels.len() / 2 + 1;
    let (width, height) = (2.0 * WIDTH + 3.0 * GAP, rows as f64 * (HEIGHT + GAP) + GAP);
    let place = |i: usize| (GAP + (i % 2) as f64 * (WIDTH + GAP), GAP + (i / 2) as f64 * (HEIGHT + GAP));
    let title = escape(&format!("{}: learning curves", input.name));
    let description = if panels.is_empty() {
        "No results yet.".to_string()
    } else {
        panels.iter().map(|p| p.description.clone()).collect::<Vec<_>>().join(" ")
    };
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         role=\"img\" aria-labelledby=\"t d\">\n<title id=\"t\">{title}</title>\n<desc id=\"d\">{}</desc>\n\
         <style>{}</style>\n<rect class=\"card\" fill=\"#ffffff\" width=\"{width}\" height=\"{height}\" rx=\"8\"/>\n",
        escape(&description),
        css(),
    );
    for (i, panel) in panels.iter().enumerate() {
        let (x, y) = place(i);
        out.push_str(&format!("<g transform=\"translate({x} {y})\">\n{}</g>\n", panel.body()));
    }
    let entries: Vec<(usize, String)> = slots(&study.starts).into_iter().zip(study.starts.iter().cloned()).collect();
    let mut remarks: Vec<String> = vec!["Macro average over emotions, test segments.".into()];
    remarks.extend(READING.map(String::from));
    if panels.is_empty() {
        remarks = vec!["No results yet.".into()];
    }
    let (x, y) = place(panels.len());
    out.push_str("<g font-family=\"system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif\">\n");
    out.push_str(&legend::block(&entries, &remarks, x + 24.0, y + 24.0));
    out.push_str("</g>\n</svg>\n");
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CurvePoint;
    use crate::study::tests::row;

    #[test]
    fn only_metrics_with_values_get_a_panel() {
        let results = vec![row("ssl", 10, 0.1, [0, 0, 0], Some(0.6))];
        let input = ReportInput { results, ..ReportInput::default() };
        let study = Study::new(&input).unwrap();
        let titles: Vec<String> = macro_panels(&study).into_iter().map(|c| c.title).collect();
        assert_eq!(titles, ["ROC AUC"]);
        assert!(emotion_panels(&study, Metric::Mae).is_empty());
        assert!(difference_chart(&study).is_none());
    }

    #[test]
    fn emotions_share_their_scale() {
        let mut results = vec![row("ssl", 10, 0.1, [0, 0, 0], Some(0.6)), row("ssl", 10, 0.1, [0, 0, 0], Some(0.9))];
        results[0].emotion = "sad".into();
        results[1].emotion = "fear".into();
        let input = ReportInput { results, ..ReportInput::default() };
        let panels = emotion_panels(&Study::new(&input).unwrap(), Metric::RocAuc);
        assert_eq!(panels.len(), 2);
        assert_eq!(panels[0].y, panels[1].y);
        assert!(panels[0].y.low <= 0.6 + 1e-9 && panels[0].y.high >= 0.9 - 1e-9);
    }

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
