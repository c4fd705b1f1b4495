//! The marker that says a step of a plan is done, and for which content.

use crate::{Made, RecordError, read_to_string, write_atomic};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// Name of the marker in a step's folder.
pub const STEP_FILE: &str = "step.json";

/// Written last into a step's folder: a step without it, or with another key, has not been done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepRecord {
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
    /// The record in `folder`, or `None` where there is none that can be read.
    pub fn read(folder: &Path) -> Option<Self> {
        serde_json::from_str(&read_to_string(&folder.join(STEP_FILE)).ok()?).ok()
    }

    /// Writes the record into `folder`.
    pub fn write(&self, folder: &Path) -> Result<(), RecordError> {
        let path = folder.join(STEP_FILE);
        let text = serde_json::to_string(self).map_err(|source| RecordError::Json { path: path.clone(), source })?;
        write_atomic(&path, text.as_bytes())
    }
}
