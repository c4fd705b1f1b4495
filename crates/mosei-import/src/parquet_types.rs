//! The types of Parquet's columns: from its own schema, and from what pandas, Arrow and Hugging Face
//! add to it.
//!
//! What lives here: which values a column holds. What does not: reading them (`parquet_table`).

use crate::arrow_schema;
use crate::parquet_lists::ListLevels;
use parquet::basic::{ConvertedType, LogicalType, Type as Physical};
use parquet::file::metadata::ParquetMetaData;
use parquet::schema::types::ColumnDescriptor;
use std::collections::BTreeMap;

/// How the values of a column become cells.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    Number,
    /// Unsigned, of 32 or 64 bits.
    Unsigned,
    /// True or false, stored as 1 or 0.
    Bool,
    /// Half-precision floats, in two bytes.
    Half,
    Text,
    /// Numbers of classes that have these names (Hugging Face's `ClassLabel`).
    Class(Vec<String>),
    /// Lists of numbers.
    Lists(ListLevels),
    /// A duration in this unit, seconds.
    Duration(f64),
    /// Not read.
    Other(&'static str),
}

/// Duration columns, for which Parquet has no type, with their unit in seconds: from pandas'
/// metadata, else from Arrow's schema. Both store durations as integers.
fn durations(metadata: &ParquetMetaData) -> BTreeMap<String, f64> {
    let pandas: serde_json::Value = key_value(metadata, "pandas")
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default();
    let schema = key_value(metadata, "ARROW:schema");
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

/// The columns of a file whose numbers are those of classes, with the names of these, from Hugging
/// Face's metadata.
fn classes(metadata: &ParquetMetaData) -> BTreeMap<String, Vec<String>> {
    let text = key_value(metadata, "huggingface");
    let facts: serde_json::Value = text
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default();
    let mut found = BTreeMap::new();
    for (name, feature) in facts["info"]["features"].as_object().into_iter().flatten() {
        let names = feature["names"]
            .as_array()
            .filter(|_| feature["_type"] == "ClassLabel");
        let names = names.map(|names| {
            names
                .iter()
                .filter_map(|n| n.as_str().map(String::from))
                .collect()
        });
        found.extend(names.map(|names| (name.clone(), names)));
    }
    found
}

fn key_value<'m>(metadata: &'m ParquetMetaData, key: &str) -> Option<&'m str> {
    let entries = metadata.file_metadata().key_value_metadata()?;
    entries
        .iter()
        .find(|entry| entry.key == key)?
        .value
        .as_deref()
}

/// Names and kinds of all columns; nested ones are called `a.b`, lists by their own name.
pub(crate) fn columns(metadata: &ParquetMetaData) -> Vec<(String, Kind)> {
    let (durations, classes) = (durations(metadata), classes(metadata));
    let schema = metadata.file_metadata().schema_descr_ptr();
    let column = |i: usize| {
        let column = schema.column(i);
        if let Some(levels) = ListLevels::of(schema.get_column_root(i), &column) {
            return (column.path().parts()[0].clone(), Kind::Lists(levels));
        }
        let kind = match (kind(&column, &durations), classes.get(column.name())) {
            (Kind::Number, Some(names)) => Kind::Class(names.clone()),
            (kind, _) => kind,
        };
        (column.path().string(), kind)
    };
    (0..schema.num_columns()).map(column).collect()
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
        (Physical::FIXED_LEN_BYTE_ARRAY, Some(LogicalType::Float16)) => Kind::Half,
        (_, Some(LogicalType::Timestamp(_))) => Kind::Other("a date and time"),
        _ => Kind::Other("a value of another type"),
    }
}
