//! The record of a finished step of a plan.

use crate::{Made, RecordError, read_to_string, write_atomic};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// Name of the record in a step's folder.
pub const STEP_FILE: &str = "step.json";

/// The format of the files that steps write. It is raised when a table or record changes, and steps
/// of any other format count as not done. Format 2 has the column `budget` and the provenance of
/// each step.
pub const RUN_FORMAT: u32 = 2;

/// Written last into a step's folder: a step without it, or with another key, is not done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepRecord {
    /// Format of the step's files: [`RUN_FORMAT`].
    pub format: u32,
    /// Hash of everything that the step's result depends on.
    pub key: String,
    /// Seconds it took.
    pub seconds: f64,
    /// BLAKE3 of each output file, by its path relative to the run folder.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub outputs: BTreeMap<String, String>,
    /// The provenance that the step's process reported: one entry, or several if it was resumed on
    /// another machine; empty if the program reports none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub made: Vec<Made>,
}

impl StepRecord {
    /// The record in `folder`, or `None` if it is missing, invalid or of another format.
    pub fn read(folder: &Path) -> Option<Self> {
        let record: StepRecord =
            serde_json::from_str(&read_to_string(&folder.join(STEP_FILE)).ok()?).ok()?;
        (record.format == RUN_FORMAT).then_some(record)
    }

    /// Writes the record into `folder`.
    pub fn write(&self, folder: &Path) -> Result<(), RecordError> {
        let path = folder.join(STEP_FILE);
        let text = serde_json::to_string(self).map_err(|source| RecordError::Json {
            path: path.clone(),
            source,
        })?;
        write_atomic(&path, text.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_of_another_format_is_not_done() {
        let dir = tempfile::tempdir().unwrap();
        let record = StepRecord {
            format: RUN_FORMAT,
            key: "k".into(),
            seconds: 1.5,
            outputs: BTreeMap::new(),
            made: Vec::new(),
        };
        record.write(dir.path()).unwrap();
        assert_eq!(StepRecord::read(dir.path()), Some(record.clone()));
        StepRecord {
            format: RUN_FORMAT - 1,
            ..record
        }
        .write(dir.path())
        .unwrap();
        assert_eq!(StepRecord::read(dir.path()), None);
        std::fs::write(dir.path().join(STEP_FILE), r#"{"key":"k","seconds":1.5}"#).unwrap();
        assert_eq!(
            StepRecord::read(dir.path()),
            None,
            "a record without a format"
        );
    }
}
