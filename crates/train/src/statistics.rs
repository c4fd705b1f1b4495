//! From the predictions of a run to `statistics.json`: intervals, tests and label equivalence.
//!
//! What lives here: reading, and which questions are asked. What does not: the answers (`eval::statistics`).

use crate::plan::{CONFIG_FILE, STATISTICS_FILE};
use crate::{Start, Study, TrainError};
use eval::Metric;
use eval::statistics::{Questions, StudySample, StudyStatistics};
use mosei_schema::Split;
use run_record::{each_cell, write_atomic};
use std::collections::BTreeSet;
use std::path::Path;

/// Metrics that get intervals: those of the report's figures.
const METRICS: [Metric; 5] = [Metric::RocAuc, Metric::AveragePrecision, Metric::F1, Metric::Mae, Metric::Accuracy4];
/// The draws of a study are a function of its predictions alone.
const SEED: u64 = 0;

/// Asks the study in `run` and writes `statistics.json`.
///
/// # Errors
/// A run without predictions; cells of one fold that were not tested on the same rows.
pub fn write_statistics(run: &Path) -> Result<StudyStatistics, TrainError> {
    let study = Study::load(&run.join(CONFIG_FILE))?;
    let predictions = run.join("predictions.parquet");
    if !predictions.exists() {
        let problem = "not there yet: run `mosei-ssl evaluate RUN` first".to_string();
        return Err(TrainError::Run { path: predictions, problem });
    }
    let mut metrics = METRICS.to_vec();
    metrics.extend(Metric::from_name(&study.report.primary_metric).filter(|m| !METRICS.contains(m)));
    let questions = Questions {
        treated: Start::Ssl.name().into(),
        baseline: Start::Scratch.name().into(),
        metrics,
        resamples: study.report.resamples,
        level: study.report.level,
        seed: SEED,
    };
    let mut tested = BTreeSet::new();
    each_cell(&predictions, |cell| {
        let rows = cell.rows.iter().filter(|r| r.split == Split::Test.name());
        tested.extend(rows.map(|r| (cell.id.fold, r.video.clone())));
        Ok::<(), TrainError>(())
    })?;
    let mut sample = StudySample::new(questions, tested);
    each_cell(&predictions, |cell| Ok::<(), TrainError>(sample.add(&cell)?))?;
    let statistics = sample.finish();
    write_atomic(&run.join(STATISTICS_FILE), &serde_json::to_vec(&statistics).map_err(TrainError::json(run))?)?;
    Ok(statistics)
}
