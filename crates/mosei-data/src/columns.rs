use crate::{Csd, labels};
use mosei_schema::COVAREP_COLUMNS;

/// Column names of a features file: its own where they match its width, else COVAREP's for 74
/// columns, else `column_0`, `column_1` and so on.
pub fn feature_columns(csd: &Csd) -> Vec<String> {
    if let Some(names) = csd.dimension_names() {
        return names;
    }
    if csd.width() == COVAREP_COLUMNS.len() {
        return COVAREP_COLUMNS
            .iter()
            .map(|name| name.to_string())
            .collect();
    }
    (0..csd.width()).map(|i| format!("column_{i}")).collect()
}

/// Column names of a label file: its own where they match its width, else MOSEI's for 1, 6 or 7
/// columns; `None` for other widths. Any name that starts with `sentiment` becomes `sentiment`.
pub fn label_columns(csd: &Csd) -> Option<Vec<String>> {
    Some(
        labels::label_columns(csd)?
            .iter()
            .map(|column| column.name().to_string())
            .collect(),
    )
}
