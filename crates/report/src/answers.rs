//! The statistics of a study, found by what they are about.
//!
//! What is no number is left out here, so that nobody behind meets one.

use crate::ReportError;
use eval::Metric;
use eval::budget::Budget;
use eval::statistics::{AreaContrast, Contrast, Estimate, Interval, LabelEquivalence, OtherContrast, StudyStatistics};
use std::collections::BTreeMap;

/// What is asked about: a label budget by its place in the report, an emotion or `macro`, and the metric.
type Question<'q> = (usize, &'q str, Metric);

/// The statistics by question.
#[derive(Debug, Default)]
pub(crate) struct Answers<'a> {
    pub statistics: Option<&'a StudyStatistics>,
    curves: BTreeMap<(&'a str, Question<'a>), Estimate>,
    contrasts: BTreeMap<Question<'a>, &'a Contrast>,
    equivalences: BTreeMap<(usize, Metric), &'a LabelEquivalence>,
    others: BTreeMap<(&'a str, usize, Metric), &'a Contrast>,
}

impl<'a> Answers<'a> {
    /// `budgets` are those of the results; each budget of the statistics must be one of them.
    pub fn new(statistics: Option<&'a StudyStatistics>, budgets: &[Budget]) -> Result<Self, ReportError> {
        let mut answers = Answers { statistics, ..Answers::default() };
        let Some(statistics) = statistics else { return Ok(answers) };
        let mut place = Vec::new();
        for wanted in &statistics.budgets {
            let at = eval::budget::place(budgets, &wanted.name);
            place.push(at.ok_or_else(|| ReportError::UnknownBudget { budget: wanted.name.clone() })?);
        }
        for curve in &statistics.curves {
            if let (Some(&budget), Some(estimate)) = (place.get(curve.budget), finite(&curve.estimate)) {
                answers.curves.insert((&curve.start, (budget, &curve.emotion, curve.metric)), estimate);
            }
        }
        for contrast in &statistics.contrasts {
            if let Some(&budget) = place.get(contrast.budget).filter(|_| contrast.difference.value.is_finite()) {
                answers.contrasts.insert((budget, &contrast.emotion, contrast.metric), contrast);
            }
        }
        for OtherContrast { other, contrast } in &statistics.others {
            if let Some(&budget) = place.get(contrast.budget).filter(|_| contrast.difference.value.is_finite()) {
                answers.others.insert((other, budget, contrast.metric), contrast);
            }
        }
        for equivalence in &statistics.equivalences {
            if let Some(&budget) = place.get(equivalence.budget) {
                answers.equivalences.insert((budget, equivalence.metric), equivalence);
            }
        }
        Ok(answers)
    }

    /// A point of a learning curve.
    pub fn curve(&self, start: &str, question: Question<'_>) -> Option<Estimate> {
        self.curves.get(&(start, question)).copied()
    }

    /// treated - baseline.
    pub fn contrast(&self, question: Question<'_>) -> Option<&'a Contrast> {
        self.contrasts.get(&question).copied()
    }

    /// treated less a start that is not the baseline, macro.
    pub fn other(&self, start: &str, budget: usize, metric: Metric) -> Option<&'a Contrast> {
        self.others.get(&(start, budget, metric)).copied()
    }

    /// How many labels the baseline needs.
    pub fn equivalence(&self, budget: usize, metric: Metric) -> Option<&'a LabelEquivalence> {
        self.equivalences.get(&(budget, metric)).copied()
    }

    /// The mean gain over all budgets.
    pub fn area(&self, emotion: &str, metric: Metric) -> Option<Estimate> {
        let mut areas = self.statistics?.areas.iter();
        let wanted = |area: &&AreaContrast| area.emotion == emotion && area.metric == metric;
        finite(&areas.find(wanted)?.difference)
    }

    /// The share of studies drawn anew that an interval holds.
    pub fn level(&self) -> f64 {
        self.statistics.map_or(0.95, |s| s.questions.level)
    }
}

/// The estimate if it is a number, with those of its intervals that are.
pub(crate) fn finite(estimate: &Estimate) -> Option<Estimate> {
    let ends = |interval: Option<Interval>| interval.filter(|i| i.low.is_finite() && i.high.is_finite());
    estimate.value.is_finite().then(|| Estimate {
        value: estimate.value,
        interval: ends(estimate.interval),
        bca: ends(estimate.bca),
    })
}
