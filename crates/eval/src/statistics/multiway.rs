//! The confidence interval and test of a mean over several crossed sources of variation.

use super::Interval;
use statrs::distribution::{ContinuousCDF, StudentsT};

/// The levels of a source of variation: the mean of each, and its weight in the whole mean.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceLevels {
    /// Weights, which add up to 1.
    pub weights: Vec<f64>,
    /// Means.
    pub means: Vec<f64>,
}

impl SourceLevels {
    /// Levels that weigh alike.
    pub fn alike(means: Vec<f64>) -> Self {
        SourceLevels {
            weights: vec![1.0 / means.len() as f64; means.len()],
            means,
        }
    }

    /// Levels in proportion to their sizes; those without a value have no part.
    pub fn of_sizes(sizes: &[f64], means: &[f64]) -> Self {
        let defined = || sizes.iter().zip(means).filter(|(_, mean)| !mean.is_nan());
        let total: f64 = defined().map(|(size, _)| size).sum();
        SourceLevels {
            weights: defined().map(|(size, _)| size / total).collect(),
            means: defined().map(|(_, mean)| *mean).collect(),
        }
    }

    /// The variance that the source gives the whole mean, L / (L - 1) Σ w² (m - m̄)² with L levels:
    /// that of a mean of L independent levels where they weigh alike. `None` for a single level,
    /// whose variance is unknown.
    fn variance(&self) -> Option<f64> {
        let levels = self.means.len() as f64;
        let pairs = || self.weights.iter().zip(&self.means);
        let mean = crate::sum(pairs().map(|(w, m)| w * m));
        (levels > 1.0).then(|| {
            levels / (levels - 1.0) * crate::sum(pairs().map(|(w, m)| (w * (m - mean)).powi(2)))
        })
    }
}

/// What [`multiway`] finds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Multiway {
    /// The confidence interval.
    pub interval: Interval,
    /// Two-sided p against a mean of 0: below 1 - level exactly where the interval excludes 0.
    pub p: f64,
    /// Degrees of freedom.
    pub freedom: f64,
}

/// The t interval and test of a mean, where every source would differ in a replication.
///
/// The variance is the sum of those of the sources. Each is that between the means of the source's
/// levels, which holds also what other sources do within a level, so that the sum is not below the
/// variance of the mean. The degrees of freedom are Satterthwaite's (1946), Σ² / Σ(v² / (L - 1)).
///
/// A source with one level has no part: the interval is then conditional on that level. `None`
/// where no source has two, where a number is not finite, and where nothing varies.
pub fn multiway(value: f64, sources: &[SourceLevels], level: f64) -> Option<Multiway> {
    let variances: Vec<(f64, f64)> = sources
        .iter()
        .filter_map(|s| Some((s.variance()?, s.means.len() as f64 - 1.0)))
        .collect();
    let variance = crate::sum(variances.iter().map(|(v, _)| *v));
    if !value.is_finite() || !variance.is_finite() || variance <= 0.0 {
        return None;
    }
    let freedom = variance.powi(2) / crate::sum(variances.iter().map(|(v, f)| v * v / f));
    let t = StudentsT::new(0.0, 1.0, freedom).ok()?;
    let error = variance.sqrt();
    let half = -t.inverse_cdf((1.0 - level) / 2.0) * error;
    Some(Multiway {
        interval: Interval {
            low: value - half,
            high: value + half,
        },
        p: 2.0 * t.cdf(-(value / error).abs()),
        freedom,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: f64, b: f64) {
        assert!((a - b).abs() < 1e-9, "{a} is not {b}");
    }

    #[test]
    fn one_source_is_the_one_sample_t_test() {
        // scipy.stats.ttest_1samp([1, 2, 4, 0, 3], 0) and its confidence_interval(0.95).
        let found = multiway(
            2.0,
            &[SourceLevels::alike(vec![1.0, 2.0, 4.0, 0.0, 3.0])],
            0.95,
        );
        let found = found.unwrap();
        near(found.freedom, 4.0);
        near(found.p, SCIPY_P);
        near(found.interval.low, SCIPY_LOW);
        near(found.interval.high, 4.0 - SCIPY_LOW);
    }
    const SCIPY_P: f64 = 0.04742065558431961;
    const SCIPY_LOW: f64 = 0.036756838522442825;

    #[test]
    fn variances_add_up_and_freedom_lies_between() {
        let few = SourceLevels::alike(vec![0.0, 2.0]);
        let many = SourceLevels::alike((0..20).map(|i| f64::from(i % 5)).collect());
        let found = multiway(1.0, &[few.clone(), many.clone()], 0.95).unwrap();
        assert!(found.freedom > 1.0 && found.freedom < 20.0, "{found:?}");
        let [a, b] = [&few, &many].map(|s| s.variance().unwrap());
        near(a, 1.0);
        near(b, 40.0 / 19.0 / 20.0);
        let alone = multiway(1.0, &[many], 0.95).unwrap();
        assert!(alone.interval.low > found.interval.low);
        // A single level changes nothing.
        let single = multiway(1.0, &[few.clone(), SourceLevels::alike(vec![1.0])], 0.95);
        assert_eq!(single, multiway(1.0, &[few], 0.95));
    }

    #[test]
    fn p_and_interval_agree() {
        let sources = |shift: f64| {
            [SourceLevels::of_sizes(
                &[1.0, 2.0, 3.0, 4.0],
                &[0.2 + shift, 0.1 + shift, 0.4 + shift, f64::NAN],
            )]
        };
        let mut seen = [false; 2];
        for i in 0..40 {
            let shift = f64::from(i) / 40.0 - 0.5;
            let sources = sources(shift);
            let value = sources[0]
                .weights
                .iter()
                .zip(&sources[0].means)
                .map(|(w, m)| w * m)
                .sum();
            let found = multiway(value, &sources, 0.9).unwrap();
            let excludes = found.interval.low > 0.0 || found.interval.high < 0.0;
            assert_eq!(excludes, found.p < 0.1, "{found:?}");
            seen[usize::from(excludes)] = true;
        }
        assert_eq!(seen, [true; 2]);
    }

    #[test]
    fn nothing_that_varies_has_no_interval() {
        assert_eq!(multiway(1.0, &[], 0.95), None);
        assert_eq!(multiway(1.0, &[SourceLevels::alike(vec![1.0])], 0.95), None);
        assert_eq!(
            multiway(1.0, &[SourceLevels::alike(vec![1.0; 4])], 0.95),
            None
        );
        let broken = SourceLevels::alike(vec![1.0, f64::NAN]);
        assert_eq!(multiway(1.0, &[broken], 0.95), None);
    }
}
