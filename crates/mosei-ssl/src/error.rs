use mosei_schema::BudgetError;
use std::path::{Path, PathBuf};

/// Why a study cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum StudyError {
    /// A configuration file with a wrong key or value.
    #[error("{}: key '{key}': {reason}", path.display())]
    Config {
        /// Which file.
        path: PathBuf,
        /// Which key, by its path; `.` where the file as a whole is not TOML.
        key: String,
        /// What was expected and found, with the line.
        reason: String,
    },
    /// A value of the command line that does not fit the study.
    #[error("{what}: expected {expected}, found {found}")]
    Argument {
        /// Which.
        what: &'static str,
        /// What it must be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// A run folder without what a command needs.
    #[error("{}: {problem}", path.display())]
    Run {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// A file of a run that is not what the run wrote there.
    #[error("{}: expected {expected}, found {found}: {remedy}", path.display())]
    Altered {
        /// The file.
        path: PathBuf,
        /// What the run recorded of it.
        expected: String,
        /// What is there.
        found: String,
        /// What to do.
        remedy: String,
    },
    /// A JSON file with other content than expected.
    #[error("{}: not the JSON expected here", path.display())]
    Json {
        /// Which.
        path: PathBuf,
        /// The parser's reason.
        source: serde_json::Error,
    },
    /// A training, a model or its data.
    #[error(transparent)]
    Train(#[from] train::TrainError),
    /// The data.
    #[error(transparent)]
    Data(#[from] mosei_data::DataError),
    /// The run folder.
    #[error(transparent)]
    Record(#[from] run_record::RecordError),
    /// An encoder's folder.
    #[error(transparent)]
    Backbone(#[from] backbone::BackboneError),
    /// The metrics.
    #[error(transparent)]
    Eval(#[from] eval::EvalError),
    /// The report.
    #[error(transparent)]
    Report(#[from] report::ReportError),
    /// The device is not available.
    #[error(transparent)]
    Device(#[from] torch_ext::DeviceError),
}

impl From<BudgetError> for StudyError {
    fn from(error: BudgetError) -> Self {
        StudyError::Argument {
            what: "label budget",
            expected: BudgetError::EXPECTED.into(),
            found: error.found,
        }
    }
}

impl StudyError {
    pub(crate) fn json(path: &Path) -> impl FnOnce(serde_json::Error) -> Self {
        let path = path.to_path_buf();
        move |source| StudyError::Json { path, source }
    }

    /// Whether the user asked for something wrong, and nothing was tried: exit code 2.
    pub fn is_wrong_usage(&self) -> bool {
        use train::TrainError::{Argument, Device, Threads};
        match self {
            StudyError::Config { .. } | StudyError::Argument { .. } | StudyError::Device(_) => true,
            StudyError::Train(error) => {
                matches!(error, Argument { .. } | Device(_) | Threads { .. })
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use run_record::error_chain;

    #[test]
    fn causes_are_named_once_and_advice_comes_last() {
        let error = anyhow::anyhow!("no disk").context("failed to write a\n  next: make room");
        assert_eq!(
            error_chain(error.as_ref()),
            "failed to write a: no disk\n  next: make room"
        );
        let error = anyhow::anyhow!("a.csd: no such file")
            .context("a.csd: no such file")
            .context("prepare");
        assert_eq!(error_chain(error.as_ref()), "prepare: a.csd: no such file");
    }
}
