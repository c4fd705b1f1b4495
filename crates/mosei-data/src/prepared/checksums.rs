//! Detects altered files of a prepared folder: the manifest records the size and hash of each file,
//! and its own hash.

use super::{FRAMES_FILE, MANIFEST_FILE, SEGMENTS_FILE, UNLABELLED_FILE, UNLABELLED_FRAMES_FILE};
use crate::manifest::{FORMAT, FileRecord};
use crate::{DataError, Manifest, files};
use run_record::{hash_bytes, hash_file, hash_json};
use std::collections::BTreeMap;
use std::path::Path;

/// Longest manifest, bytes; that of MOSEI has a third of a megabyte.
const MAX_MANIFEST_BYTES: u64 = 256 << 20;
/// Longest file of segments, bytes, at 60 bytes per segment.
const MAX_SEGMENTS_BYTES: u64 = 1 << 30;

/// The files that a manifest records.
pub(crate) fn members(unlabelled: bool) -> &'static [&'static str] {
    match unlabelled {
        false => &[FRAMES_FILE, SEGMENTS_FILE],
        true => &[
            FRAMES_FILE,
            SEGMENTS_FILE,
            UNLABELLED_FRAMES_FILE,
            UNLABELLED_FILE,
        ],
    }
}

/// Records the files of a folder and the manifest's own checksum, as the last change to it.
pub(crate) fn add_checksums(manifest: &mut Manifest, folder: &Path) -> Result<(), DataError> {
    for name in members(manifest.unlabelled.is_some()) {
        let path = folder.join(name);
        let bytes = std::fs::metadata(&path)
            .map_err(DataError::io("read", &path))?
            .len();
        manifest.files.insert(
            (*name).to_string(),
            FileRecord {
                bytes,
                blake3: hash_file(&path)?,
            },
        );
    }
    manifest.checksum = Some(checksum(manifest));
    Ok(())
}

/// The hash of a manifest's content, independent of its formatting.
fn checksum(manifest: &Manifest) -> String {
    hash_json(&Manifest {
        checksum: None,
        ..manifest.clone()
    })
}

/// Reads the manifest of a folder; if `verified`, checks that it is unchanged.
///
/// # Errors
/// Where it has another format, is not a manifest, or was altered.
pub(crate) fn read_manifest(folder: &Path, verified: bool) -> Result<Manifest, DataError> {
    let path = folder.join(MANIFEST_FILE);
    require_no_link(&path)?;
    let text = files::read_bounded(&path, MAX_MANIFEST_BYTES)?;
    let json = |source| DataError::Json {
        path: path.clone(),
        expected: "the manifest of a prepared folder",
        source,
    };
    // The format is checked first, so that another version is reported as such.
    let value: serde_json::Value = serde_json::from_slice(&text).map_err(json)?;
    let format = value.get("format").and_then(serde_json::Value::as_u64);
    if format != Some(u64::from(FORMAT)) {
        let found = value
            .get("format")
            .map_or("none".to_string(), ToString::to_string);
        return Err(DataError::structure(
            &path,
            "format",
            format!("{FORMAT} (prepare the data again)"),
            found,
        ));
    }
    let manifest: Manifest = serde_json::from_slice(&text).map_err(json)?;
    if !verified {
        return Ok(manifest);
    }
    let names: Vec<&str> = manifest.files.keys().map(String::as_str).collect();
    let mut wanted = members(manifest.unlabelled.is_some()).to_vec();
    wanted.sort_unstable();
    if names != wanted {
        return Err(DataError::structure(
            &path,
            "files",
            format!("{wanted:?}"),
            format!("{names:?}"),
        ));
    }
    let wanted = Some(checksum(&manifest));
    if manifest.checksum != wanted {
        let named = |hash: &Option<String>| hash.clone().unwrap_or("none".into());
        return Err(altered(
            &path,
            format!("BLAKE3 {} of its content", named(&manifest.checksum)),
            named(&wanted),
        ));
    }
    Ok(manifest)
}

/// Checks that a file of the folder is a regular file of the recorded size.
pub(crate) fn check_size(
    path: &Path,
    name: &str,
    files: &BTreeMap<String, FileRecord>,
) -> Result<(), DataError> {
    require_no_link(path)?;
    let Some(record) = files.get(name) else {
        return Ok(());
    };
    let bytes = std::fs::metadata(path)
        .map_err(DataError::io("open", path))?
        .len();
    if bytes != record.bytes {
        return Err(altered(
            path,
            format!("{} bytes", record.bytes),
            format!("{bytes} bytes"),
        ));
    }
    Ok(())
}

/// Reads a file of the folder, where it is unchanged.
pub(crate) fn read_member(
    path: &Path,
    name: &str,
    files: &BTreeMap<String, FileRecord>,
) -> Result<Vec<u8>, DataError> {
    check_size(path, name, files)?;
    let bytes = files::read_bounded(path, MAX_SEGMENTS_BYTES)?;
    check_hash(path, name, files, || Ok(hash_bytes(&bytes)))?;
    Ok(bytes)
}

/// Checks a file against its recorded hash.
pub(crate) fn check_hash(
    path: &Path,
    name: &str,
    files: &BTreeMap<String, FileRecord>,
    hash: impl FnOnce() -> Result<String, DataError>,
) -> Result<(), DataError> {
    let Some(record) = files.get(name) else {
        return Ok(());
    };
    let found = hash()?;
    if found == record.blake3 {
        Ok(())
    } else {
        Err(altered(path, format!("BLAKE3 {}", record.blake3), found))
    }
}

/// Refuses links, which could lead out of the folder.
fn require_no_link(path: &Path) -> Result<(), DataError> {
    files::require_file(
        path,
        &std::fs::symlink_metadata(path).map_err(DataError::io("open", path))?,
    )
}

fn altered(path: &Path, expected: String, found: String) -> DataError {
    DataError::Altered {
        path: path.to_path_buf(),
        expected,
        found,
    }
}
