//! The marker that says a step of a plan is done, and for which content.

use crate::{Made, RecordError, read_to_string, write_atomic};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// Name of the marker in a step's folder.
pub const STEP_FILE: &str = "step.json";

/// The format of what steps leave in a run. Raised where a table or record changes, so that steps of another format are done
/// again: 2 has the column `budget` and says where a step was made.
pub const RUN_FORMAT: u32 = 2;

/// Written last into a step's folder: a step without it, or with another key, has not been done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepRecord {
    /// Format of what the step left: [`RUN_FORMAT`].
    pub format: u32,
    /// Hash of everything the step's outcome depends on.
    pub key: String,
    /// Seconds it took.
    pub seconds: f64,
    /// BLAKE3 of each file that it left, by its path in the run folder; empty in records of before they were taken.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub outputs: BTreeMap<String, String>,
    /// Where it was made, as its own process says: one entry, or several where it was gone on with elsewhere; empty where the program
    /// does not say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub made: Vec<Made>,
}

impl StepRecord {
    /// The record in `folder`, or `None` where there is none that can be read, or one of another format.
    pub fn read(folder: &Path) -> Option<Self> {
        let record: StepRecord = serde_json::from_str(&read_to_string(&folder.join(STEP_FILE)).ok()?).ok()?;
        (record.format == RUN_FORMAT).then_some(record)
    }

    /// Writes the record into `folder`.
    pub fn write(&self, folder: &Path) -> Result<(), RecordError> {
        let path = folder.join(STEP_FILE);
        let text = serde_json::to_string(self).map_err(|source| RecordError::Json { path: path.clone(), source })?;
        write_atomic(&path, text.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_of_another_format_has_not_been_done() {
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
        StepRecord { format: RUN_FORMAT - 1, ..record }.write(dir.path()).unwrap();
        assert_eq!(StepRecord::read(dir.path()), None);
        std::fs::write(dir.path().join(STEP_FILE), r#"{"key":"k","seconds":1.5}"#).unwrap();
        assert_eq!(StepRecord::read(dir.path()), None, "before there were formats");
    }
}
