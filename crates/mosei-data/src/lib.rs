//! From .csd files to checked, aligned and standardised segments.
//!
//! What lives here: reading and writing computational sequences, alignment, pooling, folds,
//! standardising, the prepared folder, label budgets, targets and a synthetic corpus. What does
//! not: other file formats (`mosei-import`), models, metrics, training.
//!
//! The path of a segment: [`Csd`] → [`prepare`] → [`Prepared`] → [`subset::draw`] →
//! [`Prepared::gather`].
//!
//! Crates that write .csd files from other formats use [`CsdWriter`], [`PackedVideo`] and
//! [`sequence_metadata`], and the checks of [`files`], [`rates`], [`check_ids`] and
//! [`find_time_mismatch`], and [`merge_on_one_axis`]; [`Hdf5File`] reads arrays from HDF5 files of any layout.
//!
//! ```
//! use mosei_data::{DataConfig, LabelConfig, Prepared, SynthConfig, prepare, subset, synthesise};
//!
//! let folder = tempfile::tempdir()?;
//! let (data, prepared) = (folder.path().join("data"), folder.path().join("prepared"));
//! let corpus = SynthConfig { videos: 16, segments: 60, median_segment_s: 1.5, ..SynthConfig::default() };
//! synthesise(&corpus, &data, &mut |_, _| ())?; // two .csd files and folds, as a real corpus has them
//!
//! let config = DataConfig { pool_frames: 10, ..DataConfig::default() };
//! prepare(&config, &data, &prepared, &mut |_done, _all| ())?;
//! let prepared = Prepared::open(&prepared)?;
//! let fold = prepared.fold(0)?;
//! let batch = prepared.gather(&fold.normaliser.bind(prepared.columns())?, &fold.train[..4]);
//! assert_eq!(batch.offsets.len(), 5); // four segments, concatenated without padding
//!
//! let labels = LabelConfig { fractions: vec![0.5, 1.0], min_positives: 0, ..LabelConfig::default() };
//! let budgets = subset::draw(&prepared, fold, &labels, 0)?;
//! assert!(budgets[1].segments.starts_with(&budgets[0].segments));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod align;
mod columns;
mod config;
mod csd;
mod error;
pub mod files;
mod folds;
mod ids;
mod inspect;
mod labels;
pub mod manifest;
mod normalise;
pub mod parallel;
pub mod pool;
mod prepare;
mod prepared;
pub mod rates;
mod recording;
mod recording_pieces;
mod split_counts;
mod stored_moments;
pub mod stretches;
pub mod subset;
mod synth;
pub mod targets;

pub use columns::{feature_columns, label_columns};
pub use config::{Crop, DataConfig, LabelConfig, SplitConfig, UnknownIds, Unlabelled};
pub use csd::{
    Csd, CsdWriter, Hdf5Array, Hdf5File, LABELS_ROOT, MAX_COLUMNS, PackedVideo, Sequence,
    SequenceInfo, VideoShape, sequence_metadata,
};
pub use error::DataError;
pub use folds::{FoldLists, MOSEI_STANDARD_FOLDS};
pub use ids::{check_ids, quoted};
pub use inspect::{FileFacts, Inspection, LabelFacts, OutOfRange, PrevalenceRow, inspect};
pub use labels::{LabelSet, VideoLabels};
pub use manifest::Manifest;
pub use normalise::{BoundNormaliser, Normaliser};
pub use prepare::{input_files, prepare, prepare_for_pretraining, prepare_with};
pub use prepared::{Fold, MANIFEST_FILE, PackedBatch, Prepared, WithheldLabels};
pub use rates::{RATE_TOLERANCE, same_rate};
pub use recording::{MergeConflict, TimeMismatch, find_time_mismatch, merge_on_one_axis};
pub use recording_pieces::{RecordingPiece, recording_rate_hz, split_recording};
pub use split_counts::{FoldOrigin, SplitCounts};
pub use stored_moments::{RefittedNormaliser, StoredMoments};
pub use synth::{SynthConfig, synthesise, synthesise_with};

/// The version of the HDF5 library in use.
pub fn hdf5_version() -> String {
    let (major, minor, micro) = hdf5::library_version();
    format!("{major}.{minor}.{micro}")
}
