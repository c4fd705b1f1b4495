//! The checksums of a folder's files, in the folder itself: `checksums.json`, a map from path to BLAKE3.
//!
//! What lives here: taking them when a folder is finished, and comparing them when it is read. What does not: the hashes
//! of a run's steps, which stand with the steps (see [`crate::StepRecord`]).

use crate::{RecordError, hash_file, read_to_string};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Component, Path, PathBuf};

/// Name of the file in each folder that was written whole.
pub const SUMS_FILE: &str = "checksums.json";

/// Takes the checksum of every file below `folder` and writes them there.
pub(crate) fn write(folder: &Path) -> Result<(), RecordError> {
    let (mut files, mut folders) = (Vec::new(), Vec::new());
    list(folder, &mut files, &mut folders)?;
    let mut sums = BTreeMap::new();
    for path in &files {
        sums.insert(name(folder, path), hash_file(path)?);
    }
    let path = folder.join(SUMS_FILE);
    let text =
        serde_json::to_string_pretty(&sums).map_err(|source| RecordError::Json { path: path.clone(), source })?;
    fs::write(&path, text + "\n").map_err(RecordError::io("write", &path))
}

/// Makes all files below `folder`, and the names by which they are found, durable: a rename of what holds them is worth
/// nothing before.
pub(crate) fn sync_all(folder: &Path) -> Result<(), RecordError> {
    let (mut files, mut folders) = (Vec::new(), Vec::new());
    list(folder, &mut files, &mut folders)?;
    let sync = |path: &PathBuf| File::open(path).and_then(|f| f.sync_all()).map_err(RecordError::io("sync", path));
    files.iter().chain(&folders).try_for_each(sync)
}

/// Compares the files of a folder that was written whole with the checksums it came with.
///
/// # Returns
/// Whether there were checksums to compare with; a folder made by other means has none.
///
/// # Errors
/// The first file that is missing or has other content.
pub fn check_sums(folder: &Path) -> Result<bool, RecordError> {
    let path = folder.join(SUMS_FILE);
    if !path.exists() {
        return Ok(false);
    }
    let sums: BTreeMap<String, String> =
        serde_json::from_str(&read_to_string(&path)?).map_err(|source| RecordError::Json { path, source })?;
    for (name, expected) in sums {
        let file = folder.join(&name);
        // A list that names something else is not the one that was written here.
        let inside = Path::new(&name).components().all(|part| matches!(part, Component::Normal(_)));
        let found = match inside && file.is_file() {
            true => hash_file(&file)?,
            false if !inside => "a path out of the folder".to_string(),
            false => "no such file".to_string(),
        };
        if found != expected {
            return Err(RecordError::Sum { path: file, expected, found });
        }
    }
    Ok(true)
}

/// A path inside a folder as it stands in the list, the same on every system.
fn name(folder: &Path, path: &Path) -> String {
    let inside = path.strip_prefix(folder).unwrap_or(path);
    inside.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
}

/// Files and folders below `folder` and itself, sorted by name.
fn list(folder: &Path, files: &mut Vec<PathBuf>, folders: &mut Vec<PathBuf>) -> Result<(), RecordError> {
    let read = RecordError::io("list", folder);
    let entries: std::io::Result<Vec<_>> = fs::read_dir(folder).and_then(Iterator::collect);
    let mut paths: Vec<PathBuf> = entries.map_err(read)?.into_iter().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() { list(&path, files, folders)? } else { files.push(path) }
    }
    folders.push(folder.to_path_buf());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StagedDir;

    #[test]
    fn what_was_altered_or_lost_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("model");
        let staged = StagedDir::create(&place).unwrap();
        fs::create_dir(staged.path().join("encoder")).unwrap();
        fs::write(staged.path().join("encoder/w"), "weights").unwrap();
        fs::write(staged.path().join("heads"), "heads").unwrap();
        staged.commit().unwrap();
        assert!(check_sums(&place).unwrap());

        let file = place.join("encoder/w");
        fs::write(&file, "Weights").unwrap();
        let message = check_sums(&place).unwrap_err().to_string();
        let taken = |text: &str| crate::hash_bytes(text.as_bytes());
        let expected = format!("expected content with BLAKE3 {}, found {}", taken("weights"), taken("Weights"));
        assert_eq!(message, format!("{}: {expected}", file.display()));
        fs::remove_file(&file).unwrap();
        assert!(check_sums(&place).unwrap_err().to_string().ends_with("found no such file"));
        fs::write(&file, "weights").unwrap();
        assert!(check_sums(&place).unwrap());
        fs::write(place.join(SUMS_FILE), "{").unwrap();
        assert!(check_sums(&place).is_err());
        fs::write(place.join(SUMS_FILE), format!("{{\"../file\": \"{}\"}}", taken("x"))).unwrap();
        fs::write(dir.path().join("file"), "x").unwrap();
        assert!(check_sums(&place).unwrap_err().to_string().ends_with("found a path out of the folder"));
    }

    #[test]
    fn a_folder_made_by_hand_has_nothing_to_compare_with() {
        assert!(!check_sums(tempfile::tempdir().unwrap().path()).unwrap());
    }
}
