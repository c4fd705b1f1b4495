//! Columns of lists in Parquet: a vector, or an array `[outer][inner]`, in each row.
//!
//! What lives here: how values and levels become lists. What does not: what the axes are (`axes`).

use parquet::basic::Repetition;
use parquet::column::reader::ColumnReaderImpl;
use parquet::data_type::DataType;
use parquet::errors::ParquetError;
use parquet::schema::types::{ColumnDescriptor, Type};

/// Names that writers give to the levels of a list.
const WRAPPERS: [&str; 6] = ["list", "element", "item", "array", "bag", "array_element"];

/// The definition levels of a column of lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ListLevels {
    /// Lists within each other: 1 or 2.
    pub depth: usize,
    /// From which level a list of each depth has an entry.
    entry: [i16; 2],
    /// The level of a value.
    value: i16,
}

/// The list in one row.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct List {
    /// Lengths of the inner lists; of a plain list its own.
    pub lengths: Vec<usize>,
    /// All values, NaN where missing.
    pub values: Vec<f32>,
}

impl ListLevels {
    /// The levels of a column that holds nothing but lists of numbers.
    pub fn of(root: &Type, column: &ColumnDescriptor) -> Option<Self> {
        use parquet::basic::Type as Physical;
        let numeric = matches!(
            column.physical_type(),
            Physical::FLOAT | Physical::DOUBLE | Physical::INT32 | Physical::INT64
        );
        let named = column.path().parts()[1..]
            .iter()
            .all(|name| WRAPPERS.contains(&name.as_str()));
        let depth = usize::try_from(column.max_rep_level()).ok()?;
        if !numeric || !named || !(1..=2).contains(&depth) {
            return None;
        }
        let (mut entry, mut found, mut level, mut node) = ([0; 2], 0, 0, root);
        loop {
            if node.get_basic_info().has_repetition() {
                match node.get_basic_info().repetition() {
                    Repetition::REQUIRED => {}
                    Repetition::OPTIONAL => level += 1,
                    Repetition::REPEATED => {
                        level += 1;
                        *entry.get_mut(found)? = level;
                        found += 1;
                    }
                }
            }
            if node.is_primitive() {
                return Some(ListLevels {
                    depth,
                    entry,
                    value: level,
                });
            }
            match node.get_fields() {
                [only] => node = only,
                _ => return None,
            }
        }
    }
}

/// The lists of the next `rows` rows.
pub(crate) fn read<T: DataType>(
    reader: &mut ColumnReaderImpl<T>,
    rows: usize,
    levels: ListLevels,
    number: impl Fn(T::T) -> f32,
) -> Result<Vec<List>, ParquetError> {
    let (mut values, mut defined, mut repeated, mut all) = (Vec::new(), Vec::new(), Vec::new(), 0);
    while all < rows {
        let (read, _, _) = reader.read_records(
            rows - all,
            Some(&mut defined),
            Some(&mut repeated),
            &mut values,
        )?;
        if read == 0 {
            let found = format!("a column ends {} rows before the others", rows - all);
            return Err(ParquetError::General(found));
        }
        all += read;
    }
    let mut values = values.into_iter();
    let mut lists: Vec<List> = Vec::with_capacity(rows);
    for (&defined, &repeated) in defined.iter().zip(&repeated) {
        if repeated == 0 {
            lists.push(List::default());
        }
        let Some(list) = lists.last_mut() else {
            continue;
        };
        let begins = if levels.depth == 1 {
            repeated == 0
        } else {
            repeated <= 1
        };
        if begins && defined >= levels.entry[0] {
            list.lengths.push(0);
        }
        if defined >= levels.entry[levels.depth - 1] {
            if let Some(length) = list.lengths.last_mut() {
                *length += 1;
            }
            let value = if defined == levels.value {
                values.next()
            } else {
                None
            };
            list.values.push(value.map_or(f32::NAN, &number));
        }
    }
    Ok(lists)
}

impl List {
    /// Its shape, of one or two dimensions; an empty list has none.
    ///
    /// # Errors
    /// The lengths of two inner lists that differ.
    pub fn shape(&self, depth: usize) -> Result<Option<Vec<usize>>, [usize; 2]> {
        let Some(&first) = self.lengths.first().filter(|n| **n > 0) else {
            return Ok(None);
        };
        match self.lengths.iter().find(|n| **n != first) {
            Some(&other) => Err([first, other]),
            None if depth == 1 => Ok(Some(vec![first])),
            None => Ok(Some(vec![self.lengths.len(), first])),
        }
    }
}
