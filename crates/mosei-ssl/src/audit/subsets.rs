//! Rules of the label budgets.

use super::Verdict;
use super::evidence::Evidence;
use crate::StudyError;
use mosei_data::Prepared;
use mosei_schema::{LabelBudget, SegmentId, Split};
use run_record::Table;
use std::collections::{BTreeMap, BTreeSet};
use train::budget_names;

/// Which budget of which draw: fold, draw, and the budget's name.
pub(super) type Key = (i32, i32, String);

/// The segments of every budget, in the order of the table; `None` where there is no table yet.
pub(super) fn read(e: &Evidence) -> Result<Option<BTreeMap<Key, Vec<SegmentId>>>, StudyError> {
    let path = e.run.subsets();
    if !path.exists() {
        return Ok(None);
    }
    let table = Table::read(&path)?;
    let (folds, draws) = (table.i32(&path, "fold")?, table.i32(&path, "draw")?);
    let (names, videos) = (table.text(&path, "budget")?, table.text(&path, "video")?);
    let segments = table.i32(&path, "segment")?;
    let mut budgets: BTreeMap<Key, Vec<SegmentId>> = BTreeMap::new();
    for row in 0..table.rows() {
        let id = SegmentId {
            video: videos[row].clone(),
            segment: segments[row],
        };
        for name in budget_names(&names[row]) {
            budgets
                .entry((folds[row], draws[row], name.to_string()))
                .or_default()
                .push(id.clone());
        }
    }
    Ok(Some(budgets))
}

fn name((fold, draw, budget): &Key, labels: usize) -> String {
    format!("fold {fold}, draw {draw}, budget {budget} of {labels} labels")
}

const NOT_YET: &str = "no label budget is drawn yet";

pub(super) fn of_training(e: &Evidence) -> Result<Verdict, StudyError> {
    let Some(budgets) = read(e)? else {
        return Ok(Verdict::not_checked(NOT_YET));
    };
    let mut problems = Vec::new();
    for (key, ids) in &budgets {
        let place = name(key, ids.len());
        let Some(fold) = e.fold(key.0) else {
            problems.push(format!("{place}: fold {} is none of the data's", key.0));
            continue;
        };
        problems.extend(count_of(&e.prepared, &place, fold, &key.2, ids.len())?);
        let mut seen = BTreeSet::new();
        for id in ids {
            let split = e.place(id).map(|i| e.split(fold, i));
            match split {
                None => problems.push(format!("{place}: segment {id} is not in the prepared data")),
                Some(Some(Split::Train)) => {}
                Some(Some(other)) => {
                    problems.push(format!("{place}: segment {id} is in the {other} split"))
                }
                Some(None) => problems.push(format!(
                    "{place}: segment {id} is in no split, or has no frame"
                )),
            }
            if !seen.insert(id) {
                problems.push(format!("{place}: segment {id} is there twice"));
            }
        }
    }
    Ok(Verdict::of(
        &problems,
        format!(
            "{} budgets, {} rows",
            budgets.len(),
            budgets.values().map(Vec::len).sum::<usize>()
        ),
    ))
}

/// That a budget holds another number of segments than its name comes to in the fold.
fn count_of(
    prepared: &Prepared,
    place: &str,
    fold: usize,
    budget: &str,
    found: usize,
) -> Result<Option<String>, StudyError> {
    let training = prepared.fold(fold)?.train.len();
    Ok(match budget.parse::<LabelBudget>() {
        Err(error) => Some(format!("{place}: {error}")),
        Ok(budget) => {
            let expected = budget.labels_of(training);
            (expected != found).then(|| {
                format!(
                    "{place}: expected {expected} of {training} training segments, found {found}"
                )
            })
        }
    })
}

pub(super) fn nested(e: &Evidence) -> Result<Verdict, StudyError> {
    let Some(budgets) = read(e)? else {
        return Ok(Verdict::not_checked(NOT_YET));
    };
    type Budget<'a> = (&'a Key, &'a Vec<SegmentId>);
    let mut of_draw: BTreeMap<(i32, i32), Vec<Budget<'_>>> = BTreeMap::new();
    for (key, ids) in &budgets {
        of_draw.entry((key.0, key.1)).or_default().push((key, ids));
    }
    let mut problems = Vec::new();
    for budgets in of_draw.values_mut() {
        budgets.sort_by_key(|(_, ids)| ids.len());
        // Each within the next is each within every larger one.
        for pair in budgets.windows(2) {
            let larger: BTreeSet<&SegmentId> = pair[1].1.iter().collect();
            for id in pair[0].1.iter().filter(|id| !larger.contains(id)) {
                let place = name(pair[0].0, pair[0].1.len());
                problems.push(format!(
                    "{place}: segment {id} is not among the {} labels",
                    pair[1].1.len()
                ));
            }
        }
    }
    Ok(Verdict::of(
        &problems,
        format!(
            "{} draws of {} budgets in all",
            of_draw.len(),
            budgets.len()
        ),
    ))
}
