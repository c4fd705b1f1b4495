//! Whether what is read is what the run wrote: hashes of files, cells of the plan, the grid of the
//! configuration.
//!
//! What lives here: the checks that `evaluate`, `statistics` and `report` make before they read,
//! and that the audit makes too. What does not: the rules of the design (`audit/`).

use crate::run_folder::{RunFolder, names};
use crate::step::StepKind;
use crate::{Study, StudyError, plan::cell_ids};
use run_record::{ResultRow, StepRecord, hash_file, read_results, read_to_string, write_atomic};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use sweep::{Plan, Step};

const SWEEP_AGAIN: &str = "run `mosei-ssl sweep` again";
pub(crate) const EVALUATE_AGAIN: &str =
    "write the tables again with `mosei-ssl evaluate RUN` and `mosei-ssl statistics RUN`";

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
    /// That of a run; `None` where it has not been evaluated.
    pub(crate) fn read(run: &RunFolder) -> Result<Option<Self>, StudyError> {
        let path = run.collected();
        if !path.exists() {
            return Ok(None);
        }
        serde_json::from_str(&read_to_string(&path)?)
            .map(Some)
            .map_err(StudyError::json(&path))
    }

    /// That of a run that has been evaluated.
    ///
    /// # Errors
    /// One that has not.
    pub(crate) fn require(run: &RunFolder) -> Result<Self, StudyError> {
        Self::read(run)?.ok_or_else(|| {
            let problem = "not there yet: run `mosei-ssl evaluate RUN` first".to_string();
            StudyError::Run {
                path: run.collected(),
                problem,
            }
        })
    }

    /// Records the tables of a run as they are now.
    pub(crate) fn write(
        run: &RunFolder,
        cells: BTreeSet<String>,
        files: &[&str],
    ) -> Result<(), StudyError> {
        let mut hashes = BTreeMap::new();
        for name in files {
            hashes.insert((*name).to_string(), hash_file(&run.join(name))?);
        }
        let path = run.collected();
        let text = serde_json::to_vec(&Collection {
            cells,
            files: hashes,
        })
        .map_err(StudyError::json(&path))?;
        Ok(write_atomic(&path, &text)?)
    }

    /// Requires a table to be the one that was recorded.
    ///
    /// # Errors
    /// One that is gone or another.
    pub(crate) fn check(&self, run: &RunFolder, name: &str) -> Result<(), StudyError> {
        match self.files.get(name) {
            Some(expected) => same(
                &run.join(name),
                expected,
                "evaluate wrote it",
                EVALUATE_AGAIN,
            ),
            None => Ok(()),
        }
    }
}

/// Requires a file with that hash.
fn same(path: &Path, expected: &str, who: &str, remedy: &str) -> Result<(), StudyError> {
    let altered = |found: String| StudyError::Altered {
        path: path.to_path_buf(),
        expected: format!("BLAKE3 {expected} as {who}"),
        found,
        remedy: remedy.to_string(),
    };
    if !path.is_file() {
        return Err(altered("no file".into()));
    }
    let found = hash_file(path)?;
    if found == expected {
        Ok(())
    } else {
        Err(altered(format!("BLAKE3 {found}")))
    }
}

/// Requires the outputs of a finished step to be what it wrote; returns how many files were
/// compared.
///
/// # Errors
/// The first file that is gone or another.
pub(crate) fn check_outputs(run: &RunFolder, step: &Step) -> Result<usize, StudyError> {
    let folder = run.records(step);
    let Some(record) = StepRecord::read(&folder) else {
        return Ok(0);
    };
    let marker = folder.join(run_record::STEP_FILE);
    let remedy = format!("remove {} and {SWEEP_AGAIN}", marker.display());
    for (output, expected) in &record.outputs {
        same(
            &run.join(output),
            expected,
            &format!("step {} wrote it", step.id),
            &remedy,
        )?;
    }
    Ok(record.outputs.len())
}

/// Requires the cells of the plan to be those of the run's configuration.
///
/// # Errors
/// The first cell that only one of the two has.
pub(crate) fn check_grid(run: &RunFolder, plan: &Plan, study: &Study) -> Result<(), StudyError> {
    let wanted: BTreeSet<String> = cell_ids(study, run)?.into_iter().collect();
    let cell = StepKind::Cell.to_string();
    let planned: BTreeSet<String> = plan
        .steps
        .iter()
        .filter(|s| s.kind == cell)
        .map(|s| s.id.clone())
        .collect();
    let odd = |(here, there): (&BTreeSet<String>, &BTreeSet<String>)| {
        here.difference(there).next().cloned()
    };
    let altered = |expected: String, found: String| {
        let remedy = format!("{SWEEP_AGAIN} with the configuration that is meant");
        Err(StudyError::Altered {
            path: run.config(),
            expected,
            found,
            remedy,
        })
    };
    let grid = format!("the grid of {}", names::PLAN);
    match (odd((&wanted, &planned)), odd((&planned, &wanted))) {
        (Some(cell), _) => altered(grid, format!("cell {cell} more")),
        (_, Some(cell)) => altered(format!("{grid}, with cell {cell}"), "none such".into()),
        (None, None) => Ok(()),
    }
}

/// The keys of the plan's cells.
pub(crate) fn cell_keys(plan: &Plan) -> BTreeSet<&str> {
    let cell = StepKind::Cell.to_string();
    plan.steps
        .iter()
        .filter(|s| s.kind == cell)
        .map(|s| s.key.as_str())
        .collect()
}

/// Requires a cell of a table to be one of the plan.
///
/// # Errors
/// One that is not.
pub(crate) fn check_planned(
    path: &Path,
    keys: &BTreeSet<&str>,
    cell: &str,
) -> Result<(), StudyError> {
    if keys.contains(cell) {
        return Ok(());
    }
    Err(StudyError::Altered {
        path: path.to_path_buf(),
        expected: format!("cells of this run's {}", names::PLAN),
        found: format!("cell {cell}, which is none of them"),
        remedy: EVALUATE_AGAIN.into(),
    })
}

/// The results that a report may rest on: those that `evaluate` made of the cells in the run's
/// predictions, which are cells of its plan, which is that of its configuration.
///
/// # Errors
/// The first file that is none of that.
pub(crate) fn checked_results(
    run: &RunFolder,
    plan: &Plan,
    study: &Study,
) -> Result<Vec<ResultRow>, StudyError> {
    check_grid(run, plan, study)?;
    let prepare = StepKind::Prepare.to_string();
    for step in plan
        .steps
        .iter()
        .filter(|s| s.kind == prepare && run.is_done(s))
    {
        check_outputs(run, step)?;
    }
    let collection = Collection::require(run)?;
    [names::PREDICTIONS, names::RESULTS]
        .into_iter()
        .try_for_each(|name| collection.check(run, name))?;
    let path = run.results();
    let rows = read_results(&path)?;
    let (planned, measured) = (
        cell_keys(plan),
        rows.iter()
            .map(|r| r.cell.as_str())
            .collect::<BTreeSet<_>>(),
    );
    let predicted: BTreeSet<&str> = collection.cells.iter().map(String::as_str).collect();
    measured
        .iter()
        .try_for_each(|cell| check_planned(&path, &planned, cell))?;
    predicted
        .iter()
        .try_for_each(|cell| check_planned(&run.predictions(), &planned, cell))?;
    let odd = predicted
        .difference(&measured)
        .next()
        .map(|cell| (cell, "without"));
    match odd.or_else(|| {
        measured
            .difference(&predicted)
            .next()
            .map(|cell| (cell, "with"))
    }) {
        None => Ok(rows),
        Some((cell, how)) => Err(StudyError::Altered {
            path: path.clone(),
            expected: format!("the cells of {}", names::PREDICTIONS),
            found: format!("results {how} cell {cell}"),
            remedy: EVALUATE_AGAIN.into(),
        }),
    }
}
