use crate::slurm::SlurmSettingError;
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
    /// What a cluster's jobs ask for cannot be.
    #[error(transparent)]
    Setting(#[from] SlurmSettingError),
    /// Slurm's commands are missing.
    #[error(
        "no '{tool}' on the PATH: Slurm's commands are on a cluster's login nodes\n  next: run this there, or leave \
         out --engine slurm to run on this machine"
    )]
    NoSlurm {
        /// The first that was asked for.
        tool: &'static str,
    },
    /// Slurm refused, or did not answer.
    #[error("{tool} refused: {words}")]
    Slurm {
        /// Which of its commands.
        tool: &'static str,
        /// Its own words.
        words: String,
    },
    /// Slurm took a job and did not say its number in a way that is understood.
    #[error(
        "sbatch took the job {name} and said no number of it: expected a last line NUMBER or NUMBER;CLUSTER, found {said:?}; {found}\n  \
         next: see `squeue --name={name}`; the next sweep looks for it too, and submits nothing while it is in the queue"
    )]
    NotUnderstood {
        /// The job's name.
        name: String,
        /// What `sbatch` said.
        said: String,
        /// What `squeue` knows of the name.
        found: String,
    },
    /// The cluster allows no job arrays.
    #[error("cluster '{cluster}' allows no job arrays (its MaxArraySize is 0)")]
    NoArrays {
        /// Its name.
        cluster: String,
    },
    /// The jobs of a run are another cluster's.
    #[error("the jobs were submitted to cluster '{there}', and this machine belongs to '{here}'")]
    OtherCluster {
        /// The cluster asked.
        here: String,
        /// Theirs.
        there: String,
    },
    /// Jobs of the folder are still in the queue.
    #[error(
        "{}: jobs {jobs} of this folder are in Slurm's queue\n  next: follow them with `cargo xtask status`, or take them \
         back with `cargo xtask cancel`", run.display()
    )]
    Queued {
        /// The run folder.
        run: PathBuf,
        /// Their numbers.
        jobs: String,
    },
    /// Whether jobs of the folder are still in the queue cannot be said.
    #[error(
        "{}: jobs {jobs} were submitted to Slurm for this folder, and whether they still live cannot be said: {reason}\n  \
         next: run this where Slurm's commands work; or, if those jobs have ended, remove {}", run.display(), record.display()
    )]
    QueueUnknown {
        /// The run folder.
        run: PathBuf,
        /// Their numbers.
        jobs: String,
        /// Why not.
        reason: Box<SweepError>,
        /// The file that says so.
        record: PathBuf,
    },
    /// Nothing was submitted for the folder.
    #[error("{}: no jobs of this folder were submitted to Slurm", run.display())]
    NoJobs {
        /// The run folder.
        run: PathBuf,
    },
    /// The jobs were cancelled while they were submitted.
    #[error("{}: the jobs were cancelled while they were being submitted", run.display())]
    Cancelled {
        /// The run folder.
        run: PathBuf,
    },
    /// A task that the list does not hold.
    #[error("{}: holds no task {task} of this plan", list.display())]
    NoTask {
        /// The list.
        list: PathBuf,
        /// Which.
        task: usize,
    },
    /// Another task runs the step.
    #[error("step '{id}' is being run by another task, which holds {}", lock.display())]
    Busy {
        /// Which step.
        id: String,
        /// The lock.
        lock: PathBuf,
    },
    /// Nothing that says how long steps take.
    #[error("{}: no step of this plan is done, so how long steps take is not known", run.display())]
    NothingMeasured {
        /// The run folder.
        run: PathBuf,
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
