//! The encoder and the heads that a cell begins with.

use crate::{Corpus, TrainError};
use backbone::{
    EmotionHeads, Encoder, EncoderConfig, EncoderFolder, HeadsConfig, Objective, Source,
};
use mosei_schema::Start;
use run_record::check_sums;
use run_record::seed::{Stream, rng_named};
use serde_json::json;
use std::path::Path;

/// The encoder of a start: read from `folder`, whose normalisation the corpus then uses, or with
/// the random weights of `seed`.
///
/// # Errors
/// A pre-trained start without a folder; a folder that was altered, or whose encoder has another
/// shape than `config`.
pub(crate) fn initial_encoder(
    config: &EncoderConfig,
    corpus: &mut Corpus,
    start: Start,
    folder: Option<&Path>,
    seed: u32,
) -> Result<Encoder, TrainError> {
    if !start.is_pretrained() {
        // The same random weights as pre-training of this seed: they depend on seed and name alone.
        let mut source = Source::draw(|name: &str| rng_named(u64::from(seed), Stream::Init, name));
        return Ok(Encoder::new(
            config,
            corpus.input_dim(),
            corpus.max_frames(),
            &mut source,
            corpus.device,
        )?);
    }
    let path = folder.ok_or_else(|| TrainError::Argument {
        what: "--encoder",
        expected: format!("the folder of a pre-trained encoder, which start {start} needs"),
        found: "none".into(),
    })?;
    check_sums(path)?;
    let mut folder = EncoderFolder::read(path)?;
    fits(
        path,
        (config, corpus.max_frames()),
        (&folder.config, folder.max_frames),
    )?;
    folder.config = trained_as(config, &folder.config);
    corpus.normalised_by(&folder.normalisation)?;
    Ok(folder.encoder(corpus.device)?)
}

/// The random heads of a cell: the same for every start of its seed.
pub(crate) fn initial_heads(
    heads: &HeadsConfig,
    objective: Objective,
    encoder: &EncoderConfig,
    corpus: &Corpus,
    seed: u32,
) -> Result<EmotionHeads, TrainError> {
    let mut source = Source::draw(|name: &str| rng_named(u64::from(seed), Stream::Init, name));
    let (inputs, emotions) = (corpus.input_dim(), corpus.prepared.emotions().len());
    Ok(EmotionHeads::new(
        heads,
        objective,
        encoder,
        inputs,
        emotions,
        &mut source,
        corpus.device,
    )?)
}

/// Whether a pre-trained encoder is of the study's shape: (settings, longest segment) of both.
fn fits(
    path: &Path,
    study: (&EncoderConfig, usize),
    folder: (&EncoderConfig, usize),
) -> Result<(), TrainError> {
    let differs = |key, expected: String, found: String| TrainError::EncoderMismatch {
        path: path.into(),
        key,
        expected,
        found,
    };
    let ((c, most), (f, found_most)) = (study, folder);
    let shapes = [
        ("model_dim", c.model_dim, f.model_dim),
        ("heads", c.heads, f.heads),
        ("layers", c.layers, f.layers),
        ("feedforward_dim", c.feedforward_dim, f.feedforward_dim),
        ("max_frames", most, found_most),
    ];
    if let Some((key, expected, found)) = shapes
        .into_iter()
        .find(|(_, expected, found)| expected != found)
    {
        return Err(differs(key, expected.to_string(), found.to_string()));
    }
    let kinds = [
        ("activation", json!(c.activation), json!(f.activation)),
        ("norm_first", json!(c.norm_first), json!(f.norm_first)),
        ("positions", json!(c.positions), json!(f.positions)),
    ];
    match kinds
        .into_iter()
        .find(|(_, expected, found)| expected != found)
    {
        Some((key, expected, found)) => Err(differs(key, expected.to_string(), found.to_string())),
        None => Ok(()),
    }
}

/// What is a matter of training and not of the weights is the study's: both arms train alike.
fn trained_as(study: &EncoderConfig, folder: &EncoderConfig) -> EncoderConfig {
    EncoderConfig {
        dropout: study.dropout,
        precision: study.precision,
        ..folder.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use backbone::Precision;

    #[test]
    fn a_pretrained_encoder_trains_as_the_study_says() {
        let study = EncoderConfig {
            dropout: 0.3,
            precision: Precision::Bf16,
            ..EncoderConfig::default()
        };
        // What a folder says nothing of has its default.
        assert_eq!(trained_as(&study, &EncoderConfig::default()), study);
    }

    #[test]
    fn an_encoder_of_another_shape_is_refused() {
        let study = EncoderConfig::default();
        let path = Path::new("encoder");
        assert!(fits(path, (&study, 300), (&study, 300)).is_ok());
        let wider = EncoderConfig {
            model_dim: 2 * study.model_dim,
            ..study.clone()
        };
        let message = fits(path, (&study, 300), (&wider, 300))
            .unwrap_err()
            .to_string();
        assert!(message.contains("model_dim"), "{message}");
        assert!(
            fits(path, (&study, 300), (&study, 200))
                .unwrap_err()
                .to_string()
                .contains("max_frames")
        );
    }
}
