//! The result rows of the test split, grouped into runs of a start, a label budget and an emotion,
//! beside the statistics of `eval`.

use crate::numbers::{count, percent};
use crate::reportable::not_reportable;
use crate::statistics_index::StatisticsIndex;
use crate::{ReportError, ReportInput};
use eval::budget::{Budget, Labels, budgets, place, same_labels};
use eval::run::Run;
use eval::statistics::Estimate;
use eval::{Head, MACRO, MICRO, Metric};
use mosei_schema::{LabelBudget, Split};
use run_record::ResultRow;
use std::collections::{BTreeMap, BTreeSet};

/// The treated start, where the statistics do not name one.
const TREATED: &str = "ssl";
/// The baseline, where the statistics do not name one.
const BASELINE: &str = "scratch";

/// What a measurement covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Scope {
    /// An emotion, by its place in [`Study::emotions`].
    Emotion(usize),
    /// The mean over the emotions.
    Macro,
    /// All rows as one.
    Micro,
}

/// One measurement of one fold of one run.
#[derive(Debug, Clone)]
pub(crate) struct Measured {
    pub fold: i32,
    pub run: Run,
    pub value: Option<f64>,
    pub support: u64,
    cell: String,
}

impl Measured {
    /// Its identity among the measurements of its start and budget.
    fn key(&self) -> (i32, Run) {
        (self.fold, self.run)
    }
}

type Key = (usize, usize, Scope, Metric);

/// A study's test results.
pub(crate) struct Study<'a> {
    pub input: &'a ReportInput,
    pub primary: Metric,
    /// The budget of the primary contrast; `None` where it has no results yet.
    pub primary_budget: Option<usize>,
    pub starts: Vec<String>,
    pub emotions: Vec<String>,
    pub budgets: Vec<Budget>,
    /// Names of the trivial predictors.
    pub trivial: Vec<String>,
    pub statistics: StatisticsIndex<'a>,
    runs: BTreeMap<Key, Vec<Measured>>,
    supports: BTreeMap<(Scope, Metric), Support>,
    trivial_values: BTreeMap<(usize, Scope, Metric), Vec<f64>>,
}

impl<'a> Study<'a> {
    /// Sorts the rows of `input`; metrics that are not known are left out.
    pub fn new(input: &'a ReportInput) -> Result<Self, ReportError> {
        let primary =
            Metric::from_name(&input.primary_metric).ok_or_else(|| ReportError::UnknownMetric {
                expected: Metric::ALL.map(Metric::name).join(", "),
                found: input.primary_metric.clone(),
            })?;
        let rows: Vec<&ResultRow> = input
            .results
            .iter()
            .filter(|r| r.split == Split::Test.name())
            .collect();
        let starts = in_order(&input.starts, rows.iter().map(|r| &r.start));
        let averages = [MACRO, MICRO];
        let named = rows
            .iter()
            .map(|r| &r.emotion)
            .filter(|e| !averages.contains(&e.as_str()));
        let emotions = in_order(&input.emotions, named);
        let budgets = budgets(rows.iter().map(|r| Labels {
            budget: &r.budget,
            fold: r.fold,
            n_labels: r.n_labels,
        }));
        let mut runs: BTreeMap<Key, Vec<Measured>> = BTreeMap::new();
        for row in &rows {
            let (Some(metric), Some(budget)) =
                (Metric::from_name(&row.metric), place(&budgets, &row.budget))
            else {
                continue;
            };
            check(row)?;
            let Some(scope) = scope_of(&row.emotion, &emotions) else {
                continue;
            };
            let start = starts
                .iter()
                .position(|s| *s == row.start)
                .unwrap_or_default();
            let run = input.pretrain_seeds.run_of_row(row);
            let (fold, value, support, cell) = (row.fold, row.value, row.support, row.cell.clone());
            let measured = Measured {
                fold,
                run,
                value,
                support,
                cell,
            };
            runs.entry((start, budget, scope, metric))
                .or_default()
                .push(measured);
        }
        for ((start, budget, scope, metric), runs) in &mut runs {
            runs.sort_by_key(Measured::key);
            let twice = runs
                .iter()
                .zip(runs.iter().skip(1))
                .find(|(a, b)| a.key() == b.key());
            if let Some((a, b)) = twice {
                return Err(ReportError::TwoRows {
                    start: starts[*start].clone(),
                    budget: budgets[*budget].name.as_str().into(),
                    fold: a.fold,
                    seed: a.run.seed,
                    draw: a.run.draw,
                    emotion: scope_name(*scope, &emotions).into(),
                    metric: metric.name(),
                    cells: Box::new([a.cell.clone(), b.cell.clone()]),
                });
            }
        }
        let mut supports: BTreeMap<(Scope, Metric), Support> = BTreeMap::new();
        for ((_, _, scope, metric), runs) in &runs {
            for run in runs {
                let folds = supports.entry((*scope, *metric)).or_default();
                let seen = folds.entry(run.fold).or_insert((run.support, run.support));
                *seen = (seen.0.min(run.support), seen.1.max(run.support));
            }
        }
        let trivial = in_order(&[], input.trivial.iter().map(|r| &r.start));
        let mut trivial_values: BTreeMap<_, Vec<f64>> = BTreeMap::new();
        for row in input
            .trivial
            .iter()
            .filter(|r| r.split == Split::Test.name())
        {
            check(row)?;
            let name = trivial.iter().position(|t| *t == row.start);
            let place = (
                name,
                scope_of(&row.emotion, &emotions),
                Metric::from_name(&row.metric),
                row.value,
            );
            if let (Some(name), Some(scope), Some(metric), Some(value)) = place {
                trivial_values
                    .entry((name, scope, metric))
                    .or_default()
                    .push(value);
            }
        }
        let statistics = StatisticsIndex::new(input.statistics.as_ref(), &budgets)?;
        let primary_budget = match &input.primary_budget {
            Some(name) => place(&budgets, name),
            None => (!budgets.is_empty()).then_some(0),
        };
        Ok(Study {
            input,
            primary,
            primary_budget,
            starts,
            emotions,
            budgets,
            trivial,
            statistics,
            runs,
            supports,
            trivial_values,
        })
    }

    /// "72", or "70 to 74" where folds differ; with its name where another budget has as many.
    pub fn label(&self, budget: usize) -> String {
        let number = |n: i32| count(u64::from(n.max(0).unsigned_abs()));
        let Budget {
            name, fewest, most, ..
        } = &self.budgets[budget];
        let labels = match fewest == most {
            true => number(*most),
            false => format!("{} to {}", number(*fewest), number(*most)),
        };
        if same_labels(&self.budgets).contains(name.as_str()) {
            format!("{labels} ({name})")
        } else {
            labels
        }
    }

    /// The kind of budget, where its number of labels does not show it: one of several with equal
    /// labels, all labels, or a share that differs between folds.
    pub fn kind(&self, budget: usize) -> Option<String> {
        let Budget {
            name, fewest, most, ..
        } = &self.budgets[budget];
        if same_labels(&self.budgets).contains(name.as_str()) {
            return Some(format!("budget {name}"));
        }
        match name.parse() {
            Ok(LabelBudget::Fraction(1.0)) => Some("all".into()),
            Ok(LabelBudget::Fraction(share)) if fewest != most => {
                Some(format!("{} of all", percent(share)))
            }
            _ => None,
        }
    }

    /// "72" even where folds differ, for axes.
    pub fn short_label(&self, budget: usize) -> String {
        count(self.budgets[budget].labels.round().max(0.0) as u64)
    }

    /// The start under test.
    pub fn treated(&self) -> &'a str {
        self.statistics.all.map_or(TREATED, |s| &s.analysis.treated)
    }

    /// The start it is compared with.
    pub fn baseline(&self) -> &'a str {
        self.statistics
            .all
            .map_or(BASELINE, |s| &s.analysis.baseline)
    }

    /// The index of a start.
    pub fn start(&self, name: &str) -> Option<usize> {
        self.starts.iter().position(|s| s == name)
    }

    /// Each fold of each run of a start and a budget, by fold, seeds and draw; those without a
    /// value among them.
    pub fn runs(&self, start: usize, budget: usize, scope: Scope, metric: Metric) -> &[Measured] {
        self.runs
            .get(&(start, budget, scope, metric))
            .map_or(&[], Vec::as_slice)
    }

    /// The runs of a start and a budget, complete or not.
    pub fn started_runs(
        &self,
        start: usize,
        budget: usize,
        scope: Scope,
        metric: Metric,
    ) -> BTreeSet<Run> {
        self.runs(start, budget, scope, metric)
            .iter()
            .map(|one| one.run)
            .collect()
    }

    /// The number of these.
    pub fn started(&self, start: usize, budget: usize, scope: Scope, metric: Metric) -> usize {
        self.started_runs(start, budget, scope, metric).len()
    }

    /// Whether the primary budget was configured before the run.
    pub fn has_configured_budget(&self) -> bool {
        self.input.primary_budget.is_some()
    }

    /// The values of the runs that have one; empty where the metric has too few rows.
    pub fn values(&self, start: usize, budget: usize, scope: Scope, metric: Metric) -> Vec<f64> {
        self.over_folds(start, budget, scope, metric)
            .into_values()
            .collect()
    }

    /// The mean over runs with its confidence interval: from the statistics where they have it,
    /// else the plain mean without one.
    pub fn estimate(
        &self,
        start: usize,
        budget: usize,
        scope: Scope,
        metric: Metric,
    ) -> Option<Estimate> {
        if not_reportable(self, scope, metric).is_some() {
            return None;
        }
        self.statistics
            .curve(
                &self.starts[start],
                (budget, self.scope_name(scope), metric),
            )
            .or_else(|| {
                let value = eval::mean(self.values(start, budget, scope, metric))?;
                Some(Estimate {
                    value,
                    interval: None,
                })
            })
    }

    /// The sources of variation between runs, with their levels; none without statistics.
    pub(crate) fn run_sources(&self) -> impl Iterator<Item = (usize, &'static str)> {
        let levels = self.statistics.all.map(|s| {
            [
                (repeated(s.partitions), "partition"),
                (Some(s.seeds), "training seed"),
                (s.pretrain_seeds, "pre-training seed"),
                (Some(s.draws), "label draw"),
            ]
        });
        let several = levels.into_iter().flatten();
        several.filter_map(|(levels, source)| Some((levels?, source)))
    }

    /// The sources of which the study has a single level, such as "one label draw"; `None` where it
    /// has several of each.
    pub(crate) fn conditional_on(&self) -> Option<String> {
        let single: Vec<String> = self
            .run_sources()
            .filter(|(levels, _)| *levels == 1)
            .map(|(_, source)| format!("one {source}"))
            .collect();
        (!single.is_empty()).then(|| single.join(" and "))
    }

    /// The folds of the study.
    pub fn folds(&self) -> BTreeSet<i32> {
        self.runs.values().flatten().map(|run| run.fold).collect()
    }

    /// Whether there are several partitions of the videos into folds.
    pub(crate) fn has_partitions(&self) -> bool {
        self.folds_of_partitions().len() > 1
    }

    /// How many folds each partition has.
    fn folds_of_partitions(&self) -> BTreeMap<i32, usize> {
        let all = self.runs.values().flatten();
        let folds: BTreeSet<(i32, i32)> = all.map(|one| (one.run.partition, one.fold)).collect();
        let mut counts = BTreeMap::new();
        for (partition, _) in folds {
            *counts.entry(partition).or_default() += 1;
        }
        counts
    }

    /// The value of each run that has all folds of its partition: the mean over the folds in which the
    /// metric is defined, weighted by the folds' numbers of test videos where the statistics have
    /// them.
    pub fn over_folds(
        &self,
        start: usize,
        budget: usize,
        scope: Scope,
        metric: Metric,
    ) -> BTreeMap<Run, f64> {
        let folds = self.folds_of_partitions();
        let weight = |fold: i32| match self.statistics.all {
            Some(statistics) => statistics
                .folds
                .iter()
                .find(|f| f.fold == fold)
                .map_or(0.0, |f| f.clusters as f64),
            None => 1.0,
        };
        let mut each: BTreeMap<Run, Vec<&Measured>> = BTreeMap::new();
        if not_reportable(self, scope, metric).is_none() {
            for one in self.runs(start, budget, scope, metric) {
                each.entry(one.run).or_default().push(one);
            }
        }
        let mean = |of_folds: Vec<&Measured>| {
            let values = || {
                of_folds
                    .iter()
                    .filter_map(|one| Some((weight(one.fold), one.value?)))
            };
            let total = eval::sum(values().map(|(weight, _)| weight));
            (total > 0.0).then(|| eval::sum(values().map(|(weight, value)| weight * value)) / total)
        };
        let whole = each
            .into_iter()
            .filter(|(run, of_folds)| folds.get(&run.partition) == Some(&of_folds.len()));
        whole
            .filter_map(|(run, of_folds)| Some((run, mean(of_folds)?)))
            .collect()
    }

    /// Whether any row of a start has a pre-training seed.
    pub fn pretrained(&self, start: usize) -> bool {
        let name = &self.starts[start];
        self.input
            .results
            .iter()
            .any(|row| row.start == *name && row.pretrain_seed.is_some())
    }

    /// The value of a trivial predictor, mean over folds.
    pub fn trivial(&self, name: usize, scope: Scope, metric: Metric) -> Option<f64> {
        let values = self
            .trivial_values
            .get(&(name, scope, metric))
            .filter(|_| not_reportable(self, scope, metric).is_none());
        eval::mean(values?.iter().copied())
    }

    /// The value of the best trivial predictor, and its name.
    pub fn best_trivial(&self, scope: Scope, metric: Metric) -> Option<(f64, &str)> {
        let sign = if metric.higher_is_better() { 1.0 } else { -1.0 };
        let all =
            (0..self.trivial.len()).filter_map(|t| Some((self.trivial(t, scope, metric)?, t)));
        let best = all.max_by(|a, b| (sign * a.0).total_cmp(&(sign * b.0)).then(b.1.cmp(&a.1)))?;
        Some((best.0, &self.trivial[best.1]))
    }

    /// The emotions in their order, then the averages; those without a run are left out.
    pub fn scopes(&self) -> impl Iterator<Item = Scope> {
        let all = (0..self.emotions.len())
            .map(Scope::Emotion)
            .chain([Scope::Macro, Scope::Micro]);
        all.filter(|wanted| self.runs.keys().any(|(_, _, scope, _)| scope == wanted))
    }

    /// Whether any run of a start and a budget has a value of a metric of the head.
    pub fn predicts(&self, start: usize, budget: usize, head: Head) -> bool {
        let mut of_cell = self
            .runs
            .iter()
            .filter(|((s, b, _, m), _)| (*s, *b) == (start, budget) && m.head() == head);
        of_cell.any(|(_, runs)| runs.iter().any(|run| run.value.is_some()))
    }

    /// Whether any run has a value of the metric.
    pub fn has(&self, metric: Metric) -> bool {
        self.runs
            .iter()
            .any(|((_, _, _, m), runs)| *m == metric && runs.iter().any(|run| run.value.is_some()))
    }

    /// Whether any run has a value of a metric of the head.
    pub fn has_head(&self, head: Head) -> bool {
        Metric::ALL
            .into_iter()
            .any(|m| m.head() == head && self.has(m))
    }

    /// The emotion's name, `macro` or `micro`.
    pub fn scope_name(&self, scope: Scope) -> &str {
        scope_name(scope, &self.emotions)
    }

    /// Support of a metric in each fold: the smallest and the largest found (they differ only if
    /// cells were evaluated on different rows).
    pub fn support(&self, scope: Scope, metric: Metric) -> &Support {
        static NONE: Support = Support::new();
        self.supports.get(&(scope, metric)).unwrap_or(&NONE)
    }
}

/// The keys of the cells of every start at the primary label budget: those whose losses and scores
/// the report shows ([`ReportInput::trainings`], [`ReportInput::scored`]).
///
/// # Errors
/// As [`crate::render`].
pub fn headline_cells(input: &ReportInput) -> Result<BTreeSet<String>, ReportError> {
    let study = Study::new(input)?;
    let of_budget = study
        .runs
        .iter()
        .filter(|((_, budget, _, _), _)| Some(*budget) == study.primary_budget);
    Ok(of_budget
        .flat_map(|(_, runs)| runs.iter().map(|run| run.cell.clone()))
        .collect())
}

/// The levels of a source that most studies do not have.
fn repeated(levels: usize) -> Option<usize> {
    (levels > 1).then_some(levels)
}

/// The smallest and the largest support of each fold.
pub(crate) type Support = BTreeMap<i32, (u64, u64)>;

fn scope_name(scope: Scope, emotions: &[String]) -> &str {
    match scope {
        Scope::Emotion(e) => &emotions[e],
        Scope::Macro => MACRO,
        Scope::Micro => MICRO,
    }
}

/// The preferred names that occur, then all others in order of first occurrence.
fn in_order<'n>(wanted: &[String], found: impl Iterator<Item = &'n String>) -> Vec<String> {
    let mut others: Vec<&String> = Vec::new();
    let mut seen = BTreeSet::new();
    for name in found {
        if seen.insert(name) && !wanted.contains(name) {
            others.push(name);
        }
    }
    let mut out: Vec<String> = Vec::new();
    for name in wanted.iter().filter(|w| seen.contains(w)).chain(others) {
        if !out.contains(name) {
            out.push(name.clone());
        }
    }
    out
}

fn scope_of(name: &str, emotions: &[String]) -> Option<Scope> {
    match name {
        MACRO => Some(Scope::Macro),
        MICRO => Some(Scope::Micro),
        name => emotions.iter().position(|e| e == name).map(Scope::Emotion),
    }
}

fn check(row: &ResultRow) -> Result<(), ReportError> {
    match row.value.filter(|v| !v.is_finite()) {
        Some(found) => {
            let (cell, emotion) = (row.cell.clone(), row.emotion.clone());
            Err(ReportError::NotFinite {
                cell,
                emotion,
                metric: row.metric.clone(),
                found,
            })
        }
        None => Ok(()),
    }
}

#[cfg(test)]
pub(crate) mod tests;
