//! File locks, which the operating system releases when their process ends. `RUN/sweep.lock` admits
//! one sweep per run folder.

use crate::process::host;
use crate::{SweepError, slurm};
use std::fs::{self, File, TryLockError};
use std::io::Write;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

const LOCK_FILE: &str = "sweep.lock";

/// The lock of a run folder, held while this value lives.
#[derive(Debug)]
pub(crate) struct SweepLock {
    _file: File,
}

impl SweepLock {
    /// Locks the folder, which is created if missing.
    pub fn take(run: &Path) -> Result<Self, SweepError> {
        match lock(run, LOCK_FILE)? {
            Some(file) => Ok(SweepLock { _file: file }),
            None => Err(locked(run)),
        }
    }

    /// Whether a sweep is running in the folder.
    pub fn is_held(run: &Path) -> bool {
        File::open(run.join(LOCK_FILE))
            .is_ok_and(|f| matches!(f.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }
}

/// Locks the file `name` in a folder, which is created if missing, and writes this process's id
/// into it. `None` if another process holds the lock.
pub(crate) fn lock(folder: &Path, name: &str) -> Result<Option<File>, SweepError> {
    fs::create_dir_all(folder).map_err(SweepError::io("create folder", folder))?;
    let path = folder.join(name);
    let mut file = File::options()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(&path)
        .map_err(SweepError::io("open", &path))?;
    let mut tries = 0;
    loop {
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::Error(e)) => return Err(SweepError::io("lock", &path)(e)),
            // A status query holds the lock for an instant.
            Err(TryLockError::WouldBlock) if tries < 10 => {
                tries += 1;
                sleep(Duration::from_millis(20));
            }
            Err(TryLockError::WouldBlock) => return Ok(None),
        }
    }
    file.set_len(0)
        .and_then(|()| write!(file, "{} on {}", std::process::id(), host()))
        .map_err(SweepError::io("write", &path))?;
    Ok(Some(file))
}

/// Fails if a sweep is running in the folder, here or as jobs of a cluster, so that a caller can
/// check before it writes there. Writes nothing itself.
///
/// # Errors
/// [`SweepError::Locked`], with the process that holds the folder; [`SweepError::Queued`] and
/// [`SweepError::QueueUnknown`] for jobs of a cluster.
pub fn check_free(run: &Path) -> Result<(), SweepError> {
    if SweepLock::is_held(run) {
        Err(locked(run))
    } else {
        slurm::check_ended(run)
    }
}

fn locked(run: &Path) -> SweepError {
    let holder = fs::read_to_string(run.join(LOCK_FILE)).unwrap_or_default();
    let holder = if holder.trim().is_empty() {
        "unknown"
    } else {
        holder.trim()
    }
    .to_string();
    SweepError::Locked {
        run: run.to_path_buf(),
        holder,
    }
}
