//! Rules of the paired design: what the journals of a cell's starts must have in common.

use super::evidence::{Cell, Evidence};
use super::{Verdict, subsets};
use run_record::error_chain;
use std::collections::BTreeMap;
use train::{Beginning, Event, hash_of_segments};

/// What a finished cell's journal records of how it began and what it saw.
pub(super) struct Record {
    id: String,
    fold: i32,
    draw: i32,
    seed: i32,
    n_labels: i32,
    budget: String,
    beginning: Beginning,
    /// Batch and dropout of each step.
    steps: BTreeMap<usize, (String, i64)>,
}

impl Record {
    pub(super) fn of(cell: &Cell<'_>) -> Self {
        let of = &cell.predictions.id;
        let begin = |event: &Event| match event {
            Event::Start(process) | Event::Resume(process) => Some(process.beginning.clone()),
            _ => None,
        };
        let step = |event: &Event| match event {
            Event::Step(step) => Some((step.step, (step.batch.clone(), step.dropout))),
            _ => None,
        };
        Record {
            id: cell.step.id.clone(),
            fold: of.fold,
            draw: of.draw,
            seed: of.seed,
            n_labels: of.n_labels,
            budget: of.budget.clone(),
            beginning: cell.journal.iter().find_map(begin).unwrap_or_default(),
            steps: cell.journal.iter().filter_map(step).collect(),
        }
    }
}

/// Cells by what they share.
fn groups<K: Ord>(
    records: &[Record],
    key: impl Fn(&Record) -> Option<K>,
) -> BTreeMap<K, Vec<&Record>> {
    let mut groups: BTreeMap<K, Vec<&Record>> = BTreeMap::new();
    for cell in records {
        if let Some(key) = key(cell) {
            groups.entry(key).or_default().push(cell);
        }
    }
    groups
}

fn checked(groups: usize, cells: usize, of: usize) -> String {
    let without = of - cells;
    let more = if without == 0 {
        String::new()
    } else {
        format!("; {without} more have none")
    };
    format!("{cells} cells in {groups} groups{more}")
}

const NONE: &str = "no cell has such a beginning";

pub(super) fn labels(e: &Evidence, records: &[Record]) -> Verdict {
    let budgets = match subsets::read(e) {
        Ok(budgets) => budgets,
        Err(error) => return Verdict::of(&[error_chain(&error)], ""),
    };
    let (mut problems, mut cells) = (Vec::new(), 0);
    for cell in records {
        let Some(found) = &cell.beginning.labels else {
            continue;
        };
        cells += 1;
        let Some(budgets) = &budgets else { continue };
        match budgets.get(&(cell.fold, cell.draw, cell.budget.clone())) {
            Some(ids) if ids.len() as i32 == cell.n_labels => {
                let names: Vec<String> = ids.iter().map(ToString::to_string).collect();
                let expected = hash_of_segments(&names.join(" "));
                if *found != expected {
                    problems.push(format!(
                        "{}: expected labelled segments {expected}, found {found}",
                        cell.id
                    ));
                }
            }
            Some(ids) => problems.push(format!(
                "{}: expected the {} labels of budget {}, found {}",
                cell.id,
                ids.len(),
                cell.budget,
                cell.n_labels
            )),
            None => problems.push(format!(
                "{}: its label budget {} was not drawn",
                cell.id, cell.budget
            )),
        }
    }
    let groups = groups(records, |c| {
        c.beginning
            .labels
            .as_ref()
            .map(|_| (c.fold, c.draw, c.budget.clone()))
    });
    for cells in groups.values() {
        problems.extend(unlike(cells, "labelled segments", |c| {
            c.beginning.labels.clone()
        }));
        problems.extend(unlike(
            cells,
            "validation segments of model selection",
            |c| c.beginning.validation.clone(),
        ));
    }
    if cells == 0 {
        return Verdict::not_checked(NONE);
    }
    Verdict::of(&problems, checked(groups.len(), cells, records.len()))
}

pub(super) fn beginnings(_: &Evidence, records: &[Record]) -> Verdict {
    let groups = groups(records, |c| {
        c.beginning
            .heads
            .as_ref()
            .map(|_| (c.fold, c.draw, c.budget.clone(), c.seed))
    });
    let mut problems = Vec::new();
    for cells in groups.values() {
        problems.extend(unlike(cells, "first heads", |c| c.beginning.heads.clone()));
        // Starts may stop at different steps; those that both did must be alike.
        let Some((first, others)) = cells.split_first() else {
            continue;
        };
        for other in others {
            let both = first
                .steps
                .iter()
                .filter_map(|(step, a)| Some((step, a, other.steps.get(step)?)));
            if let Some((step, a, b)) = both.into_iter().find(|(_, a, b)| a != b) {
                let text =
                    |(batch, dropout): &(String, i64)| format!("batch {batch}, dropout {dropout}");
                problems.push(format!(
                    "{}: step {step}: {}; {}: {}",
                    other.id,
                    text(b),
                    first.id,
                    text(a)
                ));
            }
        }
    }
    if groups.is_empty() {
        return Verdict::not_checked(NONE);
    }
    Verdict::of(
        &problems,
        checked(
            groups.len(),
            groups.values().map(Vec::len).sum(),
            records.len(),
        ),
    )
}

/// The cells that differ from the first of them.
fn unlike(cells: &[&Record], what: &str, of: impl Fn(&Record) -> Option<String>) -> Vec<String> {
    let Some((first, others)) = cells.split_first() else {
        return Vec::new();
    };
    let text = |cell: &Record| of(cell).unwrap_or_else(|| "none".into());
    let unlike = others.iter().filter(|other| of(other) != of(first));
    unlike
        .map(|other| {
            format!(
                "{}: {what} {}; {}: {}",
                other.id,
                text(other),
                first.id,
                text(first)
            )
        })
        .collect()
}
