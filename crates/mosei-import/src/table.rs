//! Tables, row by row, in any format.
//!
//! What lives here: what all formats have in common. What does not: the formats, and the meaning of
//! columns.

use crate::ImportError;
use crate::cell::Cell;
use crate::csv_table::TextTable;
use crate::frames::listed;
use crate::json_table::JsonTable;
use crate::parquet_table::ParquetTable;
use crate::{arff, detect_format};
use mosei_data::MAX_COLUMNS;
use mosei_data::files;
use mosei_schema::near_miss;
use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};

/// The formats of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TableFormat {
    /// Text delimited by commas, semicolons or tabs.
    Csv,
    /// Parquet.
    Parquet,
    /// Weka's format, which openSMILE also writes.
    Arff,
    /// JSON Lines.
    Jsonl,
}

/// An open table, at one of its rows.
pub(crate) struct Table {
    path: PathBuf,
    names: Vec<String>,
    /// Types of ARFF that are not numbers.
    not_numeric: Vec<Option<String>>,
    /// Whether the names are those that were given, as the file has none.
    headerless: bool,
    /// More words that mean a missing value.
    missing: Vec<String>,
    rows: Rows,
}

enum Rows {
    Text(Box<TextTable>),
    Parquet(Box<ParquetTable>),
    Json(Box<JsonTable>),
}

impl Table {
    /// Opens a table, positioned before its first row. `given` are the names of all columns of a text
    /// file whose first line holds values.
    ///
    /// # Errors
    /// Where the file is not of that format, or its columns do not have unique names.
    pub fn open(
        path: &Path,
        format: TableFormat,
        given: Option<&[String]>,
    ) -> Result<Self, ImportError> {
        let file = File::open(path).map_err(ImportError::io("open", path))?;
        files::require_file(
            path,
            &file.metadata().map_err(ImportError::io("open", path))?,
        )?;
        detect_format::refuse_pickle(path)?;
        let (mut not_numeric, mut headerless) = (Vec::new(), false);
        let (mut names, rows) = match format {
            TableFormat::Csv => {
                let (names, table) = TextTable::open(path, file, given)?;
                headerless = given.is_some_and(|given| given == names);
                (names, Rows::Text(Box::new(table)))
            }
            TableFormat::Arff => {
                let (found, table) = arff::open(path, file)?;
                not_numeric = found.not_numeric;
                (found.names, Rows::Text(Box::new(table)))
            }
            TableFormat::Parquet => {
                let (names, table) = ParquetTable::open(path, file)?;
                (names, Rows::Parquet(Box::new(table)))
            }
            TableFormat::Jsonl => {
                let (names, table) = JsonTable::open(path, file)?;
                (names, Rows::Json(Box::new(table)))
            }
        };
        if names.len() > MAX_COLUMNS {
            let expected = format!("at most {MAX_COLUMNS} columns");
            return Err(ImportError::table(
                path,
                "header",
                expected,
                format!("{} columns", names.len()),
            ));
        }
        // pandas writes row numbers as an unnamed column; renamed, it is not taken for content.
        if let Some(first) = names.first_mut()
            && first.is_empty()
        {
            *first = ROW_NUMBERS.into();
        }
        let mut seen = BTreeSet::new();
        for (i, name) in names.iter().enumerate() {
            let expected = "a unique name for each column";
            if name.is_empty() {
                return Err(ImportError::table(
                    path,
                    "header",
                    expected,
                    format!("none for column {}", i + 1),
                ));
            }
            if !seen.insert(name) && !is_row_number(name) {
                return Err(ImportError::table(
                    path,
                    "header",
                    expected,
                    format!("'{name}' twice"),
                ));
            }
        }
        Ok(Table {
            path: path.to_path_buf(),
            names,
            not_numeric,
            headerless,
            missing: Vec::new(),
            rows,
        })
    }

    /// The same table, in which these words, too, mean a missing value.
    pub fn with_missing(mut self, words: &[String]) -> Self {
        self.missing = words.to_vec();
        self
    }

    /// Whether the names are those given to [`Self::open`].
    pub fn headerless(&self) -> bool {
        self.headerless
    }

    /// The type of an ARFF column that does not hold numbers.
    pub fn not_numeric(&self, column: usize) -> Option<&str> {
        self.not_numeric.get(column)?.as_deref()
    }

    /// Lists within each other in a column: 1 for a vector in each row, 2 for an array, 0 for neither.
    pub fn depth(&self, column: usize) -> usize {
        match &self.rows {
            Rows::Parquet(table) => table.depth(column),
            Rows::Text(_) | Rows::Json(_) => 0,
        }
    }

    /// Whether the file is ARFF.
    pub fn is_arff(&self) -> bool {
        !self.not_numeric.is_empty()
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Names of the columns.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Advances to the next row; returns whether there is one.
    ///
    /// # Errors
    /// Where the file cannot be read there.
    pub fn advance(&mut self) -> Result<bool, ImportError> {
        match &mut self.rows {
            Rows::Text(table) => {
                let more = table.advance(&self.path)?;
                // The CSV reader compares rows with its own header, which ARFF does not have.
                if more && table.cells() != self.names.len() {
                    let expected = format!("{} cells, as many as columns", self.names.len());
                    let place = format!("line {}", table.line());
                    return Err(ImportError::table(
                        &self.path,
                        place,
                        expected,
                        format!("{} cells", table.cells()),
                    ));
                }
                Ok(more)
            }
            Rows::Parquet(table) => table.advance(&self.path),
            Rows::Json(table) => table.advance(&self.path),
        }
    }

    /// The cell of this row in a column.
    pub fn cell(&self, column: usize) -> Cell<'_> {
        let cell = match &self.rows {
            Rows::Text(table) => table.cell(column),
            Rows::Parquet(table) => table.cell(column),
            Rows::Json(table) => table.cell(column),
        };
        let is_missing = || {
            cell.text()
                .is_some_and(|t| self.missing.iter().any(|word| *word == t))
        };
        if self.missing.is_empty() || !is_missing() {
            cell
        } else {
            Cell::Missing
        }
    }

    /// The position of this row, for messages: the line of a text file, else the row, from 0.
    pub fn place(&self) -> String {
        match &self.rows {
            Rows::Text(table) => format!("line {}", table.line()),
            Rows::Parquet(table) => format!("row {}", table.row()),
            Rows::Json(table) => format!("line {}", table.line()),
        }
    }

    /// The error for an invalid cell of this row.
    pub fn invalid_cell(&self, column: usize, expected: impl Into<String>) -> ImportError {
        let (cell, name) = (
            self.cell(column),
            self.names.get(column).map_or("", String::as_str),
        );
        let error = ImportError::table(
            &self.path,
            format!("{}, column '{name}'", self.place()),
            expected,
            cell.quoted(),
        );
        let comma = matches!(cell, Cell::Text(t) if t.contains(',') && t.replacen(',', ".", 1).parse::<f64>().is_ok());
        error.with_hint(comma.then(|| "use a decimal point, not a comma".into()))
    }

    /// Index of the column that `key` of a mapping file names.
    ///
    /// # Errors
    /// Where there is none; the most similar name is suggested.
    pub fn find(&self, name: &str, key: &str) -> Result<usize, ImportError> {
        self.names.iter().position(|n| n == name).ok_or_else(|| {
            let known = self.names.iter().map(String::as_str);
            let hint = near_miss(name, known).map(|near| format!("did you mean '{near}'?"));
            let expected = format!("a column '{name}', named by {key}");
            ImportError::table(&self.path, "header", expected, listed(&self.names)).with_hint(hint)
        })
    }

    /// The first column, not ignored, whose lower-case name is the earliest possible of `names`.
    pub fn find_any(&self, names: &[&str], ignored: &[usize]) -> Option<usize> {
        let is =
            |i: &usize, name: &str| !ignored.contains(i) && self.names[*i].to_lowercase() == name;
        names
            .iter()
            .find_map(|name| (0..self.names.len()).find(|i| is(i, name)))
    }
}

/// The name that pandas gives to a column without one, which holds row numbers.
const ROW_NUMBERS: &str = "Unnamed: 0";

/// Whether a column holds row numbers, by the names that pandas, polars and R give.
pub(crate) fn is_row_number(name: &str) -> bool {
    const NAMES: [&str; 5] = ["index", "level_0", "row_nr", "row_index", "rownames"];
    let numbered = |prefix: &str, end: &str| {
        let number = name
            .strip_prefix(prefix)
            .and_then(|rest| rest.strip_suffix(end));
        number.is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit() || b == b'.'))
    };
    NAMES.contains(&name) || numbered("__index_level_", "__") || numbered("Unnamed: ", "")
}

#[cfg(test)]
mod tests {
    use super::is_row_number;

    #[test]
    fn row_numbers_have_names_of_their_own() {
        for name in [
            "__index_level_0__",
            "Unnamed: 0",
            "Unnamed: 0.1",
            "index",
            "row_nr",
        ] {
            assert!(is_row_number(name), "{name}");
        }
        for name in ["Unnamed", "Unnamed: x", "Index of voicing", "level", "F0"] {
            assert!(!is_row_number(name), "{name}");
        }
    }
}
