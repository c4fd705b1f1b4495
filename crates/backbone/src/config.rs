use crate::BackboneError;
use serde::{Deserialize, Serialize};

/// The encoder's shape.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EncoderConfig {
    /// Width D of a frame inside the encoder. Default 64.
    pub model_dim: usize,
    /// Attention heads; they divide `model_dim`. Default 4.
    pub heads: usize,
    /// Layers. Default 3.
    pub layers: usize,
    /// Width inside the feed-forward block. Default 256.
    pub feedforward_dim: usize,
    /// Dropout in attention, in both blocks and after them, in [0, 1). Default 0.1.
    pub dropout: f64,
    /// Between the two feed-forward products. Default `gelu`.
    pub activation: Activation,
    /// Pre-norm (norms before each block and at the end) or post-norm. Default true.
    pub norm_first: bool,
    /// How a frame's place is told. Default `sinusoidal`.
    pub positions: Positions,
    /// Of the layers' products in training steps. Looks at the validation data, predictions and embeddings are always of
    /// 32-bit floats. Default `fp32`.
    pub precision: Precision,
}

impl Default for EncoderConfig {
    fn default() -> Self {
        EncoderConfig {
            model_dim: 64,
            heads: 4,
            layers: 3,
            feedforward_dim: 256,
            dropout: 0.1,
            activation: Activation::Gelu,
            norm_first: true,
            positions: Positions::Sinusoidal,
            precision: Precision::Fp32,
        }
    }
}

impl EncoderConfig {
    /// Whether every value makes sense.
    pub fn check(&self) -> Result<(), BackboneError> {
        let wrong =
            |key, expected: &str, found: String| Err(BackboneError::Config { key, expected: expected.into(), found });
        let sizes = [
            ("model_dim", self.model_dim),
            ("heads", self.heads),
            ("layers", self.layers),
            ("feedforward_dim", self.feedforward_dim),
        ];
        for (key, size) in sizes {
            if !(1..=65_536).contains(&size) {
                return wrong(key, "a number from 1 to 65536", size.to_string());
            }
        }
        if !self.model_dim.is_multiple_of(self.heads) {
            return wrong("heads", &format!("a divisor of model_dim {}", self.model_dim), self.heads.to_string());
        }
        if self.positions == Positions::Sinusoidal && !self.model_dim.is_multiple_of(2) {
            return wrong("model_dim", "an even number, for sinusoidal positions", self.model_dim.to_string());
        }
        if !(self.dropout >= 0.0 && self.dropout < 1.0) {
            return wrong("dropout", "a share from 0 to below 1", self.dropout.to_string());
        }
        Ok(())
    }
}

/// Between the two feed-forward products.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Activation {
    /// x Φ(x), the exact form.
    Gelu,
    /// max(0, x).
    Relu,
}

/// What the layers multiply in training steps. Weights, the residual stream, norms, sums and the loss are 32-bit floats
/// in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// 32-bit floats.
    Fp32,
    /// bfloat16, added up in 32-bit floats; fast where the processor has products of it.
    Bf16,
}

/// How a frame's place in its segment is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Positions {
    /// Sines at even, cosines at odd columns (Vaswani et al., 1706.03762, section 3.5).
    Sinusoidal,
    /// One learned vector a place.
    Learned,
}

/// How a segment's frames become one vector, and which heads stand on it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeadsConfig {
    /// How frames are pooled.
    pub pooling: Pooling,
    /// Which layers are pooled.
    #[serde(default)]
    pub layers: Layers,
    /// Whether the mean and deviation of the segment's input columns stand beside what is pooled.
    #[serde(default)]
    pub input_statistics: bool,
    /// Whether what is pooled is standardised, number by number, before the heads (see [`crate::EmotionHeads::standardise`]).
    #[serde(default)]
    pub standardise: bool,
    /// Dropout of the pooled vector, in [0, 1).
    pub dropout: f64,
    /// Whether there is a head for the presence of each emotion.
    pub presence: bool,
    /// Whether there is a head for the intensity of each emotion.
    pub intensity: bool,
}

impl HeadsConfig {
    /// Whether there is something to learn before frames are one vector: then that vector changes as the heads learn.
    pub fn pooling_learns(&self) -> bool {
        self.pooling == Pooling::Attention || self.layers == Layers::WeightedSum
    }

    /// Numbers K that the heads read of a frame.
    pub fn frame_dim(&self, encoder: &EncoderConfig, input_dim: usize) -> usize {
        let layers = if self.layers == Layers::WeightedSum { encoder.layers + 1 } else { 1 };
        layers * encoder.model_dim + if self.input_statistics { input_dim } else { 0 }
    }

    /// Numbers P that a segment is pooled to.
    pub fn pooled_dim(&self, model_dim: usize, input_dim: usize) -> usize {
        let moments = if self.pooling == Pooling::MeanDeviation { 2 } else { 1 };
        moments * model_dim + if self.input_statistics { 2 * input_dim } else { 0 }
    }
}

/// Which of the encoder's layers the heads read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layers {
    /// What the last gives.
    #[default]
    Last,
    /// A sum of what goes into the first and of what each gives, its weights a learned softmax that begins even (ELMo,
    /// 1802.05365; s3prl's featurizer).
    WeightedSum,
}

/// How a segment's frames become one vector. Only the segment's own frames enter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pooling {
    /// Mean over frames: D numbers.
    Mean,
    /// Mean and population standard deviation over frames: 2 D numbers.
    MeanDeviation,
    /// Mean weighted by a learned softmax over frames: D numbers.
    Attention,
}
