//! The second engine: the same plan as job arrays of Slurm.
//!
//! What lives here: which steps become which array (`arrays`), their submission (`submit`), what a task does on its node
//! (`task`), what became of it (`queue`, `fate`), waiting for the end (`wait`). What does not: when and where a job runs,
//! which Slurm alone decides; and how one step is run and marked, which is the local engine's code.
//!
//! | file | content |
//! |---|---|
//! | `slurm/jobs.json` | the jobs of the last submission |
//! | `slurm/STAMP-N.json` | the steps of each task of its array number N |
//! | `slurm/task.sh` | the batch script, the same for all |
//! | `slurm/JOB_TASK.txt` | what a task itself said, and what Slurm did to it |
//! | `slurm/cancelled` | the jobs were cancelled by `cancel` |
//! | `steps/ID/task.lock` | locked by the task that runs the step |

mod arrays;
mod cancel;
mod fate;
mod queue;
mod records;
mod settings;
mod submit;
mod task;
mod wait;

pub use cancel::cancel;
pub(crate) use fate::{Fate, fate, logs, lost};
pub use queue::available;
pub(crate) use queue::{Look, Stand};
pub(crate) use records::JobsRecord;
pub use records::ranges;
pub use settings::{Slurm, SlurmSettingError};
pub use submit::{Launch, Submitted, submit};
pub use task::run_task;
pub use wait::{Pace, run_until};

use crate::SweepError;
use std::path::Path;

/// Refuses a run folder whose jobs may still be in the queue.
pub(crate) fn check_ended(run: &Path) -> Result<(), SweepError> {
    let Some(record) = JobsRecord::read(run)? else { return Ok(()) };
    let jobs = match (&record.asked, record.jobs.is_empty()) {
        (None, _) => ranges(&record.ids()),
        (Some(asked), true) => format!("named {}", asked.name),
        (Some(asked), false) => format!("{}, and perhaps one named {},", ranges(&record.ids()), asked.name),
    };
    match record.with_asked().and_then(|record| Ok(record.look()?.live_jobs(&record))) {
        Ok(live) if live.is_empty() => Ok(()),
        Ok(live) => Err(SweepError::Queued { run: run.to_path_buf(), jobs: ranges(&live) }),
        Err(reason) => Err(SweepError::QueueUnknown {
            run: run.to_path_buf(),
            jobs,
            reason: Box::new(reason),
            record: records::path(run),
        }),
    }
}

/// Forgets the jobs of an earlier submission, which must have ended: from here on the folder is the local engine's.
pub(crate) fn forget(run: &Path) -> Result<(), SweepError> {
    crate::marks::remove(&records::path(run))
}
