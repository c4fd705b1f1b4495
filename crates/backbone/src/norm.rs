use crate::BackboneError;
use crate::layer::{Pass, Stream};
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

    /// The stream with its branch added, and its norm, in bfloat16 where `half`.
    pub(crate) fn after(
        &self,
        stream: &Stream,
        pass: &Pass<'_>,
        half: bool,
    ) -> Result<(Tensor, Tensor), BackboneError> {
        let branch = stream.branch_nd.as_ref();
        Ok(torch_ext::add_norm(&stream.h_nd, branch, &self.weight, &self.bias, pass.dropout, half)?)
    }
}
