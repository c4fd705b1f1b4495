use crate::attention::Attention;
use crate::linear::{Builder, Linear};
use crate::norm::Norm;
use crate::{Activation, BackboneError, EncoderConfig, Layout};
use tch::{Kind, Tensor};

/// The data between two layers: the residual stream, and the output of the last block, which the
/// next norm adds with dropout.
#[derive(Debug)]
pub(crate) struct ResidualStream {
    /// [N, D], 32-bit floats.
    pub(crate) h_nd: Tensor,
    /// [N, D]; `None` if there is nothing to add.
    pub(crate) branch_nd: Option<Tensor>,
}

/// Settings of a forward pass that all layers share.
#[derive(Debug)]
pub(crate) struct ForwardContext<'a> {
    pub(crate) layout: &'a Layout,
    /// 0 outside training.
    pub(crate) dropout: f64,
    /// Whether products use bfloat16.
    pub(crate) bf16: bool,
}

impl ForwardContext<'_> {
    /// Converts to the type of the products.
    fn cast(&self, x: &Tensor) -> Result<Tensor, BackboneError> {
        Ok(if self.bf16 {
            x.f_to_kind(Kind::BFloat16)?
        } else {
            x.shallow_clone()
        })
    }
}

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
}

impl Layer {
    pub(crate) fn new(
        builder: &mut Builder<'_, '_>,
        name: &str,
        c: &EncoderConfig,
    ) -> Result<Self, BackboneError> {
        let (width, inner) = (c.model_dim as i64, c.feedforward_dim as i64);
        Ok(Layer {
            attention: Attention::new(
                builder,
                &format!("{name}.self_attn"),
                width,
                c.heads as i64,
            )?,
            linear1: builder.linear(&format!("{name}.linear1"), width, inner)?,
            linear2: builder.linear(&format!("{name}.linear2"), inner, width)?,
            norm1: Norm::new(builder, &format!("{name}.norm1"), width)?,
            norm2: Norm::new(builder, &format!("{name}.norm2"), width)?,
            activation: c.activation,
            norm_first: c.norm_first,
        })
    }

    /// Sums and norms use 32-bit floats; products use the precision of the context.
    pub(crate) fn forward(
        &self,
        stream: &ResidualStream,
        context: &ForwardContext<'_>,
    ) -> Result<ResidualStream, BackboneError> {
        if self.norm_first {
            let (h_nd, x_nd) = self.norm1.add_and_norm(stream, context, context.bf16)?;
            let attended = ResidualStream {
                h_nd,
                branch_nd: Some(self.attention.forward(&x_nd, context)?),
            };
            let (h_nd, x_nd) = self.norm2.add_and_norm(&attended, context, context.bf16)?;
            Ok(ResidualStream {
                h_nd,
                branch_nd: Some(self.feed_forward(&x_nd, context)?),
            })
        } else {
            let h_nd = stream.h_nd.shallow_clone();
            let branch_nd = Some(self.attention.forward(&context.cast(&h_nd)?, context)?);
            let (_, h_nd) =
                self.norm1
                    .add_and_norm(&ResidualStream { h_nd, branch_nd }, context, false)?;
            let branch_nd = Some(self.feed_forward(&context.cast(&h_nd)?, context)?);
            let (_, h_nd) =
                self.norm2
                    .add_and_norm(&ResidualStream { h_nd, branch_nd }, context, false)?;
            Ok(ResidualStream {
                h_nd,
                branch_nd: None,
            })
        }
    }

    fn feed_forward(
        &self,
        x_nd: &Tensor,
        context: &ForwardContext<'_>,
    ) -> Result<Tensor, BackboneError> {
        let inner = torch_ext::activate(
            &self.linear1.forward(x_nd)?,
            self.activation.into(),
            context.dropout,
        )?;
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
