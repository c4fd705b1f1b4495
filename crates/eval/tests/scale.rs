//! A million rows against scikit-learn's numbers; `golden/scale.py` made them and describes how the
//! rows are drawn.

use eval::Ranking;
use serde::Deserialize;

const N: usize = 1_000_000;
const TOLERANCE: f64 = 1e-12;

#[derive(Deserialize)]
struct Case {
    kind: String,
    distinct: usize,
    roc_auc: f64,
    average_precision: f64,
}

fn unit(stream: u64, i: u64) -> f64 {
    let mut z = (i + 1 + stream * N as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

fn rows(kind: &str) -> (Vec<bool>, Vec<f64>) {
    let (present, mut score): (Vec<bool>, Vec<f64>) = (0..N as u64)
        .map(|i| {
            let (u, v, present) = (unit(0, i), unit(1, i), unit(2, i) < 0.3);
            let u = if present { (u + v) / 2.0 } else { u * v };
            let score = match kind {
                "float32" => f64::from(u as f32),
                "logits" => (u - 0.3) * 20.0,
                "few" => (u * 64.0).floor() / 64.0,
                "tied" => 0.5,
                "crowded" if v < 0.01 => (u * 3.0).floor(),
                "crowded" => 0.25 + (u * 5000.0).floor() * 2_f64.powi(-54),
                _ => u,
            };
            (present, score)
        })
        .unzip();
    match kind {
        "sorted" => score.sort_unstable_by(f64::total_cmp),
        "reversed" => score.sort_unstable_by(|a, b| b.total_cmp(a)),
        _ => {}
    }
    (present, score)
}

#[test]
fn a_million_rows_are_ranked_as_scikit_learn_ranks_them() {
    let cases: Vec<Case> =
        serde_json::from_str(include_str!("golden/scale.json")).expect("the fixture reads");
    assert_eq!(cases.len(), 8);
    for case in cases {
        let (present, score) = rows(&case.kind);
        let mut distinct = score.clone();
        distinct.sort_unstable_by(f64::total_cmp);
        distinct.dedup();
        assert_eq!(
            distinct.len(),
            case.distinct,
            "{}: other rows than the script's",
            case.kind
        );
        let ranking = Ranking::new(&present, &score).unwrap();
        let auc = ranking.roc_auc().unwrap();
        assert!(
            (auc - case.roc_auc).abs() <= TOLERANCE,
            "{}: {auc}, expected {}",
            case.kind,
            case.roc_auc
        );
        let ap = ranking.average_precision().unwrap();
        let expected = case.average_precision;
        assert!(
            (ap - expected).abs() <= TOLERANCE,
            "{}: {ap}, expected {expected}",
            case.kind
        );
    }
}
