use crate::BackboneError;
use crate::layer::{ForwardContext, ResidualStream};
use crate::linear::Builder;
use crate::parameters::Init;
use tch::Tensor;

/// Layer norm over the last dimension, with PyTorch's epsilon.
#[derive(Debug)]
pub(crate) struct Norm {
    weight: Tensor,
    bias: Tensor,
}

impl Norm {
    pub(crate) fn new(
        builder: &mut Builder<'_, '_>,
        name: &str,
        width: i64,
    ) -> Result<Self, BackboneError> {
        Ok(Norm {
            weight: builder.tensor(format!("{name}.weight"), &[width], Init::Constant(1.0))?,
            bias: builder.tensor(format!("{name}.bias"), &[width], Init::Constant(0.0))?,
        })
    }

    /// The stream with its branch added, and the norm of the sum, in bfloat16 if `bf16`.
    pub(crate) fn add_and_norm(
        &self,
        stream: &ResidualStream,
        context: &ForwardContext<'_>,
        bf16: bool,
    ) -> Result<(Tensor, Tensor), BackboneError> {
        let branch = stream.branch_nd.as_ref();
        Ok(torch_ext::add_norm(
            &stream.h_nd,
            branch,
            &self.weight,
            &self.bias,
            context.dropout,
            bf16,
        )?)
    }
}
