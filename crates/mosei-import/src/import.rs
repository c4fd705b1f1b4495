//! The steps of an import.
//!
//! Labels are read into memory, frames into a temporary file; both are joined by name, and the .csd
//! files are written video by video.
//!
//! Memory: the labels, a list of recordings, a few thousand rows of a table, and a few videos at a
//! time. Disk: a second copy of all frames as float32, beside the output folder, until the import
//! is done.

use crate::clips::{ByTime, Clips, join_by_time};
use crate::frame_store::{FrameStore, FrameWriter, TimesOf};
use crate::join::ByVideoTimes;
use crate::labels::Labels;
use crate::mapping::Mapping;
use crate::read_features::{FeaturesRead, read_features};
use crate::read_labels::read_labels;
use crate::write::{Files, Pair};
use crate::{ImportError, ImportFormat, ImportSummary, LeftOutColumn, folds, frames, join, write};
use mosei_data::{DataError, files};
use mosei_schema::COVAREP_COLUMNS;
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
    /// A table of frames, arrays, or a folder with one file per recording or the parts of one table.
    pub features: PathBuf,
    /// A table of labelled segments; `None` for recordings without labels, each of which is then a
    /// video by itself.
    pub labels: Option<PathBuf>,
    /// Which recordings, videos or speakers are in which split (JSON).
    pub folds: Option<PathBuf>,
    /// The meaning of columns, category names and ids (TOML).
    pub mapping: Option<PathBuf>,
    /// Names of the feature columns, one per line, where the features have none; of all columns where
    /// a text file has no header.
    pub columns: Option<PathBuf>,
    /// The format of the features, where it cannot be detected.
    pub format: Option<ImportFormat>,
    /// Frame rate in Hz, where the features have no times.
    pub rate_hz: Option<f64>,
    /// When the clips of the transcript are said: a folder of transcripts, or a table.
    pub clips: Option<PathBuf>,
}

/// Writes `features.csd`, `labels.csd` (where there are labels) and, where the folds are known,
/// `folds.json` into `out`: all of them or none. `progress` is called with the number of videos
/// written and their total.
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
    files::require_replaceable(out, &[FEATURES_FILE, LABELS_FILE, FOLDS_FILE])?;
    let inputs = Inputs::open(options)?;
    let staged = StagedDir::create(out)?;
    let summary = inputs.convert(options, staged.path(), true, progress)?;
    staged.commit_as_is()?;
    Ok(summary)
}

/// Reads and joins all that [`import`] would, and writes nothing but a temporary file.
///
/// # Errors
/// As [`import`].
pub fn preview(
    options: &ImportOptions,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<ImportSummary, ImportError> {
    let folder = std::env::temp_dir();
    let scratch =
        tempfile::tempdir_in(&folder).map_err(ImportError::io("create a folder in", &folder))?;
    Inputs::open(options)?.convert(options, scratch.path(), false, progress)
}

/// The mapping file and the times of clips, which are read before all others.
struct Inputs {
    mapping: Mapping,
    clips: Option<Clips>,
    hop_s: Option<f64>,
}

impl Inputs {
    fn open(options: &ImportOptions) -> Result<Self, ImportError> {
        let bad = |rate: &f64| !(*rate > 0.0 && *rate <= MAX_RATE_HZ);
        if let Some(found) = options.rate_hz.filter(bad) {
            return Err(ImportError::Rate {
                max: MAX_RATE_HZ,
                found,
            });
        }
        if let (None, Some(folds)) = (&options.labels, &options.folds) {
            let expected = "labels beside folds, as folds are of labelled videos";
            return Err(ImportError::table(folds, "", expected, "none"));
        }
        let mapping = options
            .mapping
            .as_deref()
            .map(Mapping::read)
            .transpose()?
            .unwrap_or_default();
        let clips = options.clips.as_deref();
        let clips = clips.map(|path| Clips::read(path, &mapping)).transpose()?;
        Ok(Inputs {
            mapping,
            clips,
            hop_s: options.rate_hz.map(f64::recip),
        })
    }

    /// Converts all recordings. `folder` takes the frames for the time being and, with `save`, the
    /// files.
    fn convert(
        &self,
        options: &ImportOptions,
        folder: &Path,
        save: bool,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<ImportSummary, ImportError> {
        let mut labels = match &options.labels {
            Some(path) => read_labels(path, &self.mapping, folder)?,
            None => Labels::default(),
        };
        let given = options.columns.as_deref().map(read_names).transpose()?;
        let (mut read, frames) = self.frames(options, given.as_deref(), folder)?;
        let columns = self.columns(options, given, &mut read, &frames)?;
        let (features, hop_s) = (&options.features, read.hop_s.or(self.hop_s));
        let labelled = options.labels.is_some();
        let mut by_time = ByTime::default();
        let joined = if labelled {
            let times = ByVideoTimes::of(&labels, features, &frames, hop_s)?;
            by_time = join_by_time(&mut labels, features, &frames, self.clips.as_ref(), times)?;
            join::join(&labels, features, &frames, times)?
        } else {
            join::unlabelled(features, &frames)?
        };
        let folds = match &options.folds {
            Some(path) => Some(folds::from_file(path, &joined, &labels, self.mapping.ids)?),
            None => folds::declared(features, &joined, &labels, &frames)?,
        };
        let pair = Pair {
            joined: &joined,
            labels: &labels,
            frames: &frames,
            columns: &columns,
            kept: &self.mapping.features.keep,
            hop_s,
            source: &options.features,
        };
        let files = save.then(|| Files {
            features: folder.join(FEATURES_FILE),
            labels: labelled.then(|| folder.join(LABELS_FILE)),
        });
        let written = write::write(&pair, files.as_ref(), progress)?;
        if let (Some((lists, _)), true) = (&folds, save) {
            let path = folder.join(FOLDS_FILE);
            let text = serde_json::to_vec_pretty(lists).map_err(|source| DataError::Json {
                path: path.clone(),
                expected: "folds that can be written as JSON",
                source,
            })?;
            write_atomic(&path, &text)?;
        }
        Ok(ImportSummary::new(&pair, read, written, folds, by_time))
    }

    /// Reads all frames.
    fn frames(
        &self,
        options: &ImportOptions,
        given: Option<&[String]>,
        folder: &Path,
    ) -> Result<(FeaturesRead, FrameStore), ImportError> {
        let mut writer = FrameWriter::create(folder)?;
        let source = crate::detect_format::detect_format(&options.features, options.format)?;
        let mut read = read_features(
            &source,
            &self.mapping,
            given,
            self.hop_s,
            folder,
            &mut writer,
        )?;
        frames::check_order(&options.features, &writer)?;
        let names = read.names.clone().unwrap_or_default();
        let empty: Vec<usize> = read
            .droppable
            .iter()
            .copied()
            .filter(|&c| !writer.has_value(c))
            .collect();
        for &c in &empty {
            let reason = "no value in any row".to_string();
            read.left_out.push(LeftOutColumn {
                name: names[c].clone(),
                reason,
            });
        }
        read.names = read.names.map(|names| {
            let kept = names
                .into_iter()
                .enumerate()
                .filter(|(i, _)| !empty.contains(i));
            kept.map(|(_, name)| name).collect()
        });
        let times = match read.times {
            TimesOf::Table if read.times_column.is_none() => TimesOf::Frames,
            times => times,
        };
        let mut frames = writer.finish(times, read.centred)?;
        frames.leave_out(&empty);
        let nothing = |expected| Err(ImportError::table(&options.features, "", expected, "none"));
        if frames.recordings.is_empty() {
            return nothing("at least one frame");
        }
        if frames.columns == 0 {
            return nothing("at least one column with a value");
        }
        Ok((read, frames))
    }

    /// The names of the feature columns.
    fn columns(
        &self,
        options: &ImportOptions,
        given: Option<Vec<String>>,
        read: &mut FeaturesRead,
        frames: &FrameStore,
    ) -> Result<Vec<String>, ImportError> {
        if let (Some(path), Some(given), false) = (&options.columns, given, read.headerless) {
            if given.len() != frames.columns {
                let expected =
                    format!("{} names, one per line, as many as columns", frames.columns);
                return Err(ImportError::table(
                    path,
                    "",
                    expected,
                    given.len().to_string(),
                ));
            }
            return Ok(given);
        }
        if let Some(names) = &read.names {
            return Ok(names.clone());
        }
        if frames.columns == COVAREP_COLUMNS.len() {
            let note = format!(
                "{} columns without names are taken to be COVAREP's",
                frames.columns
            );
            read.notes.push(note);
            return Ok(COVAREP_COLUMNS.map(String::from).to_vec());
        }
        read.unnamed = true;
        Ok((0..frames.columns).map(|i| format!("column_{i}")).collect())
    }
}

/// Reads column names, one per line.
fn read_names(path: &Path) -> Result<Vec<String>, ImportError> {
    let bytes = files::read_bounded(path, MAX_NAMES_BYTES)?;
    let text = String::from_utf8(bytes)
        .map_err(|_| ImportError::table(path, "", "text in UTF-8", "other bytes"))?;
    let names: Vec<String> = text
        .lines()
        .map(|line| line.trim().to_string())
        .filter(|line| !line.is_empty())
        .collect();
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
