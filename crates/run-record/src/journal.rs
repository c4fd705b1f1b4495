//! A journal: one JSON object per line, appended while a process runs.

use crate::RecordError;
use serde::Serialize;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

/// An open journal. Each line is written immediately, so that readers see it and a crash of the
/// process does not lose it.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
}

impl Journal {
    /// Opens a new or existing journal for appending. Missing parent folders are created.
    pub fn append(path: &Path) -> Result<Self, RecordError> {
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(RecordError::io("create folder", parent))?;
        }
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .map_err(RecordError::io("open", path))?;
        Ok(Journal {
            path: path.to_path_buf(),
            file,
        })
    }

    /// Starts an empty journal, replacing an existing one.
    pub fn create(path: &Path) -> Result<Self, RecordError> {
        let mut journal = Self::append(path)?;
        journal.file = File::create(path).map_err(RecordError::io("create", path))?;
        Ok(journal)
    }

    /// Appends one line.
    pub fn write<T: Serialize>(&mut self, line: &T) -> Result<(), RecordError> {
        let mut bytes = serde_json::to_vec(line).map_err(|source| RecordError::Json {
            path: self.path.clone(),
            source,
        })?;
        bytes.push(b'\n');
        self.file
            .write_all(&bytes)
            .map_err(RecordError::io("write", &self.path))
    }
}
