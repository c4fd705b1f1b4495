//! Rules of the paired design: what the journals of a cell's starts must have in common.

use super::evidence::{Cell, Evidence};
use super::{Verdict, subsets, words};
use crate::paired::{BATCH, BEGINNING, DROPOUT, HEADS, LABELS, VALIDATION, hash_of_segments};
use serde_json::Value;
use std::collections::BTreeMap;

/// What a finished cell's journal tells of how it began and what it saw.
pub(super) struct Told {
    id: String,
    fold: i32,
    draw: i32,
    seed: i32,
    n_labels: i32,
    budget: String,
    labels: Option<String>,
    validation: Option<String>,
    heads: Option<String>,
    /// Batch and dropout of each step.
    steps: BTreeMap<u64, [String; 2]>,
}

impl Told {
    pub(super) fn by(cell: &Cell<'_>) -> Self {
        let of = &cell.predictions.id;
        let word = |value: &Value| match value {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        };
        let begins = cell.journal.iter().find(|line| !line[BEGINNING].is_null());
        let beginning = |name: &str| begins.and_then(|line| word(&line[BEGINNING][name]));
        let step = |line: &Value| {
            let step = line["step"].as_u64().filter(|_| line["event"] == "step")?;
            Some((step, [word(&line[BATCH])?, word(&line[DROPOUT])?]))
        };
        Told {
            id: cell.step.id.clone(),
            fold: of.fold,
            draw: of.draw,
            seed: of.seed,
            n_labels: of.n_labels,
            budget: of.budget.clone(),
            labels: beginning(LABELS),
            validation: beginning(VALIDATION),
            heads: beginning(HEADS),
            steps: cell.journal.iter().filter_map(step).collect(),
        }
    }
}

/// Cells by what they share.
fn groups<K: Ord>(told: &[Told], key: impl Fn(&Told) -> Option<K>) -> BTreeMap<K, Vec<&Told>> {
    let mut groups: BTreeMap<K, Vec<&Told>> = BTreeMap::new();
    for cell in told {
        if let Some(key) = key(cell) {
            groups.entry(key).or_default().push(cell);
        }
    }
    groups
}

fn said(groups: usize, cells: usize, of: usize) -> String {
    let silent = of - cells;
    let more = if silent == 0 { String::new() } else { format!("; {silent} more do not say") };
    format!("{cells} cells in {groups} groups{more}")
}

const SILENT: &str = "no journal says with what its cell began";

pub(super) fn labels(e: &Evidence, told: &[Told]) -> Verdict {
    let budgets = match subsets::read(e) {
        Ok(budgets) => budgets,
        Err(error) => return Verdict::of(&[words(&error)], ""),
    };
    let (mut problems, mut cells) = (Vec::new(), 0);
    for cell in told {
        let Some(found) = &cell.labels else { continue };
        cells += 1;
        let Some(budgets) = &budgets else { continue };
        match budgets.get(&(cell.fold, cell.draw, cell.budget.clone())) {
            Some(ids) if ids.len() as i32 == cell.n_labels => {
                let names: Vec<String> = ids.iter().map(ToString::to_string).collect();
                let expected = hash_of_segments(&names.join(" "));
                if *found != expected {
                    problems.push(format!("{}: expected labelled segments {expected}, found {found}", cell.id));
                }
            }
            Some(ids) => problems.push(format!(
                "{}: expected the {} labels of budget {}, found {}",
                cell.id,
                ids.len(),
                cell.budget,
                cell.n_labels
            )),
            None => problems.push(format!("{}: its label budget {} was not drawn", cell.id, cell.budget)),
        }
    }
    let groups = groups(told, |c| c.labels.as_ref().map(|_| (c.fold, c.draw, c.budget.clone())));
    for cells in groups.values() {
        problems.extend(unlike(cells, "labelled segments", |c| c.labels.clone()));
        problems.extend(unlike(cells, "validation segments that choose", |c| c.validation.clone()));
    }
    if cells == 0 {
        return Verdict::not_checked(SILENT);
    }
    Verdict::of(&problems, said(groups.len(), cells, told.len()))
}

pub(super) fn beginnings(_: &Evidence, told: &[Told]) -> Verdict {
    let groups = groups(told, |c| c.heads.as_ref().map(|_| (c.fold, c.draw, c.budget.clone(), c.seed)));
    let mut problems = Vec::new();
    for cells in groups.values() {
        problems.extend(unlike(cells, "first heads", |c| c.heads.clone()));
        // Starts may stop at different steps; those that both did must be alike.
        let Some((first, others)) = cells.split_first() else { continue };
        for other in others {
            let both = first.steps.iter().filter_map(|(step, a)| Some((step, a, other.steps.get(step)?)));
            if let Some((step, a, b)) = both.into_iter().find(|(_, a, b)| a != b) {
                let (ours, theirs) = (a.join(", dropout "), b.join(", dropout "));
                problems.push(format!("{}: step {step}: batch {theirs}; {}: batch {ours}", other.id, first.id));
            }
        }
    }
    if groups.is_empty() {
        return Verdict::not_checked(SILENT);
    }
    Verdict::of(&problems, said(groups.len(), groups.values().map(Vec::len).sum(), told.len()))
}

/// The cells that say another thing than the first of them.
fn unlike(cells: &[&Told], what: &str, of: impl Fn(&Told) -> Option<String>) -> Vec<String> {
    let Some((first, others)) = cells.split_first() else { return Vec::new() };
    let say = |cell: &Told| of(cell).unwrap_or_else(|| "none".into());
    let unlike = others.iter().filter(|other| of(other) != of(first));
    unlike.map(|other| format!("{}: {what} {}; {}: {}", other.id, say(other), first.id, say(first))).collect()
}
