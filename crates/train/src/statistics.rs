//! From the predictions of a run to `statistics.json`: intervals, tests and label equivalence.
//!
//! What lives here: reading, and the analysis plan. What does not: the computation (`eval::statistics`).

use crate::collect::read_plan;
use crate::finetune::PREDICTIONS_FILE;
use crate::integrity::{Collection, cell_keys, check_grid, check_planned};
use crate::plan::{CONFIG_FILE, STATISTICS_FILE};
use crate::{Start, Study, TrainError};
use eval::Metric;
use eval::statistics::{AnalysisPlan, StudySample, StudyStatistics};
use mosei_schema::Split;
use run_record::{each_cell, hash_file, read_to_string, write_atomic};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::Path;

/// Metrics that get intervals: those of the report's figures.
const METRICS: [Metric; 5] = [Metric::RocAuc, Metric::AveragePrecision, Metric::F1, Metric::Mae, Metric::Accuracy4];
/// The draws of a study are a function of its predictions alone.
const SEED: u64 = 0;

/// `statistics.json`.
#[derive(Serialize, Deserialize)]
pub(crate) struct Stored {
    /// BLAKE3 of the predictions that it was worked out from; none in files of before it was written down.
    #[serde(default)]
    pub(crate) predictions: Option<String>,
    /// The answers.
    #[serde(flatten)]
    pub(crate) statistics: StudyStatistics,
}

/// Asks the study in `run` and writes `statistics.json`.
///
/// # Errors
/// A run without predictions, with others than were collected, or of cells that are not its plan's; cells of one fold that
/// were not tested on the same rows.
pub fn write_statistics(run: &Path) -> Result<StudyStatistics, TrainError> {
    let plan = read_plan(run)?;
    let study = Study::load(&run.join(CONFIG_FILE))?;
    check_grid(run, &plan, &study)?;
    let predictions = run.join(PREDICTIONS_FILE);
    if !predictions.exists() {
        let problem = "not there yet: run `mosei-ssl evaluate RUN` first".to_string();
        return Err(TrainError::Run { path: predictions, problem });
    }
    if let Some(collection) = Collection::read(run)? {
        collection.check(run, PREDICTIONS_FILE)?;
    }
    let keys = cell_keys(&plan);
    let mut metrics = METRICS.to_vec();
    metrics.extend(Metric::from_name(&study.report.primary_metric).filter(|m| !METRICS.contains(m)));
    let analysis = AnalysisPlan {
        treated: Start::Ssl.name().into(),
        baseline: Start::Scratch.name().into(),
        metrics,
        pretrain_seeds: study.pretrain_seeds(),
        resamples: study.report.resamples,
        level: study.report.level,
        seed: SEED,
    };
    let mut tested = BTreeSet::new();
    each_cell(&predictions, |cell| {
        check_planned(&predictions, &keys, &cell.id.cell)?;
        let rows = cell.rows.iter().filter(|r| r.split == Split::Test.name());
        tested.extend(rows.map(|r| (cell.id.fold, r.video.clone())));
        Ok::<(), TrainError>(())
    })?;
    let mut sample = StudySample::new(analysis, tested);
    each_cell(&predictions, |cell| Ok::<(), TrainError>(sample.add(&cell)?))?;
    let statistics = sample.finish();
    let stored = Stored { predictions: Some(hash_file(&predictions)?), statistics };
    write_atomic(&run.join(STATISTICS_FILE), &serde_json::to_vec(&stored).map_err(TrainError::json(run))?)?;
    Ok(stored.statistics)
}

/// What `mosei-ssl statistics` left, if it has run.
///
/// # Errors
/// Statistics of other predictions than are in the run.
pub(crate) fn read_statistics(run: &Path) -> Result<Option<StudyStatistics>, TrainError> {
    let path = run.join(STATISTICS_FILE);
    if !path.exists() {
        return Ok(None);
    }
    let stored: Stored = serde_json::from_str(&read_to_string(&path)?).map_err(TrainError::json(&path))?;
    let found = hash_file(&run.join(PREDICTIONS_FILE))?;
    match stored.predictions.filter(|of| *of != found) {
        None => Ok(Some(stored.statistics)),
        Some(of) => Err(TrainError::Altered {
            path,
            expected: format!("statistics of {PREDICTIONS_FILE}, BLAKE3 {found}"),
            found: format!("those of BLAKE3 {of}"),
            remedy: "run `mosei-ssl statistics RUN` again".into(),
        }),
    }
}
