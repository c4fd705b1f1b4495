//! A statistic with its bootstrap and jackknife replicates.

/// A statistic of the study, of each bootstrap resample, and of the study without each cluster; NaN
/// where it is undefined.
#[derive(Debug, Clone)]
pub(super) struct Replicates {
    pub(super) value: f64,
    pub(super) bootstrap: Vec<f64>,
    pub(super) jackknife: Vec<f64>,
}

impl Replicates {
    /// Computes a statistic from others, in each replicate alike.
    pub(super) fn combine(
        all: &[&Replicates],
        with: impl Fn(&mut dyn Iterator<Item = f64>) -> f64,
    ) -> Self {
        Self::in_each_replicate(all, |_, values| with(values))
    }

    /// The weighted mean of those that have a value: by `weights` in the study and its jackknife
    /// replicates, by `resampled(b, i)` in resample b.
    pub(super) fn weighted_mean(
        all: &[&Replicates],
        weights: &[f64],
        resampled: impl Fn(usize, usize) -> f64,
    ) -> Self {
        Self::in_each_replicate(all, |resample, values| {
            let (mut total, mut weight) = (0.0, 0.0);
            for (i, value) in values.enumerate().filter(|(_, value)| !value.is_nan()) {
                let w = resample.map_or(weights[i], |b| resampled(b, i));
                total += w * value;
                weight += w;
            }
            total / weight
        })
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

    /// `with` gets the number of the resample; `None` for the study itself and its jackknife
    /// replicates.
    fn in_each_replicate(
        all: &[&Replicates],
        with: impl Fn(Option<usize>, &mut dyn Iterator<Item = f64>) -> f64,
    ) -> Self {
        let shortest = |of: fn(&Replicates) -> usize| all.iter().map(|d| of(d)).min().unwrap_or(0);
        let draw = |b: usize| with(Some(b), &mut all.iter().map(|d| d.bootstrap[b]));
        let without = |c: usize| with(None, &mut all.iter().map(|d| d.jackknife[c]));
        Replicates {
            value: with(None, &mut all.iter().map(|d| d.value)),
            bootstrap: (0..shortest(|d| d.bootstrap.len())).map(draw).collect(),
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
