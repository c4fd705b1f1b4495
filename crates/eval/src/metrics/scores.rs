use crate::ranking::cuts;
use crate::sum::sum;

/// Area under the receiver operating characteristic: the chance that a present row scores above an absent one, ties
/// counting half. `None` where one of the classes has no row.
pub fn roc_auc(present: &[bool], score: &[f64]) -> Option<f64> {
    let cuts = cuts(present, score)?;
    let last = cuts.last()?;
    if last.tp == 0 || last.fp == 0 {
        return None;
    }
    // Twice the number of ordered pairs, a tie counting one: an integer, so nothing is lost however many rows.
    let (mut doubled, mut tp, mut fp) = (0_u128, 0, 0);
    for cut in &cuts {
        doubled += u128::from(cut.fp - fp) * u128::from(cut.tp + tp);
        (tp, fp) = (cut.tp, cut.fp);
    }
    Some(doubled as f64 / (2 * u128::from(last.tp) * u128::from(last.fp)) as f64)
}

/// Average precision: the precision at each distinct score, weighted by the recall gained there, not interpolated.
/// `None` where no row is present.
pub fn average_precision(present: &[bool], score: &[f64]) -> Option<f64> {
    let cuts = cuts(present, score)?;
    let positives = cuts.last()?.tp;
    if positives == 0 {
        return None;
    }
    let mut before = 0;
    let steps = cuts.iter().map(|cut| {
        let gained = cut.tp - std::mem::replace(&mut before, cut.tp);
        gained as f64 * (cut.tp as f64 / (cut.tp + cut.fp) as f64)
    });
    Some(sum(steps) / positives as f64)
}

#[cfg(test)]
mod tests {
    use super::{average_precision, roc_auc};

    #[test]
    fn ties_count_half() {
        assert_eq!(roc_auc(&[true, false], &[0.5, 0.5]), Some(0.5));
        assert_eq!(roc_auc(&[true, false, false], &[0.5, 0.5, 0.1]), Some(0.75));
        assert_eq!(average_precision(&[true, false], &[0.5, 0.5]), Some(0.5));
    }

    #[test]
    fn undefined_is_none() {
        assert_eq!(roc_auc(&[true, true], &[0.5, 0.4]), None);
        assert_eq!(roc_auc(&[false], &[0.5]), None);
        assert_eq!(roc_auc(&[], &[]), None);
        assert_eq!(average_precision(&[false, false], &[0.5, 0.4]), None);
        assert_eq!(average_precision(&[true, true], &[0.5, 0.4]), Some(1.0));
        assert_eq!(average_precision(&[], &[]), None);
        assert_eq!(roc_auc(&[true, false], &[0.5]), None);
        assert_eq!(roc_auc(&[true, false], &[0.5, f64::NAN]), None);
    }
}
