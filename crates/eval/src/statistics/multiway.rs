//! The confidence interval and test of a mean over several crossed sources of variation.

use super::Interval;
use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

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
    pub fn variance(&self) -> Option<SourceVariance> {
        let levels = self.means.len() as f64;
        let pairs = || self.weights.iter().zip(&self.means);
        let mean = crate::sum(pairs().map(|(w, m)| w * m));
        let squares = || crate::sum(pairs().map(|(w, m)| (w * (m - mean)).powi(2)));
        (levels > 1.0).then(|| SourceVariance {
            variance: levels / (levels - 1.0) * squares(),
            freedom: levels - 1.0,
        })
    }
}

/// The variance that a source gives a mean, and how well it is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SourceVariance {
    /// Variance.
    pub variance: f64,
    /// Degrees of freedom of its estimate.
    pub freedom: f64,
}

impl SourceVariance {
    /// The sum of several; its degrees of freedom are Satterthwaite's (1946), Σ² / Σ(v² / f).
    ///
    /// `None` where the sum is 0 or not finite.
    pub fn sum(all: &[SourceVariance]) -> Option<Self> {
        let variance = crate::sum(all.iter().map(|s| s.variance));
        let known = crate::sum(all.iter().map(|s| s.variance.powi(2) / s.freedom));
        (variance > 0.0 && variance.is_finite()).then(|| SourceVariance {
            variance,
            freedom: variance.powi(2) / known,
        })
    }

    pub(super) fn times(self, factor: f64) -> Self {
        SourceVariance {
            variance: self.variance * factor,
            ..self
        }
    }
}

/// The variance that training segments and test videos give a mean over P cross-validations, each
/// with a partition of its own of the same V videos into K folds.
///
/// The mean has the variance v + f / P: v comes from the videos, which are the same in every
/// partition, and f from the folds, which are not. The means of the folds of one partition vary by
/// v + f (`folds`), the values of the videos averaged over partitions by a little more than v
/// (`videos`). So the estimate is 1/P of the first, averaged over partitions, and (P - 1)/P of the
/// second; with one partition it is that between its folds.
///
/// The first has 1 / (1/(V-1) + (1/(K-1) - 1/(V-1)) / P) degrees of freedom: where folds do not
/// differ, the average over many partitions is the variance between videos.
pub fn over_partitions(folds: &[SourceLevels], videos: &SourceLevels) -> Option<SourceVariance> {
    let partitions = folds.len() as f64;
    let each: Vec<SourceVariance> = folds
        .iter()
        .map(SourceLevels::variance)
        .collect::<Option<_>>()?;
    let between_folds = SourceVariance {
        variance: crate::mean(each.iter().map(|s| s.variance))?,
        freedom: crate::mean(each.iter().map(|s| s.freedom))?,
    };
    if folds.len() < 2 {
        return Some(between_folds);
    }
    Some(with_partitions(
        between_folds,
        videos.variance()?,
        partitions,
    ))
}

/// The mixture of the variance between the folds of one partition and that between videos; not
/// finite where one of them is not.
pub(super) fn with_partitions(
    folds: SourceVariance,
    videos: SourceVariance,
    partitions: f64,
) -> SourceVariance {
    let [of_folds, of_videos] = [folds, videos].map(|source| 1.0 / source.freedom);
    let folds = SourceVariance {
        variance: folds.variance / partitions,
        freedom: 1.0 / (of_videos + (of_folds - of_videos) / partitions),
    };
    let videos = videos.times(1.0 - 1.0 / partitions);
    SourceVariance::sum(&[folds, videos]).unwrap_or(SourceVariance {
        variance: folds.variance + videos.variance,
        ..folds
    })
}

/// Degrees of freedom above which Student's distribution is taken as the normal one: its quantiles
/// differ by less than 1e-5, and statrs 0.19 does not always find them.
const NORMAL: f64 = 1e6;

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
/// variance of the mean.
///
/// A source with one level has no part: the interval is then conditional on that level. `None`
/// where no source has two, where a number is not finite, and where nothing varies.
pub fn multiway(value: f64, sources: &[SourceVariance], level: f64) -> Option<Multiway> {
    let SourceVariance { variance, freedom } =
        SourceVariance::sum(sources).filter(|_| value.is_finite())?;
    let error = variance.sqrt();
    let (tail, ratio) = ((1.0 - level) / 2.0, -(value / error).abs());
    let (quantile, p) = if freedom > NORMAL {
        let normal = Normal::standard();
        (normal.inverse_cdf(tail), normal.cdf(ratio))
    } else {
        let t = StudentsT::new(0.0, 1.0, freedom).ok()?;
        (t.inverse_cdf(tail), t.cdf(ratio))
    };
    let half = -quantile * error;
    Some(Multiway {
        interval: Interval {
            low: value - half,
            high: value + half,
        },
        p: 2.0 * p,
        freedom,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: f64, b: f64) {
        assert!((a - b).abs() < 1e-9, "{a} is not {b}");
    }

    fn of(sources: &[SourceLevels]) -> Vec<SourceVariance> {
        sources.iter().filter_map(SourceLevels::variance).collect()
    }

    #[test]
    fn partitions_share_their_videos_and_not_their_folds() {
        let videos = SourceLevels::alike((0..12).map(|i| f64::from(i % 4)).collect());
        let folds = [
            SourceLevels::alike(vec![0.0, 1.0, 3.0]),
            SourceLevels::alike(vec![2.0, 2.5, 0.5]),
        ];
        let [v, a, b] = [&videos, &folds[0], &folds[1]].map(|s| s.variance().unwrap().variance);
        // One partition: between its folds alone.
        let one = over_partitions(&folds[..1], &videos).unwrap();
        assert_eq!(one, folds[0].variance().unwrap());
        let two = over_partitions(&folds, &videos).unwrap();
        near(two.variance, (a + b) / 4.0 + v / 2.0);
        // Between the degrees of freedom of folds and of videos.
        assert!(two.freedom > 2.0 && two.freedom < 11.0, "{two:?}");
        let single = SourceLevels::alike(vec![1.0]);
        assert_eq!(over_partitions(&[single], &videos), None);
        // Without a value of some video there is no interval: the other sources alone would promise
        // too much.
        let broken = SourceLevels::alike(vec![1.0, 2.0, f64::NAN]);
        let data = over_partitions(&folds, &broken).unwrap();
        let seeds = SourceLevels::alike(vec![0.0, 1.0]).variance().unwrap();
        assert_eq!(multiway(1.0, &[data, seeds], 0.95), None);
    }

    #[test]
    fn one_source_is_the_one_sample_t_test() {
        // scipy.stats.ttest_1samp([1, 2, 4, 0, 3], 0) and its confidence_interval(0.95).
        let found = multiway(
            2.0,
            &of(&[SourceLevels::alike(vec![1.0, 2.0, 4.0, 0.0, 3.0])]),
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
        let found = multiway(1.0, &of(&[few.clone(), many.clone()]), 0.95).unwrap();
        assert!(found.freedom > 1.0 && found.freedom < 20.0, "{found:?}");
        let [a, b] = [&few, &many].map(|s| s.variance().unwrap().variance);
        near(a, 1.0);
        near(b, 40.0 / 19.0 / 20.0);
        let alone = multiway(1.0, &of(&[many]), 0.95).unwrap();
        assert!(alone.interval.low > found.interval.low);
        // A single level changes nothing.
        let single = multiway(
            1.0,
            &of(&[few.clone(), SourceLevels::alike(vec![1.0])]),
            0.95,
        );
        assert_eq!(single, multiway(1.0, &of(&[few]), 0.95));
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
            let found = multiway(value, &of(&sources), 0.9).unwrap();
            let excludes = found.interval.low > 0.0 || found.interval.high < 0.0;
            assert_eq!(excludes, found.p < 0.1, "{found:?}");
            seen[usize::from(excludes)] = true;
        }
        assert_eq!(seen, [true; 2]);
    }

    #[test]
    fn nothing_that_varies_has_no_interval() {
        assert_eq!(multiway(1.0, &[], 0.95), None);
        assert_eq!(
            multiway(1.0, &of(&[SourceLevels::alike(vec![1.0])]), 0.95),
            None
        );
        assert_eq!(
            multiway(1.0, &of(&[SourceLevels::alike(vec![1.0; 4])]), 0.95),
            None
        );
        let broken = SourceLevels::alike(vec![1.0, f64::NAN]);
        assert_eq!(multiway(1.0, &of(&[broken]), 0.95), None);
    }
}
