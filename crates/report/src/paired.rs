//! Two starts compared run by run: the same fold, seed and draw in both arms.

use crate::aggregate::Spread;
use crate::study::{Scope, Study};
use eval::Metric;

/// The start whose gain is in question.
pub(crate) const TREATED: &str = "ssl";
/// The start it is compared with.
pub(crate) const BASELINE: &str = "scratch";

/// Two pairs differ by more than twice their standard error in three cases of ten by chance alone: they say nothing.
pub(crate) const FEWEST_PAIRS: usize = 3;

/// What the pairs say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// The treated start is better.
    Ahead,
    /// The baseline is better.
    Behind,
    /// The mean difference is not more than twice its standard error.
    NoDifference,
    /// Fewer than [`FEWEST_PAIRS`] pairs, or none: no spread to hold a difference against.
    TooFew,
}

/// The paired differences, treated less baseline, at one label budget.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Paired {
    /// One difference a pair, by fold, seed and draw.
    pub differences: Vec<f64>,
    /// Pairs in which the treated start is better.
    pub ahead: usize,
    /// Pairs in which the two are equal.
    pub level: usize,
    /// Runs of either arm without a value in the other.
    pub unpaired: usize,
    /// Whether more is better.
    higher_is_better: bool,
}

impl Paired {
    /// The pairs of a budget. `None` where the study lacks one of the two starts.
    pub fn of(study: &Study<'_>, budget: usize, scope: Scope, metric: Metric) -> Option<Self> {
        let start = |name| study.starts.iter().position(|s| s == name);
        let (treated, baseline) = (start(TREATED)?, start(BASELINE)?);
        let others = study.runs(baseline, budget, scope, metric);
        let (mut differences, mut defined) = (Vec::new(), 0);
        for run in study.runs(treated, budget, scope, metric) {
            let Some(value) = run.value else { continue };
            defined += 1;
            if let Some(other) = others.iter().find(|o| o.key == run.key).and_then(|o| o.value) {
                differences.push(value - other);
            }
        }
        defined += others.iter().filter(|o| o.value.is_some()).count();
        let sign = if metric.higher_is_better() { 1.0 } else { -1.0 };
        Some(Paired {
            ahead: differences.iter().filter(|&&d| d * sign > 0.0).count(),
            level: differences.iter().filter(|&&d| d == 0.0).count(),
            unpaired: defined - 2 * differences.len(),
            higher_is_better: metric.higher_is_better(),
            differences,
        })
    }

    /// The spread over the pairs; `None` without pairs.
    pub fn spread(&self) -> Option<Spread> {
        Spread::of(&self.differences)
    }

    /// What may be said of the mean: it must exceed twice its standard error to count as a difference.
    pub fn reading(&self) -> Reading {
        let spread = self.spread().filter(|spread| spread.n >= FEWEST_PAIRS);
        let Some((spread, error)) = spread.and_then(|s| Some((s, s.standard_error()?))) else {
            return Reading::TooFew;
        };
        if spread.mean.abs() <= 2.0 * error {
            Reading::NoDifference
        } else if (spread.mean > 0.0) == self.higher_is_better {
            Reading::Ahead
        } else {
            Reading::Behind
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ReportInput;
    use crate::study::tests::row;
    use run_record::ResultRow;

    fn paired(results: Vec<ResultRow>, metric: Metric) -> Option<Paired> {
        let input = ReportInput { results, ..ReportInput::default() };
        Paired::of(&Study::new(&input).unwrap(), 0, Scope::Macro, metric)
    }

    fn arms(ssl: &[f64], scratch: &[f64]) -> Vec<ResultRow> {
        let arm = |start: &'static str, values: &[f64]| {
            let runs: Vec<_> = (0..).zip(values).map(|(i, &v)| row(start, 10, 0.1, [i, i, i], Some(v))).collect();
            runs
        };
        [arm("ssl", ssl), arm("scratch", scratch)].concat()
    }

    #[test]
    fn only_runs_with_both_arms_are_paired() {
        let rows = vec![
            row("ssl", 10, 0.1, [0, 0, 0], Some(0.75)),
            row("ssl", 10, 0.1, [0, 0, 1], Some(0.9)),
            row("ssl", 10, 0.1, [0, 1, 0], Some(0.5)),
            row("ssl", 10, 0.1, [1, 0, 0], Some(0.5)),
            row("scratch", 10, 0.1, [1, 0, 0], Some(0.5)),
            row("scratch", 10, 0.1, [0, 0, 1], None),
            row("scratch", 10, 0.1, [0, 0, 0], Some(0.5)),
            row("scratch", 10, 0.1, [0, 2, 0], Some(0.1)),
        ];
        let got = paired(rows, Metric::RocAuc).unwrap();
        assert_eq!(got.differences, [0.25, 0.0]);
        assert_eq!((got.ahead, got.level, got.unpaired), (1, 1, 3));
    }

    #[test]
    fn without_an_arm_there_is_nothing_to_compare() {
        assert_eq!(paired(arms(&[0.5], &[]), Metric::RocAuc), None);
    }

    #[test]
    fn a_mean_within_two_standard_errors_is_no_difference() {
        let reading = |ssl: &[f64], scratch: &[f64]| paired(arms(ssl, scratch), Metric::RocAuc).unwrap().reading();
        // Differences 1, 4 and 7: mean 4, standard error the root of 3, twice that 3.46.
        assert_eq!(reading(&[1.0, 4.0, 7.0], &[0.0; 3]), Reading::Ahead);
        assert_eq!(reading(&[0.0; 3], &[1.0, 4.0, 7.0]), Reading::Behind);
        // One less each: mean 3.
        assert_eq!(reading(&[0.0, 3.0, 6.0], &[0.0; 3]), Reading::NoDifference);
        assert_eq!(reading(&[0.5; 3], &[0.5; 3]), Reading::NoDifference);
        assert_eq!(reading(&[1.0, 1.1], &[0.0; 2]), Reading::TooFew);
        assert_eq!(reading(&[1.0], &[0.0]), Reading::TooFew);
    }

    #[test]
    fn a_smaller_error_is_ahead() {
        let mut rows = arms(&[0.1, 0.2, 0.1], &[0.6, 0.8, 0.7]);
        for row in &mut rows {
            row.metric = Metric::Mae.name().into();
        }
        let got = paired(rows, Metric::Mae).unwrap();
        assert_eq!((got.ahead, got.reading()), (3, Reading::Ahead));
    }

    #[test]
    fn arms_of_different_runs_have_no_pairs() {
        let rows = vec![row("ssl", 10, 0.1, [0, 0, 0], Some(1.0)), row("scratch", 10, 0.1, [0, 0, 1], Some(1.0))];
        let got = paired(rows, Metric::RocAuc).unwrap();
        assert_eq!((got.reading(), got.unpaired), (Reading::TooFew, 2));
    }
}
