//! From what the heads say to scores and intensities.

use crate::model_data::{ModelData, Part};
use crate::{InputFacts, Model, TrainError};
use backbone::Outputs;
use mosei_schema::{INTENSITY_MAX, INTENSITY_MIN};
use run_record::{Column, Table, TableFile};
use std::path::{Path, PathBuf};
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
    values
        .iter()
        .skip(emotion)
        .step_by(emotions)
        .copied()
        .collect()
}

impl Scores {
    /// From logits of presence and intensities as models give them, row by row.
    pub(crate) fn of(logits: Option<Vec<f64>>, intensities: Option<Vec<f64>>) -> Self {
        let score = logits.map(|logits| {
            logits
                .into_iter()
                .map(|z| 1.0 / (1.0 + (-z).exp()))
                .collect()
        });
        // The label's range is known: a prediction outside it is moved to its edge.
        let intensity = intensities.map(|found| {
            found
                .into_iter()
                .map(|x| x.clamp(INTENSITY_MIN, INTENSITY_MAX))
                .collect()
        });
        Scores { score, intensity }
    }

    /// Appends a batch. Probabilities are taken in double precision, so that large logits do not
    /// tie at 1.
    pub(crate) fn push(&mut self, outputs: &Outputs) -> Result<(), TrainError> {
        let values = |t: &Tensor| -> Result<Vec<f64>, TrainError> {
            Ok(Vec::<f64>::try_from(
                &t.f_to_device(Device::Cpu)?
                    .f_to_kind(Kind::Double)?
                    .f_reshape([-1])?,
            )?)
        };
        let of = |tensor: &Option<Tensor>| tensor.as_ref().map(values).transpose();
        let batch = Scores::of(of(&outputs.presence_be)?, of(&outputs.intensity_be)?);
        for (all, batch) in [
            (&mut self.score, batch.score),
            (&mut self.intensity, batch.intensity),
        ] {
            if let Some(batch) = batch {
                all.get_or_insert_default().extend(batch);
            }
        }
        Ok(())
    }
}

/// Applies a trained model to every segment of a prepared folder, or to every piece of every
/// recording of a features file (.csd). Writes one row for each segment and emotion: `video,
/// segment, start_s, end_s, emotion, score, predicted_intensity, threshold, predicted_present`, the
/// same into each of `out` (`.parquet` or `.csv`).
///
/// Recordings are cut into pieces of about the same length that the model can take; `segment`
/// counts them from 0. Returns how many segments or pieces there were.
///
/// # Errors
/// A folder that is no model's, or altered; data without one of the model's columns, or with
/// another number of frames a second. Nothing is left of files half written.
pub fn predict(
    folder: &Path,
    data: &Path,
    device: Device,
    out: &[PathBuf],
) -> Result<usize, TrainError> {
    let model = Model::read(folder, device)?;
    let input = InputFacts::read(&folder.join("encoder"))?;
    let data = ModelData::open(
        data,
        &model.normalisation,
        input,
        model.encoder.max_frames(),
    )?;
    let mut files = out
        .iter()
        .map(|path| TableFile::create(path))
        .collect::<Result<Vec<_>, _>>()?;
    let parts = data.each_batch(device, &mut |parts, x_nc, layout| {
        let mut scores = Scores::default();
        scores.push(&model.forward(x_nc, layout)?)?;
        let table = rows(&model, parts, &scores);
        files
            .iter_mut()
            .try_for_each(|file| file.append(&table).map_err(TrainError::from))
    })?;
    for file in files {
        file.finish()?;
    }
    Ok(parts)
}

/// What a model says of the parts of a batch, a row a part and emotion.
fn rows(model: &Model, parts: &[Part], scores: &Scores) -> Table {
    let e = model.emotions.len();
    let rows = parts.len() * e;
    let optional = |values: &Option<Vec<f64>>| match values {
        Some(v) => v.iter().copied().map(Some).collect(),
        None => vec![None; rows],
    };
    let threshold: Vec<f64> = (0..rows).map(|r| model.thresholds[r % e]).collect();
    let present = optional(&scores.score)
        .iter()
        .zip(&threshold)
        .map(|(s, t)| s.is_some_and(|s| s >= *t))
        .collect();
    Table::new()
        .with(
            "video",
            Column::Text((0..rows).map(|r| parts[r / e].id.video.clone()).collect()),
        )
        .with(
            "segment",
            Column::I32((0..rows).map(|r| parts[r / e].id.segment).collect()),
        )
        .with(
            "start_s",
            Column::F64((0..rows).map(|r| parts[r / e].interval[0]).collect()),
        )
        .with(
            "end_s",
            Column::F64((0..rows).map(|r| parts[r / e].interval[1]).collect()),
        )
        .with(
            "emotion",
            Column::Text((0..rows).map(|r| model.emotions[r % e].clone()).collect()),
        )
        .with("score", Column::OptionF64(optional(&scores.score)))
        .with(
            "predicted_intensity",
            Column::OptionF64(optional(&scores.intensity)),
        )
        .with("threshold", Column::F64(threshold))
        .with("predicted_present", Column::Bool(present))
}
