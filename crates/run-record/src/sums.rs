//! `checksums.json` in a folder: a map from the path of each file to its BLAKE3 hash.
//!
//! Here: computing the checksums when a folder is finished, and verifying them when it is read. The
//! hashes of a step's outputs are in the step's record ([`crate::StepRecord`]).

use crate::{RecordError, hash_file, read_to_string};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Component, Path, PathBuf};

/// Name of the checksum file of a folder.
pub const SUMS_FILE: &str = "checksums.json";

/// Computes the checksum of every file below `folder` and writes the checksum file.
pub(crate) fn write(folder: &Path) -> Result<(), RecordError> {
    let (mut files, mut folders) = (Vec::new(), Vec::new());
    list(folder, &mut files, &mut folders)?;
    let mut sums = BTreeMap::new();
    for path in &files {
        sums.insert(name(folder, path), hash_file(path)?);
    }
    let path = folder.join(SUMS_FILE);
    let text = serde_json::to_string_pretty(&sums).map_err(|source| RecordError::Json {
        path: path.clone(),
        source,
    })?;
    fs::write(&path, text + "\n").map_err(RecordError::io("write", &path))
}

/// Syncs all files and folders below `folder`, without which a rename of the folder would not be
/// durable.
pub(crate) fn sync_all(folder: &Path) -> Result<(), RecordError> {
    let (mut files, mut folders) = (Vec::new(), Vec::new());
    list(folder, &mut files, &mut folders)?;
    let sync = |path: &PathBuf| {
        File::open(path)
            .and_then(|f| f.sync_all())
            .map_err(RecordError::io("sync", path))
    };
    files.iter().chain(&folders).try_for_each(sync)
}

/// Verifies the files of a folder against its checksums.
///
/// # Returns
/// Whether the folder has checksums; one that was created by other means has none.
///
/// # Errors
/// The first file that is missing or has changed.
pub fn check_sums(folder: &Path) -> Result<bool, RecordError> {
    let path = folder.join(SUMS_FILE);
    if !path.exists() {
        return Ok(false);
    }
    let sums: BTreeMap<String, String> = serde_json::from_str(&read_to_string(&path)?)
        .map_err(|source| RecordError::Json { path, source })?;
    for (name, expected) in sums {
        let file = folder.join(&name);
        // A path outside the folder shows that the checksum file itself was altered.
        let inside = Path::new(&name)
            .components()
            .all(|part| matches!(part, Component::Normal(_)));
        let found = match inside && file.is_file() {
            true => hash_file(&file)?,
            false if !inside => "a path outside the folder".to_string(),
            false => "no such file".to_string(),
        };
        if found != expected {
            return Err(RecordError::Sum {
                path: file,
                expected,
                found,
            });
        }
    }
    Ok(true)
}

/// A path relative to a folder with `/` as separator, the same on every system.
fn name(folder: &Path, path: &Path) -> String {
    let inside = path.strip_prefix(folder).unwrap_or(path);
    inside
        .iter()
        .map(|part| part.to_string_lossy())
        .collect::<Vec<_>>()
        .join("/")
}

/// All files below `folder`, and all folders including itself, sorted by name.
fn list(
    folder: &Path,
    files: &mut Vec<PathBuf>,
    folders: &mut Vec<PathBuf>,
) -> Result<(), RecordError> {
    let read = RecordError::io("list", folder);
    let entries: std::io::Result<Vec<_>> = fs::read_dir(folder).and_then(Iterator::collect);
    let mut paths: Vec<PathBuf> = entries
        .map_err(read)?
        .into_iter()
        .map(|entry| entry.path())
        .collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            list(&path, files, folders)?
        } else {
            files.push(path)
        }
    }
    folders.push(folder.to_path_buf());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StagedDir;

    #[test]
    fn a_changed_or_missing_file_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let model = dir.path().join("model");
        let staged = StagedDir::create(&model).unwrap();
        fs::create_dir(staged.path().join("encoder")).unwrap();
        fs::write(staged.path().join("encoder/w"), "weights").unwrap();
        fs::write(staged.path().join("heads"), "heads").unwrap();
        staged.commit().unwrap();
        assert!(check_sums(&model).unwrap());

        let file = model.join("encoder/w");
        fs::write(&file, "Weights").unwrap();
        let message = check_sums(&model).unwrap_err().to_string();
        let hash = |text: &str| crate::hash_bytes(text.as_bytes());
        let expected = format!(
            "expected content with BLAKE3 {}, found {}",
            hash("weights"),
            hash("Weights")
        );
        assert_eq!(message, format!("{}: {expected}", file.display()));
        fs::remove_file(&file).unwrap();
        assert!(
            check_sums(&model)
                .unwrap_err()
                .to_string()
                .ends_with("found no such file")
        );
        fs::write(&file, "weights").unwrap();
        assert!(check_sums(&model).unwrap());
        fs::write(model.join(SUMS_FILE), "{").unwrap();
        assert!(check_sums(&model).is_err());
        fs::write(
            model.join(SUMS_FILE),
            format!("{{\"../file\": \"{}\"}}", hash("x")),
        )
        .unwrap();
        fs::write(dir.path().join("file"), "x").unwrap();
        assert!(
            check_sums(&model)
                .unwrap_err()
                .to_string()
                .ends_with("found a path outside the folder")
        );
    }

    #[test]
    fn a_folder_without_checksums_passes() {
        assert!(!check_sums(tempfile::tempdir().unwrap().path()).unwrap());
    }
}
