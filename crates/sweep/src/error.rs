use run_record::RecordError;
use std::path::{Path, PathBuf};

/// What is wrong with a plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Two steps of one name.
    #[error("step '{id}' stands twice in the plan")]
    DuplicateId {
        /// The name.
        id: String,
    },
    /// A name that cannot be a folder inside the run.
    #[error("step '{id}': an id must be a plain relative path, found {problem}")]
    UnsafeId {
        /// The name.
        id: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// An output that would not lie inside the run.
    #[error("step '{id}': output '{output}' must be a plain path relative to the run folder, found {problem}")]
    UnsafeOutput {
        /// Whose output.
        id: String,
        /// The path.
        output: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// Two steps that would write the same path.
    #[error("output '{output}' is claimed by step '{first}' and by step '{second}'")]
    SharedOutput {
        /// The path.
        output: String,
        /// The step that comes first in the plan.
        first: String,
        /// The other.
        second: String,
    },
    /// A step without a key can never be known to be done.
    #[error("step '{id}': its key is empty")]
    EmptyKey {
        /// Whose key.
        id: String,
    },
    /// A step that needs what the plan does not hold.
    #[error("step '{id}' needs '{need}', which is not in the plan")]
    UnknownNeed {
        /// Who needs it.
        id: String,
        /// What is missing.
        need: String,
    },
    /// Steps that wait for each other.
    #[error("steps need each other in a circle: {}", circle.join(" needs "))]
    Cycle {
        /// The circle, its first step repeated at its end.
        circle: Vec<String>,
    },
}

/// Why a sweep could not run or be looked at. A step that fails is no such error: it is part of the outcome.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The plan is not one that can run.
    #[error("the plan cannot run")]
    Plan(#[from] PlanError),
    /// A mark could not be written or read.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The operating system refused.
    #[error("failed to {action} {}", path.display())]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A file of the run folder does not hold what it should.
    #[error("{}: not the JSON expected here", path.display())]
    Json {
        /// Which file.
        path: PathBuf,
        /// The parser's reason.
        source: serde_json::Error,
    },
    /// Another sweep works in the folder.
    #[error("{}: another sweep is running in this folder, process {holder}; wait for it or stop it", run.display())]
    Locked {
        /// The run folder.
        run: PathBuf,
        /// Its process id, where it is known.
        holder: String,
    },
    /// A step that a killed sweep left running could not be ended.
    #[error(
        "step '{id}' of an earlier, killed sweep is still running (process {pid}) and does not end; end it by hand"
    )]
    Orphan {
        /// Which step.
        id: String,
        /// Its process id, where it is known.
        pid: String,
    },
    /// Nothing has run here.
    #[error("{}: no such file, so no sweep has run in this folder", path.display())]
    NoPlan {
        /// The `plan.json` that is missing.
        path: PathBuf,
    },
}

impl SweepError {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| SweepError::Io { action, path, source }
    }
}
