//! Rows in the order of their scores, with ties: the basis of AUC, average precision and
//! thresholds.

use crate::sum::Sum;

/// The sign of a score, and of the key that its order goes by.
const SIGN: u64 = 1 << 63;

/// Rows with their class, in the order of their scores.
///
/// Sorting takes most of the time of these metrics, so make a ranking once for several metrics of
/// one set of scores.
///
/// ```
/// use eval::Ranking;
///
/// let ranking = Ranking::new(&[true, false, true, false], &[0.9, 0.6, 0.6, 0.1]).ok_or("finite scores")?;
/// assert_eq!(ranking.roc_auc(), Some(0.875)); // a tie counts half
/// assert_eq!(ranking.best_f1(), Some(0.6));
/// # Ok::<(), &str>(())
/// ```
#[derive(Debug, Clone)]
pub struct Ranking {
    /// Ascending: the score's key without its highest bit, then whether the row is present.
    rows: Vec<u64>,
    /// Of how many rows, the first ones, the score is below 0.
    negative: usize,
}

/// The result of the rule `score >= threshold` at one distinct score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Cut {
    /// The score.
    pub threshold: f64,
    /// Present rows at or above it.
    pub tp: u64,
    /// All rows at or above it.
    pub rows: u64,
}

/// An integer with the order of the scores; 0 and -0 are equal.
fn key(score: f64) -> u64 {
    let bits = (score + 0.0).to_bits();
    if bits & SIGN == 0 { bits | SIGN } else { !bits }
}

fn score(key: u64) -> f64 {
    f64::from_bits(if key & SIGN == 0 { !key } else { key & !SIGN })
}

impl Ranking {
    /// Orders the rows by their scores.
    ///
    /// `None` where the slices differ in length or a score is not finite.
    pub fn new(present: &[bool], score: &[f64]) -> Option<Self> {
        // Not `all`: that looks at one score at a time.
        let (finite, negative) = score.iter().fold((true, 0), |(finite, negative), s| {
            (finite & s.is_finite(), negative + usize::from(*s < 0.0))
        });
        if present.len() != score.len() || !finite {
            return None;
        }
        let pack = |(&score, &present): (&f64, &bool)| key(score) << 1 | u64::from(present);
        let pairs = score.iter().zip(present);
        let rows = if score.is_sorted() {
            pairs.map(pack).collect()
        } else if score.is_sorted_by(|a, b| a >= b) {
            pairs.rev().map(pack).collect()
        } else {
            // A row lacks the sign of its score, so scores below 0 and the others are sorted apart.
            let mut rows = vec![0; score.len()];
            let (mut below, mut above) = (0, negative);
            for pair in pairs {
                let place = if *pair.0 < 0.0 {
                    &mut below
                } else {
                    &mut above
                };
                rows[*place] = pack(pair);
                *place += 1;
            }
            let (below, above) = rows.split_at_mut(negative);
            below.sort_unstable();
            above.sort_unstable();
            rows
        };
        Some(Ranking { rows, negative })
    }

    /// Walks along the distinct scores, the highest first; the last cut counts all rows.
    pub(crate) fn each_cut(&self, mut visit: impl FnMut(Cut)) {
        let (mut tp, mut rows) = (0, 0);
        let (below, above) = self.rows.split_at(self.negative);
        for (part, sign) in [(above, SIGN), (below, 0)] {
            let mut left = part.iter().rev().copied();
            let mut next = left.next();
            while let Some(row) = next {
                next = left.next();
                tp += row & 1;
                rows += 1;
                if next.is_none_or(|next| next >> 1 != row >> 1) {
                    visit(Cut {
                        threshold: score(row >> 1 | sign),
                        tp,
                        rows,
                    });
                }
            }
        }
    }

    fn present(&self) -> u64 {
        self.rows.iter().map(|row| row & 1).sum()
    }

    /// Area under the receiver operating characteristic: the chance that a present row scores above
    /// an absent one, ties counting half. `None` where one of the classes has no row.
    pub fn roc_auc(&self) -> Option<f64> {
        let present = self.present();
        let absent = self.rows.len() as u64 - present;
        if present == 0 || absent == 0 {
            return None;
        }
        // Twice the number of ordered pairs, a tie counting one: an integer, so nothing is lost
        // however many rows.
        let (mut doubled, mut tp, mut fp) = (0_u128, 0, 0);
        self.each_cut(|cut| {
            let cut_fp = cut.rows - cut.tp;
            doubled += u128::from(cut_fp - fp) * u128::from(cut.tp + tp);
            (tp, fp) = (cut.tp, cut_fp);
        });
        Some(doubled as f64 / (2 * u128::from(present) * u128::from(absent)) as f64)
    }

    /// Average precision: the precision at each distinct score, weighted by the recall gained
    /// there, not interpolated. `None` where no row is present.
    pub fn average_precision(&self) -> Option<f64> {
        let present = self.present();
        if present == 0 {
            return None;
        }
        // A few terms are summed as they are, which loses nothing that counts; only their sums with
        // compensation.
        let (mut total, mut few, mut n, mut before) = (Sum::default(), 0.0, 0_u64, 0);
        self.each_cut(|cut| {
            // As signed numbers, which processors turn into floats in one step.
            few +=
                ((cut.tp - before) as i64 as f64) * (cut.tp as i64 as f64 / cut.rows as i64 as f64);
            before = cut.tp;
            n += 1;
            if n.is_multiple_of(64) {
                total.add(std::mem::take(&mut few));
            }
        });
        total.add(few);
        Some(total.value() / present as f64)
    }

    /// The score at which the rule `score >= threshold` has the highest F1; of several, the
    /// highest. `None` where no row is present.
    pub fn best_f1(&self) -> Option<f64> {
        let present = self.present();
        // F1 = 2 tp / (tp + fp + positives). Compared as fractions of integers: equal ones are
        // equal whatever the order.
        let (mut best, mut best_tp, mut best_size) = (None, 0_u64, 1_u64);
        self.each_cut(|cut| {
            let size = cut.rows + present;
            if u128::from(cut.tp) * u128::from(best_size) > u128::from(best_tp) * u128::from(size) {
                (best, best_tp, best_size) = (Some(cut.threshold), cut.tp, size);
            }
        });
        best
    }
}

#[cfg(test)]
mod tests {
    use super::{Cut, Ranking};

    fn cuts(present: &[bool], score: &[f64]) -> Vec<Cut> {
        let mut cuts = Vec::new();
        Ranking::new(present, score)
            .unwrap()
            .each_cut(|cut| cuts.push(cut));
        cuts
    }

    #[test]
    fn equal_scores_make_one_cut() {
        let got = cuts(&[true, false, true, false], &[0.5, 0.9, 0.5, -0.0]);
        let cut = |threshold, tp, rows| Cut {
            threshold,
            tp,
            rows,
        };
        assert_eq!(got, [cut(0.9, 0, 1), cut(0.5, 2, 3), cut(0.0, 2, 4)]);
        assert_eq!(cuts(&[true, false], &[0.0, -0.0]).len(), 1);
    }

    #[test]
    fn scores_of_both_signs_are_ordered() {
        let got: Vec<f64> = cuts(
            &[true; 6],
            &[-1.0, f64::MAX, 1.0, -f64::MIN_POSITIVE, f64::MIN, 1.0],
        )
        .iter()
        .map(|c| c.threshold)
        .collect();
        assert_eq!(got, [f64::MAX, 1.0, -f64::MIN_POSITIVE, -1.0, f64::MIN]);
    }

    #[test]
    fn scores_without_an_order_are_refused() {
        assert!(Ranking::new(&[true], &[]).is_none());
        assert!(Ranking::new(&[true], &[f64::NAN]).is_none());
        assert!(Ranking::new(&[true], &[f64::INFINITY]).is_none());
        assert_eq!(cuts(&[], &[]), []);
    }
}
