use crate::parameters::Init;
use crate::{BackboneError, Parameters, Source};
use tch::{Device, Tensor};

/// x Wᵀ + b, with PyTorch's names and initialisation (uniform within ± 1/√inputs).
#[derive(Debug)]
pub(crate) struct Linear {
    weight: Tensor,
    bias: Tensor,
}

/// Creates the tensors of a module.
pub(crate) struct Builder<'a, 's> {
    pub(crate) parameters: &'a mut Parameters,
    pub(crate) source: &'a mut Source<'s>,
    pub(crate) device: Device,
}

impl Builder<'_, '_> {
    pub(crate) fn tensor(
        &mut self,
        name: String,
        shape: &[i64],
        init: Init,
    ) -> Result<Tensor, BackboneError> {
        self.parameters
            .add(self.source, self.device, name, shape, init)
    }

    pub(crate) fn linear(
        &mut self,
        name: &str,
        inputs: i64,
        outputs: i64,
    ) -> Result<Linear, BackboneError> {
        let bound = Init::Uniform(1.0 / (inputs as f64).sqrt());
        Ok(Linear {
            weight: self.tensor(format!("{name}.weight"), &[outputs, inputs], bound)?,
            bias: self.tensor(format!("{name}.bias"), &[outputs], bound)?,
        })
    }
}

impl Linear {
    pub(crate) fn from_parts(weight: Tensor, bias: Tensor) -> Self {
        Linear { weight, bias }
    }

    /// Sets weight and bias.
    pub(crate) fn set(&self, weight: &Tensor, bias: &Tensor) -> Result<(), BackboneError> {
        tch::no_grad(|| {
            for (own, other) in [(&self.weight, weight), (&self.bias, bias)] {
                if own.size() != other.size() {
                    let (name, expected, found) =
                        ("weights of a head".into(), own.size(), other.size());
                    return Err(BackboneError::Shape {
                        name,
                        expected,
                        found,
                    });
                }
                own.shallow_clone().f_copy_(other)?;
            }
            Ok(())
        })
    }

    /// # Shapes
    /// `x` [N, inputs] → [N, outputs]
    pub(crate) fn forward(&self, x: &Tensor) -> Result<Tensor, BackboneError> {
        // The weights are 32-bit floats, whatever the type of the product.
        let kind = x.kind();
        Ok(x.f_linear(
            &self.weight.f_to_kind(kind)?,
            Some(&self.bias.f_to_kind(kind)?),
        )?)
    }
}
