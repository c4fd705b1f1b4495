use crate::{FoldOrigin, SplitCounts};
use mosei_schema::SettingError;
use run_record::RecordError;
use std::path::{Path, PathBuf};

/// Why data could not be read, prepared, drawn or written.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// A setting is invalid.
    #[error(transparent)]
    Config(#[from] SettingError),
    /// A file written by this study could not be read or written.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A call to the operating system failed.
    #[error("failed to {action} {}", path.display())]
    Io {
        /// The failed operation, as a verb.
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A file that the configuration names does not exist.
    #[error("{}: no such file; key '{key}' of the configuration names it", path.display())]
    MissingInput {
        /// The path that was tried.
        path: PathBuf,
        /// The key that names it.
        key: &'static str,
    },
    /// A file is not HDF5, or is damaged.
    #[error("{}: expected an HDF5 file (.csd), found something else or a damaged one", path.display())]
    NotHdf5 {
        /// Which file.
        path: PathBuf,
        /// The library's reason.
        source: hdf5::Error,
    },
    /// HDF5 requires a lock on a file and cannot get it.
    #[error(
        "{}: expected an HDF5 file that can be read without a lock, found that HDF5 requires one ({why}) and cannot \
         get it: another program has the file open for writing, or its file system does not support locks; unset HDF5_USE_FILE_LOCKING or set it to FALSE",
        path.display()
    )]
    Locked {
        /// Which file.
        path: PathBuf,
        /// What makes HDF5 require a lock.
        why: String,
        /// The library's reason.
        source: hdf5::Error,
    },
    /// A file is marked as open for writing.
    #[error(
        "{}: expected an HDF5 file that its writer has closed, found it marked as open for writing: close it in that program; if no \
         program has it open, h5clear -s FILE removes the mark",
        path.display()
    )]
    OpenForWriting {
        /// Which file.
        path: PathBuf,
        /// The library's reason.
        source: hdf5::Error,
    },
    /// HDF5 crashed or hung on a file when run on it in a separate process.
    #[error("{}: expected a readable HDF5 file, found a damaged one: HDF5, run on it in a separate process, ended with {why}", path.display())]
    Hdf5Crashed {
        /// Which file.
        path: PathBuf,
        /// How the process ended.
        why: String,
    },
    /// A path is not a regular file with content.
    #[error("{}: expected {expected}, found {found}", path.display())]
    NotAFile {
        /// Which path.
        path: PathBuf,
        /// What should be there.
        expected: &'static str,
        /// What is there.
        found: &'static str,
    },
    /// HDF5 could not read or write part of a file.
    #[error("{}: '{place}': failed to {action}", path.display())]
    Hdf5 {
        /// Which file.
        path: PathBuf,
        /// Group or dataset.
        place: String,
        /// The failed operation, as a verb.
        action: &'static str,
        /// The library's reason.
        source: hdf5::Error,
    },
    /// A file is readable but has the wrong structure.
    #[error("{}: '{place}': expected {expected}, found {found}", path.display())]
    Structure {
        /// Which file.
        path: PathBuf,
        /// Group, dataset or key.
        place: String,
        /// What should be there.
        expected: String,
        /// What is there.
        found: String,
    },
    /// A value inside a file is invalid.
    #[error("{}: '{place}': {source}", path.display())]
    Within {
        /// Which file.
        path: PathBuf,
        /// Key.
        place: String,
        /// Why it is invalid.
        source: Box<DataError>,
    },
    /// A file of a prepared folder was changed after it was written.
    #[error("{}: expected {expected}, found {found}: altered or damaged since it was written, prepare the data again", path.display())]
    Altered {
        /// Which file.
        path: PathBuf,
        /// Recorded size or hash.
        expected: String,
        /// Size or hash of the file.
        found: String,
    },
    /// An interval is not finite, or ends before it starts.
    #[error("{}: video '{video}', row {row}: expected finite start <= end, found [{start}, {end}]", path.display())]
    Interval {
        /// Which file.
        path: PathBuf,
        /// Video id.
        video: String,
        /// Row in the video.
        row: usize,
        /// Start in seconds.
        start: f64,
        /// End in seconds.
        end: f64,
    },
    /// A label is outside its range.
    #[error("{}: video '{video}', row {row}, column '{column}': expected a label in [{low}, {high}], found {value}", path.display())]
    Label {
        /// Which file.
        path: PathBuf,
        /// Video id.
        video: String,
        /// Row in the video.
        row: usize,
        /// Label column.
        column: String,
        /// What is there.
        value: f32,
        /// Smallest value allowed.
        low: f64,
        /// Largest value allowed.
        high: f64,
    },
    /// Two label files give different intervals for one segment.
    #[error("{}: video '{video}', row {row}: expected {expected}, found {found}", path.display())]
    LabelFilesDiffer {
        /// The second file.
        path: PathBuf,
        /// Video id.
        video: String,
        /// Row in the video.
        row: usize,
        /// Interval in the first file, and that file.
        expected: String,
        /// Interval in the second file.
        found: String,
    },
    /// A JSON file has the wrong form.
    #[error("{}: expected {expected}", path.display())]
    Json {
        /// Which file.
        path: PathBuf,
        /// The expected form.
        expected: &'static str,
        /// The parser's reason.
        source: serde_json::Error,
    },
    /// A folds file lists a video twice.
    #[error("{}: video '{video}' is listed in '{first}' and again in '{second}': expected each video once", path.display())]
    DuplicateFoldId {
        /// Which file.
        path: PathBuf,
        /// Video id.
        video: String,
        /// The split that lists it first.
        first: &'static str,
        /// The split that lists it again.
        second: &'static str,
    },
    /// A folds file names videos that neither features nor labels contain.
    #[error("{}: {count} video ids are in neither the features nor the labels, the first is '{first}' in '{split}'{}; expected ids of {others} (set unknown_fold_ids = \"count\" to allow others)", path.display(), near.as_ref().map(|near| format!(", did you mean '{near}'?")).unwrap_or_default())]
    UnknownFoldIds {
        /// Which file.
        path: PathBuf,
        /// How many.
        count: usize,
        /// The first of them.
        first: String,
        /// Its split.
        split: &'static str,
        /// The files with the known ids.
        others: Box<str>,
        /// The id that was probably meant.
        near: Option<Box<str>>,
    },
    /// Two files have no video in common.
    #[error(
        "{}: expected videos of {}, such as '{other_first}', found none of them, but {count} others, such as '{first}'{}",
        path.display(),
        other.display(),
        hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default()
    )]
    NoSharedVideo {
        /// The file with other videos.
        path: PathBuf,
        /// The file whose videos were expected.
        other: PathBuf,
        /// Videos of `path`.
        count: usize,
        /// The first of them, or the most similar.
        first: Box<str>,
        /// One of the videos of `other`: the most similar.
        other_first: Box<str>,
        /// How the two differ.
        hint: Option<Box<str>>,
    },
    /// A split has no usable segment.
    #[error(
        "fold {fold} of {origin}: split '{split}': expected at least one segment with frames, found {counts}"
    )]
    EmptySplit {
        /// Fold, from 0.
        fold: usize,
        /// Where the folds come from.
        origin: FoldOrigin,
        /// Which split.
        split: &'static str,
        /// Kept and dropped segments of the split.
        counts: SplitCounts,
    },
    /// There are too few videos to split.
    #[error("expected at least {expected} videos with labelled frames to split, found {found}")]
    TooFewVideos {
        /// How many are needed.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// No feature column varies over the training frames.
    #[error(
        "fold {fold} of {origin}: expected at least one column that varies over the training frames, found none among {columns}; {not_finite} of {values} values are not finite (NaN, infinite, or beyond float32); of the segments of 'train', {counts}"
    )]
    NoColumn {
        /// Fold, from 0.
        fold: usize,
        /// Where the folds come from.
        origin: FoldOrigin,
        /// Columns of the file.
        columns: usize,
        /// Values of the training frames, pooled and cropped.
        values: u64,
        /// Of these, those that are not finite.
        not_finite: u64,
        /// Kept and dropped segments of the split.
        counts: SplitCounts,
    },
    /// The data lacks a column of the normaliser.
    #[error(
        "column '{column}': expected among the data's columns, found {columns} columns without it{}",
        nearest.as_ref().map(|name| format!(", the nearest is '{name}'")).unwrap_or_default()
    )]
    MissingColumn {
        /// The first column that is missing.
        column: String,
        /// How many columns there are.
        columns: usize,
        /// The column with the most similar name.
        nearest: Option<String>,
    },
    /// The content of a file is implausible.
    #[error(
        "{}: {}expected {expected}, found {found}{}",
        path.display(),
        if place.is_empty() { String::new() } else { format!("{place}: ") },
        hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default()
    )]
    Content {
        /// Which file.
        path: PathBuf,
        /// Dataset, column or similar; empty for the whole file.
        place: String,
        /// What should be there.
        expected: String,
        /// What is there.
        found: String,
        /// What to do.
        hint: Option<Box<str>>,
    },
    /// There is no fold of that number.
    #[error("{}: fold {fold}: expected a fold from 0 to {}, found {fold}", folder.display(), folds.saturating_sub(1))]
    NoSuchFold {
        /// The prepared folder.
        folder: PathBuf,
        /// The requested fold.
        fold: usize,
        /// How many there are.
        folds: usize,
    },
    /// A label budget is larger than the training split, or rounds to 0.
    #[error(
        "fold {fold}: key '{key}', budget {budget}: expected 1 to {available} training segments, found {wanted}; take a {} budget",
        if *wanted == 0 { "larger" } else { "smaller" }
    )]
    Budget {
        /// Fold, from 0.
        fold: usize,
        /// The key that names the budget.
        key: &'static str,
        /// The budget as written.
        budget: String,
        /// Segments it asks for.
        wanted: usize,
        /// Training segments.
        available: usize,
    },
    /// The whole training split has too few positives of an emotion, whatever the label budget.
    #[error(
        "fold {fold}: key 'labels.min_positives': expected at least {expected} training segments with '{emotion}', found {found} among all {available}: no label budget holds more; set min_positives = 0, or leave the emotion out of the labels"
    )]
    EmotionWithoutPositives {
        /// Fold, from 0.
        fold: usize,
        /// The emotion.
        emotion: String,
        /// `min_positives` of the configuration.
        expected: usize,
        /// How many the training split holds.
        found: usize,
        /// Training segments.
        available: usize,
    },
    /// A label budget contains too few positives of an emotion.
    #[error(
        "fold {fold}: key 'labels.min_positives': expected at least {expected} segments with '{emotion}' among the {n} of budget {budget} of '{key}', found {found}; take a larger budget, or set min_positives = 0"
    )]
    TooFewPositives {
        /// Fold, from 0.
        fold: usize,
        /// The key that names the budget.
        key: &'static str,
        /// The budget as written.
        budget: String,
        /// Segments in the budget.
        n: usize,
        /// The emotion.
        emotion: String,
        /// `min_positives` of the configuration.
        expected: usize,
        /// How many the budget holds.
        found: usize,
    },
}

impl DataError {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| DataError::Io {
            action,
            path,
            source,
        }
    }

    pub(crate) fn hdf5(
        path: &Path,
        place: impl Into<String>,
        action: &'static str,
    ) -> impl FnOnce(hdf5::Error) -> Self {
        let (path, place) = (path.to_path_buf(), place.into());
        move |source| DataError::Hdf5 {
            path,
            place,
            action,
            source,
        }
    }

    pub(crate) fn within(path: &Path, place: impl Into<String>, source: DataError) -> Self {
        DataError::Within {
            path: path.to_path_buf(),
            place: place.into(),
            source: Box::new(source),
        }
    }

    /// A [`DataError::Content`] without a hint; `place` is empty for the whole file.
    pub fn content(
        path: &Path,
        place: impl Into<String>,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Self {
        let (place, expected, found) = (place.into(), expected.into(), found.into());
        DataError::Content {
            path: path.to_path_buf(),
            place,
            expected,
            found,
            hint: None,
        }
    }

    /// Adds a hint to a [`DataError::Content`].
    pub fn with_hint(mut self, words: Option<String>) -> Self {
        if let DataError::Content { hint, .. } = &mut self {
            *hint = words.map(String::into_boxed_str);
        }
        self
    }

    pub(crate) fn structure(
        path: &Path,
        place: impl Into<String>,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Self {
        DataError::Structure {
            path: path.to_path_buf(),
            place: place.into(),
            expected: expected.into(),
            found: found.into(),
        }
    }
}
