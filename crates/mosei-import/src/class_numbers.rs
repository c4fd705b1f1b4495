//! Numbers of classes among the labels, which must not be read as intensities.
//!
//! What lives here: the columns whose names are usual for class numbers, and the refusal where they
//! hold whole numbers alone. What does not: categories that a mapping file names (`labels`).

use crate::ImportError;
use crate::label_columns::LabelColumns;
use crate::table::Table;
use std::collections::BTreeSet;

/// Most values that an error lists.
const MAX_LISTED: usize = 8;

/// The values of the columns that may hold class numbers.
pub(crate) struct ClassNumbers {
    /// Each column, and its values while all are whole.
    columns: Vec<(usize, Option<BTreeSet<i64>>)>,
}

impl ClassNumbers {
    /// No values yet.
    pub fn of(columns: &LabelColumns) -> Self {
        let column = |&i: &usize| (i, Some(BTreeSet::new()));
        ClassNumbers {
            columns: columns.class_named.iter().map(column).collect(),
        }
    }

    /// Adds the values of this row.
    pub fn add(&mut self, table: &Table) {
        for (column, values) in &mut self.columns {
            let whole = table
                .cell(*column)
                .number()
                .filter(|x| x.fract() == 0.0 && x.abs() < 1e9);
            match (whole, values.as_mut()) {
                (Some(x), Some(values)) if values.len() < MAX_LISTED => {
                    values.insert(x as i64);
                }
                (Some(_), _) => {}
                (None, _) => *values = None,
            }
        }
    }

    /// The error where a column holds whole numbers alone so far.
    pub fn refusal(&self, table: &Table, column: usize) -> Option<ImportError> {
        let (_, values) = self.columns.iter().find(|(i, _)| *i == column)?;
        let values = values.as_ref().filter(|values| !values.is_empty())?;
        let name = &table.names()[column];
        let listed: Vec<String> = values.iter().map(i64::to_string).collect();
        let more = if values.len() == MAX_LISTED {
            ", …"
        } else {
            ""
        };
        let found = format!("whole numbers in '{name}' ({}{more})", listed.join(", "));
        let hint = format!(
            "if they number classes, name these: [labels.category] column = {name:?}, [labels.category.meaning] \"{}\" = \"anger\" and so on; if they are intensities, list {name:?} under 'columns' in [labels]",
            listed[0]
        );
        let expected = "intensities, or classes that a mapping file names";
        let error = ImportError::table(table.path(), "header", expected, found);
        Some(error.with_hint(Some(hint)))
    }

    /// The error for the first column that holds whole numbers alone.
    pub fn any(&self, table: &Table) -> Option<ImportError> {
        self.columns
            .iter()
            .find_map(|(column, _)| self.refusal(table, *column))
    }
}
