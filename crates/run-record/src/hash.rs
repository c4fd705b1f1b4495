//! Content hashes: BLAKE3, in lower-case hexadecimal.

use crate::RecordError;
use serde::Serialize;
use std::fs::File;
use std::path::Path;

/// The hash of some bytes.
pub fn hash_bytes(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

/// The hash of a file's content.
pub fn hash_file(path: &Path) -> Result<String, RecordError> {
    // Read, not mapped: mapped pages count towards the process's memory, and these files can exceed
    // it.
    let mut hasher = blake3::Hasher::new();
    let file = File::open(path).map_err(RecordError::io("open", path))?;
    hasher
        .update_reader(file)
        .map_err(RecordError::io("read", path))?;
    Ok(hasher.finalize().to_hex().to_string())
}

/// The hash of a value's JSON form, which is unique for structs and ordered maps.
///
/// # Panics
/// If the value has no JSON form (a map with keys that are not strings).
pub fn hash_json<T: Serialize>(value: &T) -> String {
    match serde_json::to_vec(value) {
        Ok(bytes) => hash_bytes(&bytes),
        Err(e) => panic!("a value to be hashed has no JSON form: {e}"),
    }
}
