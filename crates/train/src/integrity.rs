//! Whether what is read is what the run wrote: hashes of files, cells of the plan, the grid of the configuration.
//!
//! What lives here: the checks that `evaluate`, `statistics` and `report` make before they read, and that the audit makes too.
//! What does not: the rules of the design (`audit/`). Runs of before hashes were written down are read as they are.

use crate::collect::{RESULTS_FILE, is_done};
use crate::finetune::PREDICTIONS_FILE;
use crate::plan::{CONFIG_FILE, PLAN_FILE, cell_ids, kinds};
use crate::{Start, Study, TrainError};
use run_record::{CellId, ResultRow, StepRecord, each_cell, hash_file, read_results, read_to_string, write_atomic};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use sweep::{Plan, Step};

/// What `evaluate` wrote down of the tables it made.
pub(crate) const COLLECTED_FILE: &str = "collected.json";
const SWEEP_AGAIN: &str = "run `cargo xtask sweep` again";
pub(crate) const EVALUATE_AGAIN: &str =
    "make the tables anew with `mosei-ssl evaluate RUN` and `mosei-ssl statistics RUN`";

/// Which cells a run's tables hold, and the hashes of the tables.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Collection {
    /// Keys of the cells.
    pub(crate) cells: BTreeSet<String>,
    /// BLAKE3 of each table, by its name.
    pub(crate) files: BTreeMap<String, String>,
}

impl Collection {
    /// That of a run; `None` where it was evaluated before there was one.
    pub(crate) fn read(run: &Path) -> Result<Option<Self>, TrainError> {
        let path = run.join(COLLECTED_FILE);
        if !path.exists() {
            return Ok(None);
        }
        serde_json::from_str(&read_to_string(&path)?).map(Some).map_err(TrainError::json(&path))
    }

    /// Writes down the tables of a run as they are now.
    pub(crate) fn write(run: &Path, cells: BTreeSet<String>, files: &[&str]) -> Result<(), TrainError> {
        let mut hashes = BTreeMap::new();
        for name in files {
            hashes.insert((*name).to_string(), hash_file(&run.join(name))?);
        }
        let path = run.join(COLLECTED_FILE);
        let text = serde_json::to_vec(&Collection { cells, files: hashes }).map_err(TrainError::json(&path))?;
        Ok(write_atomic(&path, &text)?)
    }

    /// Wants a table to be the one that was written down.
    ///
    /// # Errors
    /// One that is gone or another.
    pub(crate) fn check(&self, run: &Path, name: &str) -> Result<(), TrainError> {
        match self.files.get(name) {
            Some(expected) => same(&run.join(name), expected, "evaluate wrote it", EVALUATE_AGAIN),
            None => Ok(()),
        }
    }
}

/// Wants a file with that hash.
fn same(path: &Path, expected: &str, who: &str, remedy: &str) -> Result<(), TrainError> {
    let altered = |found: String| TrainError::Altered {
        path: path.to_path_buf(),
        expected: format!("BLAKE3 {expected} as {who}"),
        found,
        remedy: remedy.to_string(),
    };
    if !path.is_file() {
        return Err(altered("no file".into()));
    }
    let found = hash_file(path)?;
    if found == expected { Ok(()) } else { Err(altered(format!("BLAKE3 {found}"))) }
}

/// Wants what a finished step left to be what it wrote; how many files had a hash to compare with.
///
/// # Errors
/// The first file that is gone or another.
pub(crate) fn check_outputs(run: &Path, step: &Step) -> Result<usize, TrainError> {
    let folder = run.join("steps").join(&step.id);
    let Some(record) = StepRecord::read(&folder) else { return Ok(0) };
    let marker = folder.join(run_record::STEP_FILE);
    let remedy = format!("remove {} and {SWEEP_AGAIN}", marker.display());
    for (output, expected) in &record.outputs {
        same(&run.join(output), expected, &format!("step {} wrote it", step.id), &remedy)?;
    }
    Ok(record.outputs.len())
}

/// Wants the cells of the plan to be those of the run's configuration.
///
/// # Errors
/// The first cell that only one of the two has.
pub(crate) fn check_grid(run: &Path, plan: &Plan, study: &Study) -> Result<(), TrainError> {
    let wanted: BTreeSet<String> = cell_ids(study, run)?.into_iter().collect();
    let planned: BTreeSet<String> = plan.steps.iter().filter(|s| s.kind == kinds::CELL).map(|s| s.id.clone()).collect();
    let odd = |(here, there): (&BTreeSet<String>, &BTreeSet<String>)| here.difference(there).next().cloned();
    let altered = |file: &str, expected: String, found: String| {
        let remedy = format!("{SWEEP_AGAIN} with the configuration that is meant");
        Err(TrainError::Altered { path: run.join(file), expected, found, remedy })
    };
    match (odd((&wanted, &planned)), odd((&planned, &wanted))) {
        (Some(cell), _) => altered(CONFIG_FILE, format!("the grid of {PLAN_FILE}"), format!("cell {cell} more")),
        (_, Some(cell)) => {
            altered(CONFIG_FILE, format!("the grid of {PLAN_FILE}, with cell {cell}"), "none such".into())
        }
        (None, None) => Ok(()),
    }
}

/// The keys of the plan's cells.
pub(crate) fn cell_keys(plan: &Plan) -> BTreeSet<&str> {
    plan.steps.iter().filter(|s| s.kind == kinds::CELL).map(|s| s.key.as_str()).collect()
}

/// Wants a cell of a table to be one of the plan.
///
/// # Errors
/// One that is not.
pub(crate) fn check_planned(path: &Path, keys: &BTreeSet<&str>, cell: &str) -> Result<(), TrainError> {
    if keys.contains(cell) {
        return Ok(());
    }
    Err(TrainError::Altered {
        path: path.to_path_buf(),
        expected: format!("cells of this run's {PLAN_FILE}"),
        found: format!("cell {cell}, which is none of them"),
        remedy: EVALUATE_AGAIN.into(),
    })
}

/// The results that a report may rest on: those that `evaluate` made of the cells in the run's predictions, which are cells of
/// its plan, which is that of its configuration.
///
/// # Errors
/// The first file that is none of that.
pub(crate) fn checked_results(run: &Path, plan: &Plan, study: &Study) -> Result<Vec<ResultRow>, TrainError> {
    check_grid(run, plan, study)?;
    for step in plan.steps.iter().filter(|s| s.kind == kinds::PREPARE && is_done(run, s)) {
        check_outputs(run, step)?;
    }
    for name in [PREDICTIONS_FILE, RESULTS_FILE] {
        if !run.join(name).exists() {
            let problem = "not there yet: run `mosei-ssl evaluate RUN` first".to_string();
            return Err(TrainError::Run { path: run.join(name), problem });
        }
    }
    let predicted = match Collection::read(run)? {
        Some(collection) => {
            [PREDICTIONS_FILE, RESULTS_FILE].into_iter().try_for_each(|name| collection.check(run, name))?;
            collection.cells
        }
        None => {
            tracing::warn!(
                "{} was evaluated before hashes were written down: its tables are read as they are",
                run.display()
            );
            cells_in(&run.join(PREDICTIONS_FILE))?
        }
    };
    let path = run.join(RESULTS_FILE);
    let rows = read_results(&path)?;
    let (planned, measured) = (cell_keys(plan), rows.iter().map(|r| r.cell.as_str()).collect::<BTreeSet<_>>());
    measured.iter().try_for_each(|cell| check_planned(&path, &planned, cell))?;
    predicted.iter().try_for_each(|cell| check_planned(&run.join(PREDICTIONS_FILE), &planned, cell))?;
    let odd = predicted.iter().map(String::as_str).find(|cell| !measured.contains(cell)).map(|cell| (cell, "without"));
    let odd = odd.or_else(|| measured.iter().find(|cell| !predicted.contains(**cell)).map(|cell| (*cell, "with")));
    match odd {
        None => Ok(rows),
        Some((cell, how)) => Err(TrainError::Altered {
            path,
            expected: format!("the cells of {PREDICTIONS_FILE}"),
            found: format!("results {how} cell {cell}"),
            remedy: EVALUATE_AGAIN.into(),
        }),
    }
}

/// The keys of the cells in a table of predictions.
fn cells_in(path: &Path) -> Result<BTreeSet<String>, TrainError> {
    let mut cells = BTreeSet::new();
    each_cell(path, |cell| {
        cells.insert(cell.id.cell);
        Ok::<(), TrainError>(())
    })?;
    Ok(cells)
}

/// What a cell says of itself that the plan says otherwise.
pub(crate) fn other_than_planned(step: &Step, id: &CellId) -> Vec<String> {
    let found = [
        ("--fold", id.fold.to_string()),
        ("--start", id.start.clone()),
        ("--labels", id.budget.clone()),
        ("--seed", id.seed.to_string()),
        ("--draw", id.draw.to_string()),
        ("--key", id.cell.clone()),
    ];
    let mut problems = Vec::new();
    for (name, found) in found {
        match option(step, name) {
            Some(expected) if expected != found => {
                problems.push(format!("{}: expected {expected}, found {found}", &name[2..]));
            }
            _ => {}
        }
    }
    // A plan that ties pre-training to the training seed names it once; tables of before it stood there leave it out.
    let expected = option(step, "--pretrain-seed").or_else(|| option(step, "--seed")).unwrap_or_default();
    let pretrained = Start::from_name(&id.start).is_some_and(Start::pretrained);
    match id.pretrain_seed {
        Some(found) if !pretrained => problems.push(format!("pre-training seed: expected none, found {found}")),
        Some(found) if expected != found.to_string() => {
            problems.push(format!("pre-training seed: expected {expected}, found {found}"));
        }
        _ => {}
    }
    problems
}

/// What follows an option in a step's command.
pub(crate) fn option<'a>(step: &'a Step, name: &str) -> Option<&'a str> {
    let place = step.command.iter().position(|word| word == name)?;
    step.command.get(place + 1).map(String::as_str)
}
