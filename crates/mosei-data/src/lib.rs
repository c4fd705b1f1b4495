//! .csd files in, checked and aligned segments out.
//!
//! What lives here: reading and writing computational sequences, alignment, pooling, folds, standardising, the
//! prepared folder, label budgets, targets, a synthetic corpus, and the import of tables that people have. What does not: models, metrics, training.
//!
//! The way of a segment: [`Csd`] → [`prepare`] → [`Prepared`] → [`subset::draw`] → [`Prepared::gather`].
//!
//! ```
//! use mosei_data::{DataConfig, LabelConfig, Prepared, SynthConfig, prepare, subset, synthesise};
//!
//! let folder = tempfile::tempdir()?;
//! let (data, prepared) = (folder.path().join("data"), folder.path().join("prepared"));
//! let corpus = SynthConfig { videos: 16, segments: 60, median_segment_s: 1.5, ..SynthConfig::default() };
//! synthesise(&corpus, &data, &mut |_, _| ())?; // a .csd pair and folds; real ones serve as well
//!
//! let config = DataConfig { pool_frames: 10, ..DataConfig::default() };
//! prepare(&config, &data, &prepared, &mut |_done, _all| ())?;
//! let prepared = Prepared::open(&prepared)?;
//! let fold = prepared.fold(0)?;
//! let batch = prepared.gather(&fold.normaliser.bind(prepared.columns())?, &fold.train[..4]);
//! assert_eq!(batch.offsets.len(), 5); // four segments, one after another, none padded
//!
//! let labels = LabelConfig { fractions: vec![0.5, 1.0], min_positives: 0, ..LabelConfig::default() };
//! let budgets = subset::draw(&prepared, fold, &labels, 0)?;
//! assert!(budgets[1].segments.starts_with(&budgets[0].segments));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod ahead;
pub mod align;
mod columns;
mod config;
mod csd;
mod error;
mod folds;
mod ids;
mod import;
mod inspect;
mod labels;
mod losses;
pub mod manifest;
mod normalise;
mod pieces;
mod place;
pub mod pool;
mod prepare;
mod prepared;
mod rates;
mod recording;
mod refit;
pub mod stretches;
pub mod subset;
mod synth;
pub mod targets;
mod whole;

pub use columns::feature_columns;
pub use config::{ConfigError, Crop, DataConfig, LabelConfig, SplitConfig, UnknownIds, Unlabelled};
pub use csd::{Csd, CsdWriter, Sequence, VideoShape};
pub use error::DataError;
pub use folds::FoldLists;
pub use import::{IMPORT_FEATURES_FILE, IMPORT_LABELS_FILE, ImportFormat, ImportOptions, ImportSummary, import};
pub use inspect::{FileFacts, Inspection, LabelFacts, OutOfRange, PrevalenceRow, inspect};
pub use labels::{LabelSet, VideoLabels};
pub use losses::{FoldOrigin, SplitLosses};
pub use manifest::Manifest;
pub use normalise::{BoundNormaliser, Normaliser};
pub use pieces::{Piece, pieces, recording_rate_hz};
pub use prepare::{input_files, prepare, prepare_for_pretraining, prepare_with};
pub use prepared::{Fold, MANIFEST_FILE, PackedBatch, Prepared, WithheldLabels};
pub use rates::{RATE_TOLERANCE, same_rate};
pub use refit::{Refit, StoredMoments};
pub use synth::{SynthConfig, synthesise, synthesise_with};

/// The version of the HDF5 library that files are read and written with.
pub fn hdf5_version() -> String {
    let (major, minor, micro) = hdf5::library_version();
    format!("{major}.{minor}.{micro}")
}
