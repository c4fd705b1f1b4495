//! Tables that people have, to a pair of .csd files.
//!
//! What lives here: the order of things: labels are read whole, frames go to a file between, names are joined, and our files are
//! written video by video. What does not: each format, a file of its own below.
//!
//! Memory: the labels, a list of recordings, some thousand rows of a table, and a few videos at a time. Disk: all frames once more, as
//! float32, beside the folder that is written, until it is done.

mod arff;
mod arrow;
mod cell;
mod folds;
mod frames;
mod join;
mod labels;
mod mapping;
mod names;
mod npy;
mod parquet;
mod recognise;
mod released;
mod scratch;
mod seconds;
mod sequence;
mod summary;
mod table;
mod text;
mod write;

pub use recognise::ImportFormat;
pub use summary::ImportSummary;
pub(crate) use write::LABELS_ROOT;

use crate::config::require;
use crate::{DataError, place, whole};
use labels::Labels;
use mapping::Mapping;
use recognise::{Source, recognise};
use run_record::{StagedDir, write_atomic};
use scratch::Scratch;
use std::path::{Path, PathBuf};
use table::Table;

/// The features that are written.
pub const IMPORT_FEATURES_FILE: &str = "features.csd";
/// The labels that are written.
pub const IMPORT_LABELS_FILE: &str = "labels.csd";
const FOLDS_FILE: &str = "folds.json";

/// Frames a second beyond which nobody takes features.
const MOST_RATE_HZ: f64 = 1e6;
/// Longest file with names of columns.
const MOST_NAMES_BYTES: u64 = 4 << 20;

/// What is imported.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ImportOptions {
    /// A table of frames, or a folder with a file for each recording.
    pub features: PathBuf,
    /// A table of labelled segments.
    pub labels: PathBuf,
    /// Which recordings, videos or speakers train, validate and test.
    pub folds: Option<PathBuf>,
    /// What columns, words and names mean (TOML).
    pub mapping: Option<PathBuf>,
    /// Names of the feature columns, one a line, where the features have none.
    pub columns: Option<PathBuf>,
    /// What the features are, where it cannot be seen.
    pub format: Option<ImportFormat>,
    /// Frames a second, where the features have no times.
    pub rate_hz: Option<f64>,
}

/// Writes `features.csd`, `labels.csd` and, where the folds are known, `folds.json` into `out`: all or none. `progress` hears videos
/// done and in all.
///
/// ```
/// use mosei_data::{Csd, ImportOptions, import};
///
/// let folder = tempfile::tempdir()?;
/// let at = |name: &str| folder.path().join(name);
/// std::fs::write(at("frames.csv"), "file,start,F0,loudness\nwav/a.wav,0,110,0.5\nwav/a.wav,0.01,112,0.4\n")?;
/// std::fs::write(at("labels.csv"), "file,happy,boredom\na.wav,2.5,0\n")?;
/// let options = ImportOptions { features: at("frames.csv"), labels: at("labels.csv"), ..ImportOptions::default() };
/// let summary = import(&options, &at("data"), &mut |_done, _all| ())?;
/// assert_eq!((summary.frames, summary.segments), (2, 1));
/// assert_eq!(Csd::open(&at("data/features.csd"))?.read("a")?.features, [110.0, 0.5, 112.0, 0.4]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Where the options cannot be carried out, `out` holds something else, a file is not what it must be (each error names file, row or
/// line, column, what is expected and what is found), or nothing is left.
pub fn import(
    options: &ImportOptions,
    out: &Path,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<ImportSummary, DataError> {
    if let Some(rate) = options.rate_hz {
        require(
            rate > 0.0 && rate <= MOST_RATE_HZ,
            "--rate",
            format!("a number above 0, at most {MOST_RATE_HZ}"),
            rate,
        )?;
    }
    place::require_ours(out, &[IMPORT_FEATURES_FILE, IMPORT_LABELS_FILE, FOLDS_FILE])?;
    let mapping = options.mapping.as_deref().map(Mapping::read).transpose()?.unwrap_or_default();
    let hop_s = options.rate_hz.map(f64::recip);
    let features = recognise(&options.features, options.format)?;
    let labels = read_labels(&options.labels, &mapping)?;
    let staged = StagedDir::create(out)?;
    let mut scratch = Scratch::create(staged.path())?;
    let (mut columns, padding) = read_features(&features, &mapping, hop_s, &mut scratch)?;
    let taken = scratch.finish()?;
    if taken.recordings.is_empty() {
        return Err(DataError::table(&options.features, "", "at least one frame", "none"));
    }
    let unnamed = columns.is_none() && options.columns.is_none();
    if let Some(path) = &options.columns {
        columns = Some(read_names(path, taken.columns)?);
    }
    let columns = columns.unwrap_or_else(|| (0..taken.columns).map(|i| format!("column_{i}")).collect());
    let joined = join::join(&labels, &options.features, &taken)?;
    let folds = match &options.folds {
        Some(path) => Some(folds::of_file(path, &joined, &labels, mapping.ids)?),
        None => folds::of_column(&joined, &labels)?,
    };
    let files = [IMPORT_FEATURES_FILE, IMPORT_LABELS_FILE].map(|name| staged.path().join(name));
    let files = [files[0].as_path(), files[1].as_path()];
    let written = write::write(&joined, &labels, &taken, &columns, hop_s, files, &options.features, progress)?;
    if let Some((lists, _)) = &folds {
        let path = staged.path().join(FOLDS_FILE);
        let text = serde_json::to_vec_pretty(lists).map_err(|source| DataError::Json {
            path: path.clone(),
            expected: "folds that can be written as JSON",
            source,
        })?;
        write_atomic(&path, &text)?;
    }
    let summary = ImportSummary::new(&columns, unnamed, &labels, &taken, &joined, written, folds, padding);
    staged.commit_as_is()?;
    Ok(summary)
}

/// Takes all frames; names of the columns, where they have some, and how many segments were nothing but padding.
fn read_features(
    source: &Source,
    mapping: &Mapping,
    hop_s: Option<f64>,
    scratch: &mut Scratch,
) -> Result<(Option<Vec<String>>, usize), DataError> {
    match source {
        Source::Table(path, format) => {
            let table = Table::open(path, *format)?;
            Ok((Some(frames::read(table, mapping, None, hop_s, scratch)?), 0))
        }
        Source::Tables(_, files, format) => {
            let mut first: Option<(Vec<String>, &PathBuf)> = None;
            for file in files {
                let called = file_name(file)?;
                let names = frames::read(Table::open(file, *format)?, mapping, Some(&called), hop_s, scratch)?;
                let (expected, other) = first.get_or_insert((names.clone(), file));
                if let Some((expected, found)) = expected.iter().zip(&names).find(|(a, b)| a != b) {
                    let expected = format!("column '{expected}', as in {}", other.display());
                    return Err(DataError::table(file, "header", expected, format!("'{found}'")));
                }
            }
            Ok((first.map(|(names, _)| names), 0))
        }
        Source::Arrays(folder, files) => {
            let Some(hop) = hop_s else {
                let expected = "--rate with the frames a second, as arrays hold no times";
                return Err(DataError::table(folder, "", expected, "none"));
            };
            for file in files {
                let array = npy::read(file)?;
                frames::require_columns(file, scratch, array.columns)?;
                let called = file_name(file)?;
                let name = mapping.ids.id(&called);
                let at = frames::begin_called(file, "", &name, None, &called, scratch)?;
                for (k, row) in array.values.chunks_exact(array.columns).enumerate() {
                    scratch.push(at, k as f64 * hop, (k + 1) as f64 * hop, row)?;
                }
            }
            Ok((None, 0))
        }
        Source::Csd(path) => Ok((Some(sequence::features(path, mapping, scratch)?), 0)),
        Source::Released(path) => Ok((None, released::features(path, mapping, hop_s, scratch)?)),
    }
}

fn read_labels(path: &Path, mapping: &Mapping) -> Result<Labels, DataError> {
    match recognise(path, None)? {
        Source::Table(path, format) => labels::read(Table::open(&path, format)?, mapping),
        Source::Csd(path) => sequence::labels(&path, mapping),
        Source::Released(path) => released::labels(&path, mapping),
        Source::Tables(..) | Source::Arrays(..) => {
            Err(DataError::table(path, "", "a table with a row a labelled segment", "a folder"))
        }
    }
}

/// The name of a file, where it is text.
fn file_name(path: &Path) -> Result<String, DataError> {
    let name = path.file_name().and_then(|name| name.to_str()).map(String::from);
    name.ok_or_else(|| DataError::table(path, "", "a name in UTF-8", "other bytes"))
}

/// Names of columns, one a line.
fn read_names(path: &Path, columns: usize) -> Result<Vec<String>, DataError> {
    let bytes = whole::read(path, MOST_NAMES_BYTES)?;
    let text = String::from_utf8(bytes).map_err(|_| DataError::table(path, "", "text in UTF-8", "other bytes"))?;
    let names: Vec<String> = text.lines().map(|line| line.trim().to_string()).filter(|line| !line.is_empty()).collect();
    if names.len() != columns {
        let found = format!("{}", names.len());
        return Err(DataError::table(path, "", format!("{columns} names, one a line, as there are columns"), found));
    }
    let mut ordered: Vec<&String> = names.iter().collect();
    ordered.sort();
    match ordered.windows(2).find(|pair| pair[0] == pair[1]) {
        None => Ok(names),
        Some(pair) => {
            Err(DataError::table(path, "", "a name of its own for each column", format!("'{}' twice", pair[0])))
        }
    }
}
