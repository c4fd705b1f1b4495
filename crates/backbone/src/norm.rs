use crate::BackboneError;
use crate::linear::Making;
use crate::parameters::Init;
use tch::Tensor;

/// Layer norm over the last dimension, with PyTorch's epsilon.
#[derive(Debug)]
pub(crate) struct Norm {
    weight: Tensor,
    bias: Tensor,
}

impl Norm {
    pub(crate) fn new(making: &mut Making<'_, '_>, name: &str, width: i64) -> Result<Self, BackboneError> {
        Ok(Norm {
            weight: making.tensor(format!("{name}.weight"), &[width], Init::Constant(1.0))?,
            bias: making.tensor(format!("{name}.bias"), &[width], Init::Constant(0.0))?,
        })
    }

    /// # Shapes
    /// `x_nd` [N, D] → [N, D]
    pub(crate) fn forward(&self, x_nd: &Tensor) -> Result<Tensor, BackboneError> {
        Ok(x_nd.f_layer_norm(self.weight.size(), Some(&self.weight), Some(&self.bias), 1e-5, true)?)
    }
}
