use crate::attention::Attention;
use crate::linear::{Linear, Making};
use crate::norm::Norm;
use crate::{Activation, BackboneError, EncoderConfig, Layout};
use tch::Tensor;
use torch_ext::dropout;

/// One layer of the encoder (`nn.TransformerEncoderLayer`).
#[derive(Debug)]
pub(crate) struct Layer {
    attention: Attention,
    linear1: Linear,
    linear2: Linear,
    norm1: Norm,
    norm2: Norm,
    activation: Activation,
    norm_first: bool,
    dropout: f64,
}

impl Layer {
    pub(crate) fn new(making: &mut Making<'_, '_>, name: &str, c: &EncoderConfig) -> Result<Self, BackboneError> {
        let (width, inner) = (c.model_dim as i64, c.feedforward_dim as i64);
        Ok(Layer {
            attention: Attention::new(making, &format!("{name}.self_attn"), width, c.heads as i64, c.dropout)?,
            linear1: making.linear(&format!("{name}.linear1"), width, inner)?,
            linear2: making.linear(&format!("{name}.linear2"), inner, width)?,
            norm1: Norm::new(making, &format!("{name}.norm1"), width)?,
            norm2: Norm::new(making, &format!("{name}.norm2"), width)?,
            activation: c.activation,
            norm_first: c.norm_first,
            dropout: c.dropout,
        })
    }

    /// # Shapes
    /// `x_nd` [N, D] → [N, D]
    pub(crate) fn forward(&self, x_nd: &Tensor, layout: &Layout, train: bool) -> Result<Tensor, BackboneError> {
        if self.norm_first {
            let x_nd = self.attend(&self.norm1.forward(x_nd)?, layout, train)? + x_nd;
            Ok(self.feed_forward(&self.norm2.forward(&x_nd)?, train)? + x_nd)
        } else {
            let x_nd = self.norm1.forward(&(self.attend(x_nd, layout, train)? + x_nd))?;
            self.norm2.forward(&(self.feed_forward(&x_nd, train)? + x_nd))
        }
    }

    fn attend(&self, x_nd: &Tensor, layout: &Layout, train: bool) -> Result<Tensor, BackboneError> {
        Ok(dropout(&self.attention.forward(x_nd, layout, train)?, self.dropout, train)?)
    }

    fn feed_forward(&self, x_nd: &Tensor, train: bool) -> Result<Tensor, BackboneError> {
        let inner = self.linear1.forward(x_nd)?;
        let inner = match self.activation {
            Activation::Gelu => inner.f_gelu("none")?,
            Activation::Relu => inner.f_relu()?,
        };
        let inner = dropout(&inner, self.dropout, train)?;
        Ok(dropout(&self.linear2.forward(&inner)?, self.dropout, train)?)
    }
}
