//! The errors of this crate.

use mosei_schema::SettingError;
use run_record::RecordError;
use std::path::{Path, PathBuf};

/// A plan that is not valid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Two steps have the same id.
    #[error("step '{id}' appears twice in the plan")]
    DuplicateId {
        /// The id.
        id: String,
    },
    /// An id that cannot name a folder inside the run.
    #[error("step '{id}': an id must be a plain relative path, found {problem}")]
    UnsafeId {
        /// The id.
        id: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// An output outside the run folder.
    #[error(
        "step '{id}': output '{output}' must be a plain path relative to the run folder, found {problem}"
    )]
    UnsafeOutput {
        /// The step with that output.
        id: String,
        /// The path.
        output: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// Two steps declare the same output.
    #[error("output '{output}' is declared by step '{first}' and by step '{second}'")]
    SharedOutput {
        /// The path.
        output: String,
        /// The first of the two in plan order.
        first: String,
        /// The other.
        second: String,
    },
    /// A step without a key, which could never count as done.
    #[error("step '{id}': its key is empty")]
    EmptyKey {
        /// The step without a key.
        id: String,
    },
    /// A step needs a step that is not in the plan.
    #[error("step '{id}' needs '{need}', which is not in the plan")]
    UnknownNeed {
        /// The step with the unknown need.
        id: String,
        /// The id it names.
        need: String,
    },
    /// The needs form a cycle.
    #[error("the needs of these steps form a cycle: {}", cycle.join(" needs "))]
    Cycle {
        /// The cycle, with its first step repeated at the end.
        cycle: Vec<String>,
    },
}

/// Why a sweep could not run, or its state could not be read. A failed step is not such an error:
/// it is part of the outcome.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The plan is not valid.
    #[error("the plan cannot run")]
    Plan(#[from] PlanError),
    /// A file in a step's folder could not be written or read.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A call to the operating system failed.
    #[error("failed to {action} {}", path.display())]
    Io {
        /// What was attempted, as a verb.
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A JSON file of the run folder has unexpected content.
    #[error("{}: unexpected JSON content", path.display())]
    Json {
        /// Which file.
        path: PathBuf,
        /// The parser's reason.
        source: serde_json::Error,
    },
    /// Another sweep is running in the folder.
    #[error("{}: another sweep is running in this folder, process {holder}; wait for it or stop it", run.display())]
    Locked {
        /// The run folder.
        run: PathBuf,
        /// Its process id, if known.
        holder: String,
    },
    /// A process that a killed sweep left running does not end.
    #[error(
        "step '{id}' of an earlier sweep, which was killed, is still running (process {pid}) and does not end; end it by hand"
    )]
    Orphan {
        /// The step's id.
        id: String,
        /// Its process id, if known.
        pid: String,
    },
    /// A setting of the cluster's jobs is not valid.
    #[error(transparent)]
    Setting(SettingError),
    /// Slurm's commands are missing.
    #[error(
        "no '{tool}' on the PATH: Slurm's commands are on a cluster's login nodes\n  next: run this there, or leave \
         out --engine slurm to run on this machine"
    )]
    NoSlurm {
        /// The command that is missing.
        tool: &'static str,
    },
    /// A Slurm command failed.
    #[error("{tool} failed: {message}")]
    Slurm {
        /// The command.
        tool: &'static str,
        /// What it printed to standard error.
        message: String,
    },
    /// `sbatch` accepted a job but did not print its number in a known form.
    #[error(
        "sbatch accepted the job {name} but did not print its number: expected a last line NUMBER or NUMBER;CLUSTER, found {output:?}; {found}\n  \
         next: see `squeue --name={name}`; the next sweep looks for the job too, and submits nothing while it is in the queue"
    )]
    UnknownJobId {
        /// The job's name.
        name: String,
        /// What `sbatch` printed.
        output: String,
        /// What `squeue` reports for that name.
        found: String,
    },
    /// The cluster does not allow job arrays.
    #[error("cluster '{cluster}' does not allow job arrays (its MaxArraySize is 0)")]
    NoArrays {
        /// The cluster's name.
        cluster: String,
    },
    /// The jobs of a run belong to another cluster.
    #[error("the jobs were submitted to cluster '{there}', and this machine belongs to '{here}'")]
    OtherCluster {
        /// The cluster of this machine.
        here: String,
        /// The cluster of the jobs.
        there: String,
    },
    /// Jobs of the folder are still in the queue.
    #[error(
        "{}: jobs {jobs} of this folder are in Slurm's queue\n  next: follow them with `mosei-ssl status`, or cancel them \
         with `mosei-ssl cancel`", run.display()
    )]
    Queued {
        /// The run folder.
        run: PathBuf,
        /// The job numbers.
        jobs: String,
    },
    /// Whether jobs of the folder are still in the queue is unknown.
    #[error(
        "{}: jobs {jobs} were submitted to Slurm for this folder, and whether they are still active is unknown: {reason}\n  \
         next: run this on a machine with Slurm's commands; or, if those jobs have ended, remove {}", run.display(), record.display()
    )]
    QueueUnknown {
        /// The run folder.
        run: PathBuf,
        /// The job numbers.
        jobs: String,
        /// Why Slurm could not be queried.
        reason: Box<SweepError>,
        /// The file that lists the jobs.
        record: PathBuf,
    },
    /// No jobs were submitted for the folder.
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
    /// A task number that is not in the task list.
    #[error("{}: has no task {task} of this plan", list.display())]
    NoTask {
        /// The task list.
        list: PathBuf,
        /// The task number.
        task: usize,
    },
    /// Another task is running the step.
    #[error("step '{id}' is already run by another task, which holds {}", lock.display())]
    Busy {
        /// The step's id.
        id: String,
        /// The lock file.
        lock: PathBuf,
    },
    /// No step has been timed.
    #[error("{}: no step of this plan is done, so step times are unknown", run.display())]
    NoTimings {
        /// The run folder.
        run: PathBuf,
    },
    /// No sweep has run in the folder.
    #[error("{}: no such file: no sweep has run in this folder", path.display())]
    NoPlan {
        /// The `plan.json` that is missing.
        path: PathBuf,
    },
}

impl SweepError {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| SweepError::Io {
            action,
            path,
            source,
        }
    }
}
