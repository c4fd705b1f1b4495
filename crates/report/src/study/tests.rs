use super::*;
use eval::run::PretrainSeeds;
use eval::statistics::{
    AnalysisPlan, Contrast, CurvePoint, Equivalence, FoldClusters, Interval, LabelEquivalence,
    StudyStatistics,
};

/// A row of macro ROC AUC in test.
pub(crate) fn row(
    start: &str,
    n_labels: i32,
    fraction: f64,
    key: [i32; 3],
    value: Option<f64>,
) -> ResultRow {
    let [fold, seed, draw] = key;
    let budget = format!("f{fraction}");
    ResultRow {
        cell: format!("{start}-{n_labels}-{fold}-{seed}-{draw}"),
        partition: 0,
        fold,
        start: start.into(),
        fraction,
        n_labels,
        seed,
        draw,
        budget,
        pretrain_seed: None,
        split: "test".into(),
        emotion: MACRO.into(),
        metric: Metric::RocAuc.name().into(),
        value,
        support: 9,
    }
}

fn input(results: Vec<ResultRow>) -> ReportInput {
    ReportInput {
        results,
        starts: vec!["ssl".into(), "scratch".into()],
        ..ReportInput::default()
    }
}

#[test]
fn runs_of_one_budget_are_put_together() {
    let input = input(vec![
        row("ssl", 10, 0.1, [1, 0, 0], Some(0.7)),
        row("ssl", 12, 0.1, [0, 0, 0], Some(0.5)),
        row("ssl", 10, 0.1, [1, 1, 0], None),
        row("ssl", 40, 0.4, [0, 0, 0], Some(0.9)),
    ]);
    let study = Study::new(&input).unwrap();
    assert_eq!(study.starts, ["ssl"]);
    assert_eq!([study.label(0), study.label(1)], ["10 to 12", "40"]);
    assert_eq!(
        (study.budgets[0].labels, study.short_label(0)),
        (11.0, "11".into())
    );
    assert_eq!(
        study.values(0, 0, Scope::Macro, Metric::RocAuc),
        [0.6],
        "one run has both folds"
    );
    assert_eq!(study.started(0, 0, Scope::Macro, Metric::RocAuc), 2);
    assert_eq!(
        [study.kind(0), study.kind(1)],
        [Some("10 % of all".into()), None]
    );
    assert_eq!(study.runs(0, 0, Scope::Macro, Metric::RocAuc).len(), 3);
    assert!(
        (study
            .estimate(0, 0, Scope::Macro, Metric::RocAuc)
            .unwrap()
            .value
            - 0.6)
            .abs()
            < 1e-15
    );
    assert_eq!(study.estimate(0, 0, Scope::Micro, Metric::RocAuc), None);
}

#[test]
fn all_labels_are_one_budget_in_folds_of_any_size() {
    // As many different counts as folds, and a count that is another share in each: once taken for
    // seven budgets.
    let sizes = [310, 322, 298, 305, 331];
    let rows = (0..).zip(sizes).flat_map(|(fold, n)| {
        let of = |budget: &str, labels: i32| ResultRow {
            budget: budget.into(),
            ..row(
                "ssl",
                labels,
                f64::from(labels) / f64::from(n),
                [fold, 0, 0],
                Some(0.5),
            )
        };
        [of("n24", 24), of("n72", 72), of("f1", n)]
    });
    let input = input(rows.collect());
    let study = Study::new(&input).unwrap();
    assert_eq!(
        (0..study.budgets.len())
            .map(|b| study.label(b))
            .collect::<Vec<_>>(),
        ["24", "72", "298 to 331"]
    );
    assert_eq!((study.kind(2), study.kind(0)), (Some("all".into()), None));
    assert!((0..3).all(|b| study.values(0, b, Scope::Macro, Metric::RocAuc).len() == 1));
}

#[test]
fn a_count_and_a_share_of_the_same_number_keep_their_names() {
    let of = |budget: &str| ResultRow {
        budget: budget.into(),
        ..row("ssl", 40, 1.0, [0, 0, 0], Some(0.5))
    };
    let input = input(vec![of("f1"), of("n40")]);
    let study = Study::new(&input).unwrap();
    assert_eq!([study.label(0), study.label(1)], ["40 (f1)", "40 (n40)"]);
    // For tables in which the label is a number.
    assert_eq!(
        [study.kind(0), study.kind(1)],
        [Some("budget f1".into()), Some("budget n40".into())]
    );
}

#[test]
fn validation_rows_are_not_shown() {
    let input = input(vec![ResultRow {
        split: "valid".into(),
        ..row("ssl", 10, 0.1, [0, 0, 0], Some(0.5))
    }]);
    let study = Study::new(&input).unwrap();
    assert!(
        study.budgets.is_empty() && !study.has(Metric::RocAuc) && !study.has_head(Head::Presence)
    );
}

#[test]
fn starts_and_emotions_that_were_not_announced_are_shown_last() {
    let mut rows = vec![
        row("control", 10, 0.1, [0, 0, 0], None),
        row("ssl", 10, 0.1, [0, 0, 0], None),
    ];
    rows[0].emotion = "joy".into();
    rows[1].emotion = "sad".into();
    let input = ReportInput {
        emotions: vec!["happy".into(), "sad".into()],
        ..input(rows)
    };
    let study = Study::new(&input).unwrap();
    assert_eq!(
        (study.starts, study.emotions),
        (
            vec!["ssl".into(), "control".into()],
            vec!["sad".into(), "joy".into()]
        )
    );
}

#[test]
fn wrong_input_is_named() {
    let twice = input(vec![
        row("ssl", 10, 0.1, [0, 1, 2], Some(0.5)),
        row("ssl", 10, 0.1, [0, 1, 2], Some(0.6)),
    ]);
    let message = Study::new(&twice).err().unwrap().to_string();
    assert!(
        message.contains("macro roc_auc of ssl with label budget f0.1, fold 0, seed 1, draw 2"),
        "{message}"
    );
    let broken = input(vec![row("ssl", 10, 0.1, [0, 1, 2], Some(f64::NAN))]);
    let message = Study::new(&broken).err().unwrap().to_string();
    assert!(
        message.contains(
            "cell ssl-10-0-1-2, macro roc_auc: expected a finite value or none, found NaN"
        )
    );
    let unknown = ReportInput {
        primary_metric: "auc".into(),
        ..ReportInput::default()
    };
    let message = Study::new(&unknown).err().unwrap().to_string();
    assert!(
        message.contains("found 'auc'") && message.contains("roc_auc"),
        "{message}"
    );
}

#[test]
fn statistics_of_other_budgets_are_refused() {
    let mut input = answered(Metric::RocAuc, &[(10, None, None)]);
    for row in &mut input.results {
        row.budget = "n20".into();
    }
    let message = Study::new(&input).err().unwrap().to_string();
    assert!(
        message.contains("expected the label budgets of the results, found f0.001"),
        "{message}"
    );
}

#[test]
fn the_primary_budget_is_the_one_configured() {
    let rows = [24, 160].map(|n| row("ssl", n, f64::from(n) / 1000.0, [0, 0, 0], Some(0.5)));
    let primary = |name: Option<&str>| {
        let input = ReportInput {
            primary_budget: name.map(String::from),
            ..input(rows.to_vec())
        };
        let study = Study::new(&input).unwrap();
        (study.primary_budget, study.has_configured_budget())
    };
    assert_eq!(primary(None), (Some(0), false));
    assert_eq!(
        (primary(Some("f0.16")), primary(Some("f0.5"))),
        ((Some(1), true), (None, true))
    );
}

#[test]
fn a_run_counts_when_all_folds_are_there() {
    let input = input(vec![
        row("ssl", 10, 0.1, [0, 0, 0], Some(0.5)),
        row("ssl", 10, 0.1, [1, 0, 0], Some(0.7)),
        row("ssl", 10, 0.1, [0, 1, 0], Some(0.9)),
        row("ssl", 10, 0.1, [0, 2, 0], Some(0.9)),
        row("ssl", 10, 0.1, [1, 2, 0], None),
    ]);
    let got = Study::new(&input)
        .unwrap()
        .over_folds(0, 0, Scope::Macro, Metric::RocAuc);
    // Run 1 lacks a fold; run 2 has one without a value, which has no part in its mean.
    let run = |seed| Run {
        seed,
        ..Run::default()
    };
    assert_eq!(
        got.into_iter().collect::<Vec<_>>(),
        [(run(0), 0.6), (run(2), 0.9)]
    );
}

#[test]
fn trivial_predictors_are_averaged_over_folds() {
    let trivial = |name: &str, fold, value| row(name, 0, 0.0, [fold, 0, 0], Some(value));
    let input = ReportInput {
        trivial: vec![
            trivial("always", 0, 0.5),
            trivial("always", 1, 0.7),
            trivial("never", 0, 0.4),
        ],
        ..input(vec![row("ssl", 10, 0.1, [0, 0, 0], Some(0.5))])
    };
    let study = Study::new(&input).unwrap();
    assert!((study.trivial(0, Scope::Macro, Metric::RocAuc).unwrap() - 0.6).abs() < 1e-15);
    assert_eq!(
        study.best_trivial(Scope::Macro, Metric::RocAuc).unwrap().1,
        "always"
    );
    assert_eq!(study.best_trivial(Scope::Macro, Metric::F1), None);
    assert_eq!(study.starts, ["ssl"], "they are no starts");
}

/// A budget's number of labels, the ends of its interval, its p.
type AnsweredBudget = (i32, Option<(f64, f64)>, Option<f64>);

/// A study of ssl and scratch with statistics: each budget with its number of labels, and the ends
/// and the p of its difference, which is the middle of the ends; scratch has the digits of 0.57 or
/// 0.6, three pairs.
pub(crate) fn answered(metric: Metric, budgets: &[AnsweredBudget]) -> ReportInput {
    let mut results = Vec::new();
    let (mut curves, mut contrasts) = (Vec::new(), Vec::new());
    for (place, &(labels, ends, p)) in budgets.iter().enumerate() {
        let value = ends.map_or(0.0, |(low, high)| (low + high) / 2.0);
        let scratch = if value < 0.0 { 0.6 } else { 0.57 };
        for (start, value) in [("ssl", scratch + value), ("scratch", scratch)] {
            let fraction = f64::from(labels) / 10_000.0;
            for seed in 0..3 {
                results.push(ResultRow {
                    metric: metric.name().into(),
                    ..row(start, labels, fraction, [0, seed, 0], Some(value))
                });
            }
            curves.push(CurvePoint {
                start: start.into(),
                budget: place,
                emotion: MACRO.into(),
                metric,
                runs: 3,
                estimate: Estimate {
                    value,
                    interval: Some(Interval {
                        low: 0.5,
                        high: 0.7,
                    }),
                },
            });
        }
        contrasts.push(Contrast {
            budget: place,
            emotion: MACRO.into(),
            metric,
            pairs: 3,
            difference: Estimate {
                value,
                interval: ends.map(|(low, high)| Interval { low, high }),
            },
            arms: [scratch + value, scratch],
            p,
            sources: Vec::new(),
            between_videos: None,
            each: vec![value; 3],
        });
    }
    let budget = |&(labels, _, _): &AnsweredBudget| Budget {
        name: format!("f{}", f64::from(labels) / 10_000.0),
        labels: f64::from(labels),
        fewest: labels,
        most: labels,
    };
    let statistics = StudyStatistics {
        analysis: AnalysisPlan {
            treated: "ssl".into(),
            baseline: "scratch".into(),
            metrics: vec![metric],
            pretrain_seeds: PretrainSeeds::None,
            level: 0.95,
        },
        clusters: 100,
        folds: vec![FoldClusters {
            partition: 0,
            fold: 0,
            clusters: 100,
        }],
        partitions: 1,
        seeds: 3,
        draws: 3,
        pretrain_seeds: None,
        budgets: budgets.iter().map(budget).collect(),
        curves,
        contrasts,
        equivalences: Vec::new(),
        areas: Vec::new(),
        others: Vec::new(),
    };
    ReportInput {
        statistics: Some(statistics),
        primary_metric: metric.name().into(),
        ..input(results)
    }
}

/// Adds how many labels scratch needs to reach what ssl has at one budget.
pub(crate) fn needed(
    input: &mut ReportInput,
    budget: usize,
    labels: Equivalence,
    (low, high): (Equivalence, Equivalence),
) {
    if let Some(statistics) = &mut input.statistics {
        let metric = statistics.analysis.metrics[0];
        statistics.equivalences.push(LabelEquivalence {
            budget,
            metric,
            labels,
            low: Some(low),
            high: Some(high),
        });
    }
}
