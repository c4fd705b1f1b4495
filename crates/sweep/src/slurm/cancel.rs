//! Taking jobs back.

use super::queue::call;
use super::records::{self, JobsRecord};
use crate::SweepError;
use std::path::Path;

/// Cancels the jobs of a run's last submission that still are in the queue; their numbers. What is done stays done, and a
/// sweep that waits for them ends.
///
/// # Errors
/// Where nothing was submitted for this folder, or Slurm refuses.
pub fn cancel(run: &Path) -> Result<Vec<String>, SweepError> {
    let record = JobsRecord::read(run)?.ok_or_else(|| SweepError::NoJobs { run: run.to_path_buf() })?;
    // First, so that nobody takes the end of the jobs for a mishap and submits them again.
    records::mark_cancelled(run)?;
    let record = record.with_asked()?;
    let live = record.look()?.live_jobs(&record);
    cancel_jobs(&live)?;
    Ok(live)
}

pub(crate) fn cancel_jobs(jobs: &[String]) -> Result<(), SweepError> {
    if jobs.is_empty() { Ok(()) } else { call("scancel", jobs).map(|_| ()) }
}
