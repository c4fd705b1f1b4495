use crate::linear::{Builder, Linear};
use crate::parameters::Init;
use crate::{
    BackboneError, Encoder, EncoderConfig, HeadsConfig, Layers, Layout, Objective, Parameters,
    Pooling, Source,
};
use tch::{Device, Kind, Tensor};

/// Reconstructs the input columns of frames from the encoder's output.
#[derive(Debug)]
pub struct ReconstructionHead {
    linear: Linear,
    /// The learned replacement of masked input frames: [C].
    hidden_frame: Tensor,
    parameters: Parameters,
}

impl ReconstructionHead {
    /// A head from model width `model_dim` to `input_dim` columns.
    pub fn new(
        model_dim: usize,
        input_dim: usize,
        source: &mut Source<'_>,
        device: Device,
    ) -> Result<Self, BackboneError> {
        let mut parameters = Parameters::default();
        let mut builder = Builder {
            parameters: &mut parameters,
            source,
            device,
        };
        let linear = builder.linear("reconstruction", model_dim as i64, input_dim as i64)?;
        let init = Init::Uniform(0.02);
        let hidden_frame = builder.tensor("hidden_frame".into(), &[input_dim as i64], init)?;
        Ok(ReconstructionHead {
            linear,
            hidden_frame,
            parameters,
        })
    }

    /// Its tensors.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Adds the learned replacement to the frames where `learned_n1` is 1 (and the input is 0).
    ///
    /// # Shapes
    /// `x_nc` [N, C], `learned_n1` [N, 1] → [N, C]
    pub fn fill(&self, x_nc: &Tensor, learned_n1: &Tensor) -> Result<Tensor, BackboneError> {
        Ok(x_nc.f_add(&learned_n1.f_mul(&self.hidden_frame)?)?)
    }

    /// Reconstructs frames.
    ///
    /// # Shapes
    /// `h_kd` [K, D] → [K, C]
    pub fn forward(&self, h_kd: &Tensor) -> Result<Tensor, BackboneError> {
        self.linear.forward(h_kd)
    }
}

/// Predicts the presence and the intensity of each emotion in a segment.
///
/// The features of a frame come from [`EmotionHeads::read`]: the encoder's outputs, followed by the
/// C input columns if `input_statistics` is set.
#[derive(Debug)]
pub struct EmotionHeads {
    config: HeadsConfig,
    model_dim: i64,
    /// Logits of the layer weights: [layers + 1].
    mixture: Option<Tensor>,
    attention: Option<Linear>,
    presence: Option<Linear>,
    intensity: Option<Linear>,
    /// Mean and standard deviation of the pooled vectors: [P] each.
    standardisation: Option<[Tensor; 2]>,
    parameters: Parameters,
    /// Tensors of the heads that are not trained.
    buffers: Parameters,
}

/// The predictions of the heads for a batch.
#[derive(Debug)]
pub struct Outputs {
    /// Logits of presence, [B, E], if there is such a head.
    pub presence_be: Option<Tensor>,
    /// Intensities, [B, E], not clipped, if there is such a head.
    pub intensity_be: Option<Tensor>,
}

impl EmotionHeads {
    /// Heads for `emotions` emotions on an encoder of `input_dim` columns.
    pub fn new(
        config: &HeadsConfig,
        objective: Objective,
        encoder: &EncoderConfig,
        input_dim: usize,
        emotions: usize,
        source: &mut Source<'_>,
        device: Device,
    ) -> Result<Self, BackboneError> {
        let mut parameters = Parameters::default();
        let mut builder = Builder {
            parameters: &mut parameters,
            source,
            device,
        };
        let (d, e) = (encoder.model_dim as i64, emotions as i64);
        let mixture = match config.layers {
            Layers::Last => None,
            Layers::WeightedSum => Some(builder.tensor(
                "mixture".into(),
                &[encoder.layers as i64 + 1],
                Init::Constant(0.0),
            )?),
        };
        let pooled = config.pooled_dim(encoder.model_dim, input_dim) as i64;
        let attention = (config.pooling == Pooling::Attention)
            .then(|| builder.linear("pooling", d, 1))
            .transpose()?;
        let presence = objective
            .presence()
            .then(|| builder.linear("presence", pooled, e))
            .transpose()?;
        let intensity = objective
            .intensity()
            .then(|| builder.linear("intensity", pooled, e))
            .transpose()?;
        let mut buffers = Parameters::default();
        let mut builder = Builder {
            parameters: &mut buffers,
            source: builder.source,
            device,
        };
        let standardisation = match config.standardise {
            false => None,
            true => Some([
                builder
                    .tensor("pooled.mean".into(), &[pooled], Init::Constant(0.0))?
                    .set_requires_grad(false),
                builder
                    .tensor("pooled.deviation".into(), &[pooled], Init::Constant(1.0))?
                    .set_requires_grad(false),
            ]),
        };
        let config = config.clone();
        Ok(EmotionHeads {
            config,
            model_dim: d,
            mixture,
            attention,
            presence,
            intensity,
            standardisation,
            parameters,
            buffers,
        })
    }

    /// Which heads there are.
    pub fn objective(&self) -> Objective {
        match (&self.presence, &self.intensity) {
            (Some(_), None) => Objective::Presence,
            (None, _) => Objective::Intensity,
            (Some(_), Some(_)) => Objective::Both,
        }
    }

    /// Its settings.
    pub fn config(&self) -> &HeadsConfig {
        &self.config
    }

    /// The trainable tensors.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// All tensors, for a file.
    pub fn tensors(&self) -> Vec<(String, Tensor)> {
        let entries = self
            .parameters
            .entries()
            .iter()
            .chain(self.buffers.entries());
        entries
            .map(|(name, t)| (name.clone(), t.shallow_clone()))
            .collect()
    }

    /// Sets mean and population standard deviation of the standardisation from a sample of pooled
    /// vectors. A dimension that is nearly constant is centred but not scaled.
    ///
    /// # Shapes
    /// `pooled_sp` [S, P], from [`EmotionHeads::pool`]
    pub fn standardise(&mut self, pooled_sp: &Tensor) -> Result<(), BackboneError> {
        let Some([mean_p, std_p]) = &mut self.standardisation else {
            return Ok(());
        };
        let pooled_sp = pooled_sp.f_to_kind(Kind::Double)?;
        let mean = pooled_sp.f_mean_dim(0, false, Kind::Double)?;
        let std = pooled_sp
            .f_sub(&mean)?
            .f_square()?
            .f_mean_dim(0, false, Kind::Double)?
            .f_sqrt()?;
        let constant = std.f_le(1e-6)?;
        mean_p.f_copy_(&mean)?;
        std_p.f_copy_(&std.f_masked_fill(&constant, 1.0)?)?;
        Ok(())
    }

    /// The input of the linear heads: the pooled vectors, standardised if the configuration has it.
    ///
    /// # Shapes
    /// `pooled_bp` [B, P] → [B, P]
    pub fn standardised(&self, pooled_bp: &Tensor) -> Result<Tensor, BackboneError> {
        match &self.standardisation {
            Some([mean_p, std_p]) => Ok(pooled_bp.f_sub(mean_p)?.f_div(std_p)?),
            None => Ok(pooled_bp.shallow_clone()),
        }
    }

    /// Copies all values from other heads of the same configuration.
    pub fn take(&mut self, other: &EmotionHeads) -> Result<(), BackboneError> {
        tch::no_grad(|| {
            for ((name, own), (_, theirs)) in self.tensors().into_iter().zip(other.tensors()) {
                if own.size() != theirs.size() {
                    return Err(BackboneError::Shape {
                        name,
                        expected: own.size(),
                        found: theirs.size(),
                    });
                }
                own.shallow_clone().f_copy_(&theirs)?;
            }
            Ok(())
        })
    }

    /// Sets the weights and biases of the linear heads, in the order presence, intensity, without
    /// heads that do not exist.
    ///
    /// # Shapes
    /// weights `[E, P]`, biases `[E]`
    pub fn set(&mut self, heads: &[(Tensor, Tensor)]) -> Result<(), BackboneError> {
        for (head, (weight_ep, bias_e)) in self.presence.iter().chain(&self.intensity).zip(heads) {
            head.set(weight_ep, bias_e)?;
        }
        Ok(())
    }

    /// The features of each frame of a packed batch; `train` is passed to the encoder.
    ///
    /// # Shapes
    /// `x_nc` [N, C] → [N, K], K by [`HeadsConfig::frame_dim`]
    pub fn read(
        &self,
        encoder: &Encoder,
        x_nc: &Tensor,
        layout: &Layout,
        train: bool,
    ) -> Result<Tensor, BackboneError> {
        let h_nd = match self.config.layers {
            Layers::Last => encoder.forward(x_nc, layout, train)?,
            Layers::WeightedSum => encoder.forward_layers(x_nc, layout, train)?,
        };
        if self.config.input_statistics {
            Ok(Tensor::f_cat(&[&h_nd, x_nc], 1)?)
        } else {
            Ok(h_nd)
        }
    }

    /// Pools the features of [`EmotionHeads::read`] by segment and applies the heads.
    ///
    /// # Shapes
    /// `frames_nk` [N, K] → [B, E] each
    pub fn forward(
        &self,
        frames_nk: &Tensor,
        layout: &Layout,
        train: bool,
    ) -> Result<Outputs, BackboneError> {
        self.forward_pooled(&self.pool(frames_nk, layout)?, train)
    }

    /// Applies the heads to the vectors of [`EmotionHeads::pool`].
    ///
    /// # Shapes
    /// `pooled_bp` [B, P] → [B, E] each
    pub fn forward_pooled(
        &self,
        pooled_bp: &Tensor,
        train: bool,
    ) -> Result<Outputs, BackboneError> {
        let pooled_bp =
            torch_ext::dropout(&self.standardised(pooled_bp)?, self.config.dropout, train)?;
        let apply =
            |head: &Option<Linear>| head.as_ref().map(|h| h.forward(&pooled_bp)).transpose();
        Ok(Outputs {
            presence_be: apply(&self.presence)?,
            intensity_be: apply(&self.intensity)?,
        })
    }

    /// Pools the frames of each segment to one vector.
    ///
    /// # Shapes
    /// `frames_nk` [N, K] → [B, P], P by [`HeadsConfig::pooled_dim`]
    pub fn pool(&self, frames_nk: &Tensor, layout: &Layout) -> Result<Tensor, BackboneError> {
        let d = self.model_dim;
        let width = d * self.mixture.as_ref().map_or(1, |w| w.size()[0]);
        let h_nd = match &self.mixture {
            None => frames_nk.f_slice(1, 0, width, 1)?,
            Some(logits) => {
                let weights_l1 = logits.f_softmax(0, Kind::Float)?.f_unsqueeze(1)?;
                let h_nld =
                    frames_nk
                        .f_slice(1, 0, width, 1)?
                        .f_reshape([frames_nk.size()[0], -1, d])?;
                h_nld
                    .f_mul(&weights_l1)?
                    .f_sum_dim_intlist(1, false, Kind::Float)?
            }
        };
        let member_bn = layout.membership_bn()?;
        let mean_bn = member_bn.f_div(&layout.lengths_b1()?)?;
        let statistics = |x_nc: &Tensor| -> Result<[Tensor; 2], BackboneError> {
            let mean_bc = mean_bn.f_matmul(x_nc)?;
            let centred_nc = x_nc.f_sub(&member_bn.f_transpose(0, 1)?.f_matmul(&mean_bc)?)?;
            // The derivative of the root is infinite at 0, the variance of a segment of one frame.
            let std_bc = mean_bn
                .f_matmul(&centred_nc.f_square()?)?
                .f_add_scalar(1e-6)?
                .f_sqrt()?;
            Ok([mean_bc, std_bc])
        };
        let mut parts = match (&self.attention, self.config.pooling) {
            (Some(scorer), _) => vec![member_bn.f_matmul(&weighted(scorer, &h_nd, layout)?)?],
            (None, Pooling::MeanDeviation) => statistics(&h_nd)?.into(),
            (None, _) => vec![mean_bn.f_matmul(&h_nd)?],
        };
        if self.config.input_statistics {
            parts.extend(statistics(&frames_nk.f_slice(
                1,
                width,
                frames_nk.size()[1],
                1,
            )?)?);
        }
        match &parts[..] {
            [only] => Ok(only.shallow_clone()),
            parts => Ok(Tensor::f_cat(parts, 1)?),
        }
    }
}

/// Frames multiplied by their attention weights, a softmax of the scores over each segment.
fn weighted(scorer: &Linear, h_nd: &Tensor, layout: &Layout) -> Result<Tensor, BackboneError> {
    let score_bt1 = layout.pad(&scorer.forward(h_nd)?)?;
    let score_bt = score_bt1.f_squeeze_dim(2)?;
    let score_bt = match layout.valid_bt() {
        Some(valid) => score_bt.f_masked_fill(&valid.f_logical_not()?, f64::NEG_INFINITY)?,
        None => score_bt,
    };
    let weight_n1 = layout.pack(&score_bt.f_softmax(1, Kind::Float)?.f_unsqueeze(2)?)?;
    Ok(h_nd.f_mul(&weight_n1)?)
}
