use crate::linear::{Linear, Making};
use crate::{BackboneError, HeadsConfig, Layout, Parameters, Pooling, Source};
use tch::{Device, Kind, Tensor};

/// Rebuilds the columns of frames from what the encoder makes of them.
#[derive(Debug)]
pub struct ReconstructionHead {
    linear: Linear,
    /// What stands in the input in place of a hidden frame where the replacement is learned: [C].
    hidden_frame: Tensor,
    parameters: Parameters,
}

impl ReconstructionHead {
    /// A head from width `model_dim` to `input_dim` columns.
    pub fn new(
        model_dim: usize,
        input_dim: usize,
        source: &mut Source<'_>,
        device: Device,
    ) -> Result<Self, BackboneError> {
        let mut parameters = Parameters::default();
        let mut making = Making { parameters: &mut parameters, source, device };
        let linear = making.linear("reconstruction", model_dim as i64, input_dim as i64)?;
        let init = crate::parameters::Init::Uniform(0.02);
        let hidden_frame = making.tensor("hidden_frame".into(), &[input_dim as i64], init)?;
        Ok(ReconstructionHead { linear, hidden_frame, parameters })
    }

    /// Its tensors.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Adds the learned vector to the frames where `learned_n1` is 1 (and the input is 0).
    ///
    /// # Shapes
    /// `x_nc` [N, C], `learned_n1` [N, 1] → [N, C]
    pub fn fill(&self, x_nc: &Tensor, learned_n1: &Tensor) -> Result<Tensor, BackboneError> {
        Ok(x_nc.f_add(&learned_n1.f_mul(&self.hidden_frame)?)?)
    }

    /// Rebuilds frames.
    ///
    /// # Shapes
    /// `h_kd` [K, D] → [K, C]
    pub fn forward(&self, h_kd: &Tensor) -> Result<Tensor, BackboneError> {
        self.linear.forward(h_kd)
    }
}

/// Tells the presence and the intensity of each emotion in a segment.
#[derive(Debug)]
pub struct EmotionHeads {
    config: HeadsConfig,
    attention: Option<Linear>,
    presence: Option<Linear>,
    intensity: Option<Linear>,
    parameters: Parameters,
}

/// What the heads say of a batch.
#[derive(Debug)]
pub struct Outputs {
    /// Logits of presence, [B, E], where there is such a head.
    pub presence_be: Option<Tensor>,
    /// Intensities, [B, E], not clipped, where there is such a head.
    pub intensity_be: Option<Tensor>,
}

impl EmotionHeads {
    /// Heads for `emotions` emotions on an encoder of width `model_dim`.
    pub fn new(
        config: &HeadsConfig,
        model_dim: usize,
        emotions: usize,
        source: &mut Source<'_>,
        device: Device,
    ) -> Result<Self, BackboneError> {
        if !(config.presence || config.intensity) {
            let expected = "presence, intensity or both".to_string();
            return Err(BackboneError::Config { key: "heads", expected, found: "neither".into() });
        }
        let mut parameters = Parameters::default();
        let mut making = Making { parameters: &mut parameters, source, device };
        let (d, e) = (model_dim as i64, emotions as i64);
        let pooled = if config.pooling == Pooling::MeanDeviation { 2 * d } else { d };
        let attention = (config.pooling == Pooling::Attention).then(|| making.linear("pooling", d, 1)).transpose()?;
        let presence = config.presence.then(|| making.linear("presence", pooled, e)).transpose()?;
        let intensity = config.intensity.then(|| making.linear("intensity", pooled, e)).transpose()?;
        Ok(EmotionHeads { config: config.clone(), attention, presence, intensity, parameters })
    }

    /// Whether pooling has weights of its own: then what it gives changes as they learn.
    pub fn pooling_learns(&self) -> bool {
        self.attention.is_some()
    }

    /// Its settings.
    pub fn config(&self) -> &HeadsConfig {
        &self.config
    }

    /// Their tensors.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Pools frames to segments and applies the heads.
    ///
    /// # Shapes
    /// `h_nd` [N, D] → [B, E] each
    pub fn forward(&self, h_nd: &Tensor, layout: &Layout, train: bool) -> Result<Outputs, BackboneError> {
        self.forward_pooled(&self.pool(h_nd, layout)?, train)
    }

    /// Applies the heads to what [`EmotionHeads::pool`] gives.
    ///
    /// # Shapes
    /// `pooled_bk` [B, D], or [B, 2 D] with the deviation → [B, E] each
    pub fn forward_pooled(&self, pooled_bk: &Tensor, train: bool) -> Result<Outputs, BackboneError> {
        let pooled_bk = torch_ext::dropout(pooled_bk, self.config.dropout, train)?;
        let apply = |head: &Option<Linear>| head.as_ref().map(|h| h.forward(&pooled_bk)).transpose();
        Ok(Outputs { presence_be: apply(&self.presence)?, intensity_be: apply(&self.intensity)? })
    }

    /// Pools each segment's frames to one vector.
    ///
    /// # Shapes
    /// `h_nd` [N, D] → [B, D], or [B, 2 D] with the deviation
    pub fn pool(&self, h_nd: &Tensor, layout: &Layout) -> Result<Tensor, BackboneError> {
        let member_bn = layout.membership_bn()?;
        if let Some(scorer) = &self.attention {
            let score_bt1 = layout.pad(&scorer.forward(h_nd)?)?;
            let score_bt = score_bt1.f_squeeze_dim(2)?;
            let score_bt = match layout.valid_bt() {
                Some(valid) => score_bt.f_masked_fill(&valid.f_logical_not()?, f64::NEG_INFINITY)?,
                None => score_bt,
            };
            let weight_n1 = layout.pack(&score_bt.f_softmax(1, Kind::Float)?.f_unsqueeze(2)?)?;
            return Ok(member_bn.f_matmul(&h_nd.f_mul(&weight_n1)?)?);
        }
        let mean_bn = member_bn.f_div(&layout.lengths_b1()?)?;
        let mean_bd = mean_bn.f_matmul(h_nd)?;
        if self.config.pooling == Pooling::Mean {
            return Ok(mean_bd);
        }
        let centred_nd = h_nd.f_sub(&member_bn.f_transpose(0, 1)?.f_matmul(&mean_bd)?)?;
        // The root's slope at 0 is infinite: a segment of one frame has no deviation.
        let deviation_bd = mean_bn.f_matmul(&centred_nd.f_square()?)?.f_add_scalar(1e-6)?.f_sqrt()?;
        Ok(Tensor::f_cat(&[mean_bd, deviation_bd], 1)?)
    }
}
