//! Files that are read whole: only from what is a file, and only up to a size.

use crate::DataError;
use std::fs::{File, Metadata};
use std::io::Read;
use std::path::Path;

/// Wants a path to lead to a file: opening a pipe would wait for a writer.
pub(crate) fn require_file(path: &Path, facts: &Metadata) -> Result<(), DataError> {
    let found = match () {
        () if facts.is_dir() => "a folder",
        () if facts.is_symlink() => "a link",
        () if !facts.is_file() => "a pipe or a device",
        () => return Ok(()),
    };
    Err(DataError::NotAFile { path: path.to_path_buf(), expected: "a file", found })
}

/// Reads a file of at most so many bytes.
pub(crate) fn read(path: &Path, most_bytes: u64) -> Result<Vec<u8>, DataError> {
    let facts = std::fs::metadata(path).map_err(DataError::io("open", path))?;
    require_file(path, &facts)?;
    let too_long = |bytes: u64| {
        let found = format!("{bytes} bytes");
        DataError::structure(path, ".", format!("at most {most_bytes} bytes"), found)
    };
    if facts.len() > most_bytes {
        return Err(too_long(facts.len()));
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(DataError::io("open", path))?;
    file.take(most_bytes + 1).read_to_end(&mut bytes).map_err(DataError::io("read", path))?;
    // It may have grown meanwhile.
    if bytes.len() as u64 > most_bytes { Err(too_long(bytes.len() as u64)) } else { Ok(bytes) }
}
