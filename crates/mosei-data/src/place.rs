//! Where output may go: a folder that is replaced whole must hold nothing but what we put there.

use crate::DataError;
use std::path::Path;

/// Refuses a place that holds anything but files named in `ours`.
pub(crate) fn require_ours(out: &Path, ours: &[&str]) -> Result<(), DataError> {
    if !out.exists() {
        return Ok(());
    }
    let expected = "nothing, an empty folder, or one written here before";
    if !out.is_dir() {
        return Err(DataError::structure(out, ".", expected, "a file"));
    }
    for entry in std::fs::read_dir(out).map_err(DataError::io("list", out))? {
        let name = entry.map_err(DataError::io("list", out))?.file_name();
        if !ours.iter().any(|o| name == *o) {
            return Err(DataError::structure(out, ".", expected, format!("'{}' in it", name.display())));
        }
    }
    Ok(())
}
