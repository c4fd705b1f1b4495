//! Label budgets: nested, stratified subsets of the training segments whose labels are used.
//!
//! What lives here: the draw. What does not: training seeds, which do not affect it.

use crate::{DataError, Fold, LabelConfig, Prepared};
use mosei_schema::LabelBudget;
use rand::seq::SliceRandom;
use rand::{Rng, RngExt};
use run_record::seed::{Stream, rng};
use std::collections::BTreeMap;

/// The segments whose labels one budget contains.
#[derive(Debug, Clone, PartialEq)]
pub struct Subset {
    /// The budget as configured.
    pub budget: LabelBudget,
    /// Share of the fold's training segments: as configured, or computed from a count.
    pub fraction: f64,
    /// How many segments.
    pub n_labels: usize,
    /// The segments in the order drawn: a smaller budget of the same draw is a prefix of a larger
    /// one.
    pub segments: Vec<usize>,
}

/// Draws the budgets of one fold, in ascending order. Budgets of equal size, such as a count and a
/// share, contain the same segments and keep their own names.
///
/// The order of a draw is greedy: each next segment comes from the label pattern (which emotions
/// are present, or none) that brings the counts so far closest to their prevalence, each squared
/// difference divided by the variance `p (1 - p)`; within a pattern the order is shuffled. Prefixes
/// of that order are stratified and nested.
///
/// # Errors
/// Where a budget is larger than the training split, rounds to 0, or contains fewer positives of an
/// emotion than `min_positives`, as may the whole training split.
pub fn draw(
    prepared: &Prepared,
    fold: &Fold,
    config: &LabelConfig,
    draw: usize,
) -> Result<Vec<Subset>, DataError> {
    config.check()?;
    let patterns = patterns(prepared, &fold.train);
    let order = stratified_order(&patterns, rng(config.seed, Stream::Subset, draw as u64));
    for (e, emotion) in prepared.emotions().iter().enumerate() {
        let found = patterns.iter().filter(|pattern| pattern[e]).count();
        if found < config.min_positives {
            let (fold, expected, available) = (fold.index, config.min_positives, patterns.len());
            return Err(DataError::EmotionWithoutPositives {
                fold,
                emotion: emotion.clone(),
                expected,
                found,
                available,
            });
        }
    }
    let mut subsets = Vec::new();
    for (budget, n) in budgets(config, fold)? {
        for (e, emotion) in prepared.emotions().iter().enumerate() {
            let found = order[..n].iter().filter(|&&i| patterns[i][e]).count();
            if found < config.min_positives {
                let (fold, emotion, expected) = (fold.index, emotion.clone(), config.min_positives);
                let (key, budget) = written(budget);
                return Err(DataError::TooFewPositives {
                    fold,
                    key,
                    budget,
                    n,
                    emotion,
                    expected,
                    found,
                });
            }
        }
        let segments = order[..n].iter().map(|&i| fold.train[i]).collect();
        subsets.push(Subset {
            budget,
            fraction: budget.share_of(fold.train.len()),
            n_labels: n,
            segments,
        });
    }
    Ok(subsets)
}

/// Draws validation labels: as many segments of the fold's validation split as each budget has
/// training segments, or all where there are fewer; stratified and nested likewise.
///
/// # Errors
/// Where a budget is larger than the training split or rounds to 0.
pub fn draw_validation(
    prepared: &Prepared,
    fold: &Fold,
    config: &LabelConfig,
    draw: usize,
) -> Result<Vec<Subset>, DataError> {
    config.check()?;
    let patterns = patterns(prepared, &fold.valid);
    let order = stratified_order(
        &patterns,
        rng(config.seed, Stream::ValidationSubset, draw as u64),
    );
    let subset = |(budget, n): (LabelBudget, usize)| {
        let n_labels = n.min(order.len());
        let segments = order[..n_labels].iter().map(|&i| fold.valid[i]).collect();
        Subset {
            budget,
            fraction: budget.share_of(fold.train.len()),
            n_labels,
            segments,
        }
    };
    Ok(budgets(config, fold)?.into_iter().map(subset).collect())
}

/// Which emotions are present in each segment.
fn patterns(prepared: &Prepared, segments: &[usize]) -> Vec<Vec<bool>> {
    let emotions = prepared.emotions().len();
    segments
        .iter()
        .map(|&i| (0..emotions).map(|e| prepared.presence(i, e)).collect())
        .collect()
}

/// The configuration key of a budget, and the budget as written there.
fn written(budget: LabelBudget) -> (&'static str, String) {
    match budget {
        LabelBudget::Fraction(share) => ("labels.fractions", share.to_string()),
        LabelBudget::Count(count) => ("labels.counts", count.to_string()),
    }
}

/// The budgets with their numbers of segments, ascending.
fn budgets(config: &LabelConfig, fold: &Fold) -> Result<Vec<(LabelBudget, usize)>, DataError> {
    let available = fold.train.len();
    let mut budgets = Vec::new();
    for budget in config.budgets() {
        let wanted = budget.labels_of(available);
        if wanted == 0 || wanted > available {
            let (key, budget) = written(budget);
            return Err(DataError::Budget {
                fold: fold.index,
                key,
                budget,
                wanted,
                available,
            });
        }
        budgets.push((budget, wanted));
    }
    // Stable: at equal size, shares come before counts.
    budgets.sort_by_key(|(_, n)| *n);
    Ok(budgets)
}

/// An order of `0..patterns.len()` in which every prefix has about the prevalences of the whole.
pub(crate) fn stratified_order(patterns: &[Vec<bool>], mut rng: impl Rng) -> Vec<usize> {
    let total = patterns.len() as f64;
    // Strata: each emotion, and "none of them".
    let strata = |pattern: &[bool]| -> Vec<f64> {
        let none = !pattern.contains(&true);
        pattern
            .iter()
            .copied()
            .chain([none])
            .map(|present| f64::from(u8::from(present)))
            .collect()
    };
    let mut groups: BTreeMap<&[bool], Vec<usize>> = BTreeMap::new();
    for (i, pattern) in patterns.iter().enumerate() {
        groups.entry(pattern).or_default().push(i);
    }
    let mut groups: Vec<(Vec<f64>, Vec<usize>)> = groups
        .into_iter()
        .map(|(pattern, mut members)| {
            members.shuffle(&mut rng);
            (strata(pattern), members)
        })
        .collect();
    let width = groups.first().map_or(0, |(s, _)| s.len());
    let share = |j: usize| {
        groups
            .iter()
            .map(|(s, members)| s[j] * members.len() as f64)
            .sum::<f64>()
            / total
    };
    let prevalence: Vec<f64> = (0..width).map(share).collect();
    let weight: Vec<f64> = prevalence
        .iter()
        .map(|p| {
            if p * (1.0 - p) > 0.0 {
                1.0 / (p * (1.0 - p))
            } else {
                0.0
            }
        })
        .collect();
    let mut counts = vec![0.0; width];
    let mut order = Vec::with_capacity(patterns.len());
    for n in 1..=patterns.len() {
        let distance = |s: &[f64]| -> f64 {
            (0..width)
                .map(|j| (counts[j] + s[j] - n as f64 * prevalence[j]).powi(2) * weight[j])
                .sum()
        };
        let distances: Vec<(usize, f64)> = groups
            .iter()
            .enumerate()
            .filter(|(_, (_, members))| !members.is_empty())
            .map(|(g, (s, _))| (g, distance(s)))
            .collect();
        let best = distances
            .iter()
            .map(|&(_, d)| d)
            .fold(f64::INFINITY, f64::min);
        // Ties up to rounding.
        let ties: Vec<usize> = distances
            .iter()
            .filter(|&&(_, d)| d <= best + 1e-9)
            .map(|&(g, _)| g)
            .collect();
        let chosen = ties[if ties.len() == 1 {
            0
        } else {
            rng.random_range(0..ties.len())
        }];
        let (s, members) = &mut groups[chosen];
        counts.iter_mut().zip(&*s).for_each(|(c, x)| *c += x);
        order.extend(members.pop());
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order_of(patterns: &[Vec<bool>], seed: u64, draw: u64) -> Vec<usize> {
        stratified_order(patterns, rng(seed, Stream::Subset, draw))
    }

    #[test]
    fn an_order_is_a_permutation_determined_by_its_seed() {
        let patterns: Vec<Vec<bool>> = (0..200)
            .map(|i| vec![i % 2 == 0, i % 7 == 0, i % 31 == 0])
            .collect();
        let order = order_of(&patterns, 3, 0);
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..200).collect::<Vec<_>>());
        assert_eq!(order, order_of(&patterns, 3, 0));
        assert_ne!(order, order_of(&patterns, 4, 0));
        assert_ne!(order, order_of(&patterns, 3, 1));
        assert!(order_of(&[], 0, 0).is_empty());
    }

    #[test]
    fn every_prefix_is_stratified() {
        let patterns: Vec<Vec<bool>> = (0..1000)
            .map(|i| vec![i % 2 == 0, i % 10 == 0, i % 20 == 3])
            .collect();
        let order = order_of(&patterns, 0, 0);
        let prevalence = [0.5, 0.1, 0.05];
        for n in 1..=1000 {
            for (e, p) in prevalence.iter().enumerate() {
                let found = order[..n].iter().filter(|&&i| patterns[i][e]).count() as f64;
                assert!((found - p * n as f64).abs() <= 1.5, "{n} {e}: {found}");
            }
        }
    }
}
