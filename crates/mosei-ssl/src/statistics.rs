//! From the predictions of a run to `statistics.json`: intervals, tests and label equivalence.
//!
//! What lives here: reading, and the analysis plan. What does not: the computation
//! (`eval::statistics`).

use crate::integrity::{Collection, cell_keys, check_grid, check_planned};
use crate::run_folder::{RunFolder, names};
use crate::{Study, StudyError};
use eval::Metric;
use eval::statistics::{AnalysisPlan, StudySample, StudyStatistics, TestVideo};
use mosei_schema::{Split, Start};
use run_record::{each_cell, hash_file, read_to_string, write_atomic};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Metrics that get intervals: those of the report's figures.
const METRICS: [Metric; 5] = [
    Metric::RocAuc,
    Metric::AveragePrecision,
    Metric::F1,
    Metric::Mae,
    Metric::Accuracy4,
];

/// `statistics.json`.
#[derive(Serialize, Deserialize)]
pub(crate) struct Stored {
    /// BLAKE3 of the predictions that it was computed from.
    pub(crate) predictions: String,
    /// The answers.
    #[serde(flatten)]
    pub(crate) statistics: StudyStatistics,
}

/// Asks the study in `run` and writes `statistics.json`.
///
/// # Errors
/// A run without predictions, with others than were collected, or of cells that are not its plan's;
/// cells of one fold that were not tested on the same rows.
pub fn write_statistics(run: &RunFolder) -> Result<StudyStatistics, StudyError> {
    let plan = run.read_plan()?;
    let study = Study::load(&run.config())?;
    check_grid(run, &plan, &study)?;
    Collection::require(run)?.check(run, names::PREDICTIONS)?;
    let predictions = run.predictions();
    let keys = cell_keys(&plan);
    let mut metrics = METRICS.to_vec();
    metrics
        .extend(Metric::from_name(&study.report.primary_metric).filter(|m| !METRICS.contains(m)));
    let analysis = AnalysisPlan {
        treated: Start::Ssl.name().into(),
        baseline: Start::Scratch.name().into(),
        metrics,
        pretrain_seeds: study.pretrain_seeds(),
        level: study.report.level,
    };
    let mut tested = BTreeSet::new();
    each_cell(&predictions, |cell| {
        check_planned(&predictions, &keys, &cell.id.cell)?;
        let rows = cell.rows.iter().filter(|r| r.split == Split::Test.name());
        tested.extend(rows.map(|r| TestVideo {
            partition: cell.id.partition,
            fold: cell.id.fold,
            video: r.video.clone(),
        }));
        Ok::<(), StudyError>(())
    })?;
    let mut sample = StudySample::new(analysis, tested);
    each_cell(&predictions, |cell| {
        Ok::<(), StudyError>(sample.add(&cell)?)
    })?;
    let statistics = sample.finish();
    let stored = Stored {
        predictions: hash_file(&predictions)?,
        statistics,
    };
    let path = run.statistics();
    write_atomic(
        &path,
        &serde_json::to_vec(&stored).map_err(StudyError::json(&path))?,
    )?;
    Ok(stored.statistics)
}

/// What `mosei-ssl statistics` left, if it has run.
///
/// # Errors
/// Statistics of other predictions than are in the run.
pub(crate) fn read_statistics(run: &RunFolder) -> Result<Option<StudyStatistics>, StudyError> {
    let path = run.statistics();
    if !path.exists() {
        return Ok(None);
    }
    let stored: Stored =
        serde_json::from_str(&read_to_string(&path)?).map_err(StudyError::json(&path))?;
    let found = hash_file(&run.predictions())?;
    if stored.predictions == found {
        return Ok(Some(stored.statistics));
    }
    Err(StudyError::Altered {
        path,
        expected: format!("statistics of {}, BLAKE3 {found}", names::PREDICTIONS),
        found: format!("those of BLAKE3 {}", stored.predictions),
        remedy: "run `mosei-ssl statistics RUN` again".into(),
    })
}
