//! The result rows of the test split, sorted into runs of a start, a label budget and an emotion.

use crate::aggregate::Spread;
use crate::numbers::count;
use crate::{ReportError, ReportInput};
use eval::{Head, MACRO, MICRO, Metric};
use mosei_schema::Split;
use run_record::ResultRow;
use std::collections::{BTreeMap, BTreeSet};

/// What a measurement is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Scope {
    /// An emotion, by its place in [`Study::emotions`].
    Emotion(usize),
    /// The mean over the emotions.
    Macro,
    /// All rows as one.
    Micro,
}

/// What a run of a start and a budget is told apart by; the same in both arms of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RunKey {
    pub fold: i32,
    pub seed: i32,
    pub draw: i32,
}

/// One measurement of one run.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    pub key: RunKey,
    pub value: Option<f64>,
    pub support: u64,
    cell: String,
}

/// A label budget; its count may differ a little between folds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Budget {
    /// Mean over folds.
    pub labels: f64,
    fewest: i32,
    most: i32,
}

impl Budget {
    /// "72", or "70–74" where folds differ.
    pub fn label(&self) -> String {
        let number = |n: i32| count(u64::from(n.max(0).unsigned_abs()));
        if self.fewest == self.most {
            number(self.most)
        } else {
            format!("{}\u{2013}{}", number(self.fewest), number(self.most))
        }
    }

    /// "72" even where folds differ: for axes.
    pub fn short_label(&self) -> String {
        count(self.labels.round().max(0.0) as u64)
    }
}

type Place = (usize, usize, Scope, Metric);

/// A study's test results.
pub(crate) struct Study<'a> {
    pub input: &'a ReportInput,
    pub primary: Metric,
    pub starts: Vec<String>,
    pub emotions: Vec<String>,
    pub budgets: Vec<Budget>,
    runs: BTreeMap<Place, Vec<Run>>,
}

impl<'a> Study<'a> {
    /// Sorts the rows of `input`; metrics that are not known are left out.
    pub fn new(input: &'a ReportInput) -> Result<Self, ReportError> {
        let primary = Metric::from_name(&input.primary_metric).ok_or_else(|| ReportError::UnknownMetric {
            expected: Metric::ALL.map(Metric::name).join(", "),
            found: input.primary_metric.clone(),
        })?;
        let rows: Vec<&ResultRow> = input.results.iter().filter(|r| r.split == Split::Test.name()).collect();
        let starts = in_order(&input.starts, rows.iter().map(|r| &r.start));
        let averages = [MACRO, MICRO];
        let named = rows.iter().map(|r| &r.emotion).filter(|e| !averages.contains(&e.as_str()));
        let emotions = in_order(&input.emotions, named);
        let (budgets, budget_of) = budgets(&rows);
        let mut runs: BTreeMap<Place, Vec<Run>> = BTreeMap::new();
        for row in &rows {
            let Some(metric) = Metric::from_name(&row.metric) else { continue };
            if let Some(found) = row.value.filter(|v| !v.is_finite()) {
                let (cell, emotion) = (row.cell.clone(), row.emotion.clone());
                return Err(ReportError::NotFinite { cell, emotion, metric: row.metric.clone(), found });
            }
            let scope = match row.emotion.as_str() {
                MACRO => Scope::Macro,
                MICRO => Scope::Micro,
                name => Scope::Emotion(emotions.iter().position(|e| e == name).unwrap_or_default()),
            };
            let start = starts.iter().position(|s| *s == row.start).unwrap_or_default();
            let key = RunKey { fold: row.fold, seed: row.seed, draw: row.draw };
            let run = Run { key, value: row.value, support: row.support, cell: row.cell.clone() };
            runs.entry((start, budget_of(row), scope, metric)).or_default().push(run);
        }
        for ((start, budget, scope, metric), runs) in &mut runs {
            runs.sort_by_key(|run| run.key);
            let twice = runs.iter().zip(runs.iter().skip(1)).find(|(a, b)| a.key == b.key);
            if let Some((a, b)) = twice {
                return Err(ReportError::TwoRows {
                    start: starts[*start].clone(),
                    labels: budgets[*budget].most,
                    fold: a.key.fold,
                    seed: a.key.seed,
                    draw: a.key.draw,
                    emotion: scope_name(*scope, &emotions).into(),
                    metric: metric.name(),
                    first: a.cell.as_str().into(),
                    second: b.cell.as_str().into(),
                });
            }
        }
        Ok(Study { input, primary, starts, emotions, budgets, runs })
    }

    /// The runs of a start and a budget, by fold, seed and draw; those without a value among them.
    pub fn runs(&self, start: usize, budget: usize, scope: Scope, metric: Metric) -> &[Run] {
        self.runs.get(&(start, budget, scope, metric)).map_or(&[], Vec::as_slice)
    }

    /// The values of these runs that are defined.
    pub fn values(&self, start: usize, budget: usize, scope: Scope, metric: Metric) -> Vec<f64> {
        self.runs(start, budget, scope, metric).iter().filter_map(|run| run.value).collect()
    }

    /// Their spread; `None` where no value is defined.
    pub fn spread(&self, start: usize, budget: usize, scope: Scope, metric: Metric) -> Option<Spread> {
        Spread::of(&self.values(start, budget, scope, metric))
    }

    /// The emotions in their order, then the averages; those without a run are left out.
    pub fn scopes(&self) -> impl Iterator<Item = Scope> {
        let all = (0..self.emotions.len()).map(Scope::Emotion).chain([Scope::Macro, Scope::Micro]);
        all.filter(|wanted| self.runs.keys().any(|(_, _, scope, _)| scope == wanted))
    }

    /// Whether any run of a start and a budget has a value of a metric of the head.
    pub fn predicts(&self, start: usize, budget: usize, head: Head) -> bool {
        let mut of_cell = self.runs.iter().filter(|((s, b, _, m), _)| (*s, *b) == (start, budget) && m.head() == head);
        of_cell.any(|(_, runs)| runs.iter().any(|run| run.value.is_some()))
    }

    /// Whether any run has a value of the metric.
    pub fn has(&self, metric: Metric) -> bool {
        self.runs.iter().any(|((_, _, _, m), runs)| *m == metric && runs.iter().any(|run| run.value.is_some()))
    }

    /// Whether any run has a value of a metric of the head.
    pub fn has_head(&self, head: Head) -> bool {
        Metric::ALL.into_iter().any(|m| m.head() == head && self.has(m))
    }

    /// The emotion's name, `macro` or `micro`.
    pub fn scope_name(&self, scope: Scope) -> &str {
        scope_name(scope, &self.emotions)
    }

    /// Support of a metric in each fold: the smallest and the largest found (they differ only if cells were judged on
    /// different rows).
    pub fn support(&self, scope: Scope, metric: Metric) -> BTreeMap<i32, (u64, u64)> {
        let mut folds: BTreeMap<i32, (u64, u64)> = BTreeMap::new();
        for (_, runs) in self.runs.iter().filter(|((_, _, s, m), _)| *s == scope && *m == metric) {
            for run in runs {
                let seen = folds.entry(run.key.fold).or_insert((run.support, run.support));
                *seen = (seen.0.min(run.support), seen.1.max(run.support));
            }
        }
        folds
    }
}

fn scope_name(scope: Scope, emotions: &[String]) -> &str {
    match scope {
        Scope::Emotion(e) => &emotions[e],
        Scope::Macro => MACRO,
        Scope::Micro => MICRO,
    }
}

/// The wanted names that are found, then the other found ones in their order.
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

/// The label budgets, fewest labels first, and which of them a row belongs to.
///
/// A plan that names shares has folds of different size differ in counts, one that names counts has them differ in
/// shares: whichever takes fewer different values is what the plan named.
fn budgets(rows: &[&ResultRow]) -> (Vec<Budget>, impl Fn(&ResultRow) -> usize) {
    // The bits of a non-negative float sort as it does.
    let share = |row: &ResultRow| row.fraction.max(0.0).to_bits();
    let labels = |row: &ResultRow| u64::from(row.n_labels.max(0).unsigned_abs());
    let shares: BTreeSet<u64> = rows.iter().map(|r| share(r)).collect();
    let counts: BTreeSet<u64> = rows.iter().map(|r| labels(r)).collect();
    let by_count = counts.len() < shares.len();
    let keys: Vec<u64> = if by_count { counts } else { shares }.into_iter().collect();
    let key = move |row: &ResultRow| if by_count { labels(row) } else { share(row) };
    let budgets = keys
        .iter()
        .map(|&k| {
            let by_fold: BTreeMap<i32, i32> =
                rows.iter().filter(|r| key(r) == k).map(|r| (r.fold, r.n_labels)).collect();
            let each = || by_fold.values().copied();
            Budget {
                labels: eval::mean(each().map(f64::from)).unwrap_or(0.0),
                fewest: each().min().unwrap_or(0),
                most: each().max().unwrap_or(0),
            }
        })
        .collect();
    (budgets, move |row| keys.iter().position(|&k| k == key(row)).unwrap_or_default())
}

#[cfg(test)]
pub(crate) mod tests;
