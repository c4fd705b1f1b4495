//! What a pre-training sees: of which videos, which of their speech, in which order.
//!
//! What lives here: the choices and their names. What does not: the training ([`crate::pretrain()`]).

use crate::{Corpus, PretrainOn, TrainError};
use serde::{Deserialize, Serialize};

/// Of which videos a pre-training sees speech, and in which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PretrainKind {
    /// Training videos, as they were spoken.
    Ordinary,
    /// Training videos, but the frames of each segment in random order, another in each epoch. A control: what is left
    /// is what frames say without time.
    Shuffled,
    /// An ablation: the frames of validation and test videos too, never their labels.
    Transductive,
}

impl PretrainKind {
    /// All, the usual one first.
    pub const ALL: [PretrainKind; 3] = [PretrainKind::Ordinary, PretrainKind::Shuffled, PretrainKind::Transductive];

    /// The name in files and tables.
    pub const fn name(self) -> &'static str {
        match self {
            PretrainKind::Ordinary => "ordinary",
            PretrainKind::Shuffled => "shuffled",
            PretrainKind::Transductive => "transductive",
        }
    }

    /// The kind of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.name() == name)
    }

    /// What is said of it beside fold and seed; nothing of the usual one.
    pub(crate) const fn remark(self) -> &'static str {
        match self {
            PretrainKind::Ordinary => "",
            PretrainKind::Shuffled => ", shuffled frames (control)",
            PretrainKind::Transductive => ", transductive (ablation)",
        }
    }
}

/// The segments and stretches that a pre-training draws its batches from.
///
/// # Errors
/// Where the speech outside segments is asked for, and the prepared folder was made without it.
pub(crate) fn seen_by(corpus: &Corpus, kind: PretrainKind, on: PretrainOn) -> Result<Vec<usize>, TrainError> {
    let fold = corpus.fold();
    let all_speech = on == PretrainOn::AllSpeech;
    if all_speech && corpus.prepared.manifest().unlabelled.is_none() {
        return Err(TrainError::Argument {
            what: "--prepared",
            expected: "data prepared with data.unlabelled = \"outside\", as pretrain_on is \"all-speech\"".into(),
            found: "data without the speech outside segments".into(),
        });
    }
    let mut seen = fold.train.clone();
    if all_speech {
        seen.extend(&fold.unlabelled);
    }
    if kind == PretrainKind::Transductive {
        seen.extend(fold.valid.iter().chain(&fold.test));
        if all_speech {
            seen.extend(&fold.unlabelled_judged);
        }
    }
    Ok(seen)
}
