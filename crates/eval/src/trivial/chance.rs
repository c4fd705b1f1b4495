//! Expected metrics of random decisions.
//!
//! A random decision finds `tp` of the present and `fp` of the absent rows, independent binomial
//! variables (sums of them for several emotions). The expectation is exact, not a simulation: it
//! sums over all outcomes of non-negligible probability.

use super::EmotionLabels;
use crate::metrics::Confusion;
use crate::sum::{Sum, sum};

/// Weights of outcomes below this, relative to the likeliest, are left out.
const NOTHING: f64 = 1e-20;

/// A predictor that calls rows present at random.
#[derive(Debug, Clone)]
pub(super) struct Chance {
    positives: u64,
    negatives: u64,
    /// Weights of the numbers of present rows that are found; `None` without training labels.
    found: Option<Weights>,
    /// Of absent rows that are called present.
    mistaken: Option<Weights>,
}

impl Chance {
    /// Calls a row present with the prevalence among the training labels.
    pub(super) fn of(labels: &EmotionLabels) -> Self {
        let positives = labels.evaluated.iter().filter(|l| l.present).count() as u64;
        let negatives = labels.evaluated.len() as u64 - positives;
        let n = labels.train.len();
        let prevalence =
            (n > 0).then(|| labels.train.iter().filter(|l| l.present).count() as f64 / n as f64);
        let weights = |rows| prevalence.map(|p| Weights::binomial(rows, p));
        Chance {
            positives,
            negatives,
            found: weights(positives),
            mistaken: weights(negatives),
        }
    }

    /// The rows of both.
    pub(super) fn and(&self, other: &Chance) -> Self {
        let both = |a: &Option<Weights>, b: &Option<Weights>| Some(a.as_ref()?.plus(b.as_ref()?));
        Chance {
            positives: self.positives + other.positives,
            negatives: self.negatives + other.negatives,
            found: both(&self.found, &other.found),
            mistaken: both(&self.mistaken, &other.mistaken),
        }
    }

    /// The mean of a metric over the outcomes where it is defined; `None` where there is no such
    /// outcome.
    pub(super) fn expected(&self, metric: impl Fn(&Confusion) -> Option<f64>) -> Option<f64> {
        let (found, mistaken) = (self.found.as_ref()?, self.mistaken.as_ref()?);
        let (mut total, mut weight) = (Sum::default(), Sum::default());
        for (tp, w) in found.outcomes() {
            for (fp, v) in mistaken.outcomes() {
                let outcome = Confusion {
                    tp,
                    fp,
                    fn_: self.positives - tp,
                    tn: self.negatives - fp,
                };
                if let Some(value) = metric(&outcome) {
                    total.add(value * w * v);
                    weight.add(w * v);
                }
            }
        }
        let weight = weight.value();
        (weight > 0.0).then(|| total.value() / weight)
    }

    /// One half, as of any order that has nothing to do with the labels.
    pub(super) fn roc_auc(&self) -> Option<f64> {
        (self.found.is_some() && self.positives > 0 && self.negatives > 0).then_some(0.5)
    }

    /// Of an order at random (Bestgen 2015, "Exact expected average precision of the random
    /// baseline for system evaluation"): at place k a present row stands with R / n, and of the k -
    /// 1 before it (R - 1) / (n - 1) are present.
    pub(super) fn average_precision(&self) -> Option<f64> {
        let (r, n) = (
            self.positives as f64,
            (self.positives + self.negatives) as f64,
        );
        if self.found.is_none() || self.positives == 0 {
            return None;
        }
        let others = if n > 1.0 { (r - 1.0) / (n - 1.0) } else { 0.0 };
        let places = 1..=self.positives + self.negatives;
        Some(sum(places.map(|k| (1.0 + (k - 1) as f64 * others) / k as f64)) / n)
    }
}

/// Weights of the numbers from `first` on; they add up to 1.
#[derive(Debug, Clone, PartialEq)]
struct Weights {
    first: u64,
    weights: Vec<f64>,
}

impl Weights {
    /// Of the number of successes in `n` trials with probability `p`.
    fn binomial(n: u64, p: f64) -> Self {
        if n == 0 || p <= 0.0 || p >= 1.0 {
            return Weights {
                first: if p >= 1.0 { n } else { 0 },
                weights: vec![1.0],
            };
        }
        // From the likeliest outwards by the ratio of neighbours; the sum makes up for where it
        // began.
        let top = ((n as f64 + 1.0) * p).floor().min(n as f64) as u64;
        let odds = p / (1.0 - p);
        let upwards = |k: u64| (n - k) as f64 / (k + 1) as f64 * odds;
        let (mut below, mut weight) = (Vec::new(), 1.0);
        for k in (0..top).rev() {
            weight /= upwards(k);
            if weight < NOTHING {
                break;
            }
            below.push(weight);
        }
        let first = top - below.len() as u64;
        let mut weights: Vec<f64> = below.into_iter().rev().collect();
        weight = 1.0;
        weights.push(weight);
        for k in top..n {
            weight *= upwards(k);
            if weight < NOTHING {
                break;
            }
            weights.push(weight);
        }
        Weights { first, weights }.normalised()
    }

    /// Of the sum of two independent numbers.
    fn plus(&self, other: &Weights) -> Self {
        let mut weights = vec![0.0; self.weights.len() + other.weights.len() - 1];
        for (i, a) in self.weights.iter().enumerate() {
            for (j, b) in other.weights.iter().enumerate() {
                weights[i + j] += a * b;
            }
        }
        let top = weights.iter().copied().fold(0.0, f64::max);
        let kept = |w: &f64| *w >= NOTHING * top;
        let from = weights.iter().position(kept).unwrap_or(0);
        let to = weights
            .iter()
            .rposition(kept)
            .map_or(weights.len(), |i| i + 1);
        Weights {
            first: self.first + other.first + from as u64,
            weights: weights[from..to].to_vec(),
        }
        .normalised()
    }

    fn normalised(mut self) -> Self {
        let total = sum(self.weights.iter().copied());
        self.weights.iter_mut().for_each(|w| *w /= total);
        self
    }

    fn outcomes(&self) -> impl Iterator<Item = (u64, f64)> {
        (self.first..).zip(self.weights.iter().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean_of(weights: &Weights) -> f64 {
        sum(weights.outcomes().map(|(k, w)| k as f64 * w))
    }

    #[test]
    fn binomials_have_their_mean_and_their_ends() {
        for (n, p) in [
            (1, 0.5),
            (7, 0.01),
            (300, 0.5),
            (30_000, 0.93),
            (30_000, 1e-6),
        ] {
            let weights = Weights::binomial(n, p);
            let mean = n as f64 * p;
            assert!(
                (mean_of(&weights) - mean).abs() <= 1e-9 * mean.max(1e-3),
                "{n} {p}: {}",
                mean_of(&weights)
            );
        }
        assert_eq!(
            Weights::binomial(3, 0.5).weights,
            [0.125, 0.375, 0.375, 0.125]
        );
        assert_eq!(
            Weights::binomial(5, 0.0),
            Weights {
                first: 0,
                weights: vec![1.0]
            }
        );
        assert_eq!(
            Weights::binomial(5, 1.0),
            Weights {
                first: 5,
                weights: vec![1.0]
            }
        );
        assert_eq!(
            Weights::binomial(0, 0.3),
            Weights {
                first: 0,
                weights: vec![1.0]
            }
        );
    }

    #[test]
    fn sums_of_like_binomials_are_binomials() {
        let sum = Weights::binomial(400, 0.2).plus(&Weights::binomial(600, 0.2));
        let whole = Weights::binomial(1000, 0.2);
        for (k, w) in whole.outcomes() {
            let found = sum
                .outcomes()
                .find(|&(j, _)| j == k)
                .map_or(0.0, |(_, w)| w);
            assert!((found - w).abs() < 1e-13, "{k}: {found} {w}");
        }
    }

    #[test]
    fn what_is_linear_has_its_plain_value() {
        // 3 present and 7 absent rows, each called present with 0.2.
        let chance = Chance {
            positives: 3,
            negatives: 7,
            found: Some(Weights::binomial(3, 0.2)),
            mistaken: Some(Weights::binomial(7, 0.2)),
        };
        let close = |found: Option<f64>, expected: f64| {
            assert!((found.unwrap() - expected).abs() < 1e-14, "{found:?}")
        };
        close(chance.expected(|c| c.recall()), 0.2);
        close(chance.expected(|c| c.accuracy()), 0.3 * 0.2 + 0.7 * 0.8);
        close(chance.expected(|c| c.balanced_accuracy()), 0.5);
        // Given how many rows are called present, any of them is as likely to be one; where none
        // is, precision is 0.
        close(
            chance.expected(|c| c.precision()),
            0.3 * (1.0 - 0.8_f64.powi(10)),
        );
    }

    #[test]
    fn an_order_at_random_has_the_average_precision_of_all_orders() {
        // One present row of n stands at any place: the mean of 1 / k.
        let chance = |positives, negatives| Chance {
            positives,
            negatives,
            found: Some(Weights::binomial(0, 0.0)),
            mistaken: Some(Weights::binomial(0, 0.0)),
        };
        let ap = |positives, negatives| chance(positives, negatives).average_precision();
        assert!((ap(1, 3).unwrap() - (1.0 + 0.5 + 1.0 / 3.0 + 0.25) / 4.0).abs() < 1e-15);
        assert!((ap(4, 0).unwrap() - 1.0).abs() < 1e-15);
        assert_eq!((ap(1, 0), ap(0, 3)), (Some(1.0), None));
        assert_eq!(
            (chance(2, 0).roc_auc(), chance(2, 1).roc_auc()),
            (None, Some(0.5))
        );
    }
}
