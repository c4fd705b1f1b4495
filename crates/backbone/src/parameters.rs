//! Named tensors: where they come from, and in which order they stand.

use crate::BackboneError;
use rand::{Rng, RngExt};
use std::collections::BTreeMap;
use tch::{Device, Kind, Tensor};

/// The first values of a tensor, as PyTorch's modules choose them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Init {
    /// Uniform on [-bound, bound].
    Uniform(f64),
    /// One value.
    Constant(f32),
}

/// Where tensors come from.
pub struct Source<'a>(Kinds<'a>);

/// Makes the generator for the tensor of a name.
type Generators<'a> = Box<dyn FnMut(&str) -> Box<dyn Rng> + 'a>;

enum Kinds<'a> {
    Draw(Generators<'a>),
    Tensors(&'a BTreeMap<String, Tensor>),
}

impl<'a> Source<'a> {
    /// Fresh weights. `generator` makes the generator for the tensor of a name, so that the values of one tensor depend
    /// neither on the others nor on the order in which they are made.
    pub fn draw<R: Rng + 'static>(mut generator: impl FnMut(&str) -> R + 'a) -> Self {
        Source(Kinds::Draw(Box::new(move |name| Box::new(generator(name)))))
    }

    /// Weights that are there. Tensors of other names are left alone.
    pub fn tensors(tensors: &'a BTreeMap<String, Tensor>) -> Self {
        Source(Kinds::Tensors(tensors))
    }

    fn make(&mut self, name: &str, shape: &[i64], init: Init) -> Result<Tensor, BackboneError> {
        match &mut self.0 {
            Kinds::Draw(generator) => {
                let count = shape.iter().product::<i64>() as usize;
                let values: Vec<f32> = match init {
                    Init::Constant(value) => vec![value; count],
                    Init::Uniform(bound) => {
                        let mut rng = generator(name);
                        (0..count).map(|_| (rng.random_range(-1.0..1.0) * bound) as f32).collect()
                    }
                };
                Ok(Tensor::f_from_slice(&values)?.f_reshape(shape)?)
            }
            Kinds::Tensors(tensors) => {
                let Some(tensor) = tensors.get(name) else {
                    return Err(BackboneError::MissingTensor { name: name.into(), expected: shape.to_vec() });
                };
                if tensor.size() != shape {
                    let (expected, found) = (shape.to_vec(), tensor.size());
                    return Err(BackboneError::Shape { name: name.into(), expected, found });
                }
                if tensor.kind() != Kind::Float {
                    return Err(BackboneError::Kind { name: name.into(), found: format!("{:?}", tensor.kind()) });
                }
                Ok(tensor.detach().copy())
            }
        }
    }
}

/// The tensors of a module by name, in the order in which they were made.
#[derive(Debug, Default)]
pub struct Parameters {
    entries: Vec<(String, Tensor)>,
}

impl Parameters {
    /// Makes a tensor that learns, keeps it under `name` and hands it out.
    pub(crate) fn add(
        &mut self,
        source: &mut Source<'_>,
        device: Device,
        name: String,
        shape: &[i64],
        init: Init,
    ) -> Result<Tensor, BackboneError> {
        let tensor = source.make(&name, shape, init)?.f_to_device(device)?.set_requires_grad(true);
        self.entries.push((name, tensor.shallow_clone()));
        Ok(tensor)
    }

    /// Names and tensors.
    pub fn entries(&self) -> &[(String, Tensor)] {
        &self.entries
    }

    /// The tensors alone, as an optimiser wants them; they share their values with these.
    pub fn tensors(&self) -> Vec<Tensor> {
        self.entries.iter().map(|(_, t)| t.shallow_clone()).collect()
    }

    /// A copy of every value.
    pub fn snapshot(&self) -> BTreeMap<String, Tensor> {
        self.entries.iter().map(|(name, t)| (name.clone(), t.detach().copy())).collect()
    }

    /// Sets every value from a snapshot.
    pub fn restore(&self, snapshot: &BTreeMap<String, Tensor>) -> Result<(), BackboneError> {
        tch::no_grad(|| {
            for (name, tensor) in &self.entries {
                let Some(saved) = snapshot.get(name) else {
                    return Err(BackboneError::MissingTensor { name: name.clone(), expected: tensor.size() });
                };
                if saved.size() != tensor.size() {
                    let (expected, found) = (tensor.size(), saved.size());
                    return Err(BackboneError::Shape { name: name.clone(), expected, found });
                }
                tensor.shallow_clone().f_copy_(saved)?;
            }
            Ok(())
        })
    }
}
