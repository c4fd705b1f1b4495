//! The threshold that turns a score into a decision; chosen on validation rows alone, by the
//! caller.

use crate::Ranking;

/// The score at which the rule `score >= threshold` has the highest F1; of several, the highest.
///
/// `None` where no row is present, the slices differ in length or a score is not finite.
pub fn best_f1(present: &[bool], score: &[f64]) -> Option<f64> {
    Ranking::new(present, score)?.best_f1()
}

#[cfg(test)]
mod tests {
    use super::best_f1;

    #[test]
    fn the_best_cut_is_taken() {
        // 0.8: tp 1, fp 0, F1 2/3; 0.6: tp 1, fp 1; 0.4: tp 2, fp 1, F1 4/5.
        assert_eq!(
            best_f1(&[true, false, true, false], &[0.8, 0.6, 0.4, 0.2]),
            Some(0.4)
        );
    }

    #[test]
    fn of_equals_the_highest_is_taken() {
        // 0.9: tp 1, fp 0 of 2, F1 2/3; 0.1: tp 2, fp 2, F1 4/6.
        assert_eq!(
            best_f1(&[true, false, false, true], &[0.9, 0.5, 0.4, 0.1]),
            Some(0.9)
        );
    }

    #[test]
    fn without_positives_there_is_none() {
        assert_eq!(best_f1(&[false, false], &[0.9, 0.5]), None);
        assert_eq!(best_f1(&[], &[]), None);
        assert_eq!(best_f1(&[true], &[]), None);
        assert_eq!(best_f1(&[true, true], &[0.9, f64::NAN]), None);
    }
}
