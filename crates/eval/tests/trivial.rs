//! Trivial predictors against scikit-learn's dummies; `golden/make_trivial.py` made the numbers.

use eval::Metric;
use eval::trivial::{EmotionLabels, Label, Trivial, trivial_rows};
use mosei_schema::Split;
use run_record::{CellId, ResultRow};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Golden {
    emotions: Vec<Emotion>,
    /// By predictor, emotion and metric.
    constant: BTreeMap<String, BTreeMap<String, BTreeMap<String, Option<f64>>>>,
    /// Mean and standard error over many draws, by emotion and metric.
    drawn: BTreeMap<String, BTreeMap<String, Option<[f64; 2]>>>,
}

#[derive(Deserialize)]
struct Emotion {
    emotion: String,
    train: Vec<f64>,
    test: Vec<f64>,
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("golden/trivial.json")).expect("the fixture reads")
}

fn rows(golden: &Golden) -> Vec<ResultRow> {
    let labels = |intensities: &[f64]| -> Vec<Label> {
        intensities
            .iter()
            .map(|&intensity| Label {
                intensity,
                present: intensity > 0.0,
            })
            .collect()
    };
    let emotions: Vec<EmotionLabels> = golden
        .emotions
        .iter()
        .map(|e| EmotionLabels {
            emotion: e.emotion.clone(),
            train: labels(&e.train),
            evaluated: labels(&e.test),
        })
        .collect();
    let id = CellId {
        partition: 0,
        cell: "c".into(),
        fold: 0,
        start: "".into(),
        fraction: 1.0,
        n_labels: 50,
        seed: 0,
        draw: 0,
        budget: "f1".into(),
        pretrain_seed: None,
    };
    trivial_rows(&id, Split::Test, &emotions).expect("the labels can be measured")
}

fn value(rows: &[ResultRow], start: &str, emotion: &str, metric: &str) -> Option<f64> {
    let found: Vec<_> = rows
        .iter()
        .filter(|r| (&*r.start, &*r.emotion, &*r.metric) == (start, emotion, metric))
        .collect();
    assert_eq!(found.len(), 1, "{start} {emotion} {metric}");
    found[0].value
}

#[test]
fn constant_predictors_score_what_scikit_learns_dummies_do() {
    let golden = golden();
    let rows = rows(&golden);
    let mut compared = 0;
    for (start, by_emotion) in &golden.constant {
        for (emotion, by_metric) in by_emotion {
            for metric in Metric::ALL.map(Metric::name) {
                let found = value(&rows, start, emotion, metric);
                let place = format!("{start} {emotion} {metric}: {found:?}");
                match by_metric.get(metric).copied().flatten() {
                    None => assert_eq!(found, None, "{place}"),
                    Some(expected) => {
                        assert!(
                            (found.unwrap() - expected).abs() < 1e-12,
                            "{place}, expected {expected}"
                        )
                    }
                }
                compared += 1;
            }
        }
    }
    assert_eq!(compared, 4 * 5 * Metric::ALL.len());
}

#[test]
fn expectations_lie_where_many_draws_do() {
    let golden = golden();
    let rows = rows(&golden);
    let mut compared = 0;
    for (emotion, by_metric) in &golden.drawn {
        for (metric, drawn) in by_metric {
            let found = value(&rows, Trivial::Prevalence.name(), emotion, metric);
            match drawn {
                None => assert_eq!(found, None, "{emotion} {metric}"),
                // What every draw agrees on has no error of its own.
                Some([mean, error]) => {
                    let off = (found.unwrap() - mean).abs();
                    assert!(
                        off <= 4.5 * error + 1e-12,
                        "{emotion} {metric}: {found:?}, expected {mean} ± {error}"
                    );
                    compared += 1;
                }
            }
        }
    }
    assert_eq!(
        compared,
        3 * 8 + 1,
        "two emotions and all rows together; of the emotion without positives the accuracy"
    );
}

#[test]
fn the_mean_over_emotions_leaves_out_what_is_undefined() {
    let rows = rows(&golden());
    for metric in Metric::ALL.map(Metric::name) {
        let each: Vec<f64> = ["happy", "sad", "fear"]
            .iter()
            .filter_map(|e| value(&rows, "prevalence", e, metric))
            .collect();
        let expected = (!each.is_empty()).then(|| each.iter().sum::<f64>() / each.len() as f64);
        let found = value(&rows, "prevalence", "macro", metric);
        assert!(
            found == expected || (found.unwrap() - expected.unwrap()).abs() < 1e-15,
            "{metric}: {found:?}"
        );
    }
}
