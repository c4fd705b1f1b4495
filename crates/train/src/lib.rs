//! Training of encoders and heads: pre-training, fine-tuning, frozen probes, prediction, and the
//! folders of models.
//!
//! What lives here: the one training loop and its two tasks, checkpoints, journals, label budgets
//! as tables, a fold of prepared data as batches, and trained models applied to data. What does
//! not: which trainings a study has (`mosei-ssl`), metrics (`eval`), figures (`report`), processes
//! (`sweep`). No function here takes a whole study.
//!
//! ```
//! use mosei_schema::Start;
//! use train::{FinetuneConfig, TrainingConfig};
//!
//! let training = TrainingConfig { steps: 100, warmup_steps: 10, ..TrainingConfig::default() };
//! assert_eq!(training.learning_rate_at(9), training.learning_rate);
//! let config = FinetuneConfig { freeze_steps: 100, training, ..FinetuneConfig::default() };
//! let error = config.check().unwrap_err();
//! assert_eq!((error.key.as_str(), error.found.as_str()), ("freeze_steps", "100"));
//! assert!(Start::Frozen.is_probe() && !Start::Frozen.trains_encoder());
//! ```

mod batches;
mod card;
mod checkpoint;
mod corpus;
mod embed;
mod encodings;
mod error;
mod event;
mod finetune;
mod initial_model;
mod input;
mod log;
mod made;
mod model;
mod model_data;
mod optimise;
mod predict;
mod pretrain;
mod pretrain_on;
mod progress;
mod reconstruction;
mod regression;
mod step_time;
mod subsets;
#[cfg(test)]
mod test_corpus;
mod test_labels;
mod training;

pub use card::CardNotes;
pub use checkpoint::{CheckpointConfig, checkpoint_facts};
pub use corpus::Corpus;
pub use embed::{EmbedLevel, embed};
pub use encodings::{EncodeRun, encode};
pub use error::TrainError;
pub use event::{Beginning, Candidate, Event, JOURNAL_FILE, Process, StepEvent, hash_of_segments};
pub use finetune::{FinetuneConfig, HeadInit, PositiveWeight, Select, Threshold, ValidationLabels};
pub use finetune::{FinetuneRun, PREDICTIONS_FILE, finetune};
pub use input::InputFacts;
pub use made::{configure_process, hand_over};
pub use model::Model;
pub use optimise::{Schedule, TrainingConfig};
pub use predict::predict;
pub use pretrain::{EXAMPLE_FILE, PretrainRun, SEEN_FILE, pretrain, seen_table};
pub use pretrain_on::PretrainOn;
pub use progress::bar;
pub use reconstruction::{MaskedBatch, Reconstruction, Update, optimiser, update};
pub use step_time::step_seconds;
pub use subsets::{budget_names, write_subsets, write_validation_subsets};
pub use training::{OutputOptions, StepOutcome, Summary, Task, Validation, train};
