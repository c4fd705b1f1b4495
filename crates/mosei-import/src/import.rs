//! The steps of an import.
//!
//! Labels are read into memory, frames into a temporary file; both are joined by name, and the .csd
//! files are written video by video.
//!
//! Memory: the labels, a list of recordings, a few thousand rows of a table, and a few videos at a
//! time. Disk: a second copy of all frames as float32, beside the output folder, until the import
//! is done.

use crate::detect_format::{Source, detect_format};
use crate::frame_store::FrameWriter;
use crate::labels::Labels;
use crate::mapping::Mapping;
use crate::table::Table;
use crate::write::Pair;
use crate::{
    ImportError, ImportFormat, ImportSummary, csd_source, folds, frames, join, labels, npy,
    padded_hdf5, write,
};
use mosei_data::{DataError, files};
use run_record::{StagedDir, write_atomic};
use std::path::{Path, PathBuf};

/// Name of the features file that [`import`] writes.
pub const FEATURES_FILE: &str = "features.csd";
/// Name of the label file that [`import`] writes.
pub const LABELS_FILE: &str = "labels.csd";
const FOLDS_FILE: &str = "folds.json";

/// Highest frame rate accepted.
const MAX_RATE_HZ: f64 = 1e6;
/// Longest file of column names, bytes.
const MAX_NAMES_BYTES: u64 = 4 << 20;

/// What to import.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ImportOptions {
    /// A table of frames, or a folder with one file per recording.
    pub features: PathBuf,
    /// A table of labelled segments.
    pub labels: PathBuf,
    /// Which recordings, videos or speakers are in which split (JSON).
    pub folds: Option<PathBuf>,
    /// The meaning of columns, category names and ids (TOML).
    pub mapping: Option<PathBuf>,
    /// Names of the feature columns, one per line, where the features have none.
    pub columns: Option<PathBuf>,
    /// The format of the features, where it cannot be detected.
    pub format: Option<ImportFormat>,
    /// Frame rate in Hz, where the features have no times.
    pub rate_hz: Option<f64>,
}

/// Writes `features.csd`, `labels.csd` and, where the folds are known, `folds.json` into `out`: all
/// of them or none. `progress` is called with the number of videos written and their total.
///
/// # Errors
/// Where an option is invalid, `out` holds other files, an input file is invalid (the error names
/// the file, row or line, column, what was expected and what was found), or no labelled segment has
/// features.
pub fn import(
    options: &ImportOptions,
    out: &Path,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<ImportSummary, ImportError> {
    if let Some(found) = options
        .rate_hz
        .filter(|rate| !(*rate > 0.0 && *rate <= MAX_RATE_HZ))
    {
        return Err(ImportError::Rate {
            max: MAX_RATE_HZ,
            found,
        });
    }
    files::require_replaceable(out, &[FEATURES_FILE, LABELS_FILE, FOLDS_FILE])?;
    let mapping = options
        .mapping
        .as_deref()
        .map(Mapping::read)
        .transpose()?
        .unwrap_or_default();
    let hop_s = options.rate_hz.map(f64::recip);
    let features = detect_format(&options.features, options.format)?;
    let labels = read_labels(&options.labels, &mapping)?;
    let staged = StagedDir::create(out)?;
    let mut frame_writer = FrameWriter::create(staged.path())?;
    let (mut columns, padding) = read_features(&features, &mapping, hop_s, &mut frame_writer)?;
    let frames = frame_writer.finish()?;
    if frames.recordings.is_empty() {
        return Err(ImportError::table(
            &options.features,
            "",
            "at least one frame",
            "none",
        ));
    }
    let unnamed = columns.is_none() && options.columns.is_none();
    if let Some(path) = &options.columns {
        columns = Some(read_names(path, frames.columns)?);
    }
    let columns =
        columns.unwrap_or_else(|| (0..frames.columns).map(|i| format!("column_{i}")).collect());
    let joined = join::join(&labels, &options.features, &frames)?;
    let folds = match &options.folds {
        Some(path) => Some(folds::from_file(path, &joined, &labels, mapping.ids)?),
        None => folds::from_column(&joined, &labels)?,
    };
    let pair = Pair {
        joined: &joined,
        labels: &labels,
        frames: &frames,
        columns: &columns,
        hop_s,
        source: &options.features,
    };
    let [features_file, labels_file] =
        [FEATURES_FILE, LABELS_FILE].map(|name| staged.path().join(name));
    let written = write::write(&pair, &features_file, &labels_file, progress)?;
    if let Some((lists, _)) = &folds {
        let path = staged.path().join(FOLDS_FILE);
        let text = serde_json::to_vec_pretty(lists).map_err(|source| DataError::Json {
            path: path.clone(),
            expected: "folds that can be written as JSON",
            source,
        })?;
        write_atomic(&path, &text)?;
    }
    let summary = ImportSummary::new(&pair, unnamed, written, folds, padding);
    staged.commit_as_is()?;
    Ok(summary)
}

/// Reads all frames. Returns the names of the columns, where there are any, and how many segments
/// were nothing but padding.
fn read_features(
    source: &Source,
    mapping: &Mapping,
    hop_s: Option<f64>,
    writer: &mut FrameWriter,
) -> Result<(Option<Vec<String>>, usize), ImportError> {
    match source {
        Source::Table(path, format) => {
            let table = Table::open(path, *format)?;
            Ok((Some(frames::read(table, mapping, None, hop_s, writer)?), 0))
        }
        Source::Tables(_, files, format) => {
            let mut first: Option<(Vec<String>, &PathBuf)> = None;
            for file in files {
                let name = file_name(file)?;
                let columns = frames::read(
                    Table::open(file, *format)?,
                    mapping,
                    Some(&name),
                    hop_s,
                    writer,
                )?;
                let (expected, other) = first.get_or_insert((columns.clone(), file));
                if let Some((expected, found)) = expected.iter().zip(&columns).find(|(a, b)| a != b)
                {
                    let expected = format!("column '{expected}', as in {}", other.display());
                    return Err(ImportError::table(
                        file,
                        "header",
                        expected,
                        format!("'{found}'"),
                    ));
                }
            }
            Ok((first.map(|(columns, _)| columns), 0))
        }
        Source::Arrays(folder, files) => {
            let Some(hop) = hop_s else {
                let expected = "--rate with the frame rate, as arrays hold no times";
                return Err(ImportError::table(folder, "", expected, "none"));
            };
            for file in files {
                let array = npy::read(file)?;
                frames::require_columns(file, writer, array.columns)?;
                let name = file_name(file)?;
                let at =
                    frames::begin_recording(file, "", &mapping.ids.id(&name), None, &name, writer)?;
                for (k, row) in array.values.chunks_exact(array.columns).enumerate() {
                    writer.push(at, k as f64 * hop, (k + 1) as f64 * hop, row)?;
                }
            }
            Ok((None, 0))
        }
        Source::Csd(path) => Ok((Some(csd_source::features(path, mapping, writer)?), 0)),
        Source::PaddedHdf5(path) => {
            Ok((None, padded_hdf5::features(path, mapping, hop_s, writer)?))
        }
    }
}

fn read_labels(path: &Path, mapping: &Mapping) -> Result<Labels, ImportError> {
    match detect_format(path, None)? {
        Source::Table(path, format) => labels::read(Table::open(&path, format)?, mapping),
        Source::Csd(path) => csd_source::labels(&path, mapping),
        Source::PaddedHdf5(path) => padded_hdf5::labels(&path, mapping),
        Source::Tables(..) | Source::Arrays(..) => Err(ImportError::table(
            path,
            "",
            "a table with one row per labelled segment",
            "a folder",
        )),
    }
}

/// The name of a file, which must be UTF-8.
fn file_name(path: &Path) -> Result<String, ImportError> {
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .map(String::from);
    name.ok_or_else(|| ImportError::table(path, "", "a file name in UTF-8", "other bytes"))
}

/// Reads column names, one per line.
fn read_names(path: &Path, columns: usize) -> Result<Vec<String>, ImportError> {
    let bytes = files::read_bounded(path, MAX_NAMES_BYTES)?;
    let text = String::from_utf8(bytes)
        .map_err(|_| ImportError::table(path, "", "text in UTF-8", "other bytes"))?;
    let names: Vec<String> = text
        .lines()
        .map(|line| line.trim().to_string())
        .filter(|line| !line.is_empty())
        .collect();
    if names.len() != columns {
        let expected = format!("{columns} names, one per line, as many as columns");
        return Err(ImportError::table(
            path,
            "",
            expected,
            names.len().to_string(),
        ));
    }
    let mut sorted: Vec<&String> = names.iter().collect();
    sorted.sort();
    match sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        None => Ok(names),
        Some(pair) => Err(ImportError::table(
            path,
            "",
            "a unique name for each column",
            format!("'{}' twice", pair[0]),
        )),
    }
}
