//! Converts tables of speech features and emotion labels to the pair of .csd files that
//! `mosei-data` prepares.
//!
//! What lives here: the formats (CSV, Parquet, JSON Lines, ARFF, arrays in .npy, .npz, .mat and
//! HDF5, .csd, padded HDF5, pickles), the mapping file, and the join of labels and features. What
//! does not: HDF5 itself and everything after the .csd files (`mosei-data`).
//!
//! ```
//! use mosei_data::Csd;
//! use mosei_import::{ImportOptions, import};
//!
//! let folder = tempfile::tempdir()?;
//! let at = |name: &str| folder.path().join(name);
//! std::fs::write(at("frames.csv"), "file,start,F0,loudness\nwav/a.wav,0,110,0.5\nwav/a.wav,0.01,112,0.4\n")?;
//! std::fs::write(at("labels.csv"), "file,happy,boredom\na.wav,2.5,0\n")?;
//!
//! let options = ImportOptions { features: at("frames.csv"), labels: Some(at("labels.csv")), ..ImportOptions::default() };
//! let summary = import(&options, &at("data"), &mut |_done, _all| ())?;
//! assert_eq!((summary.frames, summary.segments), (2, 1));
//! assert_eq!(Csd::open(&at("data/features.csd"))?.read("a")?.features, [110.0, 0.5, 112.0, 0.4]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod arff;
mod arrays;
mod arrow_schema;
mod axes;
mod cell;
mod check_join;
mod class_numbers;
mod clips;
mod csd_source;
mod csd_streams;
mod csv_table;
mod detect_format;
mod duration_text;
mod error;
mod examples;
mod feature_columns;
mod folds;
mod frame_store;
mod frames;
mod growth;
mod import;
mod intervals;
mod join;
mod json_table;
mod label_columns;
mod labels;
mod list_frames;
mod mapping;
mod mat;
mod npy;
mod padded_hdf5;
mod parquet_lists;
mod parquet_table;
mod parquet_types;
mod pickle;
mod read_features;
mod read_labels;
mod recording_ids;
mod released;
mod released_labels;
mod released_pickle;
mod scale;
mod summary;
mod table;
mod time_axis;
mod write;

pub use detect_format::ImportFormat;
pub use error::ImportError;
pub use examples::{FrameExample, JoinExample};
pub use feature_columns::LeftOutColumn;
pub use import::{FEATURES_FILE, ImportOptions, LABELS_FILE, import, preview};
pub use join::JoinCounts;
pub use summary::ImportSummary;
