//! A model's folder: `encoder/`, `heads.safetensors`, `heads.json`; its card is written by `card`.

use crate::TrainError;
use crate::event::JOURNAL_FILE;
use crate::finetune::PREDICTIONS_FILE;
use crate::input::InputFacts;
use backbone::{
    EmotionHeads, Encoder, EncoderFolder, HeadsConfig, Layout, Normalisation, Objective, Outputs,
    Source,
};
use backbone::{read_tensors, write_tensors};
use mosei_schema::Start;
use run_record::Table;
use serde::{Deserialize, Serialize};
use std::path::Path;
use tch::{Device, Tensor};

const HEADS_JSON: &str = "heads.json";
const HEADS_TENSORS: &str = "heads.safetensors";

/// The content of `heads.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HeadsFile {
    pub(crate) emotions: Vec<String>,
    pub(crate) thresholds: Vec<f64>,
    pub(crate) presence_above: f64,
    pub(crate) objective: Objective,
    pub(crate) heads: HeadsConfig,
}

/// A trained encoder with its heads.
pub struct Model {
    /// The encoder.
    pub encoder: Encoder,
    /// The heads.
    pub heads: EmotionHeads,
    /// How its input is standardised.
    pub normalisation: Normalisation,
    /// Names of the emotions, in the order of the heads.
    pub emotions: Vec<String>,
    /// The threshold of each emotion's score.
    pub thresholds: Vec<f64>,
    /// An emotion was called present where its intensity was above this.
    pub presence_above: f64,
}

/// Refuses a folder, or one around it, that belongs to a cell without a model.
///
/// # Errors
/// Such a folder, with the reason why there is no model.
pub(crate) fn require_kept(folder: &Path) -> Result<(), TrainError> {
    // As it is named: the cell, its `model/`, or `model/encoder/`.
    let is_cell = |f: &&Path| f.join(PREDICTIONS_FILE).is_file() && f.join(JOURNAL_FILE).is_file();
    let Some(cell) = folder.ancestors().take(3).find(is_cell) else {
        return Ok(());
    };
    if cell.join("model").is_dir() {
        return Ok(());
    }
    let path = cell.join(PREDICTIONS_FILE);
    let starts = Table::read(&path)?.text(&path, "start")?.to_vec();
    let Some(start) = starts.first().and_then(|name| name.parse::<Start>().ok()) else {
        return Ok(());
    };
    let why = match start {
        Start::PooledLogistic => {
            "the control pooled-logistic, which keeps no model: it has no encoder, only regressions on the mean and standard \
             deviation of each column, fitted for this cell"
        }
        _ => "one without: studies with finetune.keep_models = false keep none",
    };
    let problem = format!(
        "expected a cell with a model, found {why}; its predictions are in {PREDICTIONS_FILE}"
    );
    Err(TrainError::Run {
        path: cell.into(),
        problem,
    })
}

/// Refuses a folder that is no model's, with the one that was probably meant.
fn require_model(folder: &Path) -> Result<(), TrainError> {
    if folder.join(HEADS_JSON).exists() {
        return Ok(());
    }
    require_kept(folder)?;
    if !folder.is_dir() {
        return Ok(());
    }
    let near = folder.join("model");
    let advice = match near.join(HEADS_JSON).exists() {
        true => format!("; did you mean {}?", near.display()),
        false => String::new(),
    };
    let problem = format!("expected a model's folder, with {HEADS_JSON}, found none there{advice}");
    Err(TrainError::Run {
        path: folder.into(),
        problem,
    })
}

impl Model {
    /// Writes the model into an existing folder, and what its encoder was trained on.
    pub fn write(&self, input: &InputFacts, folder: &Path) -> Result<(), TrainError> {
        let encoder = folder.join("encoder");
        std::fs::create_dir_all(&encoder).map_err(TrainError::io("make folder", &encoder))?;
        EncoderFolder::write(&self.encoder, &self.normalisation, &encoder)?;
        input.write(&encoder)?;
        write_tensors(&self.heads.tensors(), None, &folder.join(HEADS_TENSORS))?;
        let file = HeadsFile {
            emotions: self.emotions.clone(),
            thresholds: self.thresholds.clone(),
            presence_above: self.presence_above,
            objective: self.heads.objective(),
            heads: self.heads.config().clone(),
        };
        let path = folder.join(HEADS_JSON);
        let text = serde_json::to_string_pretty(&file).map_err(TrainError::json(&path))?;
        std::fs::write(&path, text + "\n").map_err(TrainError::io("write", &path))
    }

    /// Reads a model's folder, after comparing its files with their checksums.
    pub fn read(folder: &Path, device: Device) -> Result<Self, TrainError> {
        require_model(folder)?;
        run_record::check_sums(folder)?;
        let encoder_folder = EncoderFolder::read(&folder.join("encoder"))?;
        let encoder = encoder_folder.encoder(device)?;
        let path = folder.join(HEADS_JSON);
        let file: HeadsFile = serde_json::from_str(&run_record::read_to_string(&path)?)
            .map_err(TrainError::json(&path))?;
        if file.thresholds.len() != file.emotions.len() {
            let problem = format!(
                "thresholds: expected {} values, found {}",
                file.emotions.len(),
                file.thresholds.len()
            );
            return Err(TrainError::Run { path, problem });
        }
        let tensors_path = folder.join(HEADS_TENSORS);
        let (tensors, _) = read_tensors(&tensors_path)?;
        let (mut source, inputs) = (Source::tensors(&tensors), encoder.input_dim());
        let (shape, emotions) = (encoder.config(), file.emotions.len());
        let heads = EmotionHeads::new(
            &file.heads,
            file.objective,
            shape,
            inputs,
            emotions,
            &mut source,
            device,
        )
        .map_err(|source| backbone::BackboneError::InFile {
            path: tensors_path,
            source: Box::new(source),
        })?;
        Ok(Model {
            encoder,
            heads,
            normalisation: encoder_folder.normalisation,
            emotions: file.emotions,
            thresholds: file.thresholds,
            presence_above: file.presence_above,
        })
    }

    /// The outputs for a packed batch, dropout off.
    pub fn forward(&self, x_nc: &Tensor, layout: &Layout) -> Result<Outputs, TrainError> {
        let frames_nk = self.heads.read(&self.encoder, x_nc, layout, false)?;
        Ok(self.heads.forward(&frames_nk, layout, false)?)
    }
}
