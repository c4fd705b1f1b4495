//! Conversion of columns in tables that other software wrote.
//!
//! pandas, polars and DuckDB make every column nullable and write integers as int64 (pandas as
//! double, if a value is missing); some write single precision. Values with an exact conversion are
//! accepted; all others are an error that names the row.

use crate::table::Foreign;
use crate::{Column, RecordError, Table};
use std::borrow::Cow;
use std::path::Path;

impl Table {
    /// A text column without nulls.
    ///
    /// # Errors
    /// A missing column; a column of another type; a null.
    pub fn to_text<'a>(
        &'a self,
        path: &Path,
        name: &str,
    ) -> Result<Cow<'a, [String]>, RecordError> {
        match self.get(name) {
            Some(Column::Foreign(Foreign::Text(values))) => {
                non_null(path, name, "text", values).map(Cow::Owned)
            }
            _ => self.text(path, name).map(Cow::Borrowed),
        }
    }

    /// A boolean column without nulls.
    ///
    /// # Errors
    /// As [`Table::to_text`].
    pub fn to_bool<'a>(&'a self, path: &Path, name: &str) -> Result<Cow<'a, [bool]>, RecordError> {
        match self.get(name) {
            Some(Column::Foreign(Foreign::Bool(values))) => {
                non_null(path, name, "boolean", values).map(Cow::Owned)
            }
            _ => self.bool(path, name).map(Cow::Borrowed),
        }
    }

    /// A numeric column with nulls.
    ///
    /// # Errors
    /// A missing column; a column of another type; an integer that a double cannot represent
    /// exactly.
    pub fn to_option_f64<'a>(
        &'a self,
        path: &Path,
        name: &str,
    ) -> Result<Cow<'a, [Option<f64>]>, RecordError> {
        let each = |values: Vec<Option<f64>>| Ok(Cow::Owned(values));
        match self.get(name) {
            Some(Column::F64(values)) => each(values.iter().copied().map(Some).collect()),
            Some(Column::F32(values)) => each(values.iter().map(|&x| Some(f64::from(x))).collect()),
            Some(Column::I32(values)) => each(values.iter().map(|&x| Some(f64::from(x))).collect()),
            Some(Column::OptionI32(values)) => {
                each(values.iter().map(|x| x.map(f64::from)).collect())
            }
            Some(Column::Foreign(Foreign::I64(values))) => {
                let number = |(row, value): (usize, &Option<i64>)| match value {
                    Some(x) if x.unsigned_abs() > 1 << 53 => {
                        Err(invalid(path, name, "a number below 2^53", row, x))
                    }
                    value => Ok(value.map(|x| x as f64)),
                };
                each(
                    values
                        .iter()
                        .enumerate()
                        .map(number)
                        .collect::<Result<_, _>>()?,
                )
            }
            _ => self.option_f64(path, name).map(Cow::Borrowed),
        }
    }

    /// A numeric column without nulls.
    ///
    /// # Errors
    /// As [`Table::to_option_f64`]; a null.
    pub fn to_f64<'a>(&'a self, path: &Path, name: &str) -> Result<Cow<'a, [f64]>, RecordError> {
        match self.get(name) {
            Some(Column::F64(values)) => Ok(Cow::Borrowed(values)),
            _ => non_null(path, name, "a number", &self.to_option_f64(path, name)?).map(Cow::Owned),
        }
    }

    /// An integer column with nulls. A double without a fraction counts as an integer, because
    /// pandas writes integers as doubles if a value is missing.
    ///
    /// # Errors
    /// A missing column; a column of another type; a number that is not an integer or does not fit
    /// into 32 bits.
    pub fn to_option_i32<'a>(
        &'a self,
        path: &Path,
        name: &str,
    ) -> Result<Cow<'a, [Option<i32>]>, RecordError> {
        const EXPECTED: &str = "a 32-bit integer";
        let Some(column) = self.get(name) else {
            return self.option_i32(path, name).map(Cow::Borrowed);
        };
        Ok(match column {
            Column::I32(values) => Cow::Owned(values.iter().copied().map(Some).collect()),
            Column::Foreign(Foreign::I64(values)) => {
                let number = |(row, value): (usize, &Option<i64>)| {
                    let narrow = |x: &i64| {
                        i32::try_from(*x).map_err(|_| invalid(path, name, EXPECTED, row, x))
                    };
                    value.as_ref().map(narrow).transpose()
                };
                Cow::Owned(
                    values
                        .iter()
                        .enumerate()
                        .map(number)
                        .collect::<Result<_, _>>()?,
                )
            }
            Column::F32(_) | Column::F64(_) | Column::OptionF64(_) => {
                let number = |(row, value): (usize, &Option<f64>)| match *value {
                    // NaN marks a missing number in a column without nulls.
                    None => Ok(None),
                    Some(x) if x.is_nan() => Ok(None),
                    Some(x) if x.fract() == 0.0 && x.abs() <= f64::from(i32::MAX) => {
                        Ok(Some(x as i32))
                    }
                    Some(x) => Err(invalid(path, name, EXPECTED, row, &x)),
                };
                let values = self.to_option_f64(path, name)?;
                Cow::Owned(
                    values
                        .iter()
                        .enumerate()
                        .map(number)
                        .collect::<Result<_, _>>()?,
                )
            }
            _ => Cow::Borrowed(self.option_i32(path, name)?),
        })
    }

    /// An integer column without nulls.
    ///
    /// # Errors
    /// As [`Table::to_option_i32`]; a null.
    pub fn to_i32<'a>(&'a self, path: &Path, name: &str) -> Result<Cow<'a, [i32]>, RecordError> {
        match self.get(name) {
            Some(Column::I32(values)) => Ok(Cow::Borrowed(values)),
            None => self.i32(path, name).map(Cow::Borrowed),
            _ => {
                non_null(path, name, "an integer", &self.to_option_i32(path, name)?).map(Cow::Owned)
            }
        }
    }
}

/// The values, if there are no nulls.
fn non_null<T: Clone>(
    path: &Path,
    name: &str,
    expected: &str,
    values: &[Option<T>],
) -> Result<Vec<T>, RecordError> {
    let value = |(row, value): (usize, &Option<T>)| match value {
        Some(value) => Ok(value.clone()),
        None => Err(invalid(path, name, expected, row, &"null")),
    };
    values.iter().enumerate().map(value).collect()
}

/// `row` counts from 0.
fn invalid(
    path: &Path,
    name: &str,
    expected: &str,
    row: usize,
    found: &dyn std::fmt::Display,
) -> RecordError {
    RecordError::Column {
        path: path.to_path_buf(),
        column: name.to_string(),
        expected: expected.to_string(),
        found: format!("{found} in row {}", row + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(column: Column) -> Table {
        Table::new().with("x", column)
    }

    #[test]
    fn values_with_an_exact_conversion_are_accepted() {
        let path = Path::new("t.parquet");
        let integers = |column| {
            table(column)
                .to_option_i32(path, "x")
                .map(Cow::into_owned)
                .map_err(|e| e.to_string())
        };
        assert_eq!(integers(Column::I32(vec![7])).unwrap(), [Some(7)]);
        assert_eq!(
            integers(Column::Foreign(Foreign::I64(vec![Some(7), None]))).unwrap(),
            [Some(7), None]
        );
        assert_eq!(
            integers(Column::OptionF64(vec![Some(7.0), None, Some(f64::NAN)])).unwrap(),
            [Some(7), None, None]
        );
        let message = integers(Column::F64(vec![1.0, 1.5])).unwrap_err();
        assert!(
            message.ends_with("column 'x': expected a 32-bit integer, found 1.5 in row 2"),
            "{message}"
        );
        let message = integers(Column::Foreign(Foreign::I64(vec![Some(1 << 40)]))).unwrap_err();
        assert!(
            message.contains("found 1099511627776 in row 1"),
            "{message}"
        );
        let message = integers(Column::Text(vec!["1".into()])).unwrap_err();
        assert!(
            message.contains("expected int32 or null, found text"),
            "{message}"
        );

        assert_eq!(
            *table(Column::F32(vec![0.5])).to_f64(path, "x").unwrap(),
            [0.5]
        );
        assert_eq!(
            *table(Column::Foreign(Foreign::I64(vec![Some(3)])))
                .to_f64(path, "x")
                .unwrap(),
            [3.0]
        );
        let text = table(Column::Foreign(Foreign::Text(vec![Some("a".into()), None])));
        let message = text.to_text(path, "x").unwrap_err().to_string();
        assert!(
            message.contains("column 'x': expected text, found null in row 2"),
            "{message}"
        );
        let message = text.to_text(path, "y").unwrap_err().to_string();
        assert!(
            message.contains("column 'y': expected text, found no such column"),
            "{message}"
        );
        assert_eq!(
            *table(Column::Foreign(Foreign::Bool(vec![Some(true)])))
                .to_bool(path, "x")
                .unwrap(),
            [true]
        );
    }
}
