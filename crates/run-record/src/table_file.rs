//! A table file in the format given by its extension.

use crate::{Column, Foreign, RecordError, StagedFile, Table, TableWriter};
use std::fs::File;
use std::path::{Path, PathBuf};

/// A table written in parts: CSV with a header for the extension `.csv`, else Parquet.
pub enum TableFile {
    /// Parquet.
    Parquet(TableWriter),
    /// CSV.
    Csv(CsvTableWriter),
}

impl TableFile {
    /// Starts a table for `path`.
    pub fn create(path: &Path) -> Result<Self, RecordError> {
        if path
            .extension()
            .is_some_and(|e| e.eq_ignore_ascii_case("csv"))
        {
            return CsvTableWriter::create(path).map(TableFile::Csv);
        }
        TableWriter::create(path).map(TableFile::Parquet)
    }

    /// Appends a part. All parts must have the same columns.
    pub fn append(&mut self, part: &Table) -> Result<(), RecordError> {
        match self {
            TableFile::Parquet(writer) => writer.append(part),
            TableFile::Csv(writer) => writer.append(part),
        }
    }

    /// Renames the file to its target.
    pub fn finish(self) -> Result<(), RecordError> {
        match self {
            TableFile::Parquet(writer) => writer.finish(),
            TableFile::Csv(writer) => writer.finish(),
        }
    }
}

/// A CSV file written in parts. Numbers are written so that they round-trip; null is an empty
/// field.
pub struct CsvTableWriter {
    path: PathBuf,
    staged: StagedFile,
    writer: csv::Writer<File>,
    has_header: bool,
}

impl CsvTableWriter {
    /// Starts a table for `path`.
    pub fn create(path: &Path) -> Result<Self, RecordError> {
        let staged = StagedFile::create(path)?;
        let writer = csv::Writer::from_writer(staged.reopen()?);
        Ok(CsvTableWriter {
            path: path.to_path_buf(),
            staged,
            writer,
            has_header: false,
        })
    }

    /// Appends a part. All parts must have the same columns.
    pub fn append(&mut self, part: &Table) -> Result<(), RecordError> {
        let path = self.path.clone();
        if !self.has_header {
            let names = part.columns().iter().map(|(name, _)| name);
            self.writer
                .write_record(names)
                .map_err(RecordError::csv(&path))?;
            self.has_header = true;
        }
        for row in 0..part.rows() {
            let fields = part.columns().iter().map(|(_, column)| field(column, row));
            self.writer
                .write_record(fields)
                .map_err(RecordError::csv(&path))?;
        }
        Ok(())
    }

    /// Renames the file to its target.
    pub fn finish(mut self) -> Result<(), RecordError> {
        self.writer
            .flush()
            .map_err(RecordError::io("write", &self.path))?;
        drop(self.writer);
        self.staged.commit()
    }
}

fn field(column: &Column, row: usize) -> String {
    match column {
        Column::Text(v) => v[row].clone(),
        Column::I32(v) => v[row].to_string(),
        Column::OptionI32(v) => v[row].map_or(String::new(), |x| x.to_string()),
        Column::F32(v) => v[row].to_string(),
        Column::F64(v) => v[row].to_string(),
        Column::OptionF64(v) => v[row].map_or(String::new(), |x| x.to_string()),
        Column::Bool(v) => v[row].to_string(),
        Column::Foreign(Foreign::Text(v)) => v[row].clone().unwrap_or_default(),
        Column::Foreign(Foreign::I64(v)) => v[row].map_or(String::new(), |x| x.to_string()),
        Column::Foreign(Foreign::Bool(v)) => v[row].map_or(String::new(), |x| x.to_string()),
        Column::Foreign(Foreign::Unread { .. }) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extension_decides_the_format() {
        let dir = tempfile::tempdir().unwrap();
        let part = Table::new()
            .with("id", Column::Text(vec!["a,\"b\"".into(), "-c".into()]))
            .with("x", Column::OptionF64(vec![Some(0.1 + 0.2), None]))
            .with("y", Column::F32(vec![0.1, -2.0]))
            .with("yes", Column::Bool(vec![true, false]));
        let written = |name: &str| {
            let path = dir.path().join(name);
            let mut file = TableFile::create(&path).unwrap();
            file.append(&part).unwrap();
            file.append(&part).unwrap();
            file.finish().unwrap();
            path
        };
        let csv = std::fs::read_to_string(written("t.CSV")).unwrap();
        let rows = "\"a,\"\"b\"\"\",0.30000000000000004,0.1,true\n-c,,-2,false\n";
        assert_eq!(csv, format!("id,x,y,yes\n{rows}{rows}"));
        assert_eq!(Table::read(&written("t.parquet")).unwrap().rows(), 4);
        // A table that is not finished leaves no file.
        drop(TableFile::create(&dir.path().join("gone.csv")).unwrap());
        assert!(!dir.path().join("gone.csv").exists());
    }
}
