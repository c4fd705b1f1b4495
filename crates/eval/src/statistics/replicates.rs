//! A statistic with its jackknife replicates and its value in each fold.

/// Of what a statistic is computed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sample {
    /// The study, or a fold of it.
    Whole,
    /// The study without a cluster, by its number.
    Without(usize),
}

/// A statistic of the study, of the study without each cluster, and of each fold; NaN where it is
/// undefined.
#[derive(Debug, Clone)]
pub(super) struct Replicates {
    pub(super) value: f64,
    pub(super) jackknife: Vec<f64>,
    /// Of each fold alone; empty for what is of one fold itself.
    pub(super) folds: Vec<f64>,
}

impl Replicates {
    /// Computes a statistic from others, in each replicate alike.
    pub(super) fn combine(
        all: &[&Replicates],
        with: impl Fn(&mut dyn Iterator<Item = f64>) -> f64,
    ) -> Self {
        Self::in_each_sample(all, |_, values| with(values))
    }

    /// The weighted mean of those that have a value; `weight(sample, i)` is that of the i-th.
    pub(super) fn weighted_mean(
        all: &[&Replicates],
        weight: impl Fn(Sample, usize) -> f64,
    ) -> Self {
        Self::in_each_sample(all, |sample, values| {
            let (mut total, mut weights) = (0.0, 0.0);
            for (i, value) in values.enumerate().filter(|(_, value)| !value.is_nan()) {
                let w = weight(sample, i);
                total += w * value;
                weights += w;
            }
            total / weights
        })
    }

    /// n times the value minus n - 1 times that without each of n clusters in turn: where the
    /// statistic is a mean over clusters, the values of the clusters.
    pub(super) fn pseudo_values(&self) -> Vec<f64> {
        let n = self.jackknife.len() as f64;
        let pseudo_value = |rest: &f64| n * self.value - (n - 1.0) * rest;
        self.jackknife.iter().map(pseudo_value).collect()
    }

    /// This minus another.
    pub(super) fn minus(&self, other: &Replicates) -> Self {
        Self::combine(&[self, other], |values| {
            match (values.next(), values.next()) {
                (Some(ours), Some(theirs)) => ours - theirs,
                _ => f64::NAN,
            }
        })
    }

    fn in_each_sample(
        all: &[&Replicates],
        with: impl Fn(Sample, &mut dyn Iterator<Item = f64>) -> f64,
    ) -> Self {
        let shortest = |of: fn(&Replicates) -> usize| all.iter().map(|d| of(d)).min().unwrap_or(0);
        let without = |c: usize| with(Sample::Without(c), &mut all.iter().map(|d| d.jackknife[c]));
        let fold = |k: usize| with(Sample::Whole, &mut all.iter().map(|d| d.folds[k]));
        Replicates {
            folds: (0..shortest(|d| d.folds.len())).map(fold).collect(),
            value: with(Sample::Whole, &mut all.iter().map(|d| d.value)),
            jackknife: (0..shortest(|d| d.jackknife.len())).map(without).collect(),
        }
    }
}

/// The mean of those that have a value.
pub(super) fn defined_mean(values: &mut dyn Iterator<Item = f64>) -> f64 {
    let (mut total, mut n) = (0.0, 0_u64);
    for value in values.filter(|v| !v.is_nan()) {
        total += value;
        n += 1;
    }
    total / n as f64
}
