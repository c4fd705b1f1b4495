//! The metrics, each a small function over slices with one entry a row.
//!
//! All return `None` where the value is not defined, and also where the slices differ in length or hold what has no
//! order or distance (NaN, infinity): never 0 for "cannot be said". [`crate::measure_cell`] names such rows as errors.

mod confusion;
mod intensity;
mod scores;

pub use confusion::Confusion;
pub use intensity::{accuracy4, mae};
pub use scores::{average_precision, roc_auc};
