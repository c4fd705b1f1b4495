//! The one door to the labels of the test split, and to those of the validation split that nothing is chosen by.
//!
//! [`crate::Corpus`] takes them out of memory, so that nothing that trains, chooses or validates can meet them. They come
//! back once, for the predictions to be written beside them, and the cell's journal says so.

use crate::{Corpus, TrainError};
use mosei_data::{Prepared, WithheldLabels};
use run_record::Journal;
use serde_json::json;
use std::collections::BTreeMap;

/// The event of the journal.
pub(crate) const TEST_LABELS_EVENT: &str = "test-labels";

/// Labels that nobody has read yet.
pub(crate) struct TestLabels {
    test: WithheldLabels,
    /// Of the validation split, those that nothing is chosen by.
    unused: Option<WithheldLabels>,
}

impl TestLabels {
    /// Takes the labels of a fold's test segments out of the opened folder.
    pub(crate) fn shut(prepared: &mut Prepared, test: &[usize]) -> Self {
        TestLabels { test: prepared.withhold(test), unused: None }
    }

    /// Takes labels of validation segments out as well.
    pub(crate) fn shut_also(&mut self, prepared: &mut Prepared, unused: &[usize]) {
        self.unused = Some(prepared.withhold(unused));
    }

    /// Reads them after `step` steps. That can be done once, and is written into the journal first.
    pub(crate) fn read(self, journal: &mut Journal, step: usize) -> Result<SpokenLabels, TrainError> {
        let unused = self.unused.as_ref().map_or(0, |u| u.segments().len());
        journal.write(&json!({
            "event": TEST_LABELS_EVENT, "step": step, "segments": self.test.segments().len(), "validation_segments": unused,
        }))?;
        Ok(SpokenLabels::of([Some(self.test), self.unused].into_iter().flatten()))
    }
}

/// Labels that have been read.
pub(crate) struct SpokenLabels(BTreeMap<usize, Vec<f32>>);

impl SpokenLabels {
    fn of(parts: impl Iterator<Item = WithheldLabels>) -> Self {
        let rows = |part: WithheldLabels| {
            let rows = part.segments().iter().enumerate().map(|(row, &i)| (i, part.intensities(row).to_vec()));
            rows.collect::<Vec<_>>()
        };
        SpokenLabels(parts.flat_map(rows).collect())
    }

    /// The intensities of a segment: [E], from here where they were withheld, else from the corpus.
    pub(crate) fn of_segment<'a>(&'a self, corpus: &'a Corpus, segment: usize) -> &'a [f32] {
        self.0.get(&segment).map_or_else(|| corpus.prepared.intensities(segment), Vec::as_slice)
    }
}
