//! What must hold of any scores.

use eval::metrics::{Confusion, average_precision, roc_auc};
use eval::{Metric, measure_cell, threshold};
use proptest::prelude::*;
use run_record::{CellId, CellPredictions, PredictionRow};

/// Rows with scores from few levels, so that ties are common.
fn rows() -> impl Strategy<Value = (Vec<bool>, Vec<f64>)> {
    prop::collection::vec((any::<bool>(), 0_u8..12), 0..60).prop_map(|rows| {
        rows.into_iter()
            .map(|(present, level)| (present, f64::from(level) / 7.0 - 0.5))
            .unzip()
    })
}

/// Rows with scores of all sizes and signs, some of them equal: enough that they are sorted by more
/// than comparing.
fn many_rows() -> impl Strategy<Value = (Vec<bool>, Vec<f64>)> {
    let score = prop_oneof![
        3 => 0.0..1.0,
        1 => prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL | prop::num::f64::ZERO,
        2 => (0_u8..40).prop_map(|level| f64::from(level) / 40.0 - 0.5),
        2 => (0_u64..1 << 12).prop_map(|step| f64::from_bits(0.75_f64.to_bits() + step)),
    ];
    prop::collection::vec((any::<bool>(), score), 0..700).prop_map(|rows| rows.into_iter().unzip())
}

fn at(score: &[f64], threshold: f64) -> Vec<bool> {
    score.iter().map(|&s| s >= threshold).collect()
}

proptest! {
    #[test]
    fn auc_is_the_share_of_ordered_pairs((present, score) in prop_oneof![rows(), many_rows()]) {
        let (mut won, mut pairs) = (0.0, 0.0);
        for (&a, _) in score.iter().zip(&present).filter(|(_, present)| **present) {
            for (&b, _) in score.iter().zip(&present).filter(|(_, present)| !**present) {
                pairs += 1.0;
                won += if a > b { 1.0 } else if a == b { 0.5 } else { 0.0 };
            }
        }
        match roc_auc(&present, &score) {
            None => prop_assert_eq!(pairs, 0.0),
            Some(auc) => prop_assert!((auc - won / pairs).abs() < 1e-12),
        }
    }

    #[test]
    fn auc_and_average_precision_see_only_the_order((present, score) in rows()) {
        let bent: Vec<f64> = score.iter().map(|s| (3.0 * s).exp() + 100.0).collect();
        prop_assert_eq!(roc_auc(&present, &score), roc_auc(&present, &bent));
        prop_assert_eq!(average_precision(&present, &score), average_precision(&present, &bent));
    }

    #[test]
    fn turning_the_scores_round_turns_the_auc_round((present, score) in rows()) {
        let turned: Vec<f64> = score.iter().map(|s| -s).collect();
        match (roc_auc(&present, &score), roc_auc(&present, &turned)) {
            (Some(a), Some(b)) => prop_assert!((a + b - 1.0).abs() < 1e-12),
            (a, b) => prop_assert_eq!(a, b),
        }
    }

    #[test]
    fn average_precision_is_the_sum_over_thresholds((present, score) in prop_oneof![rows(), many_rows()]) {
        let mut thresholds = score.clone();
        thresholds.sort_by(|a, b| b.total_cmp(a));
        // By value: 0 and -0 are one.
        thresholds.dedup();
        let (mut total, mut recall_before) = (0.0, 0.0);
        for threshold in thresholds {
            let counts = Confusion::count(&present, &at(&score, threshold)).unwrap();
            let (Some(precision), Some(recall)) = (counts.precision(), counts.recall()) else { break };
            total += (recall - recall_before) * precision;
            recall_before = recall;
        }
        match average_precision(&present, &score) {
            None => prop_assert!(!present.contains(&true)),
            Some(ap) => prop_assert!((ap - total).abs() < 1e-12, "{} {}", ap, total),
        }
    }

    #[test]
    fn no_threshold_beats_the_best((present, score) in prop_oneof![rows(), many_rows()]) {
        let f1 = |threshold| Confusion::count(&present, &at(&score, threshold)).unwrap().f1();
        match threshold::best_f1(&present, &score) {
            None => prop_assert!(!present.contains(&true)),
            Some(best) => {
                prop_assert!(score.contains(&best));
                for &other in &score {
                    prop_assert!(f1(other) <= f1(best));
                    prop_assert!(f1(other) < f1(best) || other <= best, "{} is as good as {}", other, best);
                }
            }
        }
    }

    #[test]
    fn the_order_of_the_rows_does_not_matter((present, score) in rows(), shift in 0_usize..60) {
        let shift = shift % present.len().max(1);
        let (mut p, mut s) = (present.clone(), score.clone());
        p.rotate_left(shift);
        s.rotate_left(shift);
        prop_assert_eq!(roc_auc(&present, &score), roc_auc(&p, &s));
        prop_assert_eq!(average_precision(&present, &score), average_precision(&p, &s));
        prop_assert_eq!(threshold::best_f1(&present, &score), threshold::best_f1(&p, &s));
    }

    #[test]
    fn any_numbers_give_rows_or_an_error(
        rows in prop::collection::vec((any::<bool>(), any::<f64>(), any::<Option<f64>>(), any::<f64>()), 0..20),
    ) {
        let id = CellId { partition: 0, cell: "c".into(), fold: 0, start: "s".into(), fraction: 1.0, n_labels: 1, seed: 0, draw: 0, budget: "f1".into(), pretrain_seed: None };
        let rows: Vec<PredictionRow> = rows
            .into_iter()
            .map(|(present, score, predicted_intensity, threshold)| PredictionRow {
                split: "valid".into(),
                video: "v".into(),
                segment: 0,
                emotion: "sad".into(),
                intensity: 0.0,
                present,
                score: Some(score),
                predicted_intensity,
                threshold,
            })
            .collect();
        if let Ok(results) = measure_cell(&CellPredictions { id, rows }) {
            let shares = results.iter().filter(|r| r.metric != Metric::Mae.name()).filter_map(|r| r.value);
            for value in shares {
                prop_assert!((0.0..=1.0).contains(&value), "{}", value);
            }
        }
    }
}
