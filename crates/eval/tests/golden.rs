//! Result rows against scikit-learn's numbers; `golden/make.py` made them.

use eval::{EvalError, MACRO, MICRO, Metric, measure_cell, threshold};
use run_record::{CellId, CellPredictions, PredictionRow, ResultRow};
use serde::Deserialize;
use std::collections::BTreeMap;

const EMOTIONS: [&str; 3] = ["happy", "sad", "fear"];
const TOLERANCE: f64 = 1e-12;

#[derive(Deserialize)]
struct Case {
    name: String,
    rows: usize,
    levels: f64,
    positive: f64,
    threshold: f64,
    seed: u64,
    positives: u64,
    expected: BTreeMap<String, BTreeMap<String, Option<f64>>>,
    #[serde(default, deserialize_with = "present_or_null")]
    best_threshold: Option<Option<f64>>,
}

/// Keeps "null" (no threshold) apart from "not in the file" (not asked).
fn present_or_null<'de, D: serde::Deserializer<'de>>(
    from: D,
) -> Result<Option<Option<f64>>, D::Error> {
    Option::<f64>::deserialize(from).map(Some)
}

fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("golden/metrics.json")).expect("the fixture reads")
}

/// The rows of a case, as `make.py` draws them.
fn rows(case: &Case) -> Vec<PredictionRow> {
    let mut state = case.seed;
    let mut draw = || {
        state = state
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (state >> 40) as f64
    };
    let unit = f64::from(1 << 24);
    (0..case.rows)
        .map(|i| {
            let (a, b, c, d) = (draw(), draw(), draw(), draw());
            let present = a % 256.0 < case.positive;
            let score = (b / unit * case.levels).floor() / case.levels;
            PredictionRow {
                split: "test".into(),
                video: "v".into(),
                segment: i32::try_from(i).expect("few rows"),
                emotion: EMOTIONS[i % 3].into(),
                intensity: if present { (1.0 + c % 18.0) / 6.0 } else { 0.0 },
                present,
                score: Some(if present { (score + 1.0) / 2.0 } else { score }),
                predicted_intensity: Some(d / unit * 4.0 - 0.5),
                threshold: case.threshold,
            }
        })
        .collect()
}

fn cell(rows: Vec<PredictionRow>) -> CellPredictions {
    let id = CellId {
        partition: 0,
        cell: "c".into(),
        fold: 1,
        start: "ssl".into(),
        fraction: 0.1,
        n_labels: 7,
        seed: 2,
        draw: 3,
        budget: "f0.1".into(),
        pretrain_seed: None,
    };
    CellPredictions { id, rows }
}

fn find<'a>(rows: &'a [ResultRow], emotion: &str, metric: Metric) -> &'a ResultRow {
    let found: Vec<_> = rows
        .iter()
        .filter(|r| r.emotion == emotion && r.metric == metric.name())
        .collect();
    assert_eq!(found.len(), 1, "{emotion} {}", metric.name());
    found[0]
}

#[test]
fn every_metric_equals_scikit_learn() {
    let mut compared = 0;
    for case in cases() {
        let got = measure_cell(&cell(rows(&case))).unwrap();
        for (emotion, expected) in &case.expected {
            for metric in Metric::ALL {
                let value = find(&got, emotion, metric).value;
                let place = format!("{}: {emotion} {}: {value:?}", case.name, metric.name());
                match expected[metric.name()] {
                    None => assert_eq!(value, None, "{place}"),
                    Some(expected) => {
                        assert!(
                            (value.unwrap() - expected).abs() <= TOLERANCE,
                            "{place}, expected {expected}"
                        );
                    }
                }
                compared += 1;
            }
        }
        assert_eq!(
            find(&got, MICRO, Metric::F1).support,
            case.positives,
            "{}",
            case.name
        );
    }
    assert!(compared >= 500, "only {compared} values");
}

#[test]
fn thresholds_equal_the_search_over_all_scores() {
    let mut compared = 0;
    for case in cases() {
        let Some(expected) = case.best_threshold else {
            continue;
        };
        let (present, score): (Vec<bool>, Vec<f64>) = rows(&case)
            .iter()
            .map(|r| (r.present, r.score.unwrap()))
            .unzip();
        assert_eq!(
            threshold::best_f1(&present, &score),
            expected,
            "{}",
            case.name
        );
        compared += 1;
    }
    assert_eq!(compared, 10);
}

fn small() -> Vec<PredictionRow> {
    rows(&cases()[0]).into_iter().take(12).collect()
}

#[test]
fn rows_stand_in_the_order_of_the_contract() {
    let mut mixed: Vec<PredictionRow> = small();
    mixed.extend(small().into_iter().map(|r| PredictionRow {
        split: "valid".into(),
        ..r
    }));
    mixed.swap(0, 1);
    let got = measure_cell(&cell(mixed)).unwrap();
    let names: Vec<String> = got
        .iter()
        .map(|r| format!("{} {} {}", r.split, r.emotion, r.metric))
        .collect();
    let mut expected = Vec::new();
    for split in ["valid", "test"] {
        for emotion in ["sad", "happy", "fear", MACRO, MICRO] {
            expected.extend(Metric::ALL.map(|m| format!("{split} {emotion} {}", m.name())));
        }
    }
    assert_eq!(names, expected);
    let first = ResultRow {
        value: None,
        support: 0,
        ..got[0].clone()
    };
    let id = cell(vec![]).id;
    assert_eq!(
        (first.cell, first.fold, first.start, first.fraction),
        (id.cell, id.fold, id.start, id.fraction)
    );
    assert_eq!(
        (first.n_labels, first.seed, first.draw),
        (id.n_labels, id.seed, id.draw)
    );
}

#[test]
fn supports_count_positives_or_rows_and_macro_adds_them() {
    let rows = small();
    let positives = rows.iter().filter(|r| r.present).count() as u64;
    let got = measure_cell(&cell(rows)).unwrap();
    for emotion in [MACRO, MICRO] {
        assert_eq!(find(&got, emotion, Metric::RocAuc).support, positives);
        assert_eq!(find(&got, emotion, Metric::Mae).support, 12);
    }
    assert_eq!(find(&got, "sad", Metric::Accuracy4).support, 4);
}

#[test]
fn a_missing_head_leaves_rows_without_values() {
    let rows: Vec<_> = small()
        .into_iter()
        .map(|r| PredictionRow { score: None, ..r })
        .collect();
    let got = measure_cell(&cell(rows)).unwrap();
    for emotion in EMOTIONS.into_iter().chain([MACRO, MICRO]) {
        for metric in Metric::ALL {
            let has_head = matches!(metric, Metric::Mae | Metric::Accuracy4);
            assert_eq!(
                find(&got, emotion, metric).value.is_some(),
                has_head,
                "{emotion} {}",
                metric.name()
            );
        }
    }
}

#[test]
fn one_row_without_a_score_leaves_out_its_emotion_and_micro_only() {
    let mut rows: Vec<_> = rows(&cases()[0]);
    rows[0].score = None;
    let got = measure_cell(&cell(rows)).unwrap();
    let value = |emotion| find(&got, emotion, Metric::RocAuc).value;
    assert_eq!((value("happy"), value(MICRO)), (None, None));
    assert!(
        (value(MACRO).unwrap() - (value("sad").unwrap() + value("fear").unwrap()) / 2.0).abs()
            < TOLERANCE
    );
}

#[test]
fn an_emotion_without_rows_in_a_split_is_undefined_there() {
    let mut rows = small();
    for row in rows.iter_mut().filter(|r| r.emotion == "fear") {
        row.split = "valid".into();
    }
    let got = measure_cell(&cell(rows)).unwrap();
    let test: Vec<_> = got.into_iter().filter(|r| r.split == "test").collect();
    for metric in Metric::ALL {
        let row = find(&test, "fear", metric);
        assert_eq!((row.value, row.support), (None, 0), "{}", metric.name());
    }
    assert!(find(&test, MACRO, Metric::Accuracy).value.is_some());
}

#[test]
fn each_row_is_judged_by_its_own_threshold() {
    let mut rows = small();
    for (i, row) in rows.iter_mut().enumerate() {
        (row.present, row.score, row.threshold) =
            (i % 2 == 0, Some(0.5), if i % 2 == 0 { 0.5 } else { 0.6 });
    }
    let got = measure_cell(&cell(rows)).unwrap();
    assert_eq!(find(&got, MICRO, Metric::Accuracy).value, Some(1.0));
}

type Break = fn(&mut PredictionRow);

#[test]
fn refused_rows_are_named() {
    let cases: [(Break, &str); 6] = [
        (
            |r| r.score = Some(f64::NAN),
            "cell c, test, v[4] sad: score: expected a finite number, found NaN",
        ),
        (
            |r| r.score = Some(f64::INFINITY),
            "score: expected a finite number, found inf",
        ),
        (
            |r| r.predicted_intensity = Some(f64::NAN),
            "predicted_intensity: expected a finite number, found NaN",
        ),
        (
            |r| r.intensity = f64::NEG_INFINITY,
            "intensity: expected a finite number, found -inf",
        ),
        (
            |r| r.threshold = f64::NAN,
            "threshold: expected a number, found NaN",
        ),
        (
            |r| r.split = "train".into(),
            "cell c: split: expected valid or test, found 'train'",
        ),
    ];
    for (break_it, expected) in cases {
        let mut rows = small();
        break_it(&mut rows[4]);
        let message = measure_cell(&cell(rows)).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    }
    let mut rows = small();
    rows[4].emotion = MICRO.into();
    assert!(matches!(
        measure_cell(&cell(rows)),
        Err(EvalError::ReservedEmotion { .. })
    ));
}

#[test]
fn an_infinite_threshold_says_never() {
    let rows: Vec<_> = small()
        .into_iter()
        .map(|r| PredictionRow {
            threshold: f64::INFINITY,
            ..r
        })
        .collect();
    let got = measure_cell(&cell(rows)).unwrap();
    assert_eq!(find(&got, MICRO, Metric::Recall).value, Some(0.0));
    assert_eq!(find(&got, MICRO, Metric::Precision).value, Some(0.0));
}
