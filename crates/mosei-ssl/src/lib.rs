//! A study of how many labels self-supervised pre-training saves, from its configuration to its
//! report.
//!
//! What lives here: the configuration that composes those of the other crates, the plan of a
//! study's steps, the command line that runs them, and what is computed from all steps together:
//! tables, statistics, audit, the input of the report. What does not: training (`train`), metrics
//! (`eval`), figures (`report`), processes (`sweep`).
//!
//! ```
//! use mosei_ssl::Study;
//! use std::path::Path;
//!
//! let study = Study::parse(Path::new("my.toml"), "[mask]\nratio = 0.3\n[labels]\ncounts = [24, 240]\n")?;
//! assert_eq!(study.mask.ratio, 0.3);
//! let error = Study::parse(Path::new("my.toml"), "[mask]\nration = 0.3\n").unwrap_err();
//! assert!(error.to_string().starts_with("my.toml: key 'mask.ration'"));
//! # Ok::<(), mosei_ssl::StudyError>(())
//! ```

#[cfg(not(unix))]
compile_error!("the engine knows Linux and macOS; on Windows, use the Linux subsystem");

mod audit;
mod cli;
mod collect;
mod compare;
mod config;
mod design;
mod error;
mod facts;
mod forecast;
mod integrity;
mod leave;
mod plan;
mod precision;
mod replicate;
mod run_folder;
mod statistics;
mod step;

pub use audit::{Audit, Finding, Outcome, audit};
pub use cli::main;
pub use collect::{Collected, collect};
pub use compare::compare;
pub use config::{GridConfig, ReportConfig, Study, StudyConfig};
pub use design::{DesignForecast, ForecastDesign, forecast_designs};
pub use error::StudyError;
pub use facts::write_report;
pub use forecast::seconds_per_segment;
pub use leave::leave;
pub use plan::{NUMERICS_VERSION, Place, plan};
pub use precision::precision_advice;
pub use replicate::replication;
pub use run_folder::RunFolder;
pub use statistics::write_statistics;
pub use step::{Cell, Encoding, Pretraining, StepKind, StudyStep};
