use mosei_data::DataError;
use run_record::RecordError;
use std::path::{Path, PathBuf};

/// Why tables could not be imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A .csd file, an HDF5 file, ids or times were invalid.
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
    /// A table or array is invalid.
    #[error(
        "{}: {}expected {expected}, found {found}{}",
        path.display(),
        if place.is_empty() { String::new() } else { format!("{place}: ") },
        hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default()
    )]
    Table {
        /// Which file.
        path: PathBuf,
        /// Line or row, and column; empty for the whole file.
        place: String,
        /// What should be there.
        expected: String,
        /// What is there.
        found: String,
        /// What was probably meant, or what to do.
        hint: Option<Box<str>>,
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
    /// A file is a pickle. Opening one can run arbitrary code, so none is opened.
    #[error(
        "{}: expected a table or an array, found {found}; pickles are not opened, as opening one can run any code in it. If you trust the \
         file, convert it to Parquet or .npy in Python: see 'Pickles' in docs/your-data.md",
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
        let (place, expected, found) = (place.into(), expected.into(), found.into());
        ImportError::Table {
            path: path.to_path_buf(),
            place,
            expected,
            found,
            hint: None,
        }
    }

    /// Adds a hint to an [`ImportError::Table`].
    pub(crate) fn with_hint(mut self, words: Option<String>) -> Self {
        if let ImportError::Table { hint, .. } = &mut self {
            *hint = words.map(String::into_boxed_str);
        }
        self
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
