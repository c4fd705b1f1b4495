//! The lines of a training's journal, `journal.jsonl`: one JSON object a line, named by its
//! `event`.
//!
//! What lives here: every kind of line, written and read through one type. What does not: when a
//! line is written.

use crate::TrainError;
use run_record::{Journal, Made, hash_bytes};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;
use strum::IntoStaticStr;
use tch::{Device, Kind, Tensor};

/// The journal of a training, in its folder.
pub const JOURNAL_FILE: &str = "journal.jsonl";

/// One line of a journal. `step` is the number of steps done, but for [`Event::Step`], whose `step`
/// counts from 0.
///
/// A number that is not finite is `null` in JSON, and so an `Option` here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, IntoStaticStr)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Event {
    /// A process begins a training.
    Start(Process),
    /// A process continues a training from its checkpoint.
    Resume(Process),
    /// One step of the optimiser.
    Step(StepEvent),
    /// An evaluation on the validation split.
    Validation {
        /// Steps done.
        step: usize,
        /// Mean loss.
        loss: Option<f64>,
        /// What the best weights are selected by: higher is better.
        score: Option<f64>,
        /// Further metrics by name.
        more: BTreeMap<String, Option<f64>>,
    },
    /// A checkpoint was saved.
    Checkpoint {
        /// Steps done.
        step: usize,
        /// Seconds it took.
        seconds: f64,
    },
    /// The outcome of one training of a learning-rate search.
    Candidate(Candidate),
    /// The penalties that were selected for the regressions of a cell without an encoder.
    Regression {
        /// 0.
        step: usize,
        /// By head: strength of the penalty, and its validation score.
        strength_and_score: BTreeMap<String, [Option<f64>; 2]>,
    },
    /// What a pre-training drew its batches from.
    Seen {
        /// Steps done.
        step: usize,
        /// Kind of the pre-training.
        kind: String,
        /// Labelled segments, without their labels.
        segments: usize,
        /// Stretches of speech outside segments.
        stretches: usize,
        /// Frames of both.
        frames: usize,
    },
    /// The withheld labels are read, once.
    TestLabels {
        /// Steps done.
        step: usize,
        /// Segments of the test split.
        segments: usize,
        /// Segments of the validation split that model selection did not use.
        validation_segments: usize,
    },
    /// The last line: nothing is learned, selected or read after it.
    End {
        /// Steps done.
        step: usize,
        /// Steps done when the best validation score was reached.
        best_step: usize,
        /// That score.
        best_score: Option<f64>,
    },
}

/// A process that begins or continues a training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Process {
    /// Steps done before.
    pub step: usize,
    /// Version of the program.
    pub version: String,
    /// The machine it runs on.
    pub made: Option<Made>,
    /// What all starts that are compared have in common.
    pub beginning: Beginning,
}

/// Hashes of what every start of a budget, draw and seed must share before its first step.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Beginning {
    /// The labelled segments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<String>,
    /// The validation segments used for model selection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<String>,
    /// The random weights of the heads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heads: Option<String>,
}

/// One step of the optimiser.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepEvent {
    /// Which, from 0.
    pub step: usize,
    /// The epoch its batch begins in, from 0.
    pub epoch: usize,
    /// Mean loss of the batch.
    pub loss: f64,
    /// Learning rate of the schedule.
    pub learning_rate: f64,
    /// Norm of all gradients before clipping.
    pub gradient_norm: f64,
    /// Frames of the batch.
    pub valid_frames: i64,
    /// Frames that the largest kernel computed, padding included.
    pub computed_frames: i64,
    /// Seconds it took.
    pub seconds: f64,
    /// Hash of the batch's segments.
    pub batch: String,
    /// What libtorch's generators were set to, for dropout.
    pub dropout: i64,
}

/// The outcome of one training of a learning-rate search.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// Steps done.
    pub step: usize,
    /// Its learning rate.
    pub learning_rate: f64,
    /// By which the configured learning rate was multiplied.
    pub factor: f64,
    /// Steps done when its best validation score was reached.
    pub best_step: usize,
    /// That score.
    pub best_score: Option<f64>,
    /// Whether its model was selected.
    pub chosen: bool,
}

impl Event {
    /// Steps done when the line was written; of [`Event::Step`] its own number.
    pub fn step(&self) -> usize {
        match self {
            Event::Start(process) | Event::Resume(process) => process.step,
            Event::Step(step) => step.step,
            Event::Candidate(candidate) => candidate.step,
            Event::Validation { step, .. }
            | Event::Checkpoint { step, .. }
            | Event::Regression { step, .. }
            | Event::Seen { step, .. }
            | Event::TestLabels { step, .. }
            | Event::End { step, .. } => *step,
        }
    }

    /// Its kind, as the journal names it.
    pub fn name(&self) -> &'static str {
        self.into()
    }

    /// Appends the line to an open journal.
    pub(crate) fn write(&self, journal: &mut Journal) -> Result<(), TrainError> {
        Ok(journal.write(self)?)
    }

    /// One line of a journal.
    pub(crate) fn parse(line: &str) -> Option<Self> {
        serde_json::from_str(line).ok()
    }

    /// Reads a finished journal.
    ///
    /// # Errors
    /// A file that cannot be read; a line that is no event, by its number.
    pub fn read_all(path: &Path) -> Result<Vec<Self>, TrainError> {
        let text = run_record::read_to_string(path)?;
        let parse = |(i, line)| {
            serde_json::from_str(line).map_err(|source| TrainError::JournalLine {
                path: path.into(),
                line: i + 1,
                source,
            })
        };
        text.lines().enumerate().map(parse).collect()
    }
}

/// A number as JSON has it: none where it is not finite.
pub(crate) fn finite(number: f64) -> Option<f64> {
    number.is_finite().then_some(number)
}

/// Hash of segments in their order; `names` are ids divided by spaces.
pub fn hash_of_segments(names: &str) -> String {
    // 64 bits tell any two batches of a study apart.
    hash_bytes(names.as_bytes())[..16].to_string()
}

/// Hash of named tensors of single precision: names, shapes and every bit.
pub(crate) fn hash_of_tensors(entries: &[(String, Tensor)]) -> Result<String, TrainError> {
    let mut bytes = Vec::new();
    for (name, tensor) in entries {
        bytes.extend(format!("{name} {:?}\n", tensor.size()).into_bytes());
        let flat = tensor
            .f_detach()?
            .f_to_device(Device::Cpu)?
            .f_to_kind(Kind::Float)?
            .f_reshape([-1])?;
        bytes.extend(
            Vec::<f32>::try_from(&flat)?
                .into_iter()
                .flat_map(f32::to_le_bytes),
        );
    }
    Ok(hash_bytes(&bytes)[..16].to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bit_makes_another_hash() {
        let named =
            |values: &[f32]| vec![("presence.weight".to_string(), Tensor::from_slice(values))];
        let hash = |entries: &[(String, Tensor)]| hash_of_tensors(entries).unwrap();
        assert_eq!(hash(&named(&[1.0, 2.0])), hash(&named(&[1.0, 2.0])));
        assert_ne!(hash(&named(&[1.0, 2.0])), hash(&named(&[1.0, 2.000_000_2])));
        assert_ne!(hash(&named(&[0.0])), hash(&named(&[-0.0])));
        let other = vec![(
            "intensity.weight".to_string(),
            Tensor::from_slice(&[1.0f32, 2.0]),
        )];
        assert_ne!(hash(&named(&[1.0, 2.0])), hash(&other));
        assert_ne!(hash_of_segments("a[0] a[1]"), hash_of_segments("a[1] a[0]"));
    }

    #[test]
    fn a_line_reads_back_as_itself_and_another_names_its_place() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(JOURNAL_FILE);
        let more = BTreeMap::from([("macro_roc_auc".to_string(), None)]);
        let events = [
            Event::Validation {
                step: 4,
                loss: finite(0.1 + 0.2),
                score: finite(f64::NAN),
                more,
            },
            Event::TestLabels {
                step: 4,
                segments: 7,
                validation_segments: 0,
            },
            Event::End {
                step: 4,
                best_step: 2,
                best_score: Some(-0.25),
            },
        ];
        let mut journal = Journal::append(&path).unwrap();
        events
            .iter()
            .for_each(|event| event.write(&mut journal).unwrap());
        assert_eq!(Event::read_all(&path).unwrap(), events);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(
            text.contains(
                r#"{"event":"test-labels","step":4,"segments":7,"validation_segments":0}"#
            ),
            "{text}"
        );
        std::fs::write(&path, text + "{\"event\":\"pause\",\"step\":4}\n").unwrap();
        let error = Event::read_all(&path).unwrap_err().to_string();
        assert_eq!(
            error,
            format!("{}: line 4: not an event of a journal", path.display())
        );
    }
}
