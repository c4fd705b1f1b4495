use mosei_schema::SettingError;
use serde::{Deserialize, Serialize};

/// How frames are masked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MaskConfig {
    /// Fraction of a segment's frames that is masked, in (0, 1). Default 0.15, as in Mockingjay and
    /// mvts.
    pub ratio: f64,
    /// How masked frames are grouped. Default `independent`: single time steps, as in the paper.
    pub shape: MaskShape,
    /// Length of a span in frames (`span`), or its mean (`geometric`); ignored by `independent`.
    /// Default 7.
    pub span_frames: usize,
    /// What replaces a masked frame. Default `zero`.
    pub replacement: Replacement,
    /// Distance between a masked frame and its reconstruction. Default `smooth-l1`.
    pub loss: ReconstructionLoss,
}

impl Default for MaskConfig {
    fn default() -> Self {
        MaskConfig {
            ratio: 0.15,
            shape: MaskShape::Independent,
            span_frames: 7,
            replacement: Replacement::Zero,
            loss: ReconstructionLoss::SmoothL1,
        }
    }
}

/// How masked frames are grouped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MaskShape {
    /// Single time steps, drawn without replacement (arXiv 2307.12343).
    Independent,
    /// Spans of fixed length that do not overlap (Mockingjay, 1910.12638).
    Span,
    /// Spans of geometric length with geometric gaps (mvts, 2010.02803, section 3.2).
    Geometric,
}

/// What replaces a masked frame. Frames are standardised, so 0 is the training mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Replacement {
    /// Zeros.
    Zero,
    /// A learned vector.
    Learned,
    /// A frame drawn from the same segment.
    OtherFrame,
    /// Zeros for 80 % of the masked frames, another frame for 10 %, the frame itself for 10 %
    /// (BERT, 1810.04805).
    Mixed,
}

/// Distance between a masked frame and its reconstruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReconstructionLoss {
    /// Mean absolute difference.
    L1,
    /// Mean squared difference.
    Mse,
    /// Half the squared difference below 1, the absolute difference minus 0.5 above.
    SmoothL1,
}

impl MaskConfig {
    /// Validates the settings.
    pub fn check(&self) -> Result<(), SettingError> {
        if !(self.ratio > 0.0 && self.ratio < 1.0) {
            return Err(SettingError::new(
                "ratio",
                "a share above 0 and below 1",
                self.ratio,
            ));
        }
        if self.span_frames == 0 {
            return Err(SettingError::new("span_frames", "at least 1 frame", 0));
        }
        // Each gap is at least one frame long, which limits the ratio of spans with a given mean
        // length.
        let limit = self.span_frames as f64 / (self.span_frames as f64 + 1.0);
        if self.shape == MaskShape::Geometric && self.ratio > limit {
            let expected = "for geometric spans at most span_frames / (span_frames + 1)";
            return Err(SettingError::new("ratio", expected, self.ratio));
        }
        Ok(())
    }
}
