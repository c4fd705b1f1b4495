//! Labels that are withheld until a cell has finished learning: those of the test split, and those
//! of the validation split that model selection may not use.
//!
//! [`crate::Corpus`] takes them out of memory, so that neither training nor model selection can
//! read them. They are released once, to be written beside the predictions, and the cell's journal
//! records it.

use crate::event::Event;
use crate::{Corpus, TrainError};
use mosei_data::{Prepared, WithheldLabels};
use run_record::Journal;
use std::collections::BTreeMap;

/// Labels that have not been read.
pub(crate) struct TestLabels {
    test: WithheldLabels,
    /// Of the validation split, those that model selection does not use.
    unused: Option<WithheldLabels>,
}

impl TestLabels {
    /// Takes the labels of a fold's test segments out of the opened folder.
    pub(crate) fn withhold(prepared: &mut Prepared, test: &[usize]) -> Self {
        TestLabels {
            test: prepared.withhold(test),
            unused: None,
        }
    }

    /// Takes labels of validation segments out as well.
    pub(crate) fn withhold_unused(&mut self, prepared: &mut Prepared, unused: &[usize]) {
        self.unused = Some(prepared.withhold(unused));
    }

    /// Releases them after `step` steps. That is possible once, and is written into the journal
    /// first.
    pub(crate) fn release(
        self,
        journal: &mut Journal,
        step: usize,
    ) -> Result<ReleasedLabels, TrainError> {
        let validation_segments = self.unused.as_ref().map_or(0, |u| u.segments().len());
        Event::TestLabels {
            step,
            segments: self.test.segments().len(),
            validation_segments,
        }
        .write(journal)?;
        Ok(ReleasedLabels::of(
            [Some(self.test), self.unused].into_iter().flatten(),
        ))
    }
}

/// Labels that have been released.
pub(crate) struct ReleasedLabels(BTreeMap<usize, Vec<f32>>);

impl ReleasedLabels {
    fn of(parts: impl Iterator<Item = WithheldLabels>) -> Self {
        let rows = |part: WithheldLabels| {
            let rows = part
                .segments()
                .iter()
                .enumerate()
                .map(|(row, &i)| (i, part.intensities(row).to_vec()));
            rows.collect::<Vec<_>>()
        };
        ReleasedLabels(parts.flat_map(rows).collect())
    }

    /// The intensities of a segment: [E], from here where they were withheld, else from the corpus.
    pub(crate) fn of_segment<'a>(&'a self, corpus: &'a Corpus, segment: usize) -> &'a [f32] {
        self.0
            .get(&segment)
            .map_or_else(|| corpus.prepared.intensities(segment), Vec::as_slice)
    }
}
