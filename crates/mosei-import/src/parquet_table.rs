//! Parquet, a few thousand rows of all columns at a time.
//!
//! What lives here: the conversion of a file's types to cells. What does not: the meaning of
//! columns. A panic of the library on a damaged file becomes an error.

use crate::ImportError;
use crate::arrow_schema;
use crate::cell::Cell;
use parquet::basic::{ConvertedType, LogicalType, Type as Physical};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, DataType};
use parquet::errors::ParquetError;
use parquet::file::metadata::ParquetMetaData;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::schema::types::ColumnDescriptor;
use run_record::no_panic;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

/// Rows read at once.
const BATCH: usize = 4096;

const FORMAT: &str = "a Parquet file";

/// An open file, at one of its rows.
pub(crate) struct ParquetTable {
    reader: SerializedFileReader<File>,
    kinds: Vec<Kind>,
    group: usize,
    /// Column readers of the open row group; `None` for a column that is not read.
    columns: Vec<Option<ColumnReader>>,
    /// Rows of the row group not yet read.
    left_in_group: usize,
    batch: Vec<Values>,
    rows_in_batch: usize,
    /// Index of this row in the batch.
    at: usize,
    /// Index of this row in the file.
    row: u64,
}

/// How the values of a column become cells.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Number,
    /// Unsigned, of 32 or 64 bits.
    Unsigned,
    /// True or false, stored as 1 or 0.
    Bool,
    Text,
    /// A duration in this unit, seconds.
    Duration(f64),
    /// Not read.
    Other(&'static str),
}

/// Values of a batch; a missing number is NaN.
enum Values {
    Numbers(Vec<f64>),
    Text(Vec<Option<String>>),
    None,
}

impl ParquetTable {
    /// Opens a file; returns its column names, nested ones as `a.b`.
    pub fn open(path: &Path, file: File) -> Result<(Vec<String>, Self), ImportError> {
        let reader = no_panic(|| SerializedFileReader::new(file))
            .map_err(|e| ImportError::unreadable(path, FORMAT, e))?;
        let durations = durations(reader.metadata());
        let schema = reader.metadata().file_metadata().schema_descr_ptr();
        let names: Vec<String> = schema.columns().iter().map(|c| c.path().string()).collect();
        let kinds = schema
            .columns()
            .iter()
            .map(|c| kind(c, &durations))
            .collect();
        let table = ParquetTable {
            reader,
            kinds,
            group: 0,
            columns: Vec::new(),
            left_in_group: 0,
            batch: Vec::new(),
            rows_in_batch: 0,
            at: 0,
            row: 0,
        };
        Ok((names, table))
    }

    pub fn advance(&mut self, path: &Path) -> Result<bool, ImportError> {
        let begun = self.rows_in_batch > 0;
        if begun {
            self.at += 1;
            self.row += 1;
        }
        if self.at < self.rows_in_batch {
            return Ok(true);
        }
        let more =
            no_panic(|| self.next_batch()).map_err(|e| ImportError::unreadable(path, FORMAT, e))?;
        self.at = 0;
        Ok(more)
    }

    pub fn cell(&self, column: usize) -> Cell<'_> {
        match (self.kinds.get(column), self.batch.get(column)) {
            (Some(Kind::Other(name)), _) => Cell::Other(name),
            (Some(Kind::Duration(unit)), Some(Values::Numbers(v))) => match v.get(self.at) {
                // NaT is the smallest i64.
                Some(x) if x.is_finite() && *x > i64::MIN as f64 => Cell::Seconds(x * unit),
                _ => Cell::Missing,
            },
            (Some(Kind::Bool), Some(Values::Numbers(v))) => match v.get(self.at) {
                Some(x) if !x.is_nan() => Cell::Bool(*x > 0.0),
                _ => Cell::Missing,
            },
            (_, Some(Values::Numbers(v))) => match v.get(self.at) {
                Some(x) if !x.is_nan() => Cell::Number(*x),
                _ => Cell::Missing,
            },
            (_, Some(Values::Text(v))) => match v.get(self.at) {
                Some(Some(text)) => Cell::from_text(text),
                _ => Cell::Missing,
            },
            _ => Cell::Missing,
        }
    }

    /// Row of the file, from 0.
    pub fn row(&self) -> u64 {
        self.row
    }

    fn next_batch(&mut self) -> Result<bool, ParquetError> {
        while self.left_in_group == 0 {
            if self.group == self.reader.num_row_groups() {
                self.rows_in_batch = 0;
                return Ok(false);
            }
            let group = self.reader.get_row_group(self.group)?;
            self.left_in_group = usize::try_from(group.metadata().num_rows()).unwrap_or(0);
            let open = |(i, kind): (usize, &Kind)| match kind {
                Kind::Other(_) => Ok(None),
                _ => group.get_column_reader(i).map(Some),
            };
            self.columns = self
                .kinds
                .iter()
                .enumerate()
                .map(open)
                .collect::<Result<_, _>>()?;
            self.group += 1;
        }
        let rows = self.left_in_group.min(BATCH);
        let read = |(column, kind): (&mut Option<ColumnReader>, &Kind)| match column {
            Some(column) => read(column, rows, *kind),
            None => Ok(Values::None),
        };
        self.batch = self
            .columns
            .iter_mut()
            .zip(&self.kinds)
            .map(read)
            .collect::<Result<_, _>>()?;
        self.left_in_group -= rows;
        self.rows_in_batch = rows;
        Ok(true)
    }
}

/// Duration columns, for which Parquet has no type, with their unit in seconds: from pandas'
/// metadata, else from Arrow's schema. Both store durations as integers.
fn durations(metadata: &ParquetMetaData) -> BTreeMap<String, f64> {
    let texts = metadata
        .file_metadata()
        .key_value_metadata()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let pandas = texts
        .iter()
        .find(|entry| entry.key == "pandas")
        .and_then(|entry| entry.value.as_deref());
    let pandas: serde_json::Value = pandas
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default();
    let schema = texts
        .iter()
        .find(|entry| entry.key == "ARROW:schema")
        .and_then(|entry| entry.value.as_deref());
    let mut units = schema.map(arrow_schema::durations).unwrap_or_default();
    for column in pandas["columns"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default()
    {
        let unit = match column["numpy_type"].as_str() {
            Some("timedelta64[ns]") => 1e-9,
            Some("timedelta64[us]") => 1e-6,
            Some("timedelta64[ms]") => 1e-3,
            Some("timedelta64[s]") => 1.0,
            _ => continue,
        };
        units.extend(
            column["field_name"]
                .as_str()
                .map(|name| (name.to_string(), unit)),
        );
    }
    units
}

fn kind(column: &ColumnDescriptor, durations: &BTreeMap<String, f64>) -> Kind {
    if column.max_rep_level() > 0 || column.path().parts().len() > 1 {
        return Kind::Other("a nested column");
    }
    let (logical, converted) = (column.logical_type_ref(), column.converted_type());
    match (column.physical_type(), logical) {
        (Physical::INT64, None) if durations.contains_key(column.name()) => {
            Kind::Duration(durations[column.name()])
        }
        (Physical::INT32 | Physical::INT64, Some(LogicalType::Integer(int))) if !int.is_signed => {
            Kind::Unsigned
        }
        (Physical::INT32 | Physical::INT64, None | Some(LogicalType::Integer(_)))
            if !matches!(
                converted,
                ConvertedType::DECIMAL
                    | ConvertedType::DATE
                    | ConvertedType::TIMESTAMP_MILLIS
                    | ConvertedType::TIMESTAMP_MICROS
            ) =>
        {
            Kind::Number
        }
        (Physical::BOOLEAN, _) => Kind::Bool,
        (Physical::FLOAT | Physical::DOUBLE, _) => Kind::Number,
        (Physical::BYTE_ARRAY, Some(LogicalType::Decimal(_))) => Kind::Other("a decimal number"),
        (Physical::BYTE_ARRAY, _) => Kind::Text,
        (_, Some(LogicalType::Float16)) => Kind::Other("a float16"),
        (_, Some(LogicalType::Timestamp(_))) => Kind::Other("a date and time"),
        _ => Kind::Other("a value of another type"),
    }
}

fn read(column: &mut ColumnReader, rows: usize, kind: Kind) -> Result<Values, ParquetError> {
    let unsigned = kind == Kind::Unsigned;
    match column {
        ColumnReader::BoolColumnReader(r) => numbers(r, rows, |x| f64::from(u8::from(x))),
        ColumnReader::Int32ColumnReader(r) => numbers(r, rows, |x| {
            if unsigned {
                f64::from(x.cast_unsigned())
            } else {
                f64::from(x)
            }
        }),
        ColumnReader::Int64ColumnReader(r) => numbers(r, rows, |x| {
            if unsigned {
                x.cast_unsigned() as f64
            } else {
                x as f64
            }
        }),
        ColumnReader::FloatColumnReader(r) => numbers(r, rows, f64::from),
        ColumnReader::DoubleColumnReader(r) => numbers(r, rows, |x| x),
        ColumnReader::ByteArrayColumnReader(r) => {
            let text = |x: ByteArray| x.as_utf8().map(str::to_string);
            Ok(Values::Text(
                nullable(r, rows)?
                    .into_iter()
                    .map(|x| x.map(text).transpose())
                    .collect::<Result<_, _>>()?,
            ))
        }
        _ => Ok(Values::None),
    }
}

fn numbers<T: DataType>(
    reader: &mut ColumnReaderImpl<T>,
    rows: usize,
    number: impl Fn(T::T) -> f64,
) -> Result<Values, ParquetError> {
    Ok(Values::Numbers(
        nullable(reader, rows)?
            .into_iter()
            .map(|x| x.map_or(f64::NAN, &number))
            .collect(),
    ))
}

/// The next `rows` values.
fn nullable<T: DataType>(
    reader: &mut ColumnReaderImpl<T>,
    rows: usize,
) -> Result<Vec<Option<T::T>>, ParquetError> {
    let (mut values, mut levels, mut all) = (Vec::new(), Vec::new(), 0);
    while all < rows {
        let (read, _, _) = reader.read_records(rows - all, Some(&mut levels), None, &mut values)?;
        if read == 0 {
            return Err(ParquetError::General(format!(
                "a column ends {} rows before the others",
                rows - all
            )));
        }
        all += read;
    }
    // Required columns have no levels.
    if levels.is_empty() {
        return Ok(values.into_iter().map(Some).collect());
    }
    let mut present = values.into_iter();
    Ok(levels
        .iter()
        .map(|&level| if level > 0 { present.next() } else { None })
        .collect())
}
