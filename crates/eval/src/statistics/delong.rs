//! DeLong's test of two AUCs on the same rows.

use statrs::distribution::{ContinuousCDF, Normal};

/// Two AUCs, and how sure their difference is.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct DeLong {
    /// AUC of the first scores.
    pub first: f64,
    /// AUC of the second.
    pub second: f64,
    /// Variance of first - second.
    pub variance: f64,
    /// Two-sided p of "no difference", by the normal distribution; 1 where the scores order the
    /// rows alike.
    pub p: f64,
}

/// Compares the AUCs of two scores of the same rows (DeLong, DeLong and Clarke-Pearson 1988; by
/// midranks as Sun and Xu 2014).
///
/// It takes rows as independent, which segments of one video are not: intervals of a study come
/// from resampled clusters. `None` where the slices differ in length, a score is not finite, or a
/// class has fewer than two rows.
pub fn delong(present: &[bool], first: &[f64], second: &[f64]) -> Option<DeLong> {
    if present.len() != first.len() || present.len() != second.len() {
        return None;
    }
    let [a, b] = [placements(present, first)?, placements(present, second)?];
    let mean = |of: &[f64]| crate::mean(of.iter().copied());
    let (auc_a, auc_b) = (mean(&a.present)?, mean(&b.present)?);
    let variance_of = |a: &[f64], b: &[f64]| {
        let (n, shift) = (a.len() as f64, auc_a - auc_b);
        let squares = crate::sum(a.iter().zip(b).map(|(a, b)| (a - b - shift).powi(2)));
        (n > 1.0).then(|| squares / (n - 1.0) / n)
    };
    let variance = variance_of(&a.present, &b.present)? + variance_of(&a.absent, &b.absent)?;
    let p = if variance > 0.0 {
        2.0 * Normal::standard().cdf(-((auc_a - auc_b).abs() / variance.sqrt()))
    } else {
        // Without variance any difference is certain.
        f64::from(u8::from(auc_a == auc_b))
    };
    Some(DeLong {
        first: auc_a,
        second: auc_b,
        variance,
        p,
    })
}

/// For each row, the share of the other class that it is placed rightly against; a tie counts half.
struct Placements {
    present: Vec<f64>,
    absent: Vec<f64>,
}

fn placements(present: &[bool], score: &[f64]) -> Option<Placements> {
    if score.iter().any(|s| !s.is_finite()) {
        return None;
    }
    let of = |wanted: bool| {
        let mut scores: Vec<f64> = score
            .iter()
            .zip(present)
            .filter(|(_, p)| **p == wanted)
            .map(|(s, _)| *s)
            .collect();
        scores.sort_by(f64::total_cmp);
        scores
    };
    let (above, below) = (of(true), of(false));
    let share_below = |sorted: &[f64], s: f64| {
        let (less, no_more) = (
            sorted.partition_point(|x| *x < s),
            sorted.partition_point(|x| *x <= s),
        );
        (less + no_more) as f64 / (2 * sorted.len()) as f64
    };
    if above.is_empty() || below.is_empty() {
        return None;
    }
    let each = |wanted: bool| {
        score
            .iter()
            .zip(present)
            .filter(move |(_, p)| **p == wanted)
            .map(|(s, _)| *s)
    };
    Some(Placements {
        present: each(true).map(|s| share_below(&below, s)).collect(),
        absent: each(false).map(|s| 1.0 - share_below(&above, s)).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::delong;

    #[test]
    fn a_hand_made_case() {
        let present = [true, true, true, false, false];
        let (a, b) = ([0.9, 0.8, 0.3, 0.5, 0.2], [0.6, 0.2, 0.5, 0.5, 0.1]);
        let got = delong(&present, &a, &b).unwrap();
        // Placements of the present: a 1, 1, 1/2; b 1, 1/2, 3/4. Of the absent: a 2/3, 1; b 1/2, 1.
        assert!((got.first - 5.0 / 6.0).abs() < 1e-15 && (got.second - 0.75).abs() < 1e-15);
        // Differences of the present 0, 1/2, -1/4, of the absent 1/6, 0, both around 1/12.
        let variance = (1.0 / 144.0 + 25.0 / 144.0 + 16.0 / 144.0) / 2.0 / 3.0
            + (1.0 / 144.0 + 1.0 / 144.0) / 2.0;
        assert!((got.variance - variance).abs() < 1e-15, "{got:?}");
    }

    #[test]
    fn equal_scores_do_not_differ() {
        let got = delong(
            &[true, false, true, false],
            &[0.9, 0.1, 0.4, 0.6],
            &[9.0, 1.0, 4.0, 6.0],
        )
        .unwrap();
        assert_eq!((got.variance, got.p), (0.0, 1.0));
    }

    #[test]
    fn what_cannot_be_compared_has_no_answer() {
        assert_eq!(delong(&[true, false], &[0.1, 0.2], &[0.1]), None);
        assert_eq!(delong(&[true, false], &[0.1, 0.2], &[0.1, f64::NAN]), None);
        assert_eq!(
            delong(&[true, true, false], &[0.1, 0.2, 0.0], &[0.1, 0.3, 0.2]),
            None,
            "one absent row has no variance"
        );
    }
}
