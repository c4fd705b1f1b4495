//! Named tensors and their sources.

use crate::BackboneError;
use rand::{Rng, RngExt};
use std::collections::BTreeMap;
use tch::{Device, Kind, Tensor};

/// The initialisation of a tensor, as in PyTorch's modules.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Init {
    /// Uniform on [-bound, bound].
    Uniform(f64),
    /// A constant value.
    Constant(f32),
}

/// The source of a module's tensors: random initialisation or existing weights.
pub struct Source<'a>(SourceKind<'a>);

/// Creates the generator for a tensor name.
type Generators<'a> = Box<dyn FnMut(&str) -> Box<dyn Rng> + 'a>;

enum SourceKind<'a> {
    Draw(Generators<'a>),
    Tensors(&'a BTreeMap<String, Tensor>),
}

impl<'a> Source<'a> {
    /// Random initialisation. `generator` creates the random generator for a tensor name, so that a
    /// tensor's values depend neither on the other tensors nor on the order of creation.
    pub fn draw<R: Rng + 'static>(mut generator: impl FnMut(&str) -> R + 'a) -> Self {
        Source(SourceKind::Draw(Box::new(move |name| {
            Box::new(generator(name))
        })))
    }

    /// Existing weights. Tensors with other names are ignored.
    pub fn tensors(tensors: &'a BTreeMap<String, Tensor>) -> Self {
        Source(SourceKind::Tensors(tensors))
    }

    fn make(&mut self, name: &str, shape: &[i64], init: Init) -> Result<Tensor, BackboneError> {
        match &mut self.0 {
            SourceKind::Draw(generator) => {
                let count = shape.iter().product::<i64>() as usize;
                let values: Vec<f32> = match init {
                    Init::Constant(value) => vec![value; count],
                    Init::Uniform(bound) => {
                        let mut rng = generator(name);
                        (0..count)
                            .map(|_| (rng.random_range(-1.0..1.0) * bound) as f32)
                            .collect()
                    }
                };
                Ok(Tensor::f_from_slice(&values)?.f_reshape(shape)?)
            }
            SourceKind::Tensors(tensors) => {
                let Some(tensor) = tensors.get(name) else {
                    return Err(BackboneError::MissingTensor {
                        name: name.into(),
                        expected: shape.to_vec(),
                    });
                };
                if tensor.size() != shape {
                    let (expected, found) = (shape.to_vec(), tensor.size());
                    return Err(BackboneError::Shape {
                        name: name.into(),
                        expected,
                        found,
                    });
                }
                if tensor.kind() != Kind::Float {
                    return Err(BackboneError::Kind {
                        name: name.into(),
                        found: format!("{:?}", tensor.kind()),
                    });
                }
                Ok(tensor.detach().copy())
            }
        }
    }
}

/// The tensors of a module by name, in the order of creation.
#[derive(Debug, Default)]
pub struct Parameters {
    entries: Vec<(String, Tensor)>,
}

impl Parameters {
    /// Creates a trainable tensor, stores it under `name` and returns it.
    pub(crate) fn add(
        &mut self,
        source: &mut Source<'_>,
        device: Device,
        name: String,
        shape: &[i64],
        init: Init,
    ) -> Result<Tensor, BackboneError> {
        let tensor = source
            .make(&name, shape, init)?
            .f_to_device(device)?
            .set_requires_grad(true);
        self.entries.push((name, tensor.shallow_clone()));
        Ok(tensor)
    }

    /// Names and tensors.
    pub fn entries(&self) -> &[(String, Tensor)] {
        &self.entries
    }

    /// The tensors alone, for an optimiser; they share their storage with these.
    pub fn tensors(&self) -> Vec<Tensor> {
        self.entries
            .iter()
            .map(|(_, t)| t.shallow_clone())
            .collect()
    }

    /// A copy of all values.
    pub fn snapshot(&self) -> BTreeMap<String, Tensor> {
        self.entries
            .iter()
            .map(|(name, t)| (name.clone(), t.detach().copy()))
            .collect()
    }

    /// Restores all values from a snapshot.
    pub fn restore(&self, snapshot: &BTreeMap<String, Tensor>) -> Result<(), BackboneError> {
        tch::no_grad(|| {
            for (name, tensor) in &self.entries {
                let Some(saved) = snapshot.get(name) else {
                    return Err(BackboneError::MissingTensor {
                        name: name.clone(),
                        expected: tensor.size(),
                    });
                };
                if saved.size() != tensor.size() {
                    let (expected, found) = (tensor.size(), saved.size());
                    return Err(BackboneError::Shape {
                        name: name.clone(),
                        expected,
                        found,
                    });
                }
                tensor.shallow_clone().f_copy_(saved)?;
            }
            Ok(())
        })
    }
}
