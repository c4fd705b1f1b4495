//! Which frames of a segment to hide, how, and the loss over the hidden ones.
//!
//! What lives here: the choice of hidden time steps ([`Masker::draw`]), what stands in their place
//! ([`HiddenFrames::apply`]) and the reconstruction loss ([`reconstruction_loss`]). A mask is a function of the
//! segment's length and the generator alone; whoever makes the generator from (seed, epoch, segment) gets masks that
//! do not depend on batches, threads or padding. What does not live here: models, batches, randomness of its own.
//!
//! ```
//! use rand::{SeedableRng, rngs::ChaCha12Rng};
//! use ssl_mask::{MaskConfig, Masker};
//!
//! let masker = Masker::new(&MaskConfig::default())?;
//! let hidden = masker.draw(200, &mut ChaCha12Rng::seed_from_u64(0));
//! let mut x_tc = vec![1.0f32; 200 * 74];
//! hidden.apply(&mut x_tc, 74);
//! assert_eq!(hidden.frames().len(), 30); // 15 % of 200
//! # Ok::<(), ssl_mask::MaskConfigError>(())
//! ```

mod config;
mod hidden;
mod loss;
mod shape;

pub use config::{MaskConfig, MaskConfigError, MaskShape, ReconstructionLoss, Replacement};
pub use hidden::{HiddenFrames, Masker, Treatment};
pub use loss::reconstruction_loss;
