//! The encoder that a cell starts from.

use crate::{Corpus, Start, Study, TrainError};
use backbone::{Encoder, EncoderFolder, Source};
use run_record::seed::{Stream, rng_named};
use serde_json::json;
use std::path::Path;

/// The encoder of a start: read from `folder`, by whose normalisation the corpus goes from now on, or with the first
/// weights of `seed`.
pub(crate) fn start_encoder(
    study: &Study,
    corpus: &mut Corpus,
    start: Start,
    folder: Option<&Path>,
    seed: u32,
) -> Result<Encoder, TrainError> {
    if !start.pretrained() {
        // The same first weights as pre-training of this seed: they depend on seed and name alone.
        let mut source = Source::draw(|name: &str| rng_named(u64::from(seed), Stream::Init, name));
        return Ok(Encoder::new(&study.encoder, corpus.input_dim(), corpus.max_frames(), &mut source, corpus.device)?);
    }
    let path = folder.ok_or_else(|| TrainError::Argument {
        what: "--encoder",
        expected: format!("the folder of a pre-trained encoder, which start {} needs", start.name()),
        found: "none".into(),
    })?;
    let mut folder = EncoderFolder::read(path)?;
    let differs =
        |key, expected: String, found: String| TrainError::EncoderMismatch { path: path.into(), key, expected, found };
    let (c, f) = (&study.encoder, &folder.config);
    let shapes = [
        ("model_dim", c.model_dim, f.model_dim),
        ("heads", c.heads, f.heads),
        ("layers", c.layers, f.layers),
        ("feedforward_dim", c.feedforward_dim, f.feedforward_dim),
        ("max_frames", corpus.max_frames(), folder.max_frames),
    ];
    if let Some((key, expected, found)) = shapes.into_iter().find(|(_, expected, found)| expected != found) {
        return Err(differs(key, expected.to_string(), found.to_string()));
    }
    let kinds = [
        ("activation", json!(c.activation), json!(f.activation)),
        ("norm_first", json!(c.norm_first), json!(f.norm_first)),
        ("positions", json!(c.positions), json!(f.positions)),
    ];
    if let Some((key, expected, found)) = kinds.into_iter().find(|(_, expected, found)| expected != found) {
        return Err(differs(key, expected.to_string(), found.to_string()));
    }
    // Dropout is a matter of training, not of the weights.
    folder.config.dropout = study.encoder.dropout;
    corpus.normalised_by(&folder.normalisation)?;
    Ok(folder.encoder(corpus.device)?)
}
