//! The model of pre-training, and one update of a model's weights: the same code for the product,
//! its forecast and its benchmark.

use crate::TrainError;
use backbone::{Encoder, EncoderConfig, Layout, ReconstructionHead, Source};
use ssl_mask::{ReconstructionLoss, reconstruction_loss};
use tch::{Device, Tensor};
use torch_ext::{AdamW, AdamWConfig, clear_gradients, clip_gradients};

/// An encoder with the head that rebuilds hidden frames.
pub struct Reconstruction {
    /// The encoder.
    pub encoder: Encoder,
    /// The head.
    pub head: ReconstructionHead,
}

/// A packed batch with hidden frames.
pub struct MaskedBatch {
    /// Input with the hidden frames replaced: [N, C].
    pub x_nc: Tensor,
    /// 1 where the learned vector replaces a frame: [N, 1]; `None` where it replaces none.
    pub learned_n1: Option<Tensor>,
    /// Rows of the hidden frames: `[K]`.
    pub hidden_rows_k: Tensor,
    /// The hidden frames as they were: [K, C].
    pub target_kc: Tensor,
    /// Segments of the batch.
    pub layout: Layout,
}

impl Reconstruction {
    /// A model for `columns` columns and at most `max_frames` frames a segment.
    ///
    /// # Errors
    /// A shape that cannot be built; a tensor that `source` lacks.
    pub fn new(
        config: &EncoderConfig,
        columns: usize,
        max_frames: usize,
        source: &mut Source<'_>,
        device: Device,
    ) -> Result<Self, TrainError> {
        Ok(Reconstruction {
            encoder: Encoder::new(config, columns, max_frames, source, device)?,
            head: ReconstructionHead::new(config.model_dim, columns, source, device)?,
        })
    }

    /// The tensors that learn, by name.
    pub fn parameters(&self) -> Vec<(String, Tensor)> {
        let (encoder, head) = (self.encoder.parameters(), self.head.parameters());
        let entries = encoder.entries().iter().chain(head.entries());
        entries
            .map(|(name, t)| (name.clone(), t.shallow_clone()))
            .collect()
    }

    /// The hidden frames as the model rebuilds them: [K, C].
    ///
    /// # Errors
    /// Those of libtorch.
    pub fn rebuild(&self, batch: &MaskedBatch, train: bool) -> Result<Tensor, TrainError> {
        let x_nc = match &batch.learned_n1 {
            Some(learned_n1) => self.head.fill(&batch.x_nc, learned_n1)?,
            None => batch.x_nc.shallow_clone(),
        };
        let h_nd = self.encoder.forward(&x_nc, &batch.layout, train)?;
        // Only hidden frames are rebuilt: the loss sees no other.
        let h_kd = torch_ext::gather_rows(&h_nd, &batch.hidden_rows_k)?;
        Ok(self.head.forward(&h_kd)?)
    }

    /// Mean loss over the hidden frames.
    ///
    /// # Errors
    /// Those of libtorch.
    pub fn loss(
        &self,
        batch: &MaskedBatch,
        loss: ReconstructionLoss,
        train: bool,
    ) -> Result<Tensor, TrainError> {
        Ok(reconstruction_loss(
            loss,
            &self.rebuild(batch, train)?,
            &batch.target_kc,
        )?)
    }
}

/// AdamW with the project's moments, over these tensors.
pub fn optimiser(parameters: Vec<Tensor>, weight_decay: f64) -> AdamW {
    let config = AdamWConfig {
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 1e-8,
        weight_decay,
    };
    AdamW::new(config, parameters)
}

/// What an update was made of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Update {
    /// The loss.
    pub loss: f64,
    /// Norm of all gradients before clipping.
    pub gradient_norm: f64,
}

impl Update {
    /// Whether both are finite; if not, the weights were left as they are.
    pub fn is_finite(self) -> bool {
        self.loss.is_finite() && self.gradient_norm.is_finite()
    }
}

/// Updates the weights by one loss: gradients, clipping to `clip_norm` (0 for none), AdamW with one
/// learning rate for each tensor. Weights stay where the loss or a gradient is not finite.
///
/// # Errors
/// Those of libtorch.
pub fn update(
    optimiser: &mut AdamW,
    loss: &Tensor,
    clip_norm: f64,
    learning_rates: &[f64],
) -> Result<Update, TrainError> {
    clear_gradients(optimiser.parameters())?;
    loss.f_backward()?;
    let gradient_norm = clip_gradients(optimiser.parameters(), clip_norm)?;
    let update = Update {
        loss: f64::try_from(loss)?,
        gradient_norm,
    };
    if update.is_finite() {
        optimiser.step(learning_rates)?;
    }
    Ok(update)
}
