use crate::ConfigError;
use run_record::RecordError;
use std::path::{Path, PathBuf};

/// Why data could not be read, prepared, drawn or written.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// A setting is not one that can be carried out.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A file of ours could not be read or written.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The operating system refused.
    #[error("failed to {action} {}", path.display())]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A file that the configuration names is not there.
    #[error("{}: no such file; key '{key}' of the configuration names it", path.display())]
    MissingInput {
        /// Where it was looked for.
        path: PathBuf,
        /// The key that names it.
        key: &'static str,
    },
    /// A file that should be HDF5 is something else.
    #[error("{}: expected an HDF5 file (.csd), found something else or a damaged one", path.display())]
    NotHdf5 {
        /// Which file.
        path: PathBuf,
        /// The library's reason.
        source: hdf5::Error,
    },
    /// HDF5 could not read or write a part of a file.
    #[error("{}: '{place}': failed to {action}", path.display())]
    Hdf5 {
        /// Which file.
        path: PathBuf,
        /// Group or dataset.
        place: String,
        /// What was tried, as a verb.
        action: &'static str,
        /// The library's reason.
        source: hdf5::Error,
    },
    /// A file is readable but not built as it should be.
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
    /// An interval that is no interval.
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
    /// A label outside its range.
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
    /// Two label files disagree about a segment's place in time.
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
    /// A JSON file does not say what it should.
    #[error("{}: expected {expected}", path.display())]
    Json {
        /// Which file.
        path: PathBuf,
        /// The form that was wanted.
        expected: &'static str,
        /// The parser's reason.
        source: serde_json::Error,
    },
    /// A video stands twice in the folds.
    #[error("{}: video '{video}' stands in '{first}' and again in '{second}': expected every video once", path.display())]
    DuplicateFoldId {
        /// Which file.
        path: PathBuf,
        /// Video id.
        video: String,
        /// Split of its first mention.
        first: &'static str,
        /// Split of its second mention.
        second: &'static str,
    },
    /// The folds name videos that no file holds.
    #[error("{}: {count} video ids are in neither the features nor the labels, the first is '{first}' in '{split}'; expected none (set unknown_fold_ids = \"count\" to allow them)", path.display())]
    UnknownFoldIds {
        /// Which file.
        path: PathBuf,
        /// How many.
        count: usize,
        /// The first of them.
        first: String,
        /// Its split.
        split: &'static str,
    },
    /// A split without anything to use.
    #[error("fold {fold}: split '{split}': expected at least one segment with frames, found none")]
    EmptySplit {
        /// Fold, from 0.
        fold: usize,
        /// Which split.
        split: &'static str,
    },
    /// Too few videos to split.
    #[error("expected at least {expected} videos with labelled frames to split, found {found}")]
    TooFewVideos {
        /// How many are needed.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// No column is left to learn from.
    #[error(
        "fold {fold}: expected at least one column that varies over the training frames, found none among {columns}"
    )]
    NoColumn {
        /// Fold, from 0.
        fold: usize,
        /// Columns of the file.
        columns: usize,
    },
    /// A column that a normaliser needs is not in the data.
    #[error("column '{column}': expected among the data's columns, found only {}", found.join(", "))]
    MissingColumn {
        /// The first column that is missing.
        column: String,
        /// The columns there are.
        found: Vec<String>,
    },
    /// A fold that does not exist.
    #[error("fold {fold}: expected one of 0 to {}", folds.saturating_sub(1))]
    NoSuchFold {
        /// What was asked for.
        fold: usize,
        /// How many there are.
        folds: usize,
    },
    /// A label budget that is larger than the training split, or rounds to nothing.
    #[error("fold {fold}: label budget {budget}: expected 1 to {available} segments, found {wanted}")]
    Budget {
        /// Fold, from 0.
        fold: usize,
        /// The budget as written.
        budget: String,
        /// Segments it asks for.
        wanted: usize,
        /// Training segments.
        available: usize,
    },
    /// A label budget that holds too few positives of an emotion to learn it.
    #[error(
        "fold {fold}: label budget {budget}: expected at least {expected} segments with '{emotion}', found {found}"
    )]
    TooFewPositives {
        /// Fold, from 0.
        fold: usize,
        /// Segments in the budget.
        budget: usize,
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
        move |source| DataError::Io { action, path, source }
    }

    pub(crate) fn hdf5(
        path: &Path,
        place: impl Into<String>,
        action: &'static str,
    ) -> impl FnOnce(hdf5::Error) -> Self {
        let (path, place) = (path.to_path_buf(), place.into());
        move |source| DataError::Hdf5 { path, place, action, source }
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
