use crate::layer::ForwardContext;
use crate::linear::{Builder, Linear};
use crate::parameters::Init;
use crate::{BackboneError, Layout};
use tch::{Device, Tensor};

/// Self-attention within each segment (`nn.MultiheadAttention`).
#[derive(Debug)]
pub(crate) struct Attention {
    input: Linear,
    output: Linear,
    heads: i64,
}

impl Attention {
    pub(crate) fn new(
        builder: &mut Builder<'_, '_>,
        name: &str,
        width: i64,
        heads: i64,
    ) -> Result<Self, BackboneError> {
        // As in PyTorch: Xavier initialisation of the joint input projection, zero biases.
        let xavier = Init::Uniform((6.0 / (4 * width) as f64).sqrt());
        let zero = Init::Constant(0.0);
        let input = Linear::from_parts(
            builder.tensor(
                format!("{name}.in_proj_weight"),
                &[3 * width, width],
                xavier,
            )?,
            builder.tensor(format!("{name}.in_proj_bias"), &[3 * width], zero)?,
        );
        let bound = Init::Uniform(1.0 / (width as f64).sqrt());
        let output = Linear::from_parts(
            builder.tensor(format!("{name}.out_proj.weight"), &[width, width], bound)?,
            builder.tensor(format!("{name}.out_proj.bias"), &[width], zero)?,
        );
        Ok(Attention {
            input,
            output,
            heads,
        })
    }

    /// # Shapes
    /// `x_nd` [N, D] → [N, D]
    pub(crate) fn forward(
        &self,
        x_nd: &Tensor,
        context: &ForwardContext<'_>,
    ) -> Result<Tensor, BackboneError> {
        let qkv_n3d = self.input.forward(x_nd)?;
        let y_nd = if x_nd.device() == Device::Cpu {
            torch_ext::packed_attention(
                &qkv_n3d,
                context.layout.offsets(),
                self.heads,
                context.dropout,
            )?
        } else {
            self.padded(&qkv_n3d, context.layout, context.dropout)?
        };
        self.output.forward(&y_nd)
    }

    /// Attention with libtorch's kernel, which requires padded segments; the only place with
    /// padding.
    ///
    /// # Shapes
    /// `qkv_n3d` [N, 3 D] → [N, D]
    fn padded(
        &self,
        qkv_n3d: &Tensor,
        layout: &Layout,
        dropout: f64,
    ) -> Result<Tensor, BackboneError> {
        let d = qkv_n3d.size()[1] / 3;
        let (b, t) = (layout.segments(), layout.longest());
        let qkv_bt3d = layout.pad(qkv_n3d)?;
        let qkv_3bhtk = qkv_bt3d
            .f_reshape([b, t, 3, self.heads, d / self.heads])?
            .f_permute([2, 0, 3, 1, 4])?;
        let part = |i| qkv_3bhtk.f_select(0, i);
        let mask_b11t = layout.valid_bt().map(|valid| valid.reshape([b, 1, 1, t]));
        let y_bhtk = Tensor::f_scaled_dot_product_attention(
            &part(0)?,
            &part(1)?,
            &part(2)?,
            mask_b11t.as_ref(),
            dropout,
            false,
            None,
            false,
        )?;
        layout.pack(&y_bhtk.f_transpose(1, 2)?.f_reshape([b, t, d])?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Parameters, Source};
    use rand::{SeedableRng, rngs::ChaCha12Rng};
    use tch::Kind;

    #[test]
    fn packed_and_padded_attention_are_equal() {
        let mut source = Source::draw(|_: &str| ChaCha12Rng::seed_from_u64(1));
        let mut parameters = Parameters::default();
        let mut builder = Builder {
            parameters: &mut parameters,
            source: &mut source,
            device: Device::Cpu,
        };
        let attention = Attention::new(&mut builder, "a", 24, 2).unwrap();
        let layout = Layout::new(&[0, 9, 10, 30], Device::Cpu).unwrap();
        let x_nd = (Tensor::arange(30 * 24, (Kind::Float, Device::Cpu)) * 0.37)
            .sin()
            .reshape([30, 24]);
        let qkv_n3d = attention.input.forward(&x_nd).unwrap();
        let packed = torch_ext::packed_attention(&qkv_n3d, layout.offsets(), 2, 0.0).unwrap();
        let padded = attention.padded(&qkv_n3d, &layout, 0.0).unwrap();
        let difference = f64::try_from((packed - padded).abs().max()).unwrap();
        assert!(difference < 1e-6, "{difference:e}");
    }
}
