//! The files of a run, by name: the one place that knows where each stands.

use crate::StudyError;
use run_record::StepRecord;
use std::path::{Path, PathBuf};
use sweep::{Plan, Step};
use train::{EXAMPLE_FILE, JOURNAL_FILE, PREDICTIONS_FILE, SEEN_FILE};

/// Names of files in a run folder, relative to it, as outputs of steps have them.
pub(crate) mod names {
    pub(crate) use train::{PREDICTIONS_FILE as PREDICTIONS, SEEN_FILE as PRETRAINING};

    pub(crate) const CONFIG: &str = "config.toml";
    pub(crate) const PLAN: &str = "plan.json";
    pub(crate) const DATA: &str = "data";
    pub(crate) const PREPARED: &str = "prepared";
    pub(crate) const SUBSETS: &str = "subsets.parquet";
    pub(crate) const VALIDATION_SUBSETS: &str = "validation_subsets.parquet";
    pub(crate) const RESULTS: &str = "results.csv";
    pub(crate) const COLLECTED: &str = "collected.json";
    pub(crate) const STATISTICS: &str = "statistics.json";
    pub(crate) const CLAIM: &str = "claim.txt";
    pub(crate) const REPORT: &str = "report.html";
}

/// A run folder. Its methods give paths; none of them asks whether there is such a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunFolder {
    path: PathBuf,
}

impl RunFolder {
    /// The run in this folder.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        RunFolder { path: path.into() }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A file by its path relative to the folder.
    pub(crate) fn join(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.path.join(relative)
    }

    /// The resolved configuration of the study.
    pub fn config(&self) -> PathBuf {
        self.join(names::CONFIG)
    }

    /// The plan of its steps.
    pub fn plan(&self) -> PathBuf {
        self.join(names::PLAN)
    }

    /// The prepared data.
    pub fn prepared(&self) -> PathBuf {
        self.join(names::PREPARED)
    }

    /// The labelled training segments of each budget.
    pub fn subsets(&self) -> PathBuf {
        self.join(names::SUBSETS)
    }

    /// The predictions of all cells.
    pub fn predictions(&self) -> PathBuf {
        self.join(names::PREDICTIONS)
    }

    /// What all pre-trainings saw.
    pub fn pretraining(&self) -> PathBuf {
        self.join(names::PRETRAINING)
    }

    /// The measurements.
    pub fn results(&self) -> PathBuf {
        self.join(names::RESULTS)
    }

    /// The hashes of the tables that `evaluate` wrote.
    pub fn collected(&self) -> PathBuf {
        self.join(names::COLLECTED)
    }

    /// Confidence intervals and tests.
    pub fn statistics(&self) -> PathBuf {
        self.join(names::STATISTICS)
    }

    /// The headline of the report as plain text.
    pub fn claim(&self) -> PathBuf {
        self.join(names::CLAIM)
    }

    /// The report.
    pub fn report(&self) -> PathBuf {
        self.join(names::REPORT)
    }

    /// The records that the engine keeps of a step.
    pub fn records(&self, step: &Step) -> PathBuf {
        self.join("steps").join(&step.id)
    }

    /// Why the last attempt at a step failed.
    pub fn error(&self, step: &Step) -> PathBuf {
        self.records(step).join("error.txt")
    }

    /// The journal of a pre-training or cell.
    pub fn journal(&self, training: &Step) -> PathBuf {
        self.join(&training.id).join(JOURNAL_FILE)
    }

    /// The predictions of a cell.
    pub fn cell_predictions(&self, cell: &Step) -> PathBuf {
        self.join(&cell.id).join(PREDICTIONS_FILE)
    }

    /// The encoder of a pre-training.
    pub fn encoder(&self, pretraining: &Step) -> PathBuf {
        self.join(&pretraining.id).join("encoder")
    }

    /// What a pre-training saw.
    pub fn seen(&self, pretraining: &Step) -> PathBuf {
        self.join(&pretraining.id).join(SEEN_FILE)
    }

    /// A segment as a pre-training rebuilt it.
    pub fn example(&self, pretraining: &Step) -> PathBuf {
        self.join(&pretraining.id).join(EXAMPLE_FILE)
    }

    /// Whether a step is done for the key that the plan gives it.
    pub fn is_done(&self, step: &Step) -> bool {
        StepRecord::read(&self.records(step)).is_some_and(|record| record.key == step.key)
    }

    /// Reads the plan.
    ///
    /// # Errors
    /// A folder without one; a file that is no plan.
    pub fn read_plan(&self) -> Result<Plan, StudyError> {
        let path = self.plan();
        if !path.exists() {
            let problem = "expected the folder of a run that `mosei-ssl sweep` has begun, found no plan in it".into();
            return Err(StudyError::Run {
                path: self.path.clone(),
                problem,
            });
        }
        serde_json::from_str(&run_record::read_to_string(&path)?).map_err(StudyError::json(&path))
    }
}
