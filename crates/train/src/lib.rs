//! Pre-training, fine-tuning, prediction, and the plan of a study.
//!
//! What lives here: the configuration that composes those of the other crates, the one training loop, its two tasks,
//! checkpoints, model folders, and what the binary `mosei-ssl` does. What does not: metrics (`eval`), figures
//! (`report`), processes (`sweep`).
//!
//! ```
//! use std::path::Path;
//! use train::Study;
//!
//! let study = Study::parse(Path::new("my.toml"), "[mask]\nratio = 0.3\n[labels]\ncounts = [24, 240]\n")?;
//! assert_eq!(study.mask.ratio, 0.3);
//! let error = Study::parse(Path::new("my.toml"), "[mask]\nration = 0.3\n").unwrap_err();
//! assert!(error.to_string().starts_with("my.toml: key 'mask.ration'"));
//! # Ok::<(), train::TrainError>(())
//! ```

mod audit;
mod batches;
mod card;
mod checkpoint;
mod collect;
mod config;
mod corpus;
mod embed;
mod encodings;
mod error;
mod facts;
mod finetune;
mod follow;
mod forecast;
mod input;
mod integrity;
mod leave;
mod made;
mod model;
mod model_data;
mod optimise;
mod paired;
mod plan;
mod predict;
mod pretrain;
mod pretrain_kind;
mod progress;
mod regression;
mod start;
mod statistics;
mod subsets;
mod test_labels;
mod training;

pub use audit::{Audit, Finding, Outcome, audit};
pub use checkpoint::{CheckpointConfig, checkpoint_facts};
pub use collect::collect;
pub use config::{GridConfig, PretrainOn, ReportConfig, Start, Study, StudyConfig};
pub use corpus::Corpus;
pub use embed::{EmbedLevel, embed};
pub use encodings::{EncodeSettings, encode};
pub use error::TrainError;
pub use facts::write_report;
pub use finetune::{
    CellSettings, FinetuneConfig, HeadStart, LabelTables, Objective, PositiveWeight, Select, Threshold,
};
pub use finetune::{ValidationLabels, finetune};
pub use forecast::seconds_per_segment;
pub use input::InputFacts;
pub use leave::leave;
pub use made::{hand_over, work_as};
pub use model::Model;
pub use optimise::{Schedule, TrainingConfig};
pub use plan::{NUMERICS_VERSION, Place, plan};
pub use predict::predict;
pub use pretrain::{PretrainSettings, pretrain};
pub use pretrain_kind::PretrainKind;
pub use progress::bar;
pub use statistics::write_statistics;
pub use subsets::{read_subset, write_subsets, write_validation_subsets};
pub use training::{Keeping, StepOutcome, Summary, Task, Validation, train};
