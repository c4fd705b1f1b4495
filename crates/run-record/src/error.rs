use std::error::Error;
use std::path::{Path, PathBuf};

/// Before the advice at the end of an error's text: what to do next.
const NEXT: &str = "\n  next: ";

/// An error and its causes on one line, separated by colons. A cause whose message the line holds
/// already is left out. Advice, which a message gives after `\n  next: `, follows below the line.
pub fn error_chain(error: &(dyn Error + 'static)) -> String {
    let (mut text, mut advice) = (String::new(), String::new());
    for cause in std::iter::successors(Some(error), |e| (**e).source()) {
        let message = cause.to_string();
        let (reason, next) = match message.split_once(NEXT) {
            Some((reason, next)) => (reason, Some(next)),
            None => (message.as_str(), None),
        };
        if !text.contains(reason) {
            let colon = if text.is_empty() { "" } else { ": " };
            text = format!("{text}{colon}{reason}");
        }
        advice.extend(next.map(|next| format!("{NEXT}{next}")));
    }
    text + &advice
}

/// Why a file of a run could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// A call to the operating system failed.
    #[error("failed to {action} {}", path.display())]
    Io {
        /// What was attempted, as a verb.
        action: &'static str,
        /// The path.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// Something other than a file is in the place of a file to be written.
    #[error("{}: expected a file or nothing there, found {found}", path.display())]
    NoFile {
        /// The path.
        path: PathBuf,
        /// What is there.
        found: &'static str,
    },
    /// A file is in the place of a folder to be written.
    #[error("{}: expected a folder or nothing there, found a file", path.display())]
    NoFolder {
        /// The path.
        path: PathBuf,
    },
    /// A file has changed since it was written.
    #[error("{}: expected content with BLAKE3 {expected}, found {found}", path.display())]
    Sum {
        /// The file.
        path: PathBuf,
        /// The checksum taken when it was written.
        expected: String,
        /// Its checksum now, or that it is missing.
        found: String,
    },
    /// A JSON document has unexpected content.
    #[error("{}: not the JSON expected here", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// The parser's reason.
        source: serde_json::Error,
    },
    /// A Parquet table is invalid or cannot be written.
    #[error("{}: the table cannot be read or written", path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// The library's reason.
        source: parquet::errors::ParquetError,
    },
    /// A CSV table is invalid or cannot be written.
    #[error("{}: unexpected CSV content", path.display())]
    Csv {
        /// The file.
        path: PathBuf,
        /// The library's reason.
        source: csv::Error,
    },
    /// A column of a table is missing or has another type.
    #[error("{}: column '{column}': expected {expected}, found {found}", path.display())]
    Column {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// The expected type or count.
        expected: String,
        /// What is there.
        found: String,
    },
}

impl RecordError {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| RecordError::Io {
            action,
            path,
            source,
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_holds_each_message_once() {
        let source = std::io::Error::other("disk full");
        let error = RecordError::Io {
            action: "write",
            path: "a".into(),
            source,
        };
        assert_eq!(error_chain(&error), "failed to write a: disk full");
        let source = std::io::Error::other("write");
        let error = RecordError::Io {
            action: "write",
            path: "a".into(),
            source,
        };
        assert_eq!(error_chain(&error), "failed to write a");
    }
}
