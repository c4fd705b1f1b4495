//! Opening a file to read it, or to write one that no other program has yet: without HDF5's locks.
//!
//! What lives here: how, and what is said where HDF5 refuses. A lock would keep a file that another program has open, or that lies
//! on a file system without locks, from being read, though it is whole.

use crate::DataError;
use hdf5::{File, FileBuilder, MinorErrorCode};
use std::path::Path;

/// The variable by which HDF5 can be told to lock all the same.
const LOCKING: &str = "HDF5_USE_FILE_LOCKING";

/// Options of a file that is opened or made without a lock.
pub(super) fn unlocked() -> FileBuilder {
    let mut options = File::with_options();
    options.with_fapl(|p| p.file_locking(false));
    options
}

/// Opens a file to read it.
///
/// # Errors
/// Where it is no HDF5 file or a damaged one; where a lock is in the way, or a mark that it is being written.
pub(super) fn open_to_read(path: &Path) -> Result<File, DataError> {
    unlocked().open(path).map_err(|source| refusal(path, source))
}

/// Why HDF5 does not open a file.
fn refusal(path: &Path, source: hdf5::Error) -> DataError {
    let path = path.to_path_buf();
    if source.contains_minor(MinorErrorCode::CantLockFile) {
        let variable = std::env::var_os(LOCKING).map(|value| format!("{LOCKING}={}", value.to_string_lossy()));
        return DataError::Locked { path, why: variable.unwrap_or_else(|| "HDF5's defaults".into()), source };
    }
    let marked = |stack: hdf5::ExpandedErrorStack| stack.iter().any(|f| f.desc().contains("already open for write"));
    if source.stack().is_some_and(marked) {
        return DataError::OpenElsewhere { path, source };
    }
    DataError::NotHdf5 { path, source }
}
