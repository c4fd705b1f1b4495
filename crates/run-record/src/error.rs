use std::path::{Path, PathBuf};

/// Why something of a run could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
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
    /// Something that is no file stands where a file is to be written.
    #[error("{}: expected a file or nothing there, found {found}", path.display())]
    NoFile {
        /// Where.
        path: PathBuf,
        /// What stands there.
        found: &'static str,
    },
    /// Something that is no folder stands where a folder is to be written.
    #[error("{}: expected a folder or nothing there, found a file", path.display())]
    NoFolder {
        /// Where.
        path: PathBuf,
    },
    /// A file is not what was written there.
    #[error("{}: expected content with BLAKE3 {expected}, found {found}", path.display())]
    Sum {
        /// Which file.
        path: PathBuf,
        /// The checksum taken when it was written.
        expected: String,
        /// Its checksum now, or that it is gone.
        found: String,
    },
    /// A JSON document does not say what it should.
    #[error("{}: not the JSON expected here", path.display())]
    Json {
        /// Which file.
        path: PathBuf,
        /// The parser's reason.
        source: serde_json::Error,
    },
    /// A Parquet table is broken or cannot be written.
    #[error("{}: table cannot be read or written", path.display())]
    Parquet {
        /// Which file.
        path: PathBuf,
        /// The library's reason.
        source: parquet::errors::ParquetError,
    },
    /// A CSV table is broken or cannot be written.
    #[error("{}: not the CSV expected here", path.display())]
    Csv {
        /// Which file.
        path: PathBuf,
        /// The library's reason.
        source: csv::Error,
    },
    /// A table lacks a column or holds it in another type.
    #[error("{}: column '{column}': expected {expected}, found {found}", path.display())]
    Column {
        /// Which file.
        path: PathBuf,
        /// Which column.
        column: String,
        /// Type or count that was wanted.
        expected: String,
        /// What is there.
        found: String,
    },
}

impl RecordError {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| RecordError::Io { action, path, source }
    }

    pub(crate) fn parquet(path: &Path) -> impl FnOnce(parquet::errors::ParquetError) -> Self {
        let path = path.to_path_buf();
        move |source| RecordError::Parquet { path, source }
    }

    pub(crate) fn csv(path: &Path) -> impl FnOnce(csv::Error) -> Self {
        let path = path.to_path_buf();
        move |source| RecordError::Csv { path, source }
    }
}
