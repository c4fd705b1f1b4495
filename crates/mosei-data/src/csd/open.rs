//! Opens files without HDF5's locks.
//!
//! What lives here: the options, and the errors where HDF5 refuses. With locks, a valid file could
//! not be read while another program has it open, or on a file system without locks.

use crate::DataError;
use hdf5::{File, FileBuilder, MinorErrorCode};
use std::path::Path;

/// The environment variable that makes HDF5 lock files.
const LOCKING_VARIABLE: &str = "HDF5_USE_FILE_LOCKING";

/// Options to open or create a file without a lock.
pub(super) fn unlocked() -> FileBuilder {
    let mut options = File::with_options();
    options.with_fapl(|p| p.file_locking(false));
    options
}

/// Opens a file for reading.
///
/// # Errors
/// Where it is not HDF5, is damaged, cannot be locked, or is marked as open for writing.
pub(super) fn open_to_read(path: &Path) -> Result<File, DataError> {
    unlocked()
        .open(path)
        .map_err(|source| refusal(path, source))
}

/// The error for a file that HDF5 does not open.
fn refusal(path: &Path, source: hdf5::Error) -> DataError {
    let path = path.to_path_buf();
    if source.contains_minor(MinorErrorCode::CantLockFile) {
        let variable = std::env::var_os(LOCKING_VARIABLE)
            .map(|value| format!("{LOCKING_VARIABLE}={}", value.to_string_lossy()));
        return DataError::Locked {
            path,
            why: variable.unwrap_or_else(|| "by default".into()),
            source,
        };
    }
    let marked = |stack: hdf5::ExpandedErrorStack| {
        stack
            .iter()
            .any(|f| f.desc().contains("already open for write"))
    };
    if source.stack().is_some_and(marked) {
        return DataError::OpenForWriting { path, source };
    }
    DataError::NotHdf5 { path, source }
}
