//! Cancelling jobs.

use super::queue::call;
use super::records::{self, JobsRecord};
use crate::SweepError;
use std::path::Path;

/// Cancels the jobs of a run's last submission that are still in the queue, and returns their
/// numbers. Finished steps stay done, and a sweep that waits for the jobs ends.
///
/// # Errors
/// A folder without submitted jobs; an error of Slurm.
pub fn cancel(run: &Path) -> Result<Vec<String>, SweepError> {
    let record = JobsRecord::read(run)?.ok_or_else(|| SweepError::NoJobs {
        run: run.to_path_buf(),
    })?;
    // Before the jobs end, so that a waiting sweep does not submit them again.
    records::mark_cancelled(run)?;
    let record = record.resolve_pending()?;
    let active = record.query_queue()?.active_jobs(&record);
    cancel_jobs(&active)?;
    Ok(active)
}

pub(crate) fn cancel_jobs(jobs: &[String]) -> Result<(), SweepError> {
    if jobs.is_empty() {
        Ok(())
    } else {
        call("scancel", jobs).map(|_| ())
    }
}
