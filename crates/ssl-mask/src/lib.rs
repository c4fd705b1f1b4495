//! Masking for self-supervised learning on sequences of frames: random masks over time steps,
//! replacements, and the reconstruction loss over masked frames.
//!
//! In this crate: the choice of masked time steps ([`Masker::draw`]), their replacement
//! ([`HiddenFrames::apply`]) and the loss ([`reconstruction_loss`]). A mask depends only on the
//! segment's length and the random generator. With a generator seeded by (seed, epoch, segment),
//! masks do not depend on batches, threads or padding. Not in this crate: models, batches, random
//! state.
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
//! # Ok::<(), mosei_schema::SettingError>(())
//! ```

mod config;
mod hidden;
mod loss;
mod shape;

pub use config::{MaskConfig, MaskShape, ReconstructionLoss, Replacement};
pub use hidden::{HiddenFrames, Masker, Treatment};
pub use loss::reconstruction_loss;
