//! The `[finetune]` table of a study.

use crate::TrainingConfig;
use backbone::{HeadsConfig, Objective};
use mosei_schema::SettingError;
use serde::{Deserialize, Serialize};
use ssl_mask::ReconstructionLoss;

/// How a cell learns from its labels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FinetuneConfig {
    /// What is predicted. Default `both`.
    pub objective: Objective,
    /// How a segment's frames are pooled to the vector that the heads take.
    pub heads: HeadsConfig,
    /// How the heads are initialised. Default `random`.
    pub head_init: HeadInit,
    /// Weight of positive labels in the presence loss. Default `none`.
    pub positive_weight: PositiveWeight,
    /// Distance between intensities. Default `smooth-l1`.
    pub intensity_loss: ReconstructionLoss,
    /// Weight of the intensity loss beside the presence loss, where both are trained. Default 1.
    pub intensity_weight: f64,
    /// What the best weights are selected by, on the validation split. Default `loss`.
    pub select: Select,
    /// The threshold of presence. Default `fixed`.
    pub threshold: Threshold,
    /// Learning rate of the starts with a frozen encoder: heads alone tolerate a higher one.
    /// Default 1e-2.
    pub probe_learning_rate: f64,
    /// Learning rate of the heads where the encoder learns. Default: that of `training`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub head_learning_rate: Option<f64>,
    /// Learning rate of each layer as a share of that of the layer above it, in (0, 1] (Howard and
    /// Ruder, 1801.06146). Default 1.
    pub layer_decay: f64,
    /// Steps for which a pre-trained encoder is frozen while the heads learn. Default 0.
    pub freeze_steps: usize,
    /// Learning-rate search: each cell is trained once with each of these times its learning rate;
    /// the best by `select` on the validation split is kept, and it alone is tested. Default 1
    /// alone: no search.
    pub learning_rate_factors: Vec<f64>,
    /// Which labels of the validation split model selection uses (weights, learning rates,
    /// thresholds). Default `all`.
    pub validation_labels: ValidationLabels,
    /// Whether each cell's model is kept beside its predictions. Default true.
    pub keep_models: bool,
    /// Steps, batches, learning rate.
    pub training: TrainingConfig,
}

impl Default for FinetuneConfig {
    fn default() -> Self {
        FinetuneConfig {
            objective: Objective::Both,
            heads: HeadsConfig::default(),
            head_init: HeadInit::Random,
            positive_weight: PositiveWeight::None,
            intensity_loss: ReconstructionLoss::SmoothL1,
            intensity_weight: 1.0,
            select: Select::Loss,
            threshold: Threshold::Fixed,
            probe_learning_rate: 1e-2,
            head_learning_rate: None,
            layer_decay: 1.0,
            freeze_steps: 0,
            learning_rate_factors: vec![1.0],
            validation_labels: ValidationLabels::All,
            keep_models: true,
            training: TrainingConfig::default(),
        }
    }
}

/// How the heads are initialised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HeadInit {
    /// The values that PyTorch gives a fresh layer.
    Random,
    /// Regularised logistic and ridge regressions on the encoder's output before the first step,
    /// their penalty selected on the validation split; training continues from there (Kumar et al.,
    /// 2202.10054).
    Regression,
}

/// Which labels of the validation split are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ValidationLabels {
    /// All, whatever the label budget.
    All,
    /// As many as the budget has for training, drawn like them; the others are withheld with those
    /// of the test split ("truly few labels": Oliver et al., 1804.09170).
    Budget,
}

/// Weight of positive labels in the presence loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PositiveWeight {
    /// 1.
    None,
    /// Negatives over positives among the cell's labels, by emotion, from 1/20 to 20.
    Balanced,
}

/// What the best weights are selected by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Select {
    /// Lowest validation loss.
    Loss,
    /// Highest mean of the emotions' ROC AUC; the loss decides where there is none.
    RocAuc,
}

/// The threshold of presence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Threshold {
    /// 0.5.
    Fixed,
    /// The one with the highest F1 on the validation split, by emotion; 0.5 where that has no
    /// positive.
    TunedF1,
}

impl FinetuneConfig {
    /// Whether every value makes sense.
    pub fn check(&self) -> Result<(), SettingError> {
        self.heads.check().map_err(|e| e.within("heads"))?;
        for (key, x) in [
            ("intensity_weight", self.intensity_weight),
            ("probe_learning_rate", self.probe_learning_rate),
        ] {
            if !(x > 0.0 && x.is_finite()) {
                return Err(SettingError::new(key, "a number above 0", x));
            }
        }
        if let Some(rate) = self
            .head_learning_rate
            .filter(|&rate| !(rate > 0.0 && rate.is_finite()))
        {
            return Err(SettingError::new(
                "head_learning_rate",
                "a number above 0",
                rate,
            ));
        }
        if !(self.layer_decay > 0.0 && self.layer_decay <= 1.0) {
            return Err(SettingError::new(
                "layer_decay",
                "a share above 0, at most 1",
                self.layer_decay,
            ));
        }
        if self.freeze_steps >= self.training.steps {
            let expected = format!("fewer than the {} steps of training", self.training.steps);
            return Err(SettingError::new(
                "freeze_steps",
                expected,
                self.freeze_steps,
            ));
        }
        let factors = &self.learning_rate_factors;
        if factors.is_empty() || factors.iter().any(|f| !(*f > 0.0 && f.is_finite())) {
            return Err(SettingError::new(
                "learning_rate_factors",
                "at least one, all above 0",
                format!("{factors:?}"),
            ));
        }
        if let Some((_, twice)) = factors
            .iter()
            .enumerate()
            .find(|(i, f)| factors[..*i].contains(f))
        {
            return Err(SettingError::new(
                "learning_rate_factors",
                "each once",
                format!("{twice} twice"),
            ));
        }
        self.training.check().map_err(|e| e.within("training"))
    }
}
