//! The one door to the labels of the test split.
//!
//! [`crate::Corpus`] takes them out of memory when it opens a fold, so that nothing that trains, chooses or
//! validates can meet them. They come back once, for the predictions to be written beside them, and the cell's journal
//! says so.

use crate::TrainError;
use mosei_data::{Fold, Prepared, WithheldLabels};
use run_record::Journal;
use serde_json::json;

/// The event of the journal.
pub(crate) const TEST_LABELS_EVENT: &str = "test-labels";

/// Labels of the test split that nobody has read yet.
pub(crate) struct TestLabels(WithheldLabels);

impl TestLabels {
    /// Takes the labels of a fold's test split out of the opened folder.
    pub(crate) fn shut(prepared: &mut Prepared, fold: &Fold) -> Self {
        TestLabels(prepared.withhold(&fold.test))
    }

    /// Reads them, in the order of the fold's test segments, after `step` steps. That can be done once, and is written
    /// into the journal first.
    pub(crate) fn read(self, journal: &mut Journal, step: usize) -> Result<WithheldLabels, TrainError> {
        journal.write(&json!({"event": TEST_LABELS_EVENT, "step": step, "segments": self.0.segments().len()}))?;
        Ok(self.0)
    }
}
