//! A transformer encoder over *packed* segments, with heads for reconstruction and for emotions.
//!
//! A batch is one matrix of the frames of all segments, with segment offsets. Nothing is padded,
//! except on a GPU inside attention, where the library's kernel requires it. Tensor names and
//! shapes are those of PyTorch's `nn.TransformerEncoder`.
//!
//! In this crate: layers, heads, weight initialisation and the encoder's folder. Not in this crate:
//! data, masks, losses, optimisers.
//!
//! # Letters in tensor names
//! B segments in a batch, N frames of all segments, T frames of the longest segment, C columns, D
//! model width, H heads, E emotions.
//!
//! ```
//! use backbone::{Encoder, EncoderConfig, Layout, Source};
//! use rand::{SeedableRng, rngs::ChaCha12Rng};
//! use tch::{Device, Kind, Tensor};
//!
//! let config = EncoderConfig { model_dim: 32, heads: 4, layers: 2, feedforward_dim: 64, ..EncoderConfig::default() };
//! let mut source = Source::draw(|_name| ChaCha12Rng::seed_from_u64(1));
//! let encoder = Encoder::new(&config, 74, 100, &mut source, Device::Cpu)?;
//! let layout = Layout::new(&[0, 40, 55], Device::Cpu)?; // two segments, of 40 and 15 frames
//! let x_nc = Tensor::zeros([55, 74], (Kind::Float, Device::Cpu));
//! assert_eq!(encoder.forward(&x_nc, &layout, false)?.size(), [55, 32]);
//! # Ok::<(), backbone::BackboneError>(())
//! ```

mod attention;
mod config;
mod encoder;
mod error;
mod folder;
mod head;
mod layer;
mod layout;
mod linear;
mod norm;
mod parameters;
mod positions;

pub use config::{
    Activation, EncoderConfig, HeadsConfig, Layers, Objective, Pooling, Positions, Precision,
};
pub use encoder::Encoder;
pub use error::BackboneError;
pub use folder::{EncoderFolder, Normalisation, read_tensors, write_tensors};
pub use head::{EmotionHeads, Outputs, ReconstructionHead};
pub use layout::Layout;
pub use parameters::{Parameters, Source};
