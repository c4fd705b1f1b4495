//! From the cells of a run to its tables: `predictions.parquet`, `pretraining.parquet`, `results.csv`.

use crate::TrainError;
use crate::plan::{PLAN_FILE, kinds};
use eval::measure_cell;
use run_record::{CellPredictions, ResultRow, STEP_FILE, StepRecord, Table, TableReader, TableWriter, write_results};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use sweep::{Plan, Step};

/// What was put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Collected {
    /// Cells of the plan that are done.
    pub finished: usize,
    /// Cells of the plan.
    pub planned: usize,
    /// Measurements written.
    pub measurements: usize,
}

/// The plan of a run folder.
pub(crate) fn read_plan(run: &Path) -> Result<Plan, TrainError> {
    let path = run.join(PLAN_FILE);
    if !path.exists() {
        let problem = "no plan here: expected the folder of a run that `cargo xtask sweep` has begun".to_string();
        return Err(TrainError::Run { path: run.to_path_buf(), problem });
    }
    let text = run_record::read_to_string(&path)?;
    serde_json::from_str(&text).map_err(TrainError::json(&path))
}

/// Whether a step has been done for the key that the plan gives it.
pub(crate) fn is_done(run: &Path, step: &Step) -> bool {
    StepRecord::read(&run.join("steps").join(&step.id)).is_some_and(|record| record.key == step.key)
}

/// The file of that name among a step's outputs.
pub(crate) fn output(run: &Path, step: &Step, name: &str) -> Option<PathBuf> {
    step.outputs.iter().find(|o| o.rsplit('/').next() == Some(name)).map(|o| run.join(o))
}

/// Puts together what the finished cells of a run predicted, and measures it.
///
/// # Errors
/// A run without a finished cell; a table that cannot be read.
pub fn collect(run: &Path) -> Result<Collected, TrainError> {
    let plan = read_plan(run)?;
    let of_kind = |kind: &'static str| plan.steps.iter().filter(move |s| s.kind == kind);
    let planned = of_kind(kinds::CELL).count();

    let mut predictions = TableWriter::create(&run.join("predictions.parquet"))?;
    let mut rows: Vec<ResultRow> = Vec::new();
    let mut finished = 0;
    // A share and a count can come to the same number of labels: those cells are one, and count once.
    let mut seen = BTreeSet::new();
    for step in of_kind(kinds::CELL).filter(|s| is_done(run, s)) {
        finished += 1;
        let path = output(run, step, "predictions.parquet").ok_or_else(|| TrainError::Run {
            path: run.join("steps").join(&step.id).join(STEP_FILE),
            problem: "a cell without predictions among its outputs".into(),
        })?;
        let table = Table::read(&path)?;
        let mut written = false;
        for cell in CellPredictions::from_table(&path, &table)? {
            let id = &cell.id;
            if seen.insert((id.fold, id.start.clone(), id.n_labels, id.seed, id.draw, id.pretrain_seed)) {
                rows.extend(measure_cell(&cell)?);
                written = true;
            }
        }
        if written {
            predictions.append(&table)?;
        }
    }
    if finished == 0 {
        let problem = format!("none of its {planned} cells is finished, so there is nothing to evaluate");
        return Err(TrainError::Run { path: run.to_path_buf(), problem });
    }
    predictions.finish()?;

    let mut pretraining = TableWriter::create(&run.join("pretraining.parquet"))?;
    for step in of_kind(kinds::PRETRAIN).filter(|s| is_done(run, s)) {
        if let Some(path) = output(run, step, "pretraining.parquet") {
            for part in TableReader::open(&path)? {
                pretraining.append(&part?)?;
            }
        }
    }
    // A study without a pre-trained start has seen nothing, and its table says so with all its columns.
    pretraining.append(&crate::pretrain::seen_table(&[], 0, 0))?;
    pretraining.finish()?;
    write_results(&run.join("results.csv"), &rows)?;
    Ok(Collected { finished, planned, measurements: rows.len() })
}
