use crate::{ConfigError, FoldOrigin, SplitLosses};
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
    /// A file that HDF5 was told to lock, and cannot.
    #[error(
        "{}: expected an HDF5 file that can be read without a lock, found that HDF5 asks for one and does not get it, by {why}: another \
         program has the file open for writing, or its file system has no locks; unset HDF5_USE_FILE_LOCKING or set it to FALSE",
        path.display()
    )]
    Locked {
        /// Which file.
        path: PathBuf,
        /// What makes HDF5 ask for a lock.
        why: String,
        /// The library's reason.
        source: hdf5::Error,
    },
    /// A file that says of itself that it is being written.
    #[error(
        "{}: expected an HDF5 file that was closed by whoever wrote it, found the mark of one that is open for writing: close it \
         there; where no program has it open any more, h5clear -s FILE takes the mark away",
        path.display()
    )]
    OpenElsewhere {
        /// Which file.
        path: PathBuf,
        /// The library's reason.
        source: hdf5::Error,
    },
    /// A file that HDF5 cannot be given without harm.
    #[error("{}: expected an HDF5 file that can be read, found a damaged one: HDF5, tried on it in a process of its own, came to {why}", path.display())]
    Died {
        /// Which file.
        path: PathBuf,
        /// How the process ended.
        why: String,
    },
    /// Something other than a file with content.
    #[error("{}: expected {expected}, found {found}", path.display())]
    NotAFile {
        /// Which path.
        path: PathBuf,
        /// What should be there.
        expected: &'static str,
        /// What is there.
        found: &'static str,
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
    /// Something in a file that is wrong by itself.
    #[error("{}: '{place}': {source}", path.display())]
    Within {
        /// Which file.
        path: PathBuf,
        /// Key.
        place: String,
        /// What is wrong.
        source: Box<DataError>,
    },
    /// A file of a prepared folder that is not the one that was written.
    #[error("{}: expected {expected}, found {found}: altered or damaged since it was written, prepare the data again", path.display())]
    Altered {
        /// Which file.
        path: PathBuf,
        /// Size or hash that was written down.
        expected: String,
        /// Size or hash of what is there.
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
        /// The files that know the ids.
        others: Box<str>,
        /// The id that was probably meant.
        near: Option<Box<str>>,
    },
    /// Two files that share no video.
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
        /// The first of them, or the one that is most alike.
        first: Box<str>,
        /// One of the videos of `other`: the most alike.
        other_first: Box<str>,
        /// In what the two differ.
        hint: Option<Box<str>>,
    },
    /// A split without anything to use.
    #[error("fold {fold} of {origin}: split '{split}': expected at least one segment with frames, found {losses}")]
    EmptySplit {
        /// Fold, from 0.
        fold: usize,
        /// Where the folds come from.
        origin: FoldOrigin,
        /// Which split.
        split: &'static str,
        /// What became of its segments.
        losses: SplitLosses,
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
        "fold {fold} of {origin}: expected at least one column that varies over the training frames, found none among {columns}; {not_finite} of {values} values are not finite (NaN, infinite, or beyond float32); of the segments of 'train', {losses}"
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
        /// What became of the training segments.
        losses: SplitLosses,
    },
    /// A column that a normaliser needs is not in the data.
    #[error(
        "column '{column}': expected among the data's columns, found {columns} columns without it{}",
        nearest.as_ref().map(|name| format!(", the nearest is '{name}'")).unwrap_or_default()
    )]
    MissingColumn {
        /// The first column that is missing.
        column: String,
        /// How many columns there are.
        columns: usize,
        /// The one whose name is nearest.
        nearest: Option<String>,
    },
    /// A table or array that somebody brought does not say what it should.
    #[error(
        "{}: {}expected {expected}, found {found}{}",
        path.display(),
        if place.is_empty() { String::new() } else { format!("{place}: ") },
        hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default()
    )]
    Table {
        /// Which file.
        path: PathBuf,
        /// Line or row, and column; empty for the whole.
        place: String,
        /// What should be there.
        expected: String,
        /// What is there.
        found: String,
        /// What was perhaps meant, or what to do.
        hint: Option<Box<str>>,
    },
    /// A file of somebody else's format that its library cannot read.
    #[error("{}: expected {expected}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// The format.
        expected: &'static str,
        /// The library's reason.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A mapping file that cannot be carried out.
    #[error("{}: key '{key}': {reason}", path.display())]
    Mapping {
        /// Which file.
        path: PathBuf,
        /// The key.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A pickle, which is a program and not a table.
    #[error(
        "{}: expected a table or an array, found {found}, which is not opened, for opening it runs whatever is in it; where you trust it, turn it into Parquet or .npy in Python: see 'Pickles' in docs/your-data.md",
        path.display()
    )]
    Pickle {
        /// Which file.
        path: PathBuf,
        /// What makes it one.
        found: &'static str,
    },
    /// A fold that does not exist.
    #[error("{}: fold {fold}: expected a fold from 0 to {}, found {fold}", folder.display(), folds.saturating_sub(1))]
    NoSuchFold {
        /// The prepared folder.
        folder: PathBuf,
        /// What was asked for.
        fold: usize,
        /// How many there are.
        folds: usize,
    },
    /// A label budget that is larger than the training split, or rounds to nothing.
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
    /// An emotion that the whole training split has too few positives of, whatever the label budget.
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
    /// A label budget that holds too few positives of an emotion to learn it.
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

    pub(crate) fn within(path: &Path, place: impl Into<String>, source: DataError) -> Self {
        DataError::Within { path: path.to_path_buf(), place: place.into(), source: Box::new(source) }
    }

    pub(crate) fn table(
        path: &Path,
        place: impl Into<String>,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Self {
        let (place, expected, found) = (place.into(), expected.into(), found.into());
        DataError::Table { path: path.to_path_buf(), place, expected, found, hint: None }
    }

    /// The same with a hint, where it has a place for one.
    pub(crate) fn with_hint(mut self, words: Option<String>) -> Self {
        if let DataError::Table { hint, .. } = &mut self {
            *hint = words.map(String::into_boxed_str);
        }
        self
    }

    pub(crate) fn unreadable(
        path: &Path,
        expected: &'static str,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        DataError::Unreadable { path: path.to_path_buf(), expected, source: source.into() }
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
