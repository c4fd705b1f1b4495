//! Learning curves: a metric against the number of labels, for each start.

use crate::drawing::axis::Axis;
use crate::drawing::chart::{Chart, LineStyle, Point, Reference, Series};
use crate::numbers::{count, fixed, percent};
use crate::reportable::not_reportable;
use crate::start_roles::name_with_role;
use crate::study::{Scope, Study};
use crate::style::slots;
use eval::Metric;
use eval::budget::differ_by_fold;

/// Metrics of the macro panels.
pub(crate) const MACRO_METRICS: [Metric; 5] = [
    Metric::RocAuc,
    Metric::AveragePrecision,
    Metric::F1,
    Metric::Mae,
    Metric::Accuracy4,
];
/// Metrics shown emotion by emotion.
pub(crate) const EMOTION_METRICS: [Metric; 4] =
    [Metric::RocAuc, Metric::F1, Metric::Mae, Metric::Accuracy4];

/// Title of the horizontal axis.
fn x_title(study: &Study<'_>) -> String {
    let mean = if differ_by_fold(&study.budgets) {
        "mean over folds, "
    } else {
        ""
    };
    format!("labelled training segments ({mean}log scale)")
}

/// How to read the learning curves.
pub(crate) fn reading(study: &Study<'_>) -> [String; 3] {
    let band = if study.statistics.all.is_some() {
        format!(
            "Band (bar for a single point): {} confidence interval.",
            percent(study.statistics.confidence_level())
        )
    } else {
        "No confidence intervals were computed.".into()
    };
    [
        "Line and marker: mean over runs.".into(),
        band,
        "Faint dots: single runs.".into(),
    ]
}

/// Learning curves of the macro average, a panel for each metric that has values.
pub(crate) fn macro_panels(study: &Study<'_>) -> Vec<Chart> {
    let metrics = MACRO_METRICS.into_iter().filter(|&m| study.has(m));
    metrics
        .filter_map(|m| {
            panel(
                study,
                Scope::Macro,
                m,
                shared_axis(study, &[Scope::Macro], m)?,
            )
        })
        .collect()
}

/// Learning curves of each emotion on one scale; empty where the metric has no values.
pub(crate) fn emotion_panels(study: &Study<'_>, metric: Metric) -> Vec<Chart> {
    let scopes: Vec<Scope> = (0..study.emotions.len()).map(Scope::Emotion).collect();
    let Some(axis) = shared_axis(study, &scopes, metric) else {
        return Vec::new();
    };
    scopes
        .into_iter()
        .filter_map(|scope| panel(study, scope, metric, axis.clone()))
        .collect()
}

/// How to read the panels of a metric by emotion, in brackets.
pub(crate) fn hint(study: &Study<'_>, metric: Metric) -> String {
    let line = match metric {
        Metric::RocAuc => "dotted line: chance",
        _ if study.trivial.is_empty() => "",
        _ => "dotted line: the best trivial predictor",
    };
    let less = if metric.higher_is_better() {
        ""
    } else {
        "lower is better"
    };
    match [less, line]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("; ")
    {
        hint if hint.is_empty() => hint,
        hint => format!(" ({hint})"),
    }
}

fn x_axis(study: &Study<'_>) -> Option<Axis> {
    Axis::log(
        &study
            .budgets
            .iter()
            .enumerate()
            .map(|(b, x)| (x.labels, study.short_label(b)))
            .collect::<Vec<_>>(),
    )
}

fn series(study: &Study<'_>, scope: Scope, metric: Metric) -> Vec<Series> {
    let looks = slots(&study.starts);
    (0..study.starts.len())
        .map(|start| {
            let point = |budget: usize| {
                let estimate = study.estimate(start, budget, scope, metric)?;
                Some(Point {
                    x: study.budgets[budget].labels,
                    mean: estimate.value,
                    spread: estimate.interval.map(|ends| (ends.low, ends.high)),
                    singles: study.values(start, budget, scope, metric),
                })
            };
            let points = (0..study.budgets.len()).filter_map(point).collect();
            Series {
                slot: looks[start],
                label: name_with_role(&study.starts[start]),
                points,
                style: LineStyle::Marked,
            }
        })
        .filter(|s| !s.points.is_empty())
        .collect()
}

fn shared_axis(study: &Study<'_>, scopes: &[Scope], metric: Metric) -> Option<Axis> {
    let all: Vec<Series> = scopes
        .iter()
        .flat_map(|&scope| series(study, scope, metric))
        .collect();
    Axis::linear(all.iter().flat_map(|s| &s.points).flat_map(extent), 5)
}

fn extent(point: &Point) -> Vec<f64> {
    let (low, high) = point.spread.unwrap_or((point.mean, point.mean));
    point.singles.iter().copied().chain([low, high]).collect()
}

/// The value and name of the dotted reference line: chance, or the best trivial predictor.
fn reference<'s>(study: &'s Study<'_>, scope: Scope, metric: Metric) -> Option<(f64, &'s str)> {
    if metric == Metric::RocAuc {
        Some((0.5, "chance"))
    } else {
        study.best_trivial(scope, metric)
    }
}

fn panel(study: &Study<'_>, scope: Scope, metric: Metric, y: Axis) -> Option<Chart> {
    let series = series(study, scope, metric);
    let reference = reference(study, scope, metric).filter(|(at, _)| (y.low..=y.high).contains(at));
    let (title, id, aside) = match scope {
        Scope::Emotion(e) => {
            let aside = match not_reportable(study, scope, metric) {
                Some(why) => format!("n/a ({why})"),
                None => positives(study, scope),
            };
            (study.emotions[e].clone(), format!("emotion{e}"), aside)
        }
        _ => {
            let less = (!metric.higher_is_better()).then(|| "lower is better".to_string());
            let line = reference.map(|(_, name)| format!("dotted: {name}"));
            let aside: Vec<String> = less.into_iter().chain(line).collect();
            (metric.title().to_string(), "macro".into(), aside.join("; "))
        }
    };
    Some(Chart {
        id: format!("fig-{id}-{}", metric.name()),
        title,
        aside,
        description: describe(study, scope, metric),
        x: x_axis(study)?,
        x_title: x_title(study),
        y,
        reference: reference.map(|(at, _)| Reference::Level(at)),
        shaded: Vec::new(),
        series,
    })
}

fn positives(study: &Study<'_>, scope: Scope) -> String {
    let total: u64 = study
        .support(scope, Metric::RocAuc)
        .values()
        .map(|&(_, most)| most)
        .sum();
    format!("{} positive in test", count(total))
}

fn describe(study: &Study<'_>, scope: Scope, metric: Metric) -> String {
    let mut out = format!(
        "{} {} by number of labels.",
        study.scope_name(scope),
        metric.title()
    );
    if let Some(why) = not_reportable(study, scope, metric) {
        out.push_str(&format!(" Not available: {why}."));
    }
    for (start, name) in study.starts.iter().enumerate() {
        let point = |budget: usize| {
            let estimate = study.estimate(start, budget, scope, metric)?;
            let ends = estimate
                .interval
                .map(|i| format!(" ({} to {})", fixed(i.low, 3), fixed(i.high, 3)));
            Some(format!(
                "{}{} with {}",
                fixed(estimate.value, 3),
                ends.unwrap_or_default(),
                study.label(budget)
            ))
        };
        let means: Vec<String> = (0..study.budgets.len()).filter_map(point).collect();
        if !means.is_empty() {
            out.push_str(&format!(" {name}: {}.", means.join(", ")));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ReportInput;
    use crate::study::tests::{answered, row};
    use run_record::ResultRow;

    #[test]
    fn only_metrics_with_values_get_a_panel() {
        let results = vec![row("ssl", 10, 0.1, [0, 0, 0], Some(0.6))];
        let input = ReportInput {
            results,
            ..ReportInput::default()
        };
        let study = Study::new(&input).unwrap();
        let titles: Vec<String> = macro_panels(&study).into_iter().map(|c| c.title).collect();
        assert_eq!(titles, ["ROC AUC"]);
        assert!(emotion_panels(&study, Metric::Mae).is_empty());
    }

    #[test]
    fn bands_are_the_intervals_and_not_the_spread_of_runs() {
        let spread = |input: &ReportInput| {
            macro_panels(&Study::new(input).unwrap())[0].series[0].points[0].spread
        };
        let with = answered(Metric::RocAuc, &[(10, None, None)]);
        assert_eq!(spread(&with), Some((0.5, 0.7)));
        assert_eq!(
            spread(&ReportInput {
                statistics: None,
                ..with
            }),
            None
        );
    }

    fn emotion(name: &str, value: f64, support: u64) -> ResultRow {
        ResultRow {
            emotion: name.into(),
            support,
            ..row("ssl", 10, 0.1, [0, 0, 0], Some(value))
        }
    }

    #[test]
    fn emotions_share_their_scale() {
        let results = vec![emotion("sad", 0.6, 9), emotion("fear", 0.9, 9)];
        let input = ReportInput {
            results,
            ..ReportInput::default()
        };
        let panels = emotion_panels(&Study::new(&input).unwrap(), Metric::RocAuc);
        assert_eq!(panels.len(), 2);
        assert_eq!(panels[0].y, panels[1].y);
        assert!(panels[0].y.low <= 0.6 + 1e-9 && panels[0].y.high >= 0.9 - 1e-9);
    }

    #[test]
    fn too_few_positives_have_a_panel_without_a_curve() {
        let results = vec![emotion("sad", 0.6, 9), emotion("fear", 0.9, 3)];
        let input = ReportInput {
            results,
            ..ReportInput::default()
        };
        let panels = emotion_panels(&Study::new(&input).unwrap(), Metric::RocAuc);
        assert_eq!(
            (panels[1].aside.as_str(), panels[1].series.len()),
            ("n/a (3 positives)", 0)
        );
        assert!(panels[1].y.high < 0.9, "what is not shown moves no axis");
        assert!(
            !panels[1].description.contains("0.9"),
            "{}",
            panels[1].description
        );
    }

    #[test]
    fn the_best_trivial_predictor_is_a_line() {
        let f1 = |start: &str, value| ResultRow {
            metric: "f1".into(),
            ..row(start, 10, 0.1, [0, 0, 0], Some(value))
        };
        let results = vec![f1("ssl", 0.2), f1("scratch", 0.6)];
        let trivial = vec![f1("always-present", 0.4), f1("always-absent", 0.0)];
        let input = ReportInput {
            results,
            trivial,
            ..ReportInput::default()
        };
        let panels = macro_panels(&Study::new(&input).unwrap());
        assert_eq!(
            (panels[0].reference, panels[0].aside.as_str()),
            (Some(Reference::Level(0.4)), "dotted: always-present")
        );
    }
}
