use crate::linear::{Linear, Making};
use crate::parameters::Init;
use crate::{BackboneError, Layout};
use tch::Tensor;

/// Self-attention of each segment's frames among themselves (`nn.MultiheadAttention`).
#[derive(Debug)]
pub(crate) struct Attention {
    input: Linear,
    output: Linear,
    heads: i64,
    dropout: f64,
}

impl Attention {
    pub(crate) fn new(
        making: &mut Making<'_, '_>,
        name: &str,
        width: i64,
        heads: i64,
        dropout: f64,
    ) -> Result<Self, BackboneError> {
        // PyTorch: Xavier for the joint input product, biases 0.
        let xavier = Init::Uniform((6.0 / (4 * width) as f64).sqrt());
        let zero = Init::Constant(0.0);
        let input = Linear::from_parts(
            making.tensor(format!("{name}.in_proj_weight"), &[3 * width, width], xavier)?,
            making.tensor(format!("{name}.in_proj_bias"), &[3 * width], zero)?,
        );
        let bound = Init::Uniform(1.0 / (width as f64).sqrt());
        let output = Linear::from_parts(
            making.tensor(format!("{name}.out_proj.weight"), &[width, width], bound)?,
            making.tensor(format!("{name}.out_proj.bias"), &[width], zero)?,
        );
        Ok(Attention { input, output, heads, dropout })
    }

    /// # Shapes
    /// `x_nd` [N, D] → [N, D]
    pub(crate) fn forward(&self, x_nd: &Tensor, layout: &Layout, train: bool) -> Result<Tensor, BackboneError> {
        let (_, d) = x_nd.size2()?;
        let (b, t) = (layout.segments(), layout.longest());
        // Packed up to here; the kernel wants a rectangle.
        let qkv_bt3d = layout.pad(&self.input.forward(x_nd)?)?;
        let qkv_3bhtk = qkv_bt3d.f_reshape([b, t, 3, self.heads, d / self.heads])?.f_permute([2, 0, 3, 1, 4])?;
        let part = |i| qkv_3bhtk.f_select(0, i);
        let mask_b11t = layout.valid_bt().map(|valid| valid.reshape([b, 1, 1, t]));
        let dropout = if train { self.dropout } else { 0.0 };
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
        let y_btd = y_bhtk.f_transpose(1, 2)?.f_reshape([b, t, d])?;
        self.output.forward(&layout.pack(&y_btd)?)
    }
}
