//! One stream among several: a file with several computational sequences (MultiBench's
//! `mosei.hdf5`), or a folder with one in each file (the SDK's `final_aligned`).
//!
//! What lives here: which one is meant, by its name alone. What does not: reading it
//! (`csd_source`).

use crate::ImportError;
use crate::mapping::Mapping;
use mosei_data::Csd;
use std::path::{Path, PathBuf};

/// What names of acoustic features contain, in lower case.
const AUDIO: [&str; 3] = ["covarep", "acoustic", "audio"];
/// What names of labels contain.
const LABELS: [&str; 1] = ["label"];

/// Opens the stream of the features: the one that the mapping file names, else the acoustic one.
/// `files` are those of a folder; none for a file with streams.
///
/// # Errors
/// Where the file or folder holds no such stream, or several.
pub(crate) fn features(
    path: &Path,
    files: &[PathBuf],
    mapping: &Mapping,
) -> Result<Csd, ImportError> {
    let chosen = mapping.features.modality.as_deref();
    open(path, files, chosen, &AUDIO, "[features] modality")
}

/// Opens the stream of the labels: the one that the mapping file names, else the one whose name
/// says so. `files` as above.
///
/// # Errors
/// Where the file or folder holds no such stream, or several.
pub(crate) fn labels(
    path: &Path,
    files: &[PathBuf],
    mapping: &Mapping,
) -> Result<Csd, ImportError> {
    let chosen = mapping.labels.array.as_deref();
    open(path, files, chosen, &LABELS, "[labels] array")
}

fn open(
    path: &Path,
    files: &[PathBuf],
    chosen: Option<&str>,
    usual: &[&str],
    key: &str,
) -> Result<Csd, ImportError> {
    if !files.is_empty() {
        let names: Vec<String> = files.iter().map(|file| stem(file)).collect();
        let place = choose(path, &names, chosen, usual, key)?;
        return Ok(Csd::open(&files[place])?);
    }
    let streams = Csd::streams(path)?;
    // The usual file: one sequence, whatever its name.
    if let ([only], None) = (streams.as_slice(), chosen) {
        return Ok(Csd::open_stream(path, only)?);
    }
    let place = choose(path, &streams, chosen, usual, key)?;
    Ok(Csd::open_stream(path, &streams[place])?)
}

fn stem(file: &Path) -> String {
    let stem = file.file_stem().unwrap_or_default();
    stem.to_string_lossy().into_owned()
}

/// The place of the name that is meant.
fn choose(
    path: &Path,
    names: &[String],
    chosen: Option<&str>,
    usual: &[&str],
    key: &str,
) -> Result<usize, ImportError> {
    let is_meant = |name: &String| match chosen {
        Some(chosen) => name == chosen,
        None => usual.iter().any(|part| name.to_lowercase().contains(part)),
    };
    let found: Vec<usize> = (0..names.len()).filter(|&i| is_meant(&names[i])).collect();
    match found.as_slice() {
        [one] => Ok(*one),
        found => {
            let listed = match found {
                [] => names.iter().collect::<Vec<_>>(),
                several => several.iter().map(|&i| &names[i]).collect(),
            };
            let listed: Vec<String> = listed.iter().map(|name| format!("'{name}'")).collect();
            let expected = match chosen {
                Some(chosen) => format!("a stream '{chosen}', as '{key}' says"),
                None => format!(
                    "one stream with '{}' in its name, or '{key}' in a mapping file",
                    usual.join("' or '")
                ),
            };
            Err(ImportError::table(path, "", expected, listed.join(", ")))
        }
    }
}
