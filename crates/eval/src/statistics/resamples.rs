//! Which clusters each resample contains, and how often.

use rand::RngExt;
use run_record::seed::{Stream, rng_named};

/// Resamples that are processed together.
pub(super) const LANES: usize = 8;

/// How often each of many resamples contains each cluster.
///
/// A cluster is a unit of sampling: a video, a speaker, a training seed. Its rows are resampled
/// together, since they are not independent of each other.
#[derive(Debug, Clone, PartialEq)]
pub struct Resamples {
    clusters: usize,
    n: usize,
    /// By blocks of [`LANES`] resamples, then by cluster; the last block is filled up with zeros.
    counts: Vec<[u16; LANES]>,
}

impl Resamples {
    /// `n` bootstrap resamples: each draws as many clusters as there are, with replacement.
    ///
    /// Resample b is a function of (`seed`, `what`, `b`) and the number of clusters.
    pub fn bootstrap(seed: u64, what: &str, clusters: usize, n: usize) -> Self {
        let mut all = Self::of(clusters, n, |_, _| 0);
        for b in 0..n {
            let mut rng = rng_named(seed, Stream::Bootstrap, &format!("{what}/{b}"));
            for _ in 0..clusters {
                let count = all.count_mut(b, rng.random_range(0..clusters));
                *count = count.saturating_add(1);
            }
        }
        all
    }

    /// The sample as it is, once.
    pub fn once(clusters: usize) -> Self {
        Self::of(clusters, 1, |_, _| 1)
    }

    /// As many as there are clusters, each without one of them.
    pub fn leave_one_out(clusters: usize) -> Self {
        Self::of(clusters, clusters, |b, cluster| u16::from(b != cluster))
    }

    fn of(clusters: usize, n: usize, count: impl Fn(usize, usize) -> u16) -> Self {
        let mut all = Resamples {
            clusters,
            n,
            counts: vec![[0; LANES]; n.div_ceil(LANES) * clusters],
        };
        for b in 0..n {
            for cluster in 0..clusters {
                *all.count_mut(b, cluster) = count(b, cluster);
            }
        }
        all
    }

    fn count_mut(&mut self, b: usize, cluster: usize) -> &mut u16 {
        &mut self.counts[b / LANES * self.clusters + cluster][b % LANES]
    }

    /// How often resample `b` contains a cluster.
    pub fn count(&self, b: usize, cluster: usize) -> u16 {
        self.counts[b / LANES * self.clusters + cluster][b % LANES]
    }

    /// Number of clusters.
    pub fn clusters(&self) -> usize {
        self.clusters
    }

    /// Number of resamples.
    pub fn len(&self) -> usize {
        self.n
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.n == 0
    }

    /// The blocks in order: the resamples that each holds, and a weight for each of its lanes by
    /// cluster.
    pub(super) fn blocks(&self) -> impl Iterator<Item = (usize, &[[u16; LANES]])> {
        (0..self.n.div_ceil(LANES)).map(|block| {
            let lanes = LANES.min(self.n - block * LANES);
            (
                lanes,
                &self.counts[block * self.clusters..(block + 1) * self.clusters],
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_resample_has_as_many_clusters_as_there_are() {
        let all = Resamples::bootstrap(3, "videos", 24, 21);
        for b in 0..all.len() {
            assert_eq!(
                (0..24).map(|c| usize::from(all.count(b, c))).sum::<usize>(),
                24
            );
        }
        let drawn: Vec<u16> = (0..24).map(|c| all.count(0, c)).collect();
        assert!(
            drawn.contains(&0) && drawn.iter().any(|&n| n > 1),
            "drawn with replacement: {drawn:?}"
        );
    }

    #[test]
    fn a_resample_does_not_depend_on_how_many_there_are() {
        let (few, many) = (
            Resamples::bootstrap(3, "videos", 10, 5),
            Resamples::bootstrap(3, "videos", 10, 50),
        );
        assert!((0..5).all(|b| (0..10).all(|c| few.count(b, c) == many.count(b, c))));
        assert_ne!(Resamples::bootstrap(4, "videos", 10, 5), few);
        assert_ne!(Resamples::bootstrap(3, "seeds", 10, 5), few);
    }

    #[test]
    fn one_cluster_at_a_time_is_left_out() {
        let all = Resamples::leave_one_out(9);
        assert!((0..9).all(|b| (0..9).all(|c| (all.count(b, c) == 0) == (b == c))));
    }
}
