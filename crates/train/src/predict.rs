//! From what the heads say to scores and intensities.

use crate::{Corpus, Model, TrainError};
use backbone::Outputs;
use mosei_schema::{INTENSITY_MAX, INTENSITY_MIN};
use run_record::{Column, Table};
use std::path::Path;
use tch::{Device, Kind, Tensor};

/// Scores and intensities of some segments, one row a segment and one column an emotion.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Scores {
    /// Probability of presence, where there is such a head.
    pub(crate) score: Option<Vec<f64>>,
    /// Intensity within its range, where there is such a head.
    pub(crate) intensity: Option<Vec<f64>>,
}

/// The values of one emotion out of rows of `emotions` values.
pub(crate) fn column(values: &[f64], emotion: usize, emotions: usize) -> Vec<f64> {
    values.iter().skip(emotion).step_by(emotions).copied().collect()
}

impl Scores {
    /// From logits of presence and intensities as models give them, row by row.
    pub(crate) fn of(logits: Option<Vec<f64>>, intensities: Option<Vec<f64>>) -> Self {
        let score = logits.map(|logits| logits.into_iter().map(|z| 1.0 / (1.0 + (-z).exp())).collect());
        // The label's range is known: a prediction outside it is moved to its edge.
        let intensity =
            intensities.map(|found| found.into_iter().map(|x| x.clamp(INTENSITY_MIN, INTENSITY_MAX)).collect());
        Scores { score, intensity }
    }

    /// Appends a batch. Probabilities are taken in double precision, so that large logits do not tie at 1.
    pub(crate) fn push(&mut self, outputs: &Outputs) -> Result<(), TrainError> {
        let values = |t: &Tensor| -> Result<Vec<f64>, TrainError> {
            Ok(Vec::<f64>::try_from(&t.f_to_device(Device::Cpu)?.f_to_kind(Kind::Double)?.f_reshape([-1])?)?)
        };
        let of = |tensor: &Option<Tensor>| tensor.as_ref().map(values).transpose();
        let batch = Scores::of(of(&outputs.presence_be)?, of(&outputs.intensity_be)?);
        for (all, batch) in [(&mut self.score, batch.score), (&mut self.intensity, batch.intensity)] {
            if let Some(batch) = batch {
                all.get_or_insert_default().extend(batch);
            }
        }
        Ok(())
    }
}

/// What a model says of some segments.
pub fn predict_segments(
    model: &Model,
    corpus: &Corpus,
    segments: &[usize],
    batch_segments: usize,
) -> Result<Table, TrainError> {
    let mut scores = Scores::default();
    for chunk in segments.chunks(batch_segments.max(1)) {
        let (x_nc, layout) = corpus.tensors(&corpus.gather(chunk))?;
        scores.push(&tch::no_grad(|| model.forward(&x_nc, &layout))?)?;
    }
    let e = model.emotions.len();
    let rows = segments.len() * e;
    let ids: Vec<_> = segments.iter().map(|&i| corpus.prepared.id(i)).collect();
    let optional = |values: &Option<Vec<f64>>| match values {
        Some(v) => v.iter().copied().map(Some).collect(),
        None => vec![None; rows],
    };
    let threshold: Vec<f64> = (0..rows).map(|r| model.thresholds[r % e]).collect();
    let present = optional(&scores.score).iter().zip(&threshold).map(|(s, t)| s.is_some_and(|s| s >= *t)).collect();
    Ok(Table::new()
        .with("video", Column::Text((0..rows).map(|r| ids[r / e].video.clone()).collect()))
        .with("segment", Column::I32((0..rows).map(|r| ids[r / e].segment).collect()))
        .with("emotion", Column::Text((0..rows).map(|r| model.emotions[r % e].clone()).collect()))
        .with("score", Column::OptionF64(optional(&scores.score)))
        .with("predicted_intensity", Column::OptionF64(optional(&scores.intensity)))
        .with("threshold", Column::F64(threshold))
        .with("predicted_present", Column::Bool(present)))
}

/// Writes what a model says of every segment that has frames, as Parquet. Returns the number of segments.
pub fn predict_corpus(folder: &Path, prepared: &Path, device: Device, out: &Path) -> Result<usize, TrainError> {
    let model = Model::read(folder, device)?;
    let mut corpus = Corpus::open(prepared, 0, device)?;
    corpus.normalised_by(&model.normalisation)?;
    let segments: Vec<usize> = (0..corpus.prepared.len()).filter(|&i| corpus.prepared.frames(i) > 0).collect();
    predict_segments(&model, &corpus, &segments, 32)?.write(out)?;
    Ok(segments.len())
}
