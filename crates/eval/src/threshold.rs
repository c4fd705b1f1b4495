//! The threshold that turns a score into a decision; chosen on validation rows alone, by the caller.

use crate::ranking::cuts;

/// The score at which the rule `score >= threshold` has the highest F1; of several, the highest.
///
/// `None` where no row is present, the slices differ in length or a score is not finite.
pub fn best_f1(present: &[bool], score: &[f64]) -> Option<f64> {
    let cuts = cuts(present, score)?;
    let positives = cuts.last()?.tp;
    // F1 = 2 tp / (tp + fp + positives). Compared as fractions of integers: equal ones are equal whatever the order.
    let mut best: Option<(u128, u128, f64)> = None;
    for cut in cuts.iter().filter(|c| c.tp > 0) {
        let (num, den) = (u128::from(cut.tp), u128::from(cut.tp + cut.fp + positives));
        if best.is_none_or(|(best_num, best_den, _)| num * best_den > best_num * den) {
            best = Some((num, den, cut.threshold));
        }
    }
    best.map(|(_, _, threshold)| threshold)
}

#[cfg(test)]
mod tests {
    use super::best_f1;

    #[test]
    fn the_best_cut_is_taken() {
        // 0.8: tp 1, fp 0, F1 2/3; 0.6: tp 1, fp 1; 0.4: tp 2, fp 1, F1 4/5.
        assert_eq!(best_f1(&[true, false, true, false], &[0.8, 0.6, 0.4, 0.2]), Some(0.4));
    }

    #[test]
    fn of_equals_the_highest_is_taken() {
        // 0.9: tp 1, fp 0 of 2, F1 2/3; 0.1: tp 2, fp 2, F1 4/6.
        assert_eq!(best_f1(&[true, false, false, true], &[0.9, 0.5, 0.4, 0.1]), Some(0.9));
    }

    #[test]
    fn without_positives_there_is_none() {
        assert_eq!(best_f1(&[false, false], &[0.9, 0.5]), None);
        assert_eq!(best_f1(&[], &[]), None);
        assert_eq!(best_f1(&[true], &[]), None);
        assert_eq!(best_f1(&[true, true], &[0.9, f64::NAN]), None);
    }
}
