use crate::Ranking;

/// Area under the receiver operating characteristic: the chance that a present row scores above an
/// absent one, ties counting half. `None` where one of the classes has no row.
pub fn roc_auc(present: &[bool], score: &[f64]) -> Option<f64> {
    Ranking::new(present, score)?.roc_auc()
}

/// Average precision: the precision at each distinct score, weighted by the recall gained there,
/// not interpolated. `None` where no row is present.
pub fn average_precision(present: &[bool], score: &[f64]) -> Option<f64> {
    Ranking::new(present, score)?.average_precision()
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
