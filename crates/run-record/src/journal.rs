//! A journal: one JSON object a line, appended while something runs.

use crate::RecordError;
use serde::Serialize;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

/// An open journal. Each line goes to the system at once, so that a reader sees it and a crash keeps it.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
}

impl Journal {
    /// Opens a journal, new or to go on with; missing parent folders are made.
    pub fn append(path: &Path) -> Result<Self, RecordError> {
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(RecordError::io("make folder", parent))?;
        }
        let file = OpenOptions::new().create(true).append(true).open(path).map_err(RecordError::io("open", path))?;
        Ok(Journal { path: path.to_path_buf(), file })
    }

    /// Starts a journal anew, dropping what an earlier one held.
    pub fn create(path: &Path) -> Result<Self, RecordError> {
        let mut journal = Self::append(path)?;
        journal.file = File::create(path).map_err(RecordError::io("create", path))?;
        Ok(journal)
    }

    /// Appends one line.
    pub fn write<T: Serialize>(&mut self, line: &T) -> Result<(), RecordError> {
        let mut bytes =
            serde_json::to_vec(line).map_err(|source| RecordError::Json { path: self.path.clone(), source })?;
        bytes.push(b'\n');
        self.file.write_all(&bytes).map_err(RecordError::io("write", &self.path))
    }
}
