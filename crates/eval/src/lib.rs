//! Metrics over plain arrays, equal to scikit-learn.
//!
//! What lives here: the definition of every metric, the choice of decision thresholds, the result
//! rows of a cell's predictions, and the statistics of a study: confidence intervals and tests,
//! learning curves. What does not: models, files, figures.
//!
//! ```
//! use eval::metrics::{Confusion, average_precision, roc_auc};
//!
//! let present = [true, false, true, false];
//! let score = [0.9, 0.6, 0.6, 0.1];
//! assert_eq!(roc_auc(&present, &score), Some(0.875)); // a tie counts half
//! assert_eq!(average_precision(&present, &[0.9, 0.2, 0.6, 0.1]), Some(1.0));
//! let confusion = Confusion::count(&present, &score.map(|s| s >= 0.5)).ok_or("slices of one length")?;
//! assert_eq!(confusion.recall(), Some(1.0));
//! # Ok::<(), &str>(())
//! ```

pub mod budget;
mod cell;
pub mod curves;
mod error;
mod metric;
pub mod metrics;
mod ranking;
pub mod run;
mod scarce_class;
pub mod statistics;
mod sum;
pub mod threshold;
pub mod trivial;

pub use cell::{MACRO, MICRO, measure_cell};
pub use error::EvalError;
pub use metric::{Head, Metric};
pub use ranking::Ranking;
pub use scarce_class::{MIN_CLASS_ROWS, ScarceClass, scarce_class};
pub use sum::{mean, median, sum};
