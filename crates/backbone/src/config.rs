use mosei_schema::SettingError;
use serde::{Deserialize, Serialize};

/// The architecture of the encoder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EncoderConfig {
    /// Model width D. Default 64.
    pub model_dim: usize,
    /// Attention heads, a divisor of `model_dim`. Default 4.
    pub heads: usize,
    /// Layers. Default 3.
    pub layers: usize,
    /// Inner width of the feed-forward block. Default 256.
    pub feedforward_dim: usize,
    /// Dropout probability in attention, inside both blocks and after them, in [0, 1). Default 0.1.
    pub dropout: f64,
    /// Activation of the feed-forward block. Default `gelu`.
    pub activation: Activation,
    /// Pre-norm (layer norms before each block and at the end) instead of post-norm. Default true.
    pub norm_first: bool,
    /// The positional encoding. Default `sinusoidal`.
    pub positions: Positions,
    /// Precision of the layers' matrix products in training steps. Validation, prediction and
    /// embedding always use 32-bit floats. Default `fp32`.
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
    /// Validates the settings.
    pub fn check(&self) -> Result<(), SettingError> {
        let sizes = [
            ("model_dim", self.model_dim),
            ("heads", self.heads),
            ("layers", self.layers),
            ("feedforward_dim", self.feedforward_dim),
        ];
        for (key, size) in sizes {
            if !(1..=65_536).contains(&size) {
                return Err(SettingError::new(key, "a number from 1 to 65536", size));
            }
        }
        if !self.model_dim.is_multiple_of(self.heads) {
            return Err(SettingError::new(
                "heads",
                format!("a divisor of model_dim {}", self.model_dim),
                self.heads,
            ));
        }
        if self.positions == Positions::Sinusoidal && !self.model_dim.is_multiple_of(2) {
            return Err(SettingError::new(
                "model_dim",
                "an even number for sinusoidal positions",
                self.model_dim,
            ));
        }
        if !(self.dropout >= 0.0 && self.dropout < 1.0) {
            return Err(SettingError::new(
                "dropout",
                "a share from 0 to below 1",
                self.dropout,
            ));
        }
        Ok(())
    }
}

/// The activation between the two linear layers of a feed-forward block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Activation {
    /// x Φ(x), in its exact form.
    Gelu,
    /// max(0, x).
    Relu,
}

/// The precision of matrix products in training steps. Weights, the residual stream, norms, sums
/// and the loss are always 32-bit floats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// 32-bit floats.
    Fp32,
    /// bfloat16 with 32-bit accumulation; fast on processors with bfloat16 instructions.
    Bf16,
}

/// The encoding of a frame's position in its segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Positions {
    /// Sines at even, cosines at odd columns (Vaswani et al., 1706.03762, section 3.5).
    Sinusoidal,
    /// One learned vector per position.
    Learned,
}

/// The pooling of a segment's frames to one vector, which the heads take.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HeadsConfig {
    /// How frames are pooled. Default `mean`.
    pub pooling: Pooling,
    /// Which layers of the encoder are pooled. Default `last`.
    pub layers: Layers,
    /// Whether mean and standard deviation of the segment's input columns are appended to the
    /// pooled vector. Default false.
    pub input_statistics: bool,
    /// Whether the pooled vector is standardised by dimension before the heads, by the fold's
    /// training segments as the encoder outputs them before the first step; labels play no part
    /// (see [`crate::EmotionHeads::standardise`]). Default false.
    pub standardise: bool,
    /// Dropout probability on the pooled vector, in [0, 1). Default 0.1.
    pub dropout: f64,
}

impl Default for HeadsConfig {
    fn default() -> Self {
        HeadsConfig {
            pooling: Pooling::Mean,
            layers: Layers::Last,
            input_statistics: false,
            standardise: false,
            dropout: 0.1,
        }
    }
}

/// What is predicted of each emotion: one head each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Objective {
    /// Whether it is present: binary cross-entropy with logits.
    Presence,
    /// Its intensity, from 0 to 3.
    Intensity,
    /// Both, by two heads on one pooled vector.
    Both,
}

impl Objective {
    /// Whether there is a head for the presence of each emotion.
    pub fn presence(self) -> bool {
        self != Objective::Intensity
    }

    /// Whether there is a head for the intensity of each emotion.
    pub fn intensity(self) -> bool {
        self != Objective::Presence
    }
}

impl HeadsConfig {
    /// Validates the settings.
    pub fn check(&self) -> Result<(), SettingError> {
        if self.dropout >= 0.0 && self.dropout < 1.0 {
            return Ok(());
        }
        Err(SettingError::new(
            "dropout",
            "a share from 0 to below 1",
            self.dropout,
        ))
    }

    /// Whether pooling has trainable parameters; then the pooled vectors change while the heads are
    /// trained.
    pub fn pooling_learns(&self) -> bool {
        self.pooling == Pooling::Attention || self.layers == Layers::WeightedSum
    }

    /// Number K of features per frame that the heads read.
    pub fn frame_dim(&self, encoder: &EncoderConfig, input_dim: usize) -> usize {
        let layers = if self.layers == Layers::WeightedSum {
            encoder.layers + 1
        } else {
            1
        };
        layers * encoder.model_dim + if self.input_statistics { input_dim } else { 0 }
    }

    /// Dimension P of the pooled vector.
    pub fn pooled_dim(&self, model_dim: usize, input_dim: usize) -> usize {
        let moments = if self.pooling == Pooling::MeanDeviation {
            2
        } else {
            1
        };
        moments * model_dim
            + if self.input_statistics {
                2 * input_dim
            } else {
                0
            }
    }
}

/// The encoder layers that the heads read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layers {
    /// The output of the last layer.
    Last,
    /// A weighted sum of the first layer's input and the output of every layer. The weights are a
    /// learned softmax, initially uniform (ELMo, 1802.05365; s3prl's featurizer).
    WeightedSum,
}

/// How the frames of a segment are pooled to one vector. Only the segment's own frames contribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pooling {
    /// Mean over frames, of dimension D.
    Mean,
    /// Mean and population standard deviation over frames, of dimension 2 D.
    MeanDeviation,
    /// Mean weighted by a learned softmax over frames (attention pooling), of dimension D.
    Attention,
}
