//! Invented statistics: means of the invented results, with intervals and p values from a formula.

use eval::Metric;
use eval::budget::{Labels, budgets, place};
use eval::run::PretrainSeeds;
use eval::statistics::{
    AnalysisPlan, AreaContrast, Contrast, CurvePoint, Equivalence, Estimate, FoldClusters,
    Interval, LabelEquivalence, SourceShare, StudyStatistics, VariedSource, area_under_curve,
    labels_to_reach,
};
use report::ReportInput;
use run_record::ResultRow;
use std::collections::{BTreeMap, BTreeSet};

const METRICS: [Metric; 5] = [
    Metric::RocAuc,
    Metric::AveragePrecision,
    Metric::F1,
    Metric::Mae,
    Metric::Accuracy4,
];

/// Start, budget, emotion and metric.
type Place<'a> = (&'a str, usize, &'a str, Metric);

/// Four decimals: what machines differ in is rounded away.
fn rounded(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}

fn around(value: f64, half: f64) -> Estimate {
    let value = rounded(value);
    let interval = Interval {
        low: rounded(value - 1.1 * half),
        high: rounded(value + half),
    };
    Estimate {
        value,
        interval: Some(interval),
    }
}

/// What the sources give to the variance of every difference.
fn sources() -> Vec<SourceShare> {
    let share = |source, levels, variance| SourceShare {
        source,
        levels,
        variance: Some(variance),
        freedom: Some(1.0),
    };
    vec![
        share(VariedSource::Folds, 2, 1.21e-4),
        share(VariedSource::TrainingSeed, 2, 4e-6),
        share(VariedSource::LabelDraw, 2, 3.6e-5),
    ]
}

/// Statistics of whatever results the study has.
pub fn of(input: &ReportInput) -> StudyStatistics {
    let rows: Vec<&ResultRow> = input.results.iter().collect();
    let budgets = budgets(rows.iter().map(|r| Labels {
        budget: &r.budget,
        fold: r.fold,
        n_labels: r.n_labels,
    }));
    let folds = rows.iter().map(|r| r.fold).collect::<BTreeSet<_>>().len();
    let emotions: BTreeSet<&str> = rows
        .iter()
        .map(|r| r.emotion.as_str())
        .filter(|e| *e != "micro")
        .collect();
    let mut values: BTreeMap<Place<'_>, BTreeMap<(i32, i32), Vec<f64>>> = BTreeMap::new();
    for row in &rows {
        let metric = Metric::from_name(&row.metric).filter(|m| METRICS.contains(m));
        if let Some((metric, budget)) = metric.zip(place(&budgets, &row.budget)) {
            let runs = values
                .entry((&row.start, budget, &row.emotion, metric))
                .or_default();
            runs.entry((row.seed, row.draw))
                .or_default()
                .extend(row.value);
        }
    }
    let runs =
        |start: &str, budget: usize, emotion: &str, metric: Metric| -> BTreeMap<(i32, i32), f64> {
            let found = values
                .get(&(start, budget, emotion, metric))
                .into_iter()
                .flatten();
            found
                .filter(|(_, v)| v.len() == folds)
                .map(|(k, v)| (*k, v.iter().sum::<f64>() / v.len() as f64))
                .collect()
        };
    let mean = |values: &[f64]| {
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    };
    let point = |start: &str, budget: usize, emotion: &str, metric: Metric| {
        mean(
            &runs(start, budget, emotion, metric)
                .into_values()
                .collect::<Vec<_>>(),
        )
    };
    let curve = |start: &str, emotion: &str, metric: Metric| -> Vec<(f64, f64)> {
        (0..budgets.len())
            .filter_map(|b| Some((budgets[b].labels, point(start, b, emotion, metric)?)))
            .collect()
    };
    let mut out = StudyStatistics {
        analysis: AnalysisPlan {
            treated: "ssl".into(),
            baseline: "scratch".into(),
            metrics: METRICS.to_vec(),
            pretrain_seeds: PretrainSeeds::Tied,
            level: 0.95,
        },
        clusters: 24,
        folds: [0, 1]
            .map(|fold| FoldClusters {
                partition: 0,
                fold,
                clusters: 12,
            })
            .into(),
        partitions: 1,
        seeds: 2,
        draws: 2,
        pretrain_seeds: None,
        budgets: budgets.clone(),
        curves: Vec::new(),
        contrasts: Vec::new(),
        equivalences: Vec::new(),
        areas: Vec::new(),
        others: Vec::new(),
    };
    let starts: BTreeSet<&str> = rows.iter().map(|r| r.start.as_str()).collect();
    for metric in METRICS {
        for &emotion in &emotions {
            for budget in 0..budgets.len() {
                for &start in &starts {
                    let all = runs(start, budget, emotion, metric);
                    let Some(value) = mean(&all.values().copied().collect::<Vec<_>>()) else {
                        continue;
                    };
                    out.curves.push(CurvePoint {
                        start: start.into(),
                        budget,
                        emotion: emotion.into(),
                        metric,
                        runs: all.len(),
                        estimate: around(value, 0.03 / (1.0 + budget as f64 / 3.0)),
                    });
                }
                let theirs = runs("scratch", budget, emotion, metric);
                let ours = runs("ssl", budget, emotion, metric);
                let both = || {
                    ours.iter()
                        .filter_map(|(key, x)| Some([*x, *theirs.get(key)?]))
                };
                let arms = [0, 1].map(|arm| {
                    mean(&both().map(|pair| pair[arm]).collect::<Vec<_>>()).unwrap_or(f64::NAN)
                });
                let each: Vec<f64> = ours
                    .iter()
                    .filter_map(|(key, x)| Some(rounded(x - theirs.get(key)?)))
                    .collect();
                let Some(value) = mean(&each) else { continue };
                out.contrasts.push(Contrast {
                    budget,
                    emotion: emotion.into(),
                    metric,
                    pairs: each.len(),
                    difference: around(value, 0.025),
                    arms: arms.map(rounded),
                    p: Some(rounded(1.0 / (1.0 + (value / 0.006).powi(2)))),
                    sources: sources(),
                    between_videos: None,
                    each,
                });
            }
            let areas =
                ["ssl", "scratch"].map(|start| area_under_curve(&curve(start, emotion, metric)));
            if let [Some(ours), Some(theirs)] = areas {
                let difference = around(ours - theirs, 0.012);
                out.areas.push(AreaContrast {
                    emotion: emotion.into(),
                    metric,
                    difference,
                });
            }
        }
        let most = budgets.last().map_or(0.0, |budget| budget.labels);
        for (budget, at) in budgets.iter().enumerate() {
            let reached = point("ssl", budget, "macro", metric);
            let needed = reached.and_then(|target| {
                labels_to_reach(
                    &curve("scratch", "macro", metric),
                    target,
                    metric.higher_is_better(),
                )
            });
            let Some(labels) = needed else { continue };
            let (low, high) = match labels {
                Equivalence::About(n) if n < 10.0 * at.labels => {
                    (Equivalence::About(0.6 * n), Equivalence::About(2.5 * n))
                }
                Equivalence::About(n) => {
                    (Equivalence::About(0.3 * n), Equivalence::NotReached(most))
                }
                Equivalence::AtMost(n) => (labels, Equivalence::About(1.2 * n)),
                Equivalence::NotReached(n) => (Equivalence::About(0.5 * n), labels),
            };
            out.equivalences.push(LabelEquivalence {
                budget,
                metric,
                labels,
                low: Some(low),
                high: Some(high),
            });
        }
    }
    out
}
