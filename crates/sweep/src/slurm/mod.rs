//! The Slurm engine: the same plan as job arrays.
//!
//! Here: which steps form which array (`arrays`), their submission (`submit`), what a task does on
//! its node (`task`), the state and outcome of tasks (`queue`, `outcome`), and waiting for the end
//! (`wait`). Slurm alone decides when and where a job runs; a step is run and recorded by the code
//! of the local engine.
//!
//! | file | content |
//! |---|---|
//! | `slurm/jobs.json` | the jobs of the last submission |
//! | `slurm/STAMP-N.json` | the steps of each task of its array number N |
//! | `slurm/task.sh` | the batch script, the same for all |
//! | `slurm/JOB_TASK.txt` | the output of a task, and Slurm's messages about it |
//! | `slurm/cancelled` | the jobs were cancelled by `cancel` |
//! | `steps/ID/task.lock` | locked by the task that runs the step |

mod arrays;
mod cancel;
mod outcome;
mod queue;
mod records;
mod settings;
mod submit;
mod task;
mod wait;

pub use cancel::cancel;
pub(crate) use outcome::{TaskOutcome, logs, lost_error, task_outcome};
pub use queue::available;
pub(crate) use queue::{QueueSnapshot, TaskState};
pub(crate) use records::JobsRecord;
pub use records::ranges;
pub use settings::Slurm;
pub use submit::{Launch, Submitted, submit};
pub use task::run_task;
pub use wait::{Polling, run_until};

use crate::SweepError;
use std::path::Path;

/// Fails if jobs of the run folder may still be in the queue.
pub(crate) fn check_ended(run: &Path) -> Result<(), SweepError> {
    let Some(record) = JobsRecord::read(run)? else {
        return Ok(());
    };
    let jobs = match (&record.pending, record.jobs.is_empty()) {
        (None, _) => ranges(&record.ids()),
        (Some(pending), true) => format!("named {}", pending.name),
        (Some(pending), false) => format!(
            "{}, and perhaps one named {},",
            ranges(&record.ids()),
            pending.name
        ),
    };
    match record
        .resolve_pending()
        .and_then(|record| Ok(record.query_queue()?.active_jobs(&record)))
    {
        Ok(active) if active.is_empty() => Ok(()),
        Ok(active) => Err(SweepError::Queued {
            run: run.to_path_buf(),
            jobs: ranges(&active),
        }),
        Err(reason) => Err(SweepError::QueueUnknown {
            run: run.to_path_buf(),
            jobs,
            reason: Box::new(reason),
            record: records::path(run),
        }),
    }
}

/// Removes the list of submitted jobs, which must have ended, so that the local engine can use the
/// folder.
pub(crate) fn clear_jobs(run: &Path) -> Result<(), SweepError> {
    crate::marks::remove(&records::path(run))
}
