//! From the cells of a run to its tables: `predictions.parquet`, `pretraining.parquet`,
//! `results.csv`.

use crate::integrity::{Collection, check_grid, check_outputs};
use crate::run_folder::{RunFolder, names};
use crate::step::{Cell, StepKind, StudyStep};
use crate::{Study, StudyError};
use eval::measure_cell;
use mosei_schema::PretrainKind;
use run_record::{CellPredictions, ResultRow, Table, TableReader, TableWriter, write_results};
use std::collections::BTreeSet;
use sweep::Step;
use train::seen_table;

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

/// Puts together what the finished cells of a run predicted, and measures it.
///
/// # Errors
/// A run without a finished cell, or of another grid than its configuration; a table that cannot be
/// read; what a finished step left and is gone, or not what it wrote; predictions of another cell
/// than the plan's.
pub fn collect(run: &RunFolder) -> Result<Collected, StudyError> {
    let plan = run.read_plan()?;
    check_grid(run, &plan, &Study::load(&run.config())?)?;
    let inputs =
        [StepKind::Prepare, StepKind::Sample, StepKind::Pretrain].map(|kind| kind.to_string());
    for step in plan
        .steps
        .iter()
        .filter(|s| inputs.contains(&s.kind) && run.is_done(s))
    {
        check_outputs(run, step)?;
    }

    let mut predictions = TableWriter::create(&run.predictions())?;
    let mut rows: Vec<ResultRow> = Vec::new();
    let mut keys = BTreeSet::new();
    let cells = StudyStep::cells(&plan)?;
    for (step, planned) in cells.iter().filter(|(step, _)| run.is_done(step)) {
        let cell = read_cell(run, step, planned)?;
        rows.extend(measure_cell(&cell)?);
        predictions.append(&cell.to_table())?;
        keys.insert(cell.id.cell);
    }
    let (finished, planned) = (keys.len(), cells.len());
    if finished == 0 {
        let problem =
            format!("none of its {planned} cells is finished, so there is nothing to evaluate");
        return Err(StudyError::Run {
            path: run.path().into(),
            problem,
        });
    }
    predictions.finish()?;

    let mut pretraining = TableWriter::create(&run.pretraining())?;
    for (step, _) in StudyStep::pretrainings(&plan)?
        .iter()
        .filter(|(step, _)| run.is_done(step))
    {
        for part in TableReader::open(&run.seen(step))? {
            pretraining.append(&part?)?;
        }
    }
    // A study without a pre-trained start has an empty table with all columns.
    pretraining.append(&seen_table(&[], 0, 0, PretrainKind::Ordinary))?;
    pretraining.finish()?;
    write_results(&run.results(), &rows)?;
    Collection::write(
        run,
        keys,
        &[names::PREDICTIONS, names::RESULTS, names::PRETRAINING],
    )?;
    Ok(Collected {
        finished,
        planned,
        measurements: rows.len(),
    })
}

/// The predictions of a finished cell, if the cell wrote them and they are the plan's cell.
fn read_cell(run: &RunFolder, step: &Step, planned: &Cell) -> Result<CellPredictions, StudyError> {
    check_outputs(run, step)?;
    let path = run.cell_predictions(step);
    let mut cells = CellPredictions::from_table(&path, &Table::read(&path)?)?;
    let (Some(cell), true) = (cells.pop(), cells.is_empty()) else {
        return Err(StudyError::Run {
            path,
            problem: "expected the predictions of one cell, found another number".into(),
        });
    };
    match planned.differences(&step.key, &cell.id).first() {
        None => Ok(cell),
        Some(problem) => Err(StudyError::Run {
            path,
            problem: format!(
                "a cell that is not the plan's {}: {problem}; put back what it was",
                step.id
            ),
        }),
    }
}
