use crate::Csd;
use mosei_schema::COVAREP_COLUMNS;

/// Names of a features file's columns: its own where they fit its width, else COVAREP's for 74 columns, else
/// `column_0`, `column_1` and so on.
pub fn feature_columns(csd: &Csd) -> Vec<String> {
    if let Some(names) = csd.dimension_names() {
        return names;
    }
    if csd.width() == COVAREP_COLUMNS.len() {
        return COVAREP_COLUMNS.iter().map(|name| name.to_string()).collect();
    }
    (0..csd.width()).map(|i| format!("column_{i}")).collect()
}
