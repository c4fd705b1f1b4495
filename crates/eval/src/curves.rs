//! Points of curves of scores: receiver operating characteristic, precision-recall curve,
//! calibration.
//!
//! Areas under them are in `metrics`.

use crate::Ranking;

/// Fewest rows of a bin, if there are enough for two.
const BIN_ROWS: usize = 30;
/// Most bins of a reliability diagram.
const MOST_BINS: usize = 10;

/// (false positive rate, true positive rate) at every distinct score, from (0, 0) to (1, 1).
///
/// `None` where one of the classes has no row, or as [`Ranking::new`].
pub fn roc_curve(present: &[bool], score: &[f64]) -> Option<Vec<(f64, f64)>> {
    let cuts = cuts(present, score)?;
    let (positives, rows) = *cuts.last()?;
    let negatives = rows - positives;
    if positives == 0 || negatives == 0 {
        return None;
    }
    let point = |&(tp, rows): &(u64, u64)| {
        (
            (rows - tp) as f64 / negatives as f64,
            tp as f64 / positives as f64,
        )
    };
    Some(
        std::iter::once((0.0, 0.0))
            .chain(cuts.iter().map(point))
            .collect(),
    )
}

/// (recall, precision) at every distinct score, the highest score first.
///
/// `None` where no row is present, or as [`Ranking::new`].
pub fn precision_recall_curve(present: &[bool], score: &[f64]) -> Option<Vec<(f64, f64)>> {
    let cuts = cuts(present, score)?;
    let (positives, _) = *cuts.last()?;
    let point = |&(tp, rows): &(u64, u64)| (tp as f64 / positives as f64, tp as f64 / rows as f64);
    (positives > 0).then(|| cuts.iter().map(point).collect())
}

/// Present rows, and all rows, at or above each distinct score, the highest first.
fn cuts(present: &[bool], score: &[f64]) -> Option<Vec<(u64, u64)>> {
    let mut cuts = Vec::new();
    Ranking::new(present, score)?.each_cut(|cut| cuts.push((cut.tp, cut.rows)));
    Some(cuts)
}

/// The true positive rate at a false positive rate, on straight lines between the points of
/// [`roc_curve`]; the highest where the curve rises. With it curves are averaged at equal false
/// positive rates (Fawcett 2006, "vertical averaging").
pub fn tpr_at(roc: &[(f64, f64)], fpr: f64) -> Option<f64> {
    let after = roc.partition_point(|(x, _)| *x <= fpr);
    let (x0, y0) = *roc.get(after.checked_sub(1)?)?;
    Some(match roc.get(after) {
        Some((x1, y1)) => y0 + (y1 - y0) * (fpr - x0) / (x1 - x0),
        None => y0,
    })
}

/// The precision at the first point of [`precision_recall_curve`] whose recall is not below
/// `recall`: not interpolated, as in the average precision.
pub fn precision_at(curve: &[(f64, f64)], recall: f64) -> Option<f64> {
    curve
        .get(curve.partition_point(|(r, _)| *r < recall))
        .map(|(_, precision)| *precision)
}

/// Rows of similar score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bin {
    /// How many.
    pub rows: usize,
    /// Their mean score.
    pub score: f64,
    /// The share of them that is present.
    pub present: f64,
}

/// How well scores are calibrated.
#[derive(Debug, Clone, PartialEq)]
pub struct Reliability {
    /// Bins of about as many rows each, by rising score; equal scores are in one bin.
    pub bins: Vec<Bin>,
    /// Expected calibration error: the mean over rows of the distance between score and share
    /// present of their bin (Naeini, Cooper and Hauskrecht 2015, with bins of equal counts).
    pub error: f64,
}

/// How many bins `rows` rows fill: one for each 30, from 2 to 10.
pub fn bins_for(rows: usize) -> usize {
    (rows / BIN_ROWS).clamp(2, MOST_BINS)
}

/// Puts rows into `bins` bins at the quantiles of their scores.
///
/// The edges are those of `calibration_curve(strategy="quantile")` in scikit-learn. `None` without
/// rows or bins, where the slices differ in length, and where a score is not finite.
pub fn reliability(present: &[bool], score: &[f64], bins: usize) -> Option<Reliability> {
    if present.is_empty()
        || bins == 0
        || present.len() != score.len()
        || score.iter().any(|s| !s.is_finite())
    {
        return None;
    }
    let mut rows: Vec<(f64, bool)> = score.iter().copied().zip(present.iter().copied()).collect();
    rows.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let mut edges: Vec<usize> = (1..bins)
        .map(|i| (rows.len() - 1) * i / bins)
        .map(|at| rows[at].0)
        .map(|edge| rows.partition_point(|row| row.0 <= edge))
        .collect();
    edges.push(rows.len());
    edges.dedup();
    let (mut out, mut from, mut error) = (Vec::new(), 0, 0.0);
    for to in edges {
        let of = &rows[from..to];
        let n = of.len() as f64;
        let bin = Bin {
            rows: of.len(),
            score: crate::mean(of.iter().map(|row| row.0))?,
            present: of.iter().filter(|row| row.1).count() as f64 / n,
        };
        error += n / rows.len() as f64 * (bin.score - bin.present).abs();
        out.push(bin);
        from = to;
    }
    Some(Reliability { bins: out, error })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curves_are_read_at_a_place() {
        let roc = [(0.0, 0.0), (0.0, 0.5), (0.5, 0.5), (0.5, 1.0), (1.0, 1.0)];
        let at = [0.0, 0.25, 0.5, 1.0].map(|x| tpr_at(&roc, x).unwrap());
        assert_eq!(at, [0.5, 0.5, 1.0, 1.0]);
        assert_eq!(tpr_at(&[(0.0, 0.0), (1.0, 1.0)], 0.25), Some(0.25));
        assert_eq!(tpr_at(&[], 0.5), None);
        let pr = [(0.5, 1.0), (0.5, 0.5), (1.0, 0.6)];
        assert_eq!(
            [0.01, 0.5, 0.51, 1.0].map(|r| precision_at(&pr, r).unwrap()),
            [1.0, 1.0, 0.6, 0.6]
        );
        assert_eq!(precision_at(&pr, 1.5), None);
    }

    #[test]
    fn what_has_no_curve() {
        assert_eq!(roc_curve(&[true, true], &[0.1, 0.2]), None);
        assert_eq!(precision_recall_curve(&[false], &[0.1]), None);
        assert_eq!(roc_curve(&[true, false], &[0.1, f64::NAN]), None);
        assert_eq!(reliability(&[], &[], 5), None);
        assert_eq!(reliability(&[true], &[0.5], 0), None);
        assert_eq!(reliability(&[true, false], &[0.5], 2), None);
        assert_eq!(reliability(&[true], &[f64::NAN], 2), None);
    }

    #[test]
    fn equal_scores_share_a_bin_whatever_their_order() {
        let score = [0.5, 0.2, 0.5, 0.5, 0.9, 0.5];
        let got = reliability(&[true, false, false, true, true, false], &score, 3).unwrap();
        let again = reliability(&[false, false, true, true, true, false], &score, 3).unwrap();
        assert_eq!(got, again);
        assert_eq!(got.bins.iter().map(|b| b.rows).collect::<Vec<_>>(), [5, 1]);
    }

    #[test]
    fn few_rows_fill_few_bins() {
        assert_eq!([0, 29, 90, 146, 4662].map(bins_for), [2, 2, 3, 4, 10]);
    }
}
