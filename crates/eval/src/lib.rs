//! Metrics over plain arrays, equal to scikit-learn.
//!
//! What lives here: the definition of every metric, the threshold that validation chooses, and the walk from a cell's
//! predictions to its result rows. What does not: models, files, figures. This crate reads what `train` predicted.

mod cell;
mod error;
mod metric;
pub mod metrics;
mod ranking;
mod sum;
pub mod threshold;

pub use cell::{MACRO, MICRO, measure_cell};
pub use error::EvalError;
pub use metric::{Head, Metric};
pub use sum::{mean, sum};
