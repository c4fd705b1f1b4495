//! JSON Lines: an object with the cells of a row in each line.
//!
//! What lives here: the lines. What does not: the meaning of columns.

use crate::ImportError;
use crate::cell::Cell;
use mosei_data::quoted;
use serde_json::{Map, Value};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// Longest row, bytes.
const MAX_ROW_BYTES: u64 = 16 << 20;

const FORMAT: &str = "a JSON object per line";

/// An open file, at one of its rows.
pub(crate) struct JsonTable {
    file: BufReader<File>,
    names: Vec<String>,
    row: Map<String, Value>,
    /// Whether `row` is the first one, which was read for its names and is still to come.
    first: bool,
    /// Line of this row, from 1.
    line: u64,
}

impl JsonTable {
    /// Opens a file; its first row has all columns.
    pub fn open(path: &Path, file: File) -> Result<(Vec<String>, Self), ImportError> {
        let mut table = JsonTable {
            file: BufReader::new(file),
            names: Vec::new(),
            row: Map::new(),
            first: false,
            line: 0,
        };
        if !table.next(path)? {
            let found = "none";
            return Err(ImportError::table(path, "line 1", FORMAT, found));
        }
        table.names = table.row.keys().cloned().collect();
        table.first = true;
        Ok((table.names.clone(), table))
    }

    pub fn advance(&mut self, path: &Path) -> Result<bool, ImportError> {
        if std::mem::take(&mut self.first) {
            return Ok(true);
        }
        let more = self.next(path)?;
        match self.row.keys().find(|key| !self.names.contains(key)) {
            Some(key) if more => {
                let (place, expected) =
                    (format!("line {}", self.line), "the keys of the first row");
                Err(ImportError::table(path, place, expected, quoted(key)))
            }
            _ => Ok(more),
        }
    }

    /// Reads the next line that is not empty.
    fn next(&mut self, path: &Path) -> Result<bool, ImportError> {
        loop {
            let mut line = Vec::new();
            let read = self
                .file
                .by_ref()
                .take(MAX_ROW_BYTES + 1)
                .read_until(b'\n', &mut line);
            if read.map_err(ImportError::io("read", path))? == 0 {
                return Ok(false);
            }
            self.line += 1;
            let place = || format!("line {}", self.line);
            if line.len() as u64 > MAX_ROW_BYTES {
                let expected = format!("at most {MAX_ROW_BYTES} bytes per row");
                return Err(ImportError::table(path, place(), expected, "more"));
            }
            if line.trim_ascii().is_empty() {
                continue;
            }
            self.row = serde_json::from_slice(&line)
                .map_err(|e| ImportError::table(path, place(), FORMAT, e.to_string()))?;
            return Ok(true);
        }
    }

    pub fn cell(&self, column: usize) -> Cell<'_> {
        match self.names.get(column).and_then(|name| self.row.get(name)) {
            None | Some(Value::Null) => Cell::Missing,
            Some(Value::Bool(truth)) => Cell::Bool(*truth),
            Some(Value::Number(x)) => x.as_f64().map_or(Cell::Missing, Cell::Number),
            Some(Value::String(text)) => Cell::from_text(text),
            Some(Value::Array(_)) => Cell::Other("a list"),
            Some(Value::Object(_)) => Cell::Other("an object"),
        }
    }

    /// Line of the file, from 1.
    pub fn line(&self) -> u64 {
        self.line
    }
}
