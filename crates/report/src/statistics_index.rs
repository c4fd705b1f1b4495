//! The statistics of a study, indexed by budget, emotion and metric.
//!
//! Values that are not finite are dropped here, so that no later code has to check.

use crate::ReportError;
use eval::Metric;
use eval::budget::Budget;
use eval::statistics::{
    AreaContrast, Contrast, Estimate, Interval, LabelEquivalence, OtherContrast, StudyStatistics,
};
use std::collections::BTreeMap;

/// A label budget by its index in the report, an emotion or `macro`, and the metric.
type Key<'q> = (usize, &'q str, Metric);

/// The statistics by key.
#[derive(Debug, Default)]
pub(crate) struct StatisticsIndex<'a> {
    /// As they were computed; `None` where they were not.
    pub all: Option<&'a StudyStatistics>,
    curves: BTreeMap<(&'a str, Key<'a>), Estimate>,
    contrasts: BTreeMap<Key<'a>, &'a Contrast>,
    equivalences: BTreeMap<(usize, Metric), &'a LabelEquivalence>,
    others: BTreeMap<(&'a str, usize, Metric), &'a Contrast>,
}

impl<'a> StatisticsIndex<'a> {
    /// `budgets` are those of the results; each budget of the statistics must be one of them.
    pub fn new(
        statistics: Option<&'a StudyStatistics>,
        budgets: &[Budget],
    ) -> Result<Self, ReportError> {
        let mut index = StatisticsIndex {
            all: statistics,
            ..StatisticsIndex::default()
        };
        let Some(statistics) = statistics else {
            return Ok(index);
        };
        let mut place = Vec::new();
        for wanted in &statistics.budgets {
            let at = eval::budget::place(budgets, &wanted.name);
            place.push(at.ok_or_else(|| ReportError::UnknownBudget {
                budget: wanted.name.clone(),
            })?);
        }
        for curve in &statistics.curves {
            if let (Some(&budget), Some(estimate)) =
                (place.get(curve.budget), finite(&curve.estimate))
            {
                index.curves.insert(
                    (&curve.start, (budget, &curve.emotion, curve.metric)),
                    estimate,
                );
            }
        }
        for contrast in &statistics.contrasts {
            if let Some(&budget) = place
                .get(contrast.budget)
                .filter(|_| contrast.difference.value.is_finite())
            {
                index
                    .contrasts
                    .insert((budget, &contrast.emotion, contrast.metric), contrast);
            }
        }
        for OtherContrast { other, contrast } in &statistics.others {
            if let Some(&budget) = place
                .get(contrast.budget)
                .filter(|_| contrast.difference.value.is_finite())
            {
                index
                    .others
                    .insert((other, budget, contrast.metric), contrast);
            }
        }
        for equivalence in &statistics.equivalences {
            if let Some(&budget) = place.get(equivalence.budget) {
                index
                    .equivalences
                    .insert((budget, equivalence.metric), equivalence);
            }
        }
        Ok(index)
    }

    /// A point of a learning curve.
    pub fn curve(&self, start: &str, key: Key<'_>) -> Option<Estimate> {
        self.curves.get(&(start, key)).copied()
    }

    /// treated - baseline.
    pub fn contrast(&self, key: Key<'_>) -> Option<&'a Contrast> {
        self.contrasts.get(&key).copied()
    }

    /// treated less a start that is not the baseline, macro.
    pub fn other(&self, start: &str, budget: usize, metric: Metric) -> Option<&'a Contrast> {
        self.others.get(&(start, budget, metric)).copied()
    }

    /// Label equivalence: how many labels the baseline needs.
    pub fn equivalence(&self, budget: usize, metric: Metric) -> Option<&'a LabelEquivalence> {
        self.equivalences.get(&(budget, metric)).copied()
    }

    /// The mean gain over all budgets.
    pub fn area(&self, emotion: &str, metric: Metric) -> Option<Estimate> {
        let mut areas = self.all?.areas.iter();
        let wanted = |area: &&AreaContrast| area.emotion == emotion && area.metric == metric;
        finite(&areas.find(wanted)?.difference)
    }

    /// The confidence level of the intervals.
    pub fn confidence_level(&self) -> f64 {
        self.all.map_or(0.95, |s| s.analysis.level)
    }
}

/// The estimate, if it is finite, with those of its confidence intervals that are.
pub(crate) fn finite(estimate: &Estimate) -> Option<Estimate> {
    let ends =
        |interval: Option<Interval>| interval.filter(|i| i.low.is_finite() && i.high.is_finite());
    estimate.value.is_finite().then(|| Estimate {
        value: estimate.value,
        interval: ends(estimate.interval),
    })
}
