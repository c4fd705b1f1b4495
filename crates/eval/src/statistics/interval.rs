//! Confidence intervals from bootstrap replicates.

use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

/// The share of replicates that must have a value for an interval to be given: replicates are not
/// missing at random, so an interval of the others would be too short.
const DEFINED: f64 = 0.9;

/// A confidence interval.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// The quantile `p` of values in ascending order, between neighbours in proportion (Hyndman and
/// Fan's type 7, numpy's default); `None` without values.
pub fn quantile(sorted: &[f64], p: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let at = p.clamp(0.0, 1.0) * last as f64;
    let (below, above) = (sorted[at.floor() as usize], sorted[at.ceil() as usize]);
    // Infinite neighbours have no difference.
    Some(if below == above {
        below
    } else {
        below + (above - below) * (at - at.floor())
    })
}

/// The defined draws, ascending; `None` where fewer than [`DEFINED`] of them are.
fn sorted(draws: &[f64]) -> Option<Vec<f64>> {
    let mut defined: Vec<f64> = draws.iter().copied().filter(|d| !d.is_nan()).collect();
    if defined.is_empty() || (defined.len() as f64) < DEFINED * draws.len() as f64 {
        return None;
    }
    defined.sort_by(f64::total_cmp);
    Some(defined)
}

fn between(sorted: &[f64], low: f64, high: f64) -> Option<Interval> {
    Some(Interval {
        low: quantile(sorted, low)?,
        high: quantile(sorted, high)?,
    })
}

/// The percentile interval: the middle share `level` of the draws.
///
/// With few clusters it is too short: draws of n clusters spread as a sample of variance 1 - 1/n,
/// and a normal's tails are thinner than those of Student's t. See [`expanded_percentile`].
pub fn percentile(draws: &[f64], level: f64) -> Option<Interval> {
    let tail = (1.0 - level) / 2.0;
    between(&sorted(draws)?, tail, 1.0 - tail)
}

/// The percentile interval with tails for few clusters: at Φ(±√(n / (n - 1)) t), with t Student's
/// quantile for n - 1 degrees of freedom, so that it is as wide as the t interval where the
/// statistic is a mean (Hesterberg 2015, "What teachers should know about the bootstrap", section
/// 4.6: the expanded percentile interval).
///
/// `None` for fewer than two clusters.
pub fn expanded_percentile(draws: &[f64], level: f64, clusters: usize) -> Option<Interval> {
    let freedom = clusters.checked_sub(1).filter(|&f| f > 0)? as f64;
    let t = StudentsT::new(0.0, 1.0, freedom)
        .ok()?
        .inverse_cdf((1.0 - level) / 2.0);
    let tail = Normal::standard().cdf((clusters as f64 / freedom).sqrt() * t);
    between(&sorted(draws)?, tail, 1.0 - tail)
}

/// The bias-corrected and accelerated interval (Efron 1987), with the acceleration from the
/// jackknife: the values without each cluster in turn.
///
/// `None` where all draws lie on one side of the estimate or no jackknife value differs from
/// another.
pub fn bca(draws: &[f64], estimate: f64, jackknife: &[f64], level: f64) -> Option<Interval> {
    let sorted = sorted(draws)?;
    let normal = Normal::standard();
    // A draw that equals the estimate counts half.
    let below =
        sorted.partition_point(|&d| d < estimate) + sorted.partition_point(|&d| d <= estimate);
    let bias = normal.inverse_cdf(below as f64 / (2 * sorted.len()) as f64);
    let defined: Vec<f64> = jackknife.iter().copied().filter(|v| !v.is_nan()).collect();
    let mean = crate::mean(defined.iter().copied())?;
    let squares = crate::sum(defined.iter().map(|v| (mean - v).powi(2)));
    let acceleration =
        crate::sum(defined.iter().map(|v| (mean - v).powi(3))) / (6.0 * squares.powf(1.5));
    if !bias.is_finite() || !acceleration.is_finite() {
        return None;
    }
    let tail = |p: f64| {
        let z = bias + normal.inverse_cdf(p);
        normal.cdf(bias + z / (1.0 - acceleration * z))
    };
    between(
        &sorted,
        tail((1.0 - level) / 2.0),
        tail((1.0 + level) / 2.0),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(got: Option<Interval>, low: f64, high: f64) {
        let got = got.unwrap();
        assert!(
            (got.low - low).abs() < 1e-6 && (got.high - high).abs() < 1e-6,
            "{got:?}"
        );
    }

    #[test]
    fn quantiles_lie_between_neighbours() {
        assert_eq!(quantile(&[1.0, 2.0, 4.0], 0.75), Some(3.0));
        assert_eq!(quantile(&[1.0, f64::INFINITY], 1.0), Some(f64::INFINITY));
        assert_eq!(quantile(&[], 0.5), None);
    }

    #[test]
    fn the_middle_of_the_draws_is_taken() {
        let draws: Vec<f64> = (0..=100).rev().map(f64::from).collect();
        near(percentile(&draws, 0.9), 5.0, 95.0);
    }

    #[test]
    fn few_clusters_widen_and_many_do_not() {
        let draws: Vec<f64> = (0..=1000).map(f64::from).collect();
        // scipy.stats: norm.cdf(sqrt(24 / 23) * t.ppf(0.025, 23)).
        let few = expanded_percentile(&draws, 0.95, 24).unwrap();
        assert!((few.low - EXPANDED_24 * 1000.0).abs() < 1e-6, "{few:?}");
        let many = expanded_percentile(&draws, 0.95, 100_000).unwrap();
        assert!((many.low - 25.0).abs() < 0.01, "{many:?}");
        assert_eq!(expanded_percentile(&draws, 0.95, 1), None);
    }
    const EXPANDED_24: f64 = 0.01729396730891405;

    #[test]
    fn without_bias_and_skew_bca_is_the_percentile_interval() {
        let draws: Vec<f64> = (0..=1000).map(f64::from).collect();
        near(bca(&draws, 500.0, &[1.0, 2.0, 3.0], 0.95), 25.0, 975.0);
        assert_eq!(
            bca(&draws, -1.0, &[1.0, 2.0, 3.0], 0.95),
            None,
            "all draws above the estimate"
        );
        assert_eq!(
            bca(&draws, 500.0, &[1.0, 1.0], 0.95),
            None,
            "no skew to be had"
        );
    }

    #[test]
    fn too_many_draws_without_a_value_give_none() {
        let mut draws: Vec<f64> = (0..100).map(f64::from).collect();
        draws[..10].fill(f64::NAN);
        assert!(percentile(&draws, 0.95).is_some());
        draws[10] = f64::NAN;
        assert_eq!(percentile(&draws, 0.95), None);
    }
}
