//! Flat Parquet tables: named columns of equal length without nesting.

use crate::{RecordError, StagedFile};
use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical};
use parquet::column::reader::ColumnReader;
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The values of one column.
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    /// UTF-8 text.
    Text(Vec<String>),
    /// 32-bit integers.
    I32(Vec<i32>),
    /// 32-bit integers, or null.
    OptionI32(Vec<Option<i32>>),
    /// Single precision.
    F32(Vec<f32>),
    /// Double precision.
    F64(Vec<f64>),
    /// Double precision, or null.
    OptionF64(Vec<Option<f64>>),
    /// Booleans.
    Bool(Vec<bool>),
    /// A type that only other software writes.
    Foreign(Foreign),
}

/// A column of a type that this crate reads but does not write; the `to_` functions of [`Table`]
/// convert it.
#[derive(Debug, Clone, PartialEq)]
pub enum Foreign {
    /// UTF-8 text, or null.
    Text(Vec<Option<String>>),
    /// 64-bit integers, or null.
    I64(Vec<Option<i64>>),
    /// Booleans, or null.
    Bool(Vec<Option<bool>>),
    /// A column that cannot be read: lists, legacy dates, bytes that are not UTF-8.
    Unread {
        /// The number of rows.
        rows: usize,
    },
}

impl Column {
    /// The number of rows.
    pub fn len(&self) -> usize {
        match self {
            Column::Text(v) => v.len(),
            Column::I32(v) => v.len(),
            Column::OptionI32(v) => v.len(),
            Column::F32(v) => v.len(),
            Column::F64(v) => v.len(),
            Column::OptionF64(v) => v.len(),
            Column::Bool(v) => v.len(),
            Column::Foreign(Foreign::Text(v)) => v.len(),
            Column::Foreign(Foreign::I64(v)) => v.len(),
            Column::Foreign(Foreign::Bool(v)) => v.len(),
            Column::Foreign(Foreign::Unread { rows }) => *rows,
        }
    }

    /// Whether it has no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Column::Text(_) => "text",
            Column::I32(_) => "int32",
            Column::OptionI32(_) => "int32 or null",
            Column::F32(_) => "float",
            Column::F64(_) => "double",
            Column::OptionF64(_) => "double or null",
            Column::Bool(_) => "boolean",
            Column::Foreign(Foreign::Text(_)) => "text or null",
            Column::Foreign(Foreign::I64(_)) => "int64 or null",
            Column::Foreign(Foreign::Bool(_)) => "boolean or null",
            Column::Foreign(Foreign::Unread { .. }) => "an unsupported type",
        }
    }

    fn extend(&mut self, more: Column) -> Result<(), (&'static str, &'static str)> {
        match (self, more) {
            (Column::Text(a), Column::Text(b)) => a.extend(b),
            (Column::I32(a), Column::I32(b)) => a.extend(b),
            (Column::OptionI32(a), Column::OptionI32(b)) => a.extend(b),
            (Column::F32(a), Column::F32(b)) => a.extend(b),
            (Column::F64(a), Column::F64(b)) => a.extend(b),
            (Column::OptionF64(a), Column::OptionF64(b)) => a.extend(b),
            (Column::Bool(a), Column::Bool(b)) => a.extend(b),
            (Column::Foreign(Foreign::Text(a)), Column::Foreign(Foreign::Text(b))) => a.extend(b),
            (Column::Foreign(Foreign::I64(a)), Column::Foreign(Foreign::I64(b))) => a.extend(b),
            (Column::Foreign(Foreign::Bool(a)), Column::Foreign(Foreign::Bool(b))) => a.extend(b),
            (
                Column::Foreign(Foreign::Unread { rows }),
                Column::Foreign(Foreign::Unread { rows: more }),
            ) => *rows += more,
            (a, b) => return Err((a.kind(), b.kind())),
        }
        Ok(())
    }
}

/// Named columns of equal length.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    columns: Vec<(String, Column)>,
}

macro_rules! typed {
    ($name:ident, $variant:ident, $value:ty, $kind:literal) => {
        #[doc = concat!("The values of a ", $kind, " column.")]
        pub fn $name(&self, path: &Path, name: &str) -> Result<&[$value], RecordError> {
            match self.get(name) {
                Some(Column::$variant(values)) => Ok(values),
                other => Err(RecordError::Column {
                    path: path.to_path_buf(),
                    column: name.to_string(),
                    expected: $kind.to_string(),
                    found: other.map_or("no such column", Column::kind).to_string(),
                }),
            }
        }
    };
}

impl Table {
    /// A table with no columns yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a column.
    ///
    /// # Panics
    /// If its length differs from that of the other columns.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, column: Column) -> Self {
        let name = name.into();
        if let Some((first, present)) = self.columns.first() {
            assert_eq!(
                present.len(),
                column.len(),
                "columns '{first}' and '{name}' differ in length"
            );
        }
        self.columns.push((name, column));
        self
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, |(_, c)| c.len())
    }

    /// The column of that name.
    pub fn get(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|(n, _)| n == name).map(|(_, c)| c)
    }

    /// Columns with their names, in file order.
    pub fn columns(&self) -> &[(String, Column)] {
        &self.columns
    }

    typed!(text, Text, String, "text");
    typed!(i32, I32, i32, "int32");
    typed!(option_i32, OptionI32, Option<i32>, "int32 or null");
    typed!(f32, F32, f32, "float");
    typed!(f64, F64, f64, "double");
    typed!(option_f64, OptionF64, Option<f64>, "double or null");
    typed!(bool, Bool, bool, "boolean");

    /// Writes the table atomically as a Parquet file.
    pub fn write(&self, path: &Path) -> Result<(), RecordError> {
        let mut writer = TableWriter::create(path)?;
        writer.append(self)?;
        writer.finish()
    }

    /// Reads a whole Parquet file.
    pub fn read(path: &Path) -> Result<Self, RecordError> {
        let mut whole: Option<Table> = None;
        for part in TableReader::open(path)? {
            let part = part?;
            match &mut whole {
                None => whole = Some(part),
                Some(table) => {
                    for ((name, column), (_, more)) in table.columns.iter_mut().zip(part.columns) {
                        column
                            .extend(more)
                            .map_err(|(expected, found)| RecordError::Column {
                                path: path.to_path_buf(),
                                column: name.clone(),
                                expected: expected.to_string(),
                                found: found.to_string(),
                            })?;
                    }
                }
            }
        }
        Ok(whole.unwrap_or_default())
    }
}

/// A Parquet file written in parts, each of them one row group.
pub struct TableWriter {
    path: PathBuf,
    staged: StagedFile,
    writer: Option<SerializedFileWriter<File>>,
}

impl TableWriter {
    /// Starts a table for `path`.
    pub fn create(path: &Path) -> Result<Self, RecordError> {
        Ok(TableWriter {
            path: path.to_path_buf(),
            staged: StagedFile::create(path)?,
            writer: None,
        })
    }

    /// Appends a part. All parts must have the same columns.
    pub fn append(&mut self, part: &Table) -> Result<(), RecordError> {
        let fail = || RecordError::parquet(&self.path);
        if self.writer.is_none() {
            let properties = WriterProperties::builder()
                .set_compression(Compression::SNAPPY)
                .build();
            let schema = schema_of(part).map_err(fail())?;
            let file = self.staged.reopen()?;
            self.writer = Some(
                SerializedFileWriter::new(file, schema, Arc::new(properties)).map_err(fail())?,
            );
        }
        let Some(writer) = self.writer.as_mut() else {
            return Ok(());
        };
        let mut group = writer.next_row_group().map_err(fail())?;
        for (_, column) in &part.columns {
            let Some(mut out) = group.next_column().map_err(fail())? else {
                break;
            };
            write_column(out.untyped(), column).map_err(fail())?;
            out.close().map_err(fail())?;
        }
        group.close().map_err(fail())?;
        Ok(())
    }

    /// Writes the footer and renames the file to its target. A table without parts is a file
    /// without columns.
    pub fn finish(mut self) -> Result<(), RecordError> {
        if self.writer.is_none() {
            self.append(&Table::new())?;
        }
        if let Some(writer) = self.writer.take() {
            writer.close().map_err(RecordError::parquet(&self.path))?;
        }
        self.staged.commit()
    }
}

fn schema_of(table: &Table) -> Result<Arc<Type>, ParquetError> {
    let fields = table
        .columns
        .iter()
        .map(|(name, column)| {
            let (physical, repetition) = match column {
                Column::Text(_) => (Physical::BYTE_ARRAY, Repetition::REQUIRED),
                Column::I32(_) => (Physical::INT32, Repetition::REQUIRED),
                Column::OptionI32(_) => (Physical::INT32, Repetition::OPTIONAL),
                Column::F32(_) => (Physical::FLOAT, Repetition::REQUIRED),
                Column::F64(_) => (Physical::DOUBLE, Repetition::REQUIRED),
                Column::OptionF64(_) => (Physical::DOUBLE, Repetition::OPTIONAL),
                Column::Bool(_) => (Physical::BOOLEAN, Repetition::REQUIRED),
                Column::Foreign(_) => {
                    let message = format!(
                        "column '{name}': expected a supported type, found {}",
                        column.kind()
                    );
                    return Err(ParquetError::General(message));
                }
            };
            let logical = matches!(column, Column::Text(_)).then_some(LogicalType::String);
            let field = Type::primitive_type_builder(name, physical)
                .with_repetition(repetition)
                .with_logical_type(logical)
                .build()?;
            Ok(Arc::new(field))
        })
        .collect::<Result<Vec<_>, ParquetError>>()?;
    Ok(Arc::new(
        Type::group_type_builder("table")
            .with_fields(fields)
            .build()?,
    ))
}

fn write_column(out: &mut ColumnWriter<'_>, column: &Column) -> Result<(), ParquetError> {
    match (out, column) {
        (ColumnWriter::ByteArrayColumnWriter(w), Column::Text(v)) => {
            let values: Vec<ByteArray> = v.iter().map(|s| ByteArray::from(s.as_str())).collect();
            w.write_batch(&values, None, None)?;
        }
        (ColumnWriter::Int32ColumnWriter(w), Column::I32(v)) => {
            w.write_batch(v, None, None)?;
        }
        (ColumnWriter::Int32ColumnWriter(w), Column::OptionI32(v)) => {
            let values: Vec<i32> = v.iter().flatten().copied().collect();
            let levels: Vec<i16> = v.iter().map(|x| i16::from(x.is_some())).collect();
            w.write_batch(&values, Some(&levels), None)?;
        }
        (ColumnWriter::FloatColumnWriter(w), Column::F32(v)) => {
            w.write_batch(v, None, None)?;
        }
        (ColumnWriter::DoubleColumnWriter(w), Column::F64(v)) => {
            w.write_batch(v, None, None)?;
        }
        (ColumnWriter::DoubleColumnWriter(w), Column::OptionF64(v)) => {
            let values: Vec<f64> = v.iter().flatten().copied().collect();
            let levels: Vec<i16> = v.iter().map(|x| i16::from(x.is_some())).collect();
            w.write_batch(&values, Some(&levels), None)?;
        }
        (ColumnWriter::BoolColumnWriter(w), Column::Bool(v)) => {
            w.write_batch(v, None, None)?;
        }
        _ => {
            return Err(ParquetError::General(
                "the parts of the table have different columns".into(),
            ));
        }
    }
    Ok(())
}

/// The parts of a Parquet file, one row group at a time.
pub struct TableReader {
    path: PathBuf,
    reader: SerializedFileReader<File>,
    next: usize,
}

impl TableReader {
    /// Opens a table.
    pub fn open(path: &Path) -> Result<Self, RecordError> {
        let file = File::open(path).map_err(RecordError::io("open", path))?;
        let reader =
            no_panic(|| SerializedFileReader::new(file)).map_err(RecordError::parquet(path))?;
        Ok(TableReader {
            path: path.to_path_buf(),
            reader,
            next: 0,
        })
    }

    /// The next part in which the text column `column` has a value for which `wanted` returns true.
    /// Of the parts before it, only that column is read.
    ///
    /// # Errors
    /// As for reading a part; a missing column; a column of another type.
    pub fn next_with(
        &mut self,
        column: &str,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<Option<Table>, RecordError> {
        while self.next < self.reader.num_row_groups() {
            self.next += 1;
            let only = self.part(self.next - 1, |name| name == column)?;
            if only
                .text(&self.path, column)?
                .iter()
                .any(|value| wanted(value))
            {
                return self.part(self.next - 1, |_| true).map(Some);
            }
        }
        Ok(None)
    }

    fn part(&self, group: usize, wanted: impl Fn(&str) -> bool) -> Result<Table, RecordError> {
        let group = no_panic(|| self.reader.get_row_group(group))
            .map_err(RecordError::parquet(&self.path))?;
        let rows = usize::try_from(group.metadata().num_rows()).unwrap_or(0);
        let mut table = Table::new();
        let is_wanted = |i: &usize| wanted(group.metadata().column(*i).column_descr().name());
        for i in (0..group.num_columns()).filter(is_wanted) {
            let description = group.metadata().column(i).column_descr();
            let name = description.name().to_string();
            let (optional, list) = (
                description.max_def_level() > 0,
                description.max_rep_level() > 0,
            );
            // The leaf name of a nested column may equal the name of another column.
            let nested = description.path().parts().len() > 1;
            let column = if list || nested {
                Column::Foreign(Foreign::Unread { rows })
            } else {
                let reader = no_panic(|| group.get_column_reader(i))
                    .map_err(RecordError::parquet(&self.path))?;
                no_panic(|| read_column(reader, rows, optional))
                    .map_err(RecordError::parquet(&self.path))?
            };
            let name = if nested {
                description.path().string()
            } else {
                name
            };
            if column.len() != rows {
                return Err(RecordError::Column {
                    path: self.path.clone(),
                    column: name,
                    expected: format!("{rows} values"),
                    found: format!("{} values", column.len()),
                });
            }
            table.columns.push((name, column));
        }
        Ok(table)
    }
}

impl Iterator for TableReader {
    type Item = Result<Table, RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next == self.reader.num_row_groups() {
            return None;
        }
        self.next += 1;
        Some(self.part(self.next - 1, |_| true))
    }
}

/// Calls the Parquet library and turns a panic, which some damaged files cause, into an error.
///
/// # Errors
/// The library's error; an error for a panic.
pub fn no_panic<T>(read: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, ParquetError> {
    // After a panic the reader is dropped with the error, so its inconsistent state is never used.
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| {
        Err(ParquetError::General(
            "the file is damaged: the Parquet library panicked".into(),
        ))
    })
}

fn read_column(reader: ColumnReader, rows: usize, optional: bool) -> Result<Column, ParquetError> {
    macro_rules! required {
        ($reader:ident) => {{
            let mut values = Vec::new();
            while values.len() < rows {
                let (_, read, _) =
                    $reader.read_records(rows - values.len(), None, None, &mut values)?;
                if read == 0 {
                    break;
                }
            }
            values
        }};
    }
    macro_rules! nullable {
        ($reader:ident) => {{
            let (mut values, mut levels) = (Vec::new(), Vec::new());
            while levels.len() < rows {
                let (_, _, read) = $reader.read_records(
                    rows - levels.len(),
                    Some(&mut levels),
                    None,
                    &mut values,
                )?;
                if read == 0 {
                    break;
                }
            }
            let mut present = values.into_iter();
            levels
                .iter()
                .map(|&l| if l > 0 { present.next() } else { None })
                .collect()
        }};
    }
    Ok(match (reader, optional) {
        (ColumnReader::ByteArrayColumnReader(mut r), false) => {
            let values = required!(r);
            let text: Result<Vec<String>, ParquetError> = values
                .iter()
                .map(|b: &ByteArray| b.as_utf8().map(str::to_string))
                .collect();
            text.map_or(
                Column::Foreign(Foreign::Unread { rows: values.len() }),
                Column::Text,
            )
        }
        (ColumnReader::ByteArrayColumnReader(mut r), true) => {
            let values: Vec<Option<ByteArray>> = nullable!(r);
            let text = |bytes: &Option<ByteArray>| {
                bytes
                    .as_ref()
                    .map(|b| b.as_utf8().map(str::to_string))
                    .transpose()
            };
            let text: Result<Vec<Option<String>>, ParquetError> = values.iter().map(text).collect();
            Column::Foreign(text.map_or(Foreign::Unread { rows: values.len() }, Foreign::Text))
        }
        (ColumnReader::Int32ColumnReader(mut r), false) => Column::I32(required!(r)),
        (ColumnReader::FloatColumnReader(mut r), false) => Column::F32(required!(r)),
        (ColumnReader::DoubleColumnReader(mut r), false) => Column::F64(required!(r)),
        (ColumnReader::BoolColumnReader(mut r), false) => Column::Bool(required!(r)),
        (ColumnReader::Int32ColumnReader(mut r), true) => Column::OptionI32(nullable!(r)),
        (ColumnReader::DoubleColumnReader(mut r), true) => Column::OptionF64(nullable!(r)),
        (ColumnReader::FloatColumnReader(mut r), true) => {
            let values: Vec<Option<f32>> = nullable!(r);
            Column::OptionF64(values.into_iter().map(|x| x.map(f64::from)).collect())
        }
        (ColumnReader::BoolColumnReader(mut r), true) => {
            Column::Foreign(Foreign::Bool(nullable!(r)))
        }
        (ColumnReader::Int64ColumnReader(mut r), true) => {
            Column::Foreign(Foreign::I64(nullable!(r)))
        }
        (ColumnReader::Int64ColumnReader(mut r), false) => {
            let values: Vec<i64> = required!(r);
            Column::Foreign(Foreign::I64(values.into_iter().map(Some).collect()))
        }
        _ => Column::Foreign(Foreign::Unread { rows }),
    })
}

#[cfg(test)]
mod tests;
