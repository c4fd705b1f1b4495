use serde::{Deserialize, Serialize};

/// How frames are hidden.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MaskConfig {
    /// Share of a segment's frames that is hidden, in (0, 1). Default 0.15, as Mockingjay and mvts.
    pub ratio: f64,
    /// Which frames stand together. Default `independent`: whole time steps, the paper's rule.
    pub shape: MaskShape,
    /// Frames of a span: its length (`span`) or mean length (`geometric`); ignored by `independent`. Default 7.
    pub span_frames: usize,
    /// What stands in place of a hidden frame. Default `zero`.
    pub replacement: Replacement,
    /// Distance between a hidden frame and its reconstruction. Default `smooth-l1`.
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

/// Which frames are hidden together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MaskShape {
    /// Single time steps, drawn without replacement (arXiv 2307.12343).
    Independent,
    /// Spans of one length that do not overlap (Mockingjay, 1910.12638).
    Span,
    /// Spans of geometric length with geometric gaps (mvts, 2010.02803, section 3.2).
    Geometric,
}

/// What stands in place of a hidden frame. Frames are standardised, so that 0 is the training mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Replacement {
    /// Zeros.
    Zero,
    /// A vector that is learned.
    Learned,
    /// A frame drawn from the same segment.
    OtherFrame,
    /// Zeros for 80 % of the hidden frames, another frame for 10 %, the frame itself for 10 % (BERT, 1810.04805).
    Mixed,
}

/// Distance between a hidden frame and its reconstruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReconstructionLoss {
    /// Mean absolute difference.
    L1,
    /// Mean squared difference.
    Mse,
    /// Half the square below 1, the absolute difference less 0.5 above.
    SmoothL1,
}

/// A setting that makes no sense.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{key}: expected {expected}, found {found}")]
pub struct MaskConfigError {
    /// Which key of [`MaskConfig`].
    pub key: &'static str,
    /// What it must be.
    pub expected: &'static str,
    /// What it is.
    pub found: String,
}

impl MaskConfig {
    /// Whether every value makes sense.
    pub fn check(&self) -> Result<(), MaskConfigError> {
        if !(self.ratio > 0.0 && self.ratio < 1.0) {
            let found = self.ratio.to_string();
            return Err(MaskConfigError { key: "ratio", expected: "a share above 0 and below 1", found });
        }
        if self.span_frames == 0 {
            return Err(MaskConfigError { key: "span_frames", expected: "at least 1 frame", found: "0".into() });
        }
        // Open runs are at least one frame long, so hidden ones of mean `span` cannot take a larger share.
        let most = self.span_frames as f64 / (self.span_frames as f64 + 1.0);
        if self.shape == MaskShape::Geometric && self.ratio > most {
            let expected = "for geometric spans at most span_frames / (span_frames + 1)";
            return Err(MaskConfigError { key: "ratio", expected, found: self.ratio.to_string() });
        }
        Ok(())
    }
}
