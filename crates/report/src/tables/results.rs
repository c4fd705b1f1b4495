//! Metrics by start, label budget and emotion, and how many rows they rest on.

use super::{Cell, Table, head};
use crate::numbers::{count, fixed};
use crate::study::{Run, Scope, Study};
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
    COLUMNS.into_iter().filter(|&m| study.has_head(m.head())).collect()
}

/// Mean and standard deviation over runs, or why there is none.
fn measured(study: &Study<'_>, start: usize, budget: usize, scope: Scope, metric: Metric) -> Cell {
    let runs = study.runs(start, budget, scope, metric);
    let Some(spread) = study.spread(start, budget, scope, metric) else {
        return Cell::number("n/a").remark(why_undefined(study, start, budget, metric, runs));
    };
    let text = match spread.sd {
        Some(sd) => format!("{} \u{b1} {}", fixed(spread.mean, 3), fixed(sd, 3)),
        None => fixed(spread.mean, 3),
    };
    let cell = Cell::number(text);
    if spread.n == runs.len() { cell } else { cell.remark(format!("defined in {} of {} runs", spread.n, runs.len())) }
}

fn why_undefined(study: &Study<'_>, start: usize, budget: usize, metric: Metric, runs: &[Run]) -> String {
    let support = runs.iter().map(|run| run.support).max().unwrap_or(0);
    let reason = if runs.is_empty() {
        return "no run".into();
    } else if !study.predicts(start, budget, metric.head()) {
        "not predicted"
    } else if support == 0 {
        "no positive"
    } else {
        match metric {
            Metric::Precision => "nothing predicted present",
            Metric::RocAuc | Metric::BalancedAccuracy => "no negative",
            _ => "not predicted everywhere",
        }
    };
    format!("{reason} (support {})", count(support))
}

/// Macro metrics of each start at each label budget.
pub(crate) fn main_table(study: &Study<'_>) -> Table {
    let metrics = columns(study);
    let groups = (0..study.budgets.len()).map(|budget| {
        let present = starts_at(study, budget);
        let row = |(i, &start): (usize, &usize)| {
            let mut row = Vec::new();
            if i == 0 {
                row.push(Cell::head(study.budgets[budget].label(), present.len()));
            }
            row.push(Cell::head(&study.starts[start], 1));
            row.push(Cell::number(count(run_count(study, start, budget) as u64)));
            row.extend(metrics.iter().map(|&m| measured(study, start, budget, Scope::Macro, m)));
            row
        };
        present.iter().enumerate().map(row).collect()
    });
    Table {
        caption: "Macro average over emotions in test: mean \u{b1} standard deviation over runs".into(),
        head: head(2, ["Labels", "Start", "Runs"].into_iter().chain(metrics.iter().map(|m| m.title()))),
        groups: groups.collect(),
    }
}

fn starts_at(study: &Study<'_>, budget: usize) -> Vec<usize> {
    (0..study.starts.len()).filter(|&start| run_count(study, start, budget) > 0).collect()
}

fn run_count(study: &Study<'_>, start: usize, budget: usize) -> usize {
    study.scopes().flat_map(|s| Metric::ALL.map(|m| study.runs(start, budget, s, m).len())).max().unwrap_or(0)
}

/// All metrics of all emotions and averages at one label budget.
pub(crate) fn emotion_table(study: &Study<'_>, budget: usize) -> Table {
    let metrics: Vec<Metric> = Metric::ALL.into_iter().filter(|m| study.has_head(m.head())).collect();
    let present = starts_at(study, budget);
    let group = |scope: Scope| -> Vec<Vec<Cell>> {
        let support: u64 = study.support(scope, Metric::RocAuc).values().map(|s| s.1).sum();
        let row = |(i, &start): (usize, &usize)| {
            let mut row = Vec::new();
            if i == 0 {
                let remark = format!("{} positive", count(support));
                row.push(Cell::head(study.scope_name(scope), present.len()).remark(remark));
            }
            row.push(Cell::head(&study.starts[start], 1));
            row.extend(metrics.iter().map(|&m| measured(study, start, budget, scope, m)));
            row
        };
        present.iter().enumerate().map(row).collect()
    };
    Table {
        caption: format!(
            "{} labels, by emotion: mean \u{b1} standard deviation over runs",
            study.budgets[budget].label()
        ),
        head: head(2, ["Emotion", "Start"].into_iter().chain(metrics.iter().map(|m| m.title()))),
        groups: study.scopes().map(group).collect(),
    }
}

/// Positive test rows of each emotion in each fold, and all rows.
pub(crate) fn support_table(study: &Study<'_>) -> Table {
    let scopes: Vec<Scope> = study.scopes().filter(|&s| s != Scope::Macro).collect();
    let folds: BTreeSet<i32> = scopes.iter().flat_map(|&s| study.support(s, Metric::RocAuc).into_keys()).collect();
    let sum = |scope: Scope, metric: Metric| {
        let support = study.support(scope, metric);
        let total = support.values().map(|&(_, most)| most).sum();
        Cell::number(if support.is_empty() { "n/a".to_string() } else { count(total) })
    };
    let row = |&scope: &Scope| {
        let support = study.support(scope, Metric::RocAuc);
        let mut row = vec![Cell::head(study.scope_name(scope), 1)];
        row.extend(folds.iter().map(|fold| match support.get(fold) {
            Some((least, most)) if least == most => Cell::number(count(*most)),
            Some((least, most)) => {
                Cell::number(format!("{}\u{2013}{}", count(*least), count(*most))).remark("differs between cells")
            }
            None => Cell::number("n/a"),
        }));
        if folds.len() > 1 {
            row.push(sum(scope, Metric::RocAuc));
        }
        // The support of an error of intensity is every row, whether or not the error has a value.
        row.push(sum(scope, Metric::Mae));
        row
    };
    let mut head = vec![Cell::words("Emotion")];
    head.extend(folds.iter().map(|fold| Cell::number(format!("Fold {fold}"))));
    if folds.len() > 1 {
        head.push(Cell::number("All folds"));
    }
    head.push(Cell::number("Of rows"));
    Table {
        caption: "Support: rows in test with the emotion present".into(),
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
        row.iter().map(|c| format!("{}|{}", c.text, c.remark)).collect()
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
        let input = ReportInput { results, ..ReportInput::default() };
        let table = emotion_table(&Study::new(&input).unwrap(), 0);
        let column = table.head.iter().position(|h| h.text == "ROC AUC").unwrap();
        let first = |group: usize| texts(&table.groups[group][0])[column].clone();
        assert_eq!(first(0), "n/a|no positive (support 0)");
        assert_eq!(first(1), "n/a|no negative (support 7)");
        assert_eq!(first(2), "0.500|");
        assert!(table.head.iter().all(|h| h.text != "MAE"), "{:?}", table.head);
    }

    #[test]
    fn means_over_some_of_the_runs_say_so() {
        let results = vec![
            row("ssl", 10, 0.1, [0, 0, 0], Some(0.5)),
            row("ssl", 10, 0.1, [0, 1, 0], Some(0.7)),
            row("ssl", 10, 0.1, [0, 2, 0], None),
        ];
        let input = ReportInput { results, ..ReportInput::default() };
        let table = main_table(&Study::new(&input).unwrap());
        let got = texts(&table.groups[0][0]);
        assert_eq!(got[..4], ["10|", "ssl|", "3|", "0.600 \u{b1} 0.141|defined in 2 of 3 runs"]);
    }

    #[test]
    fn support_of_folds_is_added_and_disagreement_shown() {
        let fold = |fold, seed, support| ResultRow {
            emotion: "sad".into(),
            support,
            ..row("ssl", 10, 0.1, [fold, seed, 0], None)
        };
        let results = vec![fold(0, 0, 5), fold(0, 1, 5), fold(1, 0, 3), fold(1, 1, 4)];
        let input = ReportInput { results, ..ReportInput::default() };
        let table = support_table(&Study::new(&input).unwrap());
        assert_eq!(texts(&table.groups[0][0]), ["sad|", "5|", "3\u{2013}4|differs between cells", "9|", "n/a|"]);
    }
}
