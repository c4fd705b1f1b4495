//! From the cells of a run to its tables: `predictions.parquet`, `pretraining.parquet`, `results.csv`.

use crate::finetune::PREDICTIONS_FILE;
use crate::integrity::{Collection, check_grid, check_outputs, other_than_planned};
use crate::plan::{CONFIG_FILE, PLAN_FILE, kinds};
use crate::pretrain::SEEN_FILE as PRETRAINING_FILE;
use crate::{Study, TrainError};
use eval::measure_cell;
use run_record::{CellPredictions, ResultRow, STEP_FILE, StepRecord, Table, TableReader, TableWriter, write_results};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use sweep::{Plan, Step};

pub(crate) const RESULTS_FILE: &str = "results.csv";

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
/// A run without a finished cell, or of another grid than its configuration; a table that cannot be read; what a finished
/// step left and is gone, or not what it wrote; predictions of another cell than the plan's.
pub fn collect(run: &Path) -> Result<Collected, TrainError> {
    let plan = read_plan(run)?;
    check_grid(run, &plan, &Study::load(&run.join(CONFIG_FILE))?)?;
    let of_kind = |kind: &'static str| plan.steps.iter().filter(move |s| s.kind == kind);
    let done = |kind: &'static str| of_kind(kind).filter(|s| is_done(run, s));
    let planned = of_kind(kinds::CELL).count();
    for step in [kinds::PREPARE, kinds::SAMPLE, kinds::PRETRAIN].into_iter().flat_map(done) {
        check_outputs(run, step)?;
    }

    let mut predictions = TableWriter::create(&run.join(PREDICTIONS_FILE))?;
    let mut rows: Vec<ResultRow> = Vec::new();
    let mut finished = 0;
    let mut keys = BTreeSet::new();
    for step in done(kinds::CELL) {
        finished += 1;
        let cell = read_cell(run, step)?;
        rows.extend(measure_cell(&cell)?);
        predictions.append(&cell.to_table())?;
        keys.insert(cell.id.cell);
    }
    if finished == 0 {
        let problem = format!("none of its {planned} cells is finished, so there is nothing to evaluate");
        return Err(TrainError::Run { path: run.to_path_buf(), problem });
    }
    predictions.finish()?;

    let mut pretraining = TableWriter::create(&run.join(PRETRAINING_FILE))?;
    for step in done(kinds::PRETRAIN) {
        if let Some(path) = output(run, step, PRETRAINING_FILE) {
            for part in TableReader::open(&path)? {
                pretraining.append(&crate::pretrain::with_kind(part?))?;
            }
        }
    }
    // A study without a pre-trained start has seen nothing, and its table says so with all its columns.
    pretraining.append(&crate::pretrain::seen_table(&[], 0, 0, crate::PretrainKind::Ordinary))?;
    pretraining.finish()?;
    write_results(&run.join(RESULTS_FILE), &rows)?;
    Collection::write(run, keys, &[PREDICTIONS_FILE, RESULTS_FILE, PRETRAINING_FILE])?;
    Ok(Collected { finished, planned, measurements: rows.len() })
}

/// What a finished cell predicted, if it is what the cell wrote and the cell is the plan's.
fn read_cell(run: &Path, step: &Step) -> Result<CellPredictions, TrainError> {
    let path = output(run, step, PREDICTIONS_FILE).ok_or_else(|| TrainError::Run {
        path: run.join("steps").join(&step.id).join(STEP_FILE),
        problem: "a cell without predictions among its outputs".into(),
    })?;
    check_outputs(run, step)?;
    let mut cells = CellPredictions::from_table(&path, &Table::read(&path)?)?;
    let (Some(cell), true) = (cells.pop(), cells.is_empty()) else {
        return Err(TrainError::Run {
            path,
            problem: "expected the predictions of one cell, found another number".into(),
        });
    };
    match other_than_planned(step, &cell.id).first() {
        None => Ok(cell),
        Some(problem) => Err(TrainError::Run {
            path,
            problem: format!("a cell that is not the plan's {}: {problem}; put back what it was", step.id),
        }),
    }
}
