//! A table of a file, row by row, whatever the file's format.
//!
//! What lives here: what tables of all formats have in common. What does not: the formats, and what columns mean.

use super::cell::Cell;
use super::frames::listed;
use super::{arff, parquet::ParquetTable, recognise, text::TextTable};
use crate::csd::MAX_COLUMNS;
use crate::{DataError, whole};
use mosei_schema::near_miss;
use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};

/// The formats of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TableFormat {
    /// Cells divided by a comma, a semicolon or a tab.
    Csv,
    /// Parquet.
    Parquet,
    /// Weka's format, which openSMILE writes too.
    Arff,
}

/// An open table, at one of its rows.
pub(super) struct Table {
    path: PathBuf,
    names: Vec<String>,
    rows: Rows,
}

enum Rows {
    Text(Box<TextTable>),
    Parquet(Box<ParquetTable>),
}

impl Table {
    /// Opens a table of the given format, before its first row.
    ///
    /// # Errors
    /// Where the file is none of that format, or its columns have not a name each of their own.
    pub fn open(path: &Path, format: TableFormat) -> Result<Self, DataError> {
        let file = File::open(path).map_err(DataError::io("open", path))?;
        whole::require_file(path, &file.metadata().map_err(DataError::io("open", path))?)?;
        recognise::refuse_pickle(path)?;
        let (mut names, rows) = match format {
            TableFormat::Csv => {
                let (names, table) = TextTable::open(path, file)?;
                (names, Rows::Text(Box::new(table)))
            }
            TableFormat::Arff => {
                let (names, table) = arff::open(path, file)?;
                (names, Rows::Text(Box::new(table)))
            }
            TableFormat::Parquet => {
                let (names, table) = ParquetTable::open(path, file)?;
                (names, Rows::Parquet(Box::new(table)))
            }
        };
        if names.len() > MAX_COLUMNS {
            let expected = format!("at most {MAX_COLUMNS} columns");
            return Err(DataError::table(path, "header", expected, format!("{} columns", names.len())));
        }
        // The numbers of rows, which pandas writes as a column without a name, are named so that nobody takes them for content.
        if let Some(first) = names.first_mut()
            && (first.is_empty() || first == "Unnamed: 0")
        {
            *first = ROW_NUMBERS.into();
        }
        let mut seen = BTreeSet::new();
        for (i, name) in names.iter().enumerate() {
            let expected = "a name of its own for each column";
            if name.is_empty() {
                return Err(DataError::table(path, "header", expected, format!("none for column {}", i + 1)));
            }
            if !seen.insert(name) {
                return Err(DataError::table(path, "header", expected, format!("'{name}' twice")));
            }
        }
        Ok(Table { path: path.to_path_buf(), names, rows })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Names of the columns.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Goes on to the next row; whether there is one.
    ///
    /// # Errors
    /// Where the file cannot be read there.
    pub fn advance(&mut self) -> Result<bool, DataError> {
        match &mut self.rows {
            Rows::Text(table) => {
                let more = table.advance(&self.path)?;
                // ARFF has no line that the reader could hold the others against.
                if more && table.cells() != self.names.len() {
                    let expected = format!("{} cells, as there are columns", self.names.len());
                    let place = format!("line {}", table.line());
                    return Err(DataError::table(&self.path, place, expected, format!("{} cells", table.cells())));
                }
                Ok(more)
            }
            Rows::Parquet(table) => table.advance(&self.path),
        }
    }

    /// What stands in a column of this row.
    pub fn cell(&self, column: usize) -> Cell<'_> {
        match &self.rows {
            Rows::Text(table) => table.cell(column),
            Rows::Parquet(table) => table.cell(column),
        }
    }

    /// Where this row is, for messages: the line of a text, the row of any other file, from 0.
    pub fn place(&self) -> String {
        match &self.rows {
            Rows::Text(table) => format!("line {}", table.line()),
            Rows::Parquet(table) => format!("row {}", table.row()),
        }
    }

    /// An error about a cell of this row.
    pub fn wrong(&self, column: usize, expected: impl Into<String>) -> DataError {
        let (cell, name) = (self.cell(column), self.names.get(column).map_or("", String::as_str));
        let error = DataError::table(&self.path, format!("{}, column '{name}'", self.place()), expected, cell.shown());
        let comma = matches!(cell, Cell::Text(t) if t.contains(',') && t.replacen(',', ".", 1).parse::<f64>().is_ok());
        error.with_hint(comma.then(|| "numbers need a point, not a comma".into()))
    }

    /// The place of a column that somebody named.
    ///
    /// # Errors
    /// Where there is none of that name; says which is near.
    pub fn find(&self, name: &str, who: &str) -> Result<usize, DataError> {
        self.names.iter().position(|n| n == name).ok_or_else(|| {
            let known = self.names.iter().map(String::as_str);
            let hint = near_miss(name, known).map(|near| format!("did you mean '{near}'?"));
            let expected = format!("a column '{name}', which {who} names");
            DataError::table(&self.path, "header", expected, listed(&self.names)).with_hint(hint)
        })
    }

    /// The first column whose name, in small letters, is one of these; of these the first that is there and not ignored.
    pub fn find_any(&self, names: &[&str], ignored: &[usize]) -> Option<usize> {
        let is = |i: &usize, name: &str| !ignored.contains(i) && self.names[*i].to_lowercase() == name;
        names.iter().find_map(|name| (0..self.names.len()).find(|i| is(i, name)))
    }
}

/// The name of a column that only numbers the rows.
const ROW_NUMBERS: &str = "__index_level_0__";

/// Whether a column only numbers the rows, by the names that pandas gives.
pub(super) fn numbers_rows(name: &str) -> bool {
    name.starts_with("__index_level_") && name.ends_with("__")
}
