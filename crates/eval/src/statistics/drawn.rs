//! A number of a study, and what it was in each study drawn anew.

/// A number in the study as it is, in each drawn study, and in the study without each cluster.
#[derive(Debug, Clone)]
pub(super) struct Drawn {
    pub(super) value: f64,
    pub(super) draws: Vec<f64>,
    pub(super) left_out: Vec<f64>,
}

impl Drawn {
    /// Works a number out of several, in each study alike.
    pub(super) fn combine(all: &[&Drawn], with: impl Fn(&mut dyn Iterator<Item = f64>) -> f64) -> Self {
        Self::in_each_study(all, |_, values| with(values))
    }

    /// The weighted mean of those that have a value: by `weights` in the study as it is and without a cluster, by
    /// `drawn(b, i)` in drawn study b.
    pub(super) fn weighted_mean(all: &[&Drawn], weights: &[f64], drawn: impl Fn(usize, usize) -> f64) -> Self {
        Self::in_each_study(all, |study, values| {
            let (mut total, mut weight) = (0.0, 0.0);
            for (i, value) in values.enumerate().filter(|(_, value)| !value.is_nan()) {
                let w = study.map_or(weights[i], |b| drawn(b, i));
                total += w * value;
                weight += w;
            }
            total / weight
        })
    }

    /// This less another.
    pub(super) fn less(&self, other: &Drawn) -> Self {
        Self::combine(&[self, other], |values| match (values.next(), values.next()) {
            (Some(ours), Some(theirs)) => ours - theirs,
            _ => f64::NAN,
        })
    }

    /// `with` is told which drawn study it is in; none in the study as it is and without a cluster.
    fn in_each_study(all: &[&Drawn], with: impl Fn(Option<usize>, &mut dyn Iterator<Item = f64>) -> f64) -> Self {
        let shortest = |of: fn(&Drawn) -> usize| all.iter().map(|d| of(d)).min().unwrap_or(0);
        let draw = |b: usize| with(Some(b), &mut all.iter().map(|d| d.draws[b]));
        let without = |c: usize| with(None, &mut all.iter().map(|d| d.left_out[c]));
        Drawn {
            value: with(None, &mut all.iter().map(|d| d.value)),
            draws: (0..shortest(|d| d.draws.len())).map(draw).collect(),
            left_out: (0..shortest(|d| d.left_out.len())).map(without).collect(),
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
