//! What a pre-training draws its batches from.

use crate::{Corpus, TrainError};
use mosei_schema::PretrainKind;
use serde::{Deserialize, Serialize};

/// Which speech of its videos a pre-training draws from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PretrainOn {
    /// The labelled segments, without their labels.
    Segments,
    /// The speech outside all labelled segments too.
    AllSpeech,
}

/// The segments and stretches that a pre-training draws its batches from.
///
/// # Errors
/// Where the speech outside segments is asked for, and the prepared folder was made without it.
pub(crate) fn seen_by(
    corpus: &Corpus,
    kind: PretrainKind,
    on: PretrainOn,
) -> Result<Vec<usize>, TrainError> {
    let fold = corpus.fold();
    let all_speech = on == PretrainOn::AllSpeech;
    if all_speech && corpus.prepared.manifest().unlabelled.is_none() {
        return Err(TrainError::Argument {
            what: "--prepared",
            expected:
                "data prepared with data.unlabelled = \"outside\", as pretrain_on is \"all-speech\""
                    .into(),
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
