//! .csd files in, checked and aligned segments out.
//!
//! What lives here: reading and writing computational sequences, alignment, pooling, folds, standardising, the
//! prepared folder, label budgets, targets, and a synthetic corpus. What does not: models, metrics, training.
//!
//! The way of a segment: [`Csd`] → [`prepare`] → [`Prepared`] → [`subset::draw`] → [`Prepared::gather`].

pub mod align;
mod columns;
mod config;
mod csd;
mod error;
mod folds;
mod inspect;
mod labels;
mod losses;
pub mod manifest;
mod nearest;
mod normalise;
mod place;
pub mod pool;
mod prepare;
mod prepared;
pub mod subset;
mod synth;
pub mod targets;

pub use columns::feature_columns;
pub use config::{ConfigError, Crop, DataConfig, LabelConfig, SplitConfig, UnknownIds};
pub use csd::{Csd, CsdWriter, Sequence, VideoShape};
pub use error::DataError;
pub use folds::FoldLists;
pub use inspect::{FileFacts, Inspection, LabelFacts, OutOfRange, PrevalenceRow, inspect};
pub use labels::{LabelSet, VideoLabels};
pub use losses::{FoldOrigin, SplitLosses};
pub use manifest::Manifest;
pub use normalise::{BoundNormaliser, Normaliser};
pub use prepare::{input_files, prepare};
pub use prepared::{Fold, MANIFEST_FILE, PackedBatch, Prepared};
pub use synth::{SynthConfig, synthesise};
