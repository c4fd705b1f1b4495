use crate::attention::Attention;
use crate::linear::{Linear, Making};
use crate::norm::Norm;
use crate::{Activation, BackboneError, EncoderConfig, Layout};
use tch::{Kind, Tensor};

/// One layer of the encoder (`nn.TransformerEncoderLayer`).
/// What goes from layer to layer: the residual stream, and what the last block adds to it, with dropout, at the next
/// norm.
#[derive(Debug)]
pub(crate) struct Stream {
    /// [N, D], 32-bit floats.
    pub(crate) h_nd: Tensor,
    /// [N, D]; `None` where nothing waits to be added.
    pub(crate) branch_nd: Option<Tensor>,
}

/// What does not change from layer to layer.
#[derive(Debug)]
pub(crate) struct Pass<'a> {
    pub(crate) layout: &'a Layout,
    /// 0 outside training.
    pub(crate) dropout: f64,
    /// Whether products are of bfloat16.
    pub(crate) half: bool,
}

impl Pass<'_> {
    /// The kind of the products.
    fn narrow(&self, x: &Tensor) -> Result<Tensor, BackboneError> {
        Ok(if self.half { x.f_to_kind(Kind::BFloat16)? } else { x.shallow_clone() })
    }
}

#[derive(Debug)]
pub(crate) struct Layer {
    attention: Attention,
    linear1: Linear,
    linear2: Linear,
    norm1: Norm,
    norm2: Norm,
    activation: Activation,
    norm_first: bool,
}

impl Layer {
    pub(crate) fn new(making: &mut Making<'_, '_>, name: &str, c: &EncoderConfig) -> Result<Self, BackboneError> {
        let (width, inner) = (c.model_dim as i64, c.feedforward_dim as i64);
        Ok(Layer {
            attention: Attention::new(making, &format!("{name}.self_attn"), width, c.heads as i64)?,
            linear1: making.linear(&format!("{name}.linear1"), width, inner)?,
            linear2: making.linear(&format!("{name}.linear2"), inner, width)?,
            norm1: Norm::new(making, &format!("{name}.norm1"), width)?,
            norm2: Norm::new(making, &format!("{name}.norm2"), width)?,
            activation: c.activation,
            norm_first: c.norm_first,
        })
    }

    /// # Shapes
    /// `x_nd` [N, D] → [N, D]
    /// Sums and norms stay in 32-bit floats; the products are in the pass's kind.
    pub(crate) fn forward(&self, stream: &Stream, pass: &Pass<'_>) -> Result<Stream, BackboneError> {
        if self.norm_first {
            let (h_nd, x_nd) = self.norm1.after(stream, pass, pass.half)?;
            let attended = Stream { h_nd, branch_nd: Some(self.attention.forward(&x_nd, pass)?) };
            let (h_nd, x_nd) = self.norm2.after(&attended, pass, pass.half)?;
            Ok(Stream { h_nd, branch_nd: Some(self.feed_forward(&x_nd, pass)?) })
        } else {
            let h_nd = stream.h_nd.shallow_clone();
            let branch_nd = Some(self.attention.forward(&pass.narrow(&h_nd)?, pass)?);
            let (_, h_nd) = self.norm1.after(&Stream { h_nd, branch_nd }, pass, false)?;
            let branch_nd = Some(self.feed_forward(&pass.narrow(&h_nd)?, pass)?);
            let (_, h_nd) = self.norm2.after(&Stream { h_nd, branch_nd }, pass, false)?;
            Ok(Stream { h_nd, branch_nd: None })
        }
    }

    fn feed_forward(&self, x_nd: &Tensor, pass: &Pass<'_>) -> Result<Tensor, BackboneError> {
        let inner = torch_ext::activate(&self.linear1.forward(x_nd)?, self.activation.into(), pass.dropout)?;
        self.linear2.forward(&inner)
    }
}

impl From<Activation> for torch_ext::Activation {
    fn from(activation: Activation) -> Self {
        match activation {
            Activation::Gelu => torch_ext::Activation::Gelu,
            Activation::Relu => torch_ext::Activation::Relu,
        }
    }
}
