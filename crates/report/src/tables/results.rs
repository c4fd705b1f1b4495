//! Metrics by start, label budget and emotion, and how many rows they rest on.

use super::{Cell, Table, brackets, budget_head, head};
use crate::numbers::{count, many};
use crate::reportable::{missing_class, not_reportable};
use crate::study::{Scope, Study};
use eval::Metric;
use std::collections::BTreeSet;

/// Metrics of the main tables.
const COLUMNS: [Metric; 8] = [
    Metric::RocAuc,
    Metric::AveragePrecision,
    Metric::F1,
    Metric::WeightedF1,
    Metric::BalancedAccuracy,
    Metric::Accuracy,
    Metric::Mae,
    Metric::Accuracy4,
];

fn columns(study: &Study<'_>) -> Vec<Metric> {
    COLUMNS
        .into_iter()
        .filter(|&m| study.has_head(m.head()))
        .collect()
}

/// Mean over runs with its confidence interval, or why there is none.
fn measured(study: &Study<'_>, start: usize, budget: usize, scope: Scope, metric: Metric) -> Cell {
    let started = study.started(start, budget, scope, metric);
    if let Some(why) = not_reportable(study, scope, metric).filter(|_| started > 0) {
        return Cell::not_reportable(&why);
    }
    let Some(estimate) = study.estimate(start, budget, scope, metric) else {
        return Cell::none("n/a").remark(why_undefined(study, start, budget, scope, metric));
    };
    let cell = Cell::number(estimate.value, 3).within(estimate.interval, 3, false);
    let whole = study.values(start, budget, scope, metric).len();
    if whole == started {
        cell
    } else {
        cell.remark(format!("defined in {whole} of {}", many(started, "run")))
    }
}

fn why_undefined(
    study: &Study<'_>,
    start: usize,
    budget: usize,
    scope: Scope,
    metric: Metric,
) -> String {
    if study.started(start, budget, scope, metric) == 0 {
        return "no run".into();
    }
    if !study.predicts(start, budget, metric.head()) {
        return "not predicted".into();
    }
    missing_class(study, scope, metric).unwrap_or_else(|| match metric {
        // Without an intensity metric the rows of a fold are unknown, but there is no other cause.
        Metric::RocAuc | Metric::BalancedAccuracy if scope != Scope::Macro => {
            "no negative in some fold".into()
        }
        _ => "no run has all folds".into(),
    })
}

/// The trivial predictors, a row each.
fn trivial_rows(study: &Study<'_>, scope: Scope, metrics: &[Metric]) -> Vec<Vec<Cell>> {
    let cell = |name: usize, metric: Metric| match (
        not_reportable(study, scope, metric),
        study.trivial(name, scope, metric),
    ) {
        (Some(why), _) => Cell::not_reportable(&why),
        (None, Some(value)) => Cell::number(value, 3),
        (None, None) => Cell::none("n/a"),
    };
    let row = |name: usize| {
        let head = Cell::head(&study.trivial[name], 1).remark("no model");
        [head]
            .into_iter()
            .chain(metrics.iter().map(|&m| cell(name, m)))
            .collect()
    };
    (0..study.trivial.len()).map(row).collect()
}

/// Macro metrics of each start at each label budget.
pub(crate) fn main_table(study: &Study<'_>) -> Table {
    let metrics = columns(study);
    let groups = (0..study.budgets.len()).map(|budget| {
        let present = starts_at(study, budget);
        let row = |(i, &start): (usize, &usize)| {
            let mut row = Vec::new();
            if i == 0 {
                row.push(budget_head(study, budget, present.len()));
            }
            row.push(Cell::start(&study.starts[start]));
            row.push(Cell::count(run_count(study, start, budget)));
            row.extend(
                metrics
                    .iter()
                    .map(|&m| measured(study, start, budget, Scope::Macro, m)),
            );
            row
        };
        present.iter().enumerate().map(row).collect()
    });
    let mut groups: Vec<Vec<Vec<Cell>>> = groups.collect();
    let mut without = trivial_rows(study, Scope::Macro, &metrics);
    let n = without.len();
    for row in &mut without {
        row.insert(1, Cell::none("none"));
    }
    if let Some(first) = without.first_mut() {
        first.insert(0, Cell::head("any number", n));
        groups.push(without);
    }
    Table {
        caption: format!(
            "Macro average over emotions on the held-out test set: mean over runs{}",
            brackets(study)
        ),
        head: head(
            2,
            ["Labels", "Start", "Runs"]
                .into_iter()
                .chain(metrics.iter().map(|m| m.title())),
        ),
        groups,
    }
}

fn starts_at(study: &Study<'_>, budget: usize) -> Vec<usize> {
    (0..study.starts.len())
        .filter(|&start| run_count(study, start, budget) > 0)
        .collect()
}

fn run_count(study: &Study<'_>, start: usize, budget: usize) -> usize {
    study
        .scopes()
        .flat_map(|s| Metric::ALL.map(|m| study.started(start, budget, s, m)))
        .max()
        .unwrap_or(0)
}

/// All metrics of all emotions and averages at one label budget.
pub(crate) fn emotion_table(study: &Study<'_>, budget: usize) -> Table {
    let metrics: Vec<Metric> = Metric::ALL
        .into_iter()
        .filter(|m| study.has_head(m.head()))
        .collect();
    let present = starts_at(study, budget);
    let group = |scope: Scope| -> Vec<Vec<Cell>> {
        let support: u64 = study
            .support(scope, Metric::RocAuc)
            .values()
            .map(|s| s.1)
            .sum();
        let row = |&start: &usize| {
            let mut row = vec![Cell::start(&study.starts[start])];
            row.extend(
                metrics
                    .iter()
                    .map(|&m| measured(study, start, budget, scope, m)),
            );
            row
        };
        let mut rows: Vec<Vec<Cell>> = present.iter().map(row).collect();
        rows.extend(trivial_rows(study, scope, &metrics));
        let n = rows.len();
        if let Some(first) = rows.first_mut() {
            let remark = format!("{} positive", count(support));
            first.insert(0, Cell::head(study.scope_name(scope), n).remark(remark));
        }
        rows
    };
    Table {
        caption: format!(
            "{} labels, by emotion, on the held-out test set: mean over runs{}",
            study.label(budget),
            brackets(study)
        ),
        head: head(
            2,
            ["Emotion", "Start"]
                .into_iter()
                .chain(metrics.iter().map(|m| m.title())),
        ),
        groups: study.scopes().map(group).collect(),
    }
}

/// Positive test rows of each emotion in each fold, and all rows.
pub(crate) fn support_table(study: &Study<'_>) -> Table {
    let scopes: Vec<Scope> = study.scopes().filter(|&s| s != Scope::Macro).collect();
    let folds: BTreeSet<i32> = scopes
        .iter()
        .flat_map(|&s| study.support(s, Metric::RocAuc).keys().copied())
        .collect();
    let sum = |scope: Scope, metric: Metric| {
        let support = study.support(scope, metric);
        let total: u64 = support.values().map(|&(_, most)| most).sum();
        if support.is_empty() {
            Cell::none("n/a")
        } else {
            Cell::count(total as usize)
        }
    };
    let row = |&scope: &Scope| {
        let support = study.support(scope, Metric::RocAuc);
        let mut row = vec![Cell::head(study.scope_name(scope), 1)];
        row.extend(folds.iter().map(|fold| {
            match support.get(fold) {
                Some((least, most)) if least == most => Cell::count(*most as usize),
                Some((least, most)) => {
                    Cell::none(format!("{}\u{2013}{}", count(*least), count(*most)))
                        .remark("differs between cells")
                }
                None => Cell::none("n/a"),
            }
        }));
        if folds.len() > 1 {
            row.push(sum(scope, Metric::RocAuc));
        }
        // The support of an error of intensity is every row, whether or not the error has a value.
        row.push(sum(scope, Metric::Mae));
        row
    };
    let mut head = vec![Cell::words("Emotion")];
    head.extend(folds.iter().map(|fold| Cell::none(format!("Fold {fold}"))));
    if folds.len() > 1 {
        head.push(Cell::none("All folds"));
    }
    head.push(Cell::none("All rows").column("Of rows"));
    Table {
        caption: "Support: test rows with the emotion present".into(),
        head,
        groups: vec![scopes.iter().map(row).collect()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ReportInput;
    use crate::study::tests::row;
    use run_record::ResultRow;

    fn texts(row: &[Cell]) -> Vec<String> {
        row.iter()
            .map(|c| format!("{}|{}", c.text, c.remark))
            .collect()
    }

    #[test]
    fn undefined_values_say_why() {
        let emotion = |name: &str, metric: Metric, value, support| ResultRow {
            emotion: name.into(),
            metric: metric.name().into(),
            support,
            ..row("ssl", 10, 0.1, [0, 0, 0], value)
        };
        let results = vec![
            emotion("sad", Metric::RocAuc, None, 0),
            emotion("fear", Metric::RocAuc, None, 7),
            emotion("micro", Metric::RocAuc, Some(0.5), 7),
        ];
        let input = ReportInput {
            results,
            ..ReportInput::default()
        };
        let table = emotion_table(&Study::new(&input).unwrap(), 0);
        let column = table.head.iter().position(|h| h.text == "ROC AUC").unwrap();
        let first = |group: usize| texts(&table.groups[group][0])[column].clone();
        assert_eq!(first(0), "n/a (0 positives)|");
        assert_eq!(first(1), "n/a|no negative in some fold");
        assert_eq!(first(2), "0.500|");
        assert!(
            table.head.iter().all(|h| h.text != "MAE"),
            "{:?}",
            table.head
        );
    }

    #[test]
    fn means_over_some_of_the_runs_say_so() {
        let results = vec![
            row("ssl", 10, 0.1, [0, 0, 0], Some(0.5)),
            row("ssl", 10, 0.1, [0, 1, 0], Some(0.7)),
            row("ssl", 10, 0.1, [0, 2, 0], None),
        ];
        let input = ReportInput {
            results,
            ..ReportInput::default()
        };
        let table = main_table(&Study::new(&input).unwrap());
        let got = texts(&table.groups[0][0]);
        assert_eq!(
            got[..4],
            ["10|", "ssl|", "3|", "0.600|defined in 2 of 3 runs"]
        );
    }

    #[test]
    fn metrics_with_too_few_rows_are_never_shown() {
        let few = |start: &str| ResultRow {
            emotion: "fear".into(),
            support: 3,
            ..row(start, 10, 0.1, [0, 0, 0], Some(0.9))
        };
        let input = ReportInput {
            results: vec![few("ssl")],
            trivial: vec![few("chance")],
            ..ReportInput::default()
        };
        let table = emotion_table(&Study::new(&input).unwrap(), 0);
        let column = table.head.iter().position(|h| h.text == "ROC AUC").unwrap();
        assert_eq!(texts(&table.groups[0][0])[column], "n/a (3 positives)|");
        assert_eq!(texts(&table.groups[0][1])[column - 1], "n/a (3 positives)|");
    }

    #[test]
    fn trivial_predictors_are_listed_beside_the_starts() {
        let results = vec![row("ssl", 10, 0.1, [0, 0, 0], Some(0.6))];
        let trivial = vec![row("prevalence", 0, 0.0, [0, 0, 0], Some(0.5))];
        let input = ReportInput {
            results,
            trivial,
            ..ReportInput::default()
        };
        let study = Study::new(&input).unwrap();
        assert_eq!(
            texts(&main_table(&study).groups[1][0])[..4],
            ["any number|", "prevalence|no model", "none|", "0.500|"]
        );
        assert_eq!(
            texts(&emotion_table(&study, 0).groups[0][1])[0],
            "prevalence|no model"
        );
    }

    #[test]
    fn support_of_folds_is_added_and_disagreement_shown() {
        let fold = |fold, seed, support| ResultRow {
            emotion: "sad".into(),
            support,
            ..row("ssl", 10, 0.1, [fold, seed, 0], None)
        };
        let results = vec![fold(0, 0, 5), fold(0, 1, 5), fold(1, 0, 3), fold(1, 1, 4)];
        let input = ReportInput {
            results,
            ..ReportInput::default()
        };
        let table = support_table(&Study::new(&input).unwrap());
        assert_eq!(
            texts(&table.groups[0][0]),
            [
                "sad|",
                "5|",
                "3\u{2013}4|differs between cells",
                "9|",
                "n/a|"
            ]
        );
    }
}
