//! The scores of the two compared starts at the primary budget, by emotion: calibration, receiver
//! operating characteristic, precision-recall curve.

use crate::ScoredRows;
use crate::drawing::axis::Axis;
use crate::drawing::chart::{Chart, LineStyle, Point, Reference, Series};
use crate::drawing::legend::Entry;
use crate::numbers::{fixed, listed};
use crate::reportable::not_reportable;
use crate::study::{Scope, Study};
use crate::style::slots;
use eval::Metric;
use eval::curves::{
    Reliability, bins_for, precision_at, precision_recall_curve, reliability, roc_curve, tpr_at,
};
use std::collections::BTreeSet;

/// Steps of the grid on which curves of runs are averaged.
const PLACES: u32 = 100;

/// Panels of one kind, by emotion.
pub(crate) struct ScoreFigure {
    pub title: &'static str,
    /// Name of its file.
    pub name: &'static str,
    pub style: LineStyle,
    pub reading: String,
    pub panels: Vec<Chart>,
}

/// All figures of scores; empty where there are no scores.
pub(crate) fn score_figures(study: &Study<'_>) -> Vec<ScoreFigure> {
    let arms = Arms::new(study);
    if arms.starts.is_empty() {
        return Vec::new();
    }
    vec![
        calibration(study, &arms),
        roc(study, &arms),
        precision_recall(study, &arms),
    ]
}

/// The compared starts that have scores.
pub(crate) fn arms(study: &Study<'_>, style: LineStyle) -> Vec<Entry> {
    let entry = |&(start, slot): &(usize, usize)| Entry {
        slot,
        name: study.starts[start].clone(),
        style,
    };
    Arms::new(study).starts.iter().map(entry).collect()
}

/// The rows of the compared starts; each with its place among all starts and its slot.
struct Arms<'a> {
    starts: Vec<(usize, usize)>,
    rows: Vec<&'a ScoredRows>,
}

impl<'a> Arms<'a> {
    fn new(study: &Study<'a>) -> Self {
        let looks = slots(&study.starts);
        let mut rows: Vec<&ScoredRows> = study.input.scored.iter().collect();
        // The order of the input must not show in the last digit of a mean.
        rows.sort_by(|a, b| (&a.start, a.run, &a.cell).cmp(&(&b.start, b.run, &b.cell)));
        let known = |name: &&str| rows.iter().any(|r| r.start == **name);
        let starts = [study.treated(), study.baseline()]
            .into_iter()
            .filter(known);
        let starts = starts
            .filter_map(|name| study.start(name))
            .map(|start| (start, looks[start]))
            .collect();
        Arms { starts, rows }
    }

    fn of<'s>(&'s self, start: &'s str, emotion: &'s str) -> impl Iterator<Item = &'s ScoredRows> {
        self.rows
            .iter()
            .copied()
            .filter(move |r| r.start == start && r.emotion == emotion)
    }

    fn names(&self, study: &Study<'_>) -> String {
        listed(
            &self
                .starts
                .iter()
                .map(|(start, _)| study.starts[*start].clone())
                .collect::<Vec<_>>(),
        )
    }
}

/// A panel for each emotion; `line` makes a start's points and their summary, if there are any.
fn panels(
    study: &Study<'_>,
    arms: &Arms<'_>,
    (kind, what, style): (&str, &str, LineStyle),
    axes: (Axis, &str, Axis),
    reference: impl Fn(&str) -> Option<Reference>,
    line: impl Fn(usize, &str) -> Option<(Vec<Point>, String)>,
) -> Vec<Chart> {
    let (x, x_title, y) = axes;
    let panel = |(e, emotion): (usize, &String)| {
        let (mut series, mut summaries) = (Vec::new(), Vec::new());
        let refused = not_reportable(study, Scope::Emotion(e), Metric::RocAuc);
        for (start, slot) in arms.starts.iter().filter(|_| refused.is_none()) {
            let label = &study.starts[*start];
            let Some((points, about)) = line(*start, emotion) else {
                continue;
            };
            summaries.push(format!("{label} {about}"));
            series.push(Series {
                slot: *slot,
                label: label.clone(),
                points,
                style,
            });
        }
        let none = || {
            refused
                .as_ref()
                .map_or("n/a".into(), |why| format!("n/a ({why})"))
        };
        let summary = if summaries.is_empty() {
            none()
        } else {
            format!("{what}: {}", summaries.join(", "))
        };
        Chart {
            id: format!("fig-{kind}-{e}"),
            title: emotion.clone(),
            description: format!("{emotion}. {summary}."),
            aside: summary,
            x: x.clone(),
            x_title: x_title.into(),
            y: y.clone(),
            reference: reference(emotion).filter(|_| !series.is_empty()),
            shaded: Vec::new(),
            series,
        }
    };
    study.emotions.iter().enumerate().map(panel).collect()
}

fn calibration(study: &Study<'_>, arms: &Arms<'_>) -> ScoreFigure {
    let of = |start: usize, emotion: &str| -> Option<Reliability> {
        let rows: Vec<&ScoredRows> = arms.of(&study.starts[start], emotion).collect();
        let (mut present, mut score) = (Vec::new(), Vec::new());
        for one in &rows {
            present.extend_from_slice(&one.present);
            score.extend_from_slice(&one.score);
        }
        // Several runs judge the same segments: more runs do not make more bins.
        let runs = rows
            .iter()
            .map(|one| one.run)
            .collect::<BTreeSet<_>>()
            .len();
        reliability(&present, &score, bins_for(present.len() / runs.max(1)))
    };
    let all = study
        .emotions
        .iter()
        .enumerate()
        .filter(|(e, _)| not_reportable(study, Scope::Emotion(*e), Metric::RocAuc).is_none());
    let all = all.flat_map(|(_, emotion)| {
        arms.starts
            .iter()
            .filter_map(|(start, _)| of(*start, emotion))
    });
    let highest = all
        .flat_map(|r| r.bins)
        .map(|bin| bin.score.max(bin.present))
        .fold(0.0, f64::max);
    let axis = unit_axis(highest);
    let line = |start: usize, emotion: &str| {
        let Reliability { bins, error } = of(start, emotion)?;
        Some((
            bins.iter()
                .map(|bin| Point::at(bin.score, bin.present))
                .collect(),
            fixed(error, 3),
        ))
    };
    let axes = (axis.clone(), "mean score of the bin", axis);
    ScoreFigure {
        title: "Calibration",
        name: "calibration",
        style: LineStyle::Marked,
        reading: format!(
            "{}: each marker is a bin of the test rows of all runs of a start, pooled; bins have equal counts by score, and there are \
             fewer of them where there are fewer rows. Vertical: the share of the bin's rows in which the emotion is present. Dotted: \
             perfect calibration. ECE, the expected calibration error, is the mean distance from the dotted line, weighted by rows; \
             with few rows it is above 0 by chance alone.",
            arms.names(study)
        ),
        panels: panels(
            study,
            arms,
            ("calibration", "ECE", LineStyle::Marked),
            axes,
            |_| Some(Reference::Diagonal),
            line,
        ),
    }
}

fn roc(study: &Study<'_>, arms: &Arms<'_>) -> ScoreFigure {
    let line = |start: usize, emotion: &str| {
        let curves: Vec<_> = arms
            .of(&study.starts[start], emotion)
            .filter_map(|r| roc_curve(&r.present, &r.score))
            .collect();
        averaged(&curves, 0, tpr_at)
            .map(|points| (points, estimate(study, start, emotion, Metric::RocAuc)))
    };
    let axes = (unit_axis(1.0), "false positive rate", unit_axis(1.0));
    ScoreFigure {
        title: "Receiver operating characteristic",
        name: "roc",
        style: LineStyle::Line,
        reading: "Each run has its own curve, since the scores of two models share no scale. The line is the mean of their true positive \
                  rates at each false positive rate (vertical averaging); the band spans the lowest to the highest run. Dotted: \
                  chance."
            .into(),
        panels: panels(study, arms, ("roc", "area", LineStyle::Line), axes, |_| Some(Reference::Diagonal), line),
    }
}

fn precision_recall(study: &Study<'_>, arms: &Arms<'_>) -> ScoreFigure {
    let line = |start: usize, emotion: &str| {
        let curves: Vec<_> = arms
            .of(&study.starts[start], emotion)
            .filter_map(|r| precision_recall_curve(&r.present, &r.score))
            .collect();
        // Precision is undefined at recall 0.
        averaged(&curves, 1, precision_at).map(|points| {
            (
                points,
                estimate(study, start, emotion, Metric::AveragePrecision),
            )
        })
    };
    let prevalence = |emotion: &str| {
        let of_emotion = || {
            arms.rows
                .iter()
                .filter(|r| r.emotion == emotion)
                .flat_map(|r| &r.present)
        };
        eval::mean(of_emotion().map(|&present| f64::from(u8::from(present)))).map(Reference::Level)
    };
    let axes = (
        unit_axis(1.0),
        "recall (true positive rate)",
        unit_axis(1.0),
    );
    ScoreFigure {
        title: "Precision-recall curve",
        name: "precision_recall",
        style: LineStyle::Line,
        reading: "Line: mean over runs of the precision at each recall, not interpolated; band: the lowest to the highest run. Dotted: the \
                  prevalence in the test rows, which random scores reach."
            .into(),
        panels: panels(study, arms, ("precision-recall", "AP", LineStyle::Line), axes, prevalence, line),
    }
}

/// From 0 to a round number not below `highest`.
fn unit_axis(highest: f64) -> Axis {
    let to = |high: f64| Axis::linear([0.0, high.max(0.01)], 5);
    to(highest).unwrap_or(Axis {
        low: 0.0,
        high: 1.0,
        log: false,
        ticks: Vec::new(),
    })
}

/// Reads the y of a curve at an x.
type ReadAt = fn(&[(f64, f64)], f64) -> Option<f64>;

/// The mean over curves at each hundredth from `first` on, with the lowest and the highest.
fn averaged(curves: &[Vec<(f64, f64)>], first: u32, at: ReadAt) -> Option<Vec<Point>> {
    let point = |i: u32| {
        let x = f64::from(i) / f64::from(PLACES);
        let values: Vec<f64> = curves.iter().filter_map(|curve| at(curve, x)).collect();
        let (low, high) = values
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| {
                (l.min(*v), h.max(*v))
            });
        let spread = (values.len() > 1).then_some((low, high));
        Some(Point {
            spread,
            ..Point::at(x, eval::mean(values)?)
        })
    };
    let points: Vec<Point> = (first..=PLACES).filter_map(point).collect();
    (!points.is_empty()).then_some(points)
}

/// The mean over runs, as in the tables.
fn estimate(study: &Study<'_>, start: usize, emotion: &str, metric: Metric) -> String {
    let place = study
        .emotions
        .iter()
        .position(|e| e == emotion)
        .zip(study.primary_budget);
    let value =
        place.and_then(|(e, budget)| study.estimate(start, budget, Scope::Emotion(e), metric));
    value.map_or("n/a".into(), |estimate| fixed(estimate.value, 3))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ReportInput;
    use crate::study::tests::row;
    use eval::run::Run;
    use run_record::ResultRow;

    fn input(support: u64) -> ReportInput {
        let result = |start: &str| ResultRow {
            emotion: "sad".into(),
            support,
            ..row(start, 10, 0.1, [0, 0, 0], Some(0.75))
        };
        let scored = |start: &str, seed: i32, score: [f64; 4]| ScoredRows {
            cell: format!("{start}-{seed}"),
            start: start.into(),
            run: Run {
                seed,
                ..Run::default()
            },
            emotion: "sad".into(),
            present: vec![true, false, true, false],
            score: score.into(),
        };
        ReportInput {
            results: ["ssl", "scratch", "frozen"].map(result).into(),
            scored: vec![
                scored("ssl", 0, [0.9, 0.1, 0.8, 0.2]),
                scored("ssl", 1, [0.1, 0.9, 0.2, 0.8]),
                scored("scratch", 0, [0.9, 0.1, 0.8, 0.2]),
                scored("frozen", 0, [0.9, 0.1, 0.8, 0.2]),
            ],
            ..ReportInput::default()
        }
    }

    #[test]
    fn curves_are_averaged_at_equal_rates_over_the_runs_of_each_compared_start() {
        let input = input(99);
        let figures = score_figures(&Study::new(&input).unwrap());
        assert_eq!(
            figures.iter().map(|f| f.name).collect::<Vec<_>>(),
            ["calibration", "roc", "precision_recall"]
        );
        let roc = &figures[1].panels[0];
        assert_eq!(
            roc.series
                .iter()
                .map(|s| s.label.as_str())
                .collect::<Vec<_>>(),
            ["ssl", "scratch"]
        );
        // One run ranks all right and one all wrong.
        let middle = &roc.series[0].points[50];
        assert_eq!(
            (middle.x, middle.mean, middle.spread),
            (0.5, 0.5, Some((0.0, 1.0)))
        );
        assert_eq!(roc.series[1].points[0].mean, 1.0);
        assert_eq!(roc.aside, "area: ssl 0.750, scratch 0.750");
        let pr = &figures[2].panels[0];
        assert_eq!(
            (pr.series[0].points.len(), pr.reference),
            (100, Some(Reference::Level(0.5)))
        );
        assert!(
            figures[0].panels[0].aside.starts_with("ECE: ssl 0."),
            "{}",
            figures[0].panels[0].aside
        );
    }

    #[test]
    fn too_few_positives_have_no_curve() {
        let input = input(3);
        for figure in score_figures(&Study::new(&input).unwrap()) {
            let panel = &figure.panels[0];
            assert_eq!(
                (panel.series.len(), panel.aside.as_str()),
                (0, "n/a (3 positives)"),
                "{}",
                figure.name
            );
        }
    }

    #[test]
    fn without_scores_there_is_no_figure() {
        assert!(score_figures(&Study::new(&ReportInput::default()).unwrap()).is_empty());
    }
}
