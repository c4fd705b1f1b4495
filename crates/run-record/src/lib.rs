//! The files of a run: how they are written, read and checked.
//!
//! In this crate: atomic writes, content hashes, seeded random streams, journals, Parquet tables,
//! result rows, the record of a finished step, and its provenance. Not in this crate: what any of
//! it means for emotions or models.
//!
//! ```
//! use rand::RngExt;
//! use run_record::seed::{Stream, rng};
//! use run_record::{Column, Table};
//!
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("t.parquet");
//! let table = Table::new()
//!     .with("video", Column::Text(vec!["-a".into(), "81406".into()]))
//!     .with("score", Column::OptionF64(vec![Some(0.25), None]));
//! table.write(&path)?; // whole, or not at all
//! assert_eq!(Table::read(&path)?, table);
//!
//! // A stream is a function of seed, purpose and index.
//! let draw = || rng(7, Stream::Order, 3).random_range(0..1000);
//! assert_eq!(draw(), draw());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod atomic;
mod convert;
mod error;
mod hash;
mod journal;
mod made;
mod predictions;
mod result_row;
pub mod seed;
mod step;
mod sums;
mod table;
mod table_file;

pub use atomic::{StagedDir, StagedFile, read_to_string, write_atomic};
pub use error::{RecordError, error_chain};
pub use hash::{hash_bytes, hash_file, hash_json};
pub use journal::Journal;
pub use made::{MADE_FILE, Made, MadeByTorch, processor_model, step_folder_variable};
pub use predictions::{CellId, CellPredictions, PredictionRow, each_cell, each_cell_of};
pub use result_row::{ResultRow, read_results, write_results};
pub use step::{RUN_FORMAT, STEP_FILE, StepRecord};
pub use sums::{SUMS_FILE, check_sums};
pub use table::{Column, Foreign, Table, TableReader, TableWriter, no_panic};
pub use table_file::{CsvTableWriter, TableFile};
