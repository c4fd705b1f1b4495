//! Parquet, a few thousand rows of all columns at a time.
//!
//! What lives here: the conversion of values to cells. What does not: their types
//! (`parquet_types`), the meaning of columns. A panic of the library on a damaged file becomes an error.

use crate::ImportError;
use crate::cell::Cell;
use crate::parquet_lists::{self, List};
use crate::parquet_types::{self, Kind};
use half::f16;
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, DataType};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use run_record::no_panic;
use std::fs::File;
use std::path::Path;

/// Rows read at once; of lists, each of which may be a recording, fewer.
const BATCH: usize = 4096;
const BATCH_OF_LISTS: usize = 16;

const FORMAT: &str = "a Parquet file";

/// An open file, at one of its rows.
pub(crate) struct ParquetTable {
    reader: SerializedFileReader<File>,
    kinds: Vec<Kind>,
    /// Rows read at once.
    batch_rows: usize,
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

/// Values of a batch; a missing number is NaN.
enum Values {
    Numbers(Vec<f64>),
    Text(Vec<Option<String>>),
    Lists(Vec<List>),
    None,
}

impl ParquetTable {
    /// Opens a file; returns its column names, nested ones as `a.b`.
    pub fn open(path: &Path, file: File) -> Result<(Vec<String>, Self), ImportError> {
        let reader = no_panic(|| SerializedFileReader::new(file))
            .map_err(|e| ImportError::unreadable(path, FORMAT, e))?;
        let columns = no_panic(|| Ok::<_, ParquetError>(parquet_types::columns(reader.metadata())))
            .map_err(|e| ImportError::unreadable(path, FORMAT, e))?;
        let (names, kinds): (Vec<String>, Vec<Kind>) = columns.into_iter().unzip();
        let has_lists = kinds.iter().any(|kind| matches!(kind, Kind::Lists(_)));
        let table = ParquetTable {
            reader,
            kinds,
            batch_rows: if has_lists { BATCH_OF_LISTS } else { BATCH },
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
            (Some(Kind::Class(names)), Some(Values::Numbers(v))) => {
                // -1 is a class that is missing.
                let number = v.get(self.at).filter(|x| **x >= 0.0).map(|x| *x as usize);
                number
                    .and_then(|i| names.get(i))
                    .map_or(Cell::Missing, |name| Cell::Text(name))
            }
            (Some(Kind::Lists(_)), Some(Values::Lists(v))) => {
                v.get(self.at).map_or(Cell::Missing, Cell::List)
            }
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

    /// Lists within each other in a column; 0 where it holds none.
    pub fn depth(&self, column: usize) -> usize {
        match self.kinds.get(column) {
            Some(Kind::Lists(levels)) => levels.depth,
            _ => 0,
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
        let rows = self.left_in_group.min(self.batch_rows);
        let read = |(column, kind): (&mut Option<ColumnReader>, &Kind)| match column {
            Some(column) => read(column, rows, kind),
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

fn read(column: &mut ColumnReader, rows: usize, kind: &Kind) -> Result<Values, ParquetError> {
    let unsigned = *kind == Kind::Unsigned;
    if let Kind::Lists(levels) = *kind {
        return Ok(Values::Lists(match column {
            ColumnReader::Int32ColumnReader(r) => {
                parquet_lists::read(r, rows, levels, |x| x as f32)?
            }
            ColumnReader::Int64ColumnReader(r) => {
                parquet_lists::read(r, rows, levels, |x| x as f32)?
            }
            ColumnReader::FloatColumnReader(r) => parquet_lists::read(r, rows, levels, |x| x)?,
            ColumnReader::DoubleColumnReader(r) => {
                parquet_lists::read(r, rows, levels, |x| x as f32)?
            }
            _ => Vec::new(),
        }));
    }
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
        ColumnReader::FixedLenByteArrayColumnReader(r) => numbers(r, rows, |x| {
            let half = <[u8; 2]>::try_from(x.data()).map(f16::from_le_bytes);
            half.map_or(f64::NAN, f64::from)
        }),
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
