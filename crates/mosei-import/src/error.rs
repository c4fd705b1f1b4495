use mosei_data::DataError;
use run_record::RecordError;
use std::path::{Path, PathBuf};

/// Why tables could not be imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A table, an array, a .csd file, an HDF5 file, ids or times were invalid.
    #[error(transparent)]
    Data(#[from] DataError),
    /// An output file could not be written.
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
    /// The frame rate is invalid.
    #[error("frame rate: expected a number above 0, at most {max}, found {found}")]
    Rate {
        /// Highest rate accepted, Hz.
        max: f64,
        /// The rate given.
        found: f64,
    },
    /// The library for a format could not read a file.
    #[error("{}: expected {expected}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// The format.
        expected: &'static str,
        /// The library's reason.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A mapping file is invalid.
    #[error("{}: key '{key}': {reason}", path.display())]
    Mapping {
        /// Which file.
        path: PathBuf,
        /// The key.
        key: String,
        /// Why it is invalid.
        reason: String,
    },
    /// A file is a pickle where another format was expected.
    #[error(
        "{}: expected a table or an array, found {found}: see 'Pickles' in docs/your-data.md for those that are read",
        path.display()
    )]
    Pickle {
        /// Which file.
        path: PathBuf,
        /// How it was recognised.
        found: &'static str,
    },
}

impl ImportError {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| ImportError::Io {
            action,
            path,
            source,
        }
    }

    pub(crate) fn table(
        path: &Path,
        place: impl Into<String>,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Self {
        DataError::content(path, place, expected, found).into()
    }

    /// Adds a hint to an error of [`Self::table`].
    pub(crate) fn with_hint(self, words: Option<String>) -> Self {
        match self {
            ImportError::Data(error) => error.with_hint(words).into(),
            other => other,
        }
    }

    pub(crate) fn unreadable(
        path: &Path,
        expected: &'static str,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        ImportError::Unreadable {
            path: path.to_path_buf(),
            expected,
            source: source.into(),
        }
    }
}
