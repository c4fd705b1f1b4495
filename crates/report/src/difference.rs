//! The difference between the treated start and the baseline: its size, its uncertainty, and what
//! it allows to claim.

use crate::reportable::not_reportable;
use crate::statistics_index::finite;
use crate::study::{Scope, Study};
use eval::Metric;
use eval::run::Run;
use eval::statistics::{Contrast, Interval};
use std::collections::{BTreeMap, BTreeSet};

/// What a difference allows to claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Finding {
    /// The treated start is better: confidence interval and test agree.
    Better,
    /// The baseline is better: confidence interval and test agree.
    Worse,
    /// Neither the confidence interval nor the test finds a difference.
    NotFound,
    /// Only one of the two finds one: nothing is claimed.
    Unclear,
    /// There is no confidence interval: nothing is claimed.
    NoInterval,
}

/// treated - baseline at one label budget.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Difference {
    /// Mean over the pairs.
    pub value: f64,
    pub interval: Option<Interval>,
    /// Two-sided, not adjusted.
    pub p: Option<f64>,
    /// The value of each arm, mean over the pairs: their difference is `value`.
    pub arms: Option<[f64; 2]>,
    /// The difference in each pair.
    pub each: Vec<f64>,
    /// Runs of either arm without a counterpart in the other. One run of scratch can be the
    /// counterpart of several pre-trainings.
    pub unpaired: usize,
    higher_is_better: bool,
}

impl Difference {
    /// From the statistics where they have it, else the plain mean over pairs of runs. `None` where
    /// the study lacks one of the two starts, there is no pair, or the metric has too few rows.
    pub fn of(study: &Study<'_>, budget: usize, scope: Scope, metric: Metric) -> Option<Self> {
        let (treated, baseline) = (
            study.start(study.treated())?,
            study.start(study.baseline())?,
        );
        if not_reportable(study, scope, metric).is_some() {
            return None;
        }
        let started =
            [treated, baseline].map(|start| study.started_runs(start, budget, scope, metric));
        let whole = [treated, baseline].map(|start| study.over_folds(start, budget, scope, metric));
        let difference = match study
            .statistics
            .contrast((budget, study.scope_name(scope), metric))
        {
            Some(contrast) => {
                let arms = contrast
                    .arms
                    .iter()
                    .all(|arm| arm.is_finite())
                    .then_some(contrast.arms);
                Difference {
                    arms,
                    ..Self::of_contrast(contrast)?
                }
            }
            None => Self::plain(metric, &whole)?,
        };
        Some(Difference {
            unpaired: unpaired(&started, difference.each.len()),
            ..difference
        })
    }

    fn plain(metric: Metric, [ours, theirs]: &[BTreeMap<Run, f64>; 2]) -> Option<Self> {
        let pairs_of = |(run, x): (&Run, &f64)| -> Vec<[f64; 2]> {
            theirs
                .iter()
                .filter(|(other, _)| run.pair(**other).is_some())
                .map(|(_, y)| [*x, *y])
                .collect()
        };
        let both: Vec<[f64; 2]> = ours.iter().flat_map(pairs_of).collect();
        let each: Vec<f64> = both.iter().map(|[x, y]| x - y).collect();
        Some(Difference {
            value: eval::mean(each.iter().copied())?,
            interval: None,
            p: None,
            arms: means(&both),
            unpaired: 0,
            each,
            higher_is_better: metric.higher_is_better(),
        })
    }

    /// The macro difference between the treated start and one that is not the baseline, from the
    /// statistics.
    pub fn of_other(study: &Study<'_>, other: &str, budget: usize, metric: Metric) -> Option<Self> {
        if not_reportable(study, Scope::Macro, metric).is_some() {
            return None;
        }
        Self::of_contrast(study.statistics.other(other, budget, metric)?)
    }

    /// A contrast of the statistics, without its arms and its unpaired runs.
    fn of_contrast(contrast: &Contrast) -> Option<Self> {
        let difference = finite(&contrast.difference)?;
        Some(Difference {
            value: difference.value,
            interval: difference.interval,
            p: contrast.p.filter(|p| p.is_finite()),
            arms: None,
            each: contrast
                .each
                .iter()
                .copied()
                .filter(|d| d.is_finite())
                .collect(),
            unpaired: 0,
            higher_is_better: contrast.metric.higher_is_better(),
        })
    }

    /// Pairs in which the treated start is better.
    pub fn wins(&self) -> usize {
        self.each
            .iter()
            .filter(|&&d| {
                if self.higher_is_better {
                    d > 0.0
                } else {
                    d < 0.0
                }
            })
            .count()
    }

    /// Pairs in which the two are equal.
    pub fn ties(&self) -> usize {
        self.each.iter().filter(|&&d| d == 0.0).count()
    }

    /// What may be claimed if `p` (adjusted or not) must be below `alpha`; without a p the
    /// confidence interval decides.
    pub fn finding(&self, p: Option<f64>, alpha: f64) -> Finding {
        let Some(ends) = self.interval else {
            return Finding::NoInterval;
        };
        let excludes_zero = ends.low > 0.0 || ends.high < 0.0;
        let rejected = p.map_or(excludes_zero, |p| p < alpha);
        match (excludes_zero, rejected) {
            (false, false) => Finding::NotFound,
            (true, true) if (ends.low > 0.0) == self.higher_is_better => Finding::Better,
            (true, true) => Finding::Worse,
            _ => Finding::Unclear,
        }
    }
}

/// Runs of either start without a counterpart in the other, and pairs of which a run lacks a value
/// in some fold.
fn unpaired([ours, theirs]: &[BTreeSet<Run>; 2], pairs: usize) -> usize {
    let alone = |ours: &BTreeSet<Run>, theirs: &BTreeSet<Run>| {
        ours.iter()
            .filter(|run| theirs.iter().all(|other| run.pair(*other).is_none()))
            .count()
    };
    let possible = ours
        .iter()
        .flat_map(|run| theirs.iter().filter_map(|other| run.pair(*other)))
        .count();
    alone(ours, theirs) + alone(theirs, ours) + possible.saturating_sub(pairs)
}

/// The mean of each arm.
fn means(pairs: &[[f64; 2]]) -> Option<[f64; 2]> {
    let of = |arm: usize| eval::mean(pairs.iter().map(|pair| pair[arm]));
    Some([of(0)?, of(1)?])
}

/// A finding in a few words, for a column of a table.
pub(crate) fn finding_text(study: &Study<'_>, finding: Finding) -> String {
    finding_text_of([study.treated(), study.baseline()], finding)
}

/// The same for any two starts.
pub(crate) fn finding_text_of([treated, baseline]: [&str; 2], finding: Finding) -> String {
    match finding {
        Finding::Better => format!("{treated} better"),
        Finding::Worse => format!("{baseline} better"),
        Finding::NotFound => "no difference found".into(),
        Finding::Unclear => "unclear: confidence interval and test disagree".into(),
        Finding::NoInterval => "no confidence interval".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ReportInput;
    use crate::study::tests::{answered, row};
    use eval::run::PretrainSeeds;
    use run_record::ResultRow;

    fn of(results: Vec<ResultRow>, metric: Metric) -> Option<Difference> {
        let input = ReportInput {
            results,
            ..ReportInput::default()
        };
        Difference::of(&Study::new(&input).unwrap(), 0, Scope::Macro, metric)
    }

    #[test]
    fn only_runs_with_both_arms_are_paired() {
        let rows = vec![
            row("ssl", 10, 0.1, [0, 0, 0], Some(0.75)),
            row("ssl", 10, 0.1, [0, 0, 1], Some(0.9)),
            row("ssl", 10, 0.1, [0, 1, 0], Some(0.5)),
            row("ssl", 10, 0.1, [0, 3, 0], Some(0.5)),
            row("scratch", 10, 0.1, [0, 3, 0], Some(0.5)),
            row("scratch", 10, 0.1, [0, 0, 1], None),
            row("scratch", 10, 0.1, [0, 0, 0], Some(0.5)),
            row("scratch", 10, 0.1, [0, 2, 0], Some(0.1)),
        ];
        let got = of(rows, Metric::RocAuc).unwrap();
        assert_eq!(got.each, [0.25, 0.0]);
        assert_eq!((got.wins(), got.ties(), got.unpaired), (1, 1, 3));
        // Runs without a counterpart are in neither mean.
        assert_eq!((got.arms, got.value), (Some([0.625, 0.5]), 0.125));
    }

    #[test]
    fn each_pretraining_meets_the_one_run_without() {
        let ssl = |seed, p, value| ResultRow {
            pretrain_seed: Some(p),
            ..row("ssl", 10, 0.1, [0, seed, 0], Some(value))
        };
        let scratch = |seed, value| row("scratch", 10, 0.1, [0, seed, 0], Some(value));
        let rows = vec![
            ssl(0, 0, 0.75),
            ssl(0, 1, 1.0),
            ssl(1, 0, 0.5),
            ssl(2, 0, 0.5),
            scratch(0, 0.5),
            scratch(1, 0.25),
        ];
        let input = ReportInput {
            results: rows,
            pretrain_seeds: PretrainSeeds::Crossed,
            ..ReportInput::default()
        };
        let got = Difference::of(
            &Study::new(&input).unwrap(),
            0,
            Scope::Macro,
            Metric::RocAuc,
        )
        .unwrap();
        assert_eq!((got.each, got.unpaired), (vec![0.25, 0.5, 0.25], 1));
    }

    #[test]
    fn a_pair_is_two_runs_with_a_value_in_every_fold() {
        let both = |key, ours, theirs| {
            [("ssl", ours), ("scratch", theirs)].map(|(start, v)| row(start, 10, 0.1, key, v))
        };
        // Run 0 has both folds; run 1 lacks one.
        let rows = [
            both([0, 0, 0], Some(0.75), Some(0.5)),
            both([1, 0, 0], Some(0.5), Some(0.5)),
            both([0, 1, 0], Some(0.9), Some(0.1)),
        ];
        let got = of(rows.concat(), Metric::RocAuc).unwrap();
        assert_eq!(
            (got.each, got.arms, got.unpaired),
            (vec![0.125], Some([0.625, 0.5]), 1)
        );
    }

    #[test]
    fn without_an_arm_or_a_pair_there_is_nothing_to_compare() {
        assert_eq!(
            of(
                vec![row("ssl", 10, 0.1, [0, 0, 0], Some(1.0))],
                Metric::RocAuc
            ),
            None
        );
        let apart = vec![
            row("ssl", 10, 0.1, [0, 0, 0], Some(1.0)),
            row("scratch", 10, 0.1, [0, 0, 1], Some(1.0)),
        ];
        assert_eq!(of(apart, Metric::RocAuc), None);
    }

    #[test]
    fn a_mean_without_an_interval_claims_nothing() {
        let rows = (0..9).flat_map(|seed| {
            [("ssl", 0.9), ("scratch", 0.1)]
                .map(|(start, value)| row(start, 10, 0.1, [0, seed, 0], Some(value)))
        });
        let got = of(rows.collect(), Metric::RocAuc).unwrap();
        assert_eq!(
            (got.finding(got.p, 0.05), got.wins()),
            (Finding::NoInterval, 9)
        );
    }

    #[test]
    fn interval_and_test_must_agree() {
        let finding = |metric: Metric, ends: (f64, f64), p: Option<f64>| {
            let input = answered(metric, &[(10, Some(ends), p)]);
            let study = Study::new(&input).unwrap();
            let got = Difference::of(&study, 0, Scope::Macro, metric).unwrap();
            got.finding(got.p, 0.05)
        };
        assert_eq!(
            finding(Metric::RocAuc, (0.01, 0.03), Some(0.01)),
            Finding::Better
        );
        assert_eq!(
            finding(Metric::RocAuc, (-0.03, -0.01), Some(0.01)),
            Finding::Worse
        );
        assert_eq!(
            finding(Metric::Mae, (-0.03, -0.01), Some(0.01)),
            Finding::Better
        );
        assert_eq!(
            finding(Metric::RocAuc, (-0.01, 0.03), Some(0.3)),
            Finding::NotFound
        );
        assert_eq!(
            finding(Metric::RocAuc, (-0.01, 0.03), Some(0.01)),
            Finding::Unclear
        );
        assert_eq!(
            finding(Metric::RocAuc, (0.01, 0.03), Some(0.3)),
            Finding::Unclear
        );
        assert_eq!(finding(Metric::RocAuc, (0.01, 0.03), None), Finding::Better);
    }
}
