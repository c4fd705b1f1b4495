//! Curves of scores against scikit-learn's; `golden/make_curves.py` made them.
#![allow(clippy::unwrap_used, reason = "these are tests")]

use eval::curves::{precision_recall_curve, reliability, roc_curve, tpr_at};
use serde::Deserialize;

const TOLERANCE: f64 = 1e-12;

#[derive(Deserialize)]
struct Case {
    name: String,
    present: Vec<bool>,
    score: Vec<f64>,
    bins: usize,
    roc: Vec<(f64, f64)>,
    precision_recall: Vec<(f64, f64)>,
    tpr_at: Vec<f64>,
    calibration: Option<Vec<(f64, f64, f64)>>,
    error: Option<f64>,
}

fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("golden/curves.json")).unwrap()
}

fn close(name: &str, got: &[f64], expected: &[f64]) {
    assert_eq!(got.len(), expected.len(), "{name}");
    for (a, b) in got.iter().zip(expected) {
        assert!(
            (a - b).abs() <= TOLERANCE,
            "{name}: expected {b}, found {a}"
        );
    }
}

fn flat(points: &[(f64, f64)]) -> Vec<f64> {
    points.iter().flat_map(|&(x, y)| [x, y]).collect()
}

#[test]
fn curves_equal_those_of_scikit_learn() {
    for case in cases() {
        let roc = roc_curve(&case.present, &case.score).unwrap();
        close(&case.name, &flat(&roc), &flat(&case.roc));
        let mut pr = precision_recall_curve(&case.present, &case.score).unwrap();
        // scikit-learn stops where all present rows are found.
        pr.truncate(case.precision_recall.len());
        close(&case.name, &flat(&pr), &flat(&case.precision_recall));
        let at: Vec<f64> = (0..11)
            .map(|i| tpr_at(&roc, f64::from(i) / 10.0).unwrap())
            .collect();
        close(&case.name, &at, &case.tpr_at);
    }
}

#[test]
fn calibration_equals_that_of_scikit_learn() {
    let mut asked = 0;
    for case in cases() {
        let Some(expected) = &case.calibration else {
            continue;
        };
        asked += 1;
        let got = reliability(&case.present, &case.score, case.bins).unwrap();
        let bins: Vec<f64> = got
            .bins
            .iter()
            .flat_map(|b| [b.rows as f64, b.score, b.present])
            .collect();
        close(
            &case.name,
            &bins,
            &expected
                .iter()
                .flat_map(|&(n, x, y)| [n, x, y])
                .collect::<Vec<_>>(),
        );
        close(&case.name, &[got.error], &[case.error.unwrap()]);
    }
    assert_eq!(asked, 3);
}
