//! A mean over runs with the means of the levels of every source of variation: what its variance is
//! computed from. Linear combinations of such means, such as differences and areas under learning
//! curves, are such means again.

use std::collections::{BTreeMap, BTreeSet};

/// The means of a source's levels.
pub(super) type Levels = BTreeMap<i32, f64>;

/// A mean over runs; NaN where it is undefined.
#[derive(Debug, Clone)]
pub(super) struct LeveledMean {
    pub(super) value: f64,
    /// Of each fold; NaN for those of partitions without a run.
    pub(super) folds: Vec<f64>,
    /// Jackknife pseudo-value of each video.
    pub(super) videos: Vec<f64>,
    /// Of each source of variation between runs; empty for one that the runs do not have.
    pub(super) sources: Vec<Levels>,
}

impl LeveledMean {
    /// The sum of weight times mean. A part that has one level of a source, or none, has it
    /// wherever the others have several; of several levels those that all such parts have.
    pub(super) fn combine(parts: &[(f64, &LeveledMean)]) -> Self {
        let sum = |of: &dyn Fn(&LeveledMean) -> f64| {
            crate::sum(parts.iter().map(|(weight, part)| weight * of(part)))
        };
        let shortest = |of: fn(&LeveledMean) -> usize| {
            parts.iter().map(|(_, part)| of(part)).min().unwrap_or(0)
        };
        LeveledMean {
            value: sum(&|part| part.value),
            folds: (0..shortest(|part| part.folds.len()))
                .map(|k| sum(&|part| part.folds[k]))
                .collect(),
            videos: (0..shortest(|part| part.videos.len()))
                .map(|v| sum(&|part| part.videos[v]))
                .collect(),
            sources: (0..shortest(|part| part.sources.len()))
                .map(|s| combine_levels(parts, s))
                .collect(),
        }
    }
}

fn combine_levels(parts: &[(f64, &LeveledMean)], source: usize) -> Levels {
    let levels = |part: &LeveledMean| part.sources[source].keys().copied().collect();
    let several = parts.iter().map(|(_, part)| levels(part));
    let shared = several
        .filter(|levels: &BTreeSet<i32>| levels.len() > 1)
        .reduce(|all, more| all.intersection(&more).copied().collect());
    let mean = |level: i32| {
        let of_part = |(weight, part): &(f64, &LeveledMean)| {
            let own = &part.sources[source];
            let value = match own.len() {
                0 | 1 => part.value,
                _ => own[&level],
            };
            weight * value
        };
        crate::sum(parts.iter().map(of_part))
    };
    let shared = shared.unwrap_or_default();
    shared.into_iter().map(|l| (l, mean(l))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean(value: f64, draws: &[(i32, f64)]) -> LeveledMean {
        LeveledMean {
            value,
            folds: vec![value - 1.0, value + 1.0],
            videos: vec![value; 3],
            sources: vec![draws.iter().copied().collect()],
        }
    }

    #[test]
    fn a_part_with_one_level_has_it_in_all_of_the_others() {
        let few = mean(2.0, &[(0, 1.0), (1, 3.0), (2, 2.0)]);
        let other = mean(4.0, &[(1, 5.0), (2, 3.0)]);
        // All labels: one draw.
        let all = mean(6.0, &[(0, 6.0)]);
        let got = LeveledMean::combine(&[(1.0, &few), (0.5, &other), (-1.0, &all)]);
        assert_eq!(got.value, -2.0);
        assert_eq!(got.folds, [-2.5, -1.5]);
        assert_eq!(got.videos, [-2.0; 3]);
        assert_eq!(got.sources, [Levels::from([(1, -0.5), (2, -2.5)])]);
        let single = LeveledMean::combine(&[(1.0, &all)]);
        assert_eq!(single.sources, [Levels::new()]);
    }
}
