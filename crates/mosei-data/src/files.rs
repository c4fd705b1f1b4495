//! Checks on input files and output folders.
//!
//! What lives here: refusing pipes, oversized files and folders that hold other data. What does
//! not: file formats.

use crate::DataError;
use std::fs::{File, Metadata};
use std::io::Read;
use std::path::Path;

/// Checks that `metadata`, that of `path`, belongs to a regular file. Opening a pipe would wait for
/// a writer.
///
/// # Errors
/// For a folder, link, pipe or device.
pub fn require_file(path: &Path, metadata: &Metadata) -> Result<(), DataError> {
    let found = match () {
        () if metadata.is_dir() => "a folder",
        () if metadata.is_symlink() => "a link",
        () if !metadata.is_file() => "a pipe or a device",
        () => return Ok(()),
    };
    Err(DataError::NotAFile {
        path: path.to_path_buf(),
        expected: "a file",
        found,
    })
}

/// Reads a regular file of at most `max_bytes` bytes into memory.
///
/// # Errors
/// Where it is no regular file, is longer, or cannot be read.
pub fn read_bounded(path: &Path, max_bytes: u64) -> Result<Vec<u8>, DataError> {
    let metadata = std::fs::metadata(path).map_err(DataError::io("open", path))?;
    require_file(path, &metadata)?;
    let too_long = |bytes: u64| {
        let found = format!("{bytes} bytes");
        DataError::structure(path, ".", format!("at most {max_bytes} bytes"), found)
    };
    if metadata.len() > max_bytes {
        return Err(too_long(metadata.len()));
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(DataError::io("open", path))?;
    file.take(max_bytes + 1)
        .read_to_end(&mut bytes)
        .map_err(DataError::io("read", path))?;
    // The file may have grown since its size was read.
    if bytes.len() as u64 > max_bytes {
        Err(too_long(bytes.len() as u64))
    } else {
        Ok(bytes)
    }
}

/// Checks that the folder `out` may be replaced: it does not exist, or holds nothing but files
/// named in `own`.
///
/// # Errors
/// Where `out` is a file, or holds anything else.
pub fn require_replaceable(out: &Path, own: &[&str]) -> Result<(), DataError> {
    if !out.exists() {
        return Ok(());
    }
    let expected = "nothing, an empty folder, or an earlier output of this command";
    if !out.is_dir() {
        return Err(DataError::structure(out, ".", expected, "a file"));
    }
    for entry in std::fs::read_dir(out).map_err(DataError::io("list", out))? {
        let name = entry.map_err(DataError::io("list", out))?.file_name();
        if !own.iter().any(|o| name == *o) {
            return Err(DataError::structure(
                out,
                ".",
                expected,
                format!("'{}' in it", name.display()),
            ));
        }
    }
    Ok(())
}
