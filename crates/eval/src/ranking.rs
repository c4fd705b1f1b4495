//! Rows in the order of their scores, equal scores together: what AUC, average precision and thresholds walk along.

/// What the rule `score >= threshold` finds at one distinct score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Cut {
    /// The score.
    pub threshold: f64,
    /// Present rows at or above it.
    pub tp: u64,
    /// Absent rows at or above it.
    pub fp: u64,
}

/// One cut for each distinct score, the highest first; the last one counts all rows.
///
/// `None` where the slices differ in length or a score is not finite: neither has an order to walk along.
pub(crate) fn cuts(present: &[bool], score: &[f64]) -> Option<Vec<Cut>> {
    if present.len() != score.len() || score.iter().any(|s| !s.is_finite()) {
        return None;
    }
    let mut rows: Vec<(f64, bool)> = score.iter().copied().zip(present.iter().copied()).collect();
    rows.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
    let mut cuts: Vec<Cut> = Vec::new();
    let (mut tp, mut fp) = (0, 0);
    for (threshold, is_present) in rows {
        if is_present {
            tp += 1;
        } else {
            fp += 1;
        }
        match cuts.last_mut() {
            // Compared by value, so that 0 and -0 are one score.
            Some(last) if last.threshold == threshold => (last.tp, last.fp) = (tp, fp),
            _ => cuts.push(Cut { threshold, tp, fp }),
        }
    }
    Some(cuts)
}

#[cfg(test)]
mod tests {
    use super::{Cut, cuts};

    #[test]
    fn equal_scores_make_one_cut() {
        let got = cuts(&[true, false, true, false], &[0.5, 0.9, 0.5, -0.0]).unwrap();
        let cut = |threshold, tp, fp| Cut { threshold, tp, fp };
        assert_eq!(got, [cut(0.9, 0, 1), cut(0.5, 2, 1), cut(0.0, 2, 2)]);
        assert_eq!(cuts(&[true, false], &[0.0, -0.0]).unwrap().len(), 1);
    }

    #[test]
    fn what_has_no_order_has_no_cuts() {
        assert_eq!(cuts(&[true], &[]), None);
        assert_eq!(cuts(&[true], &[f64::NAN]), None);
        assert_eq!(cuts(&[true], &[f64::INFINITY]), None);
        assert_eq!(cuts(&[], &[]), Some(vec![]));
    }
}
