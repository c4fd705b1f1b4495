//! The metrics, each a small function over slices with one entry a row.
//!
//! All return `None` where the value is undefined, and also where the slices differ in length or
//! hold values that are not finite; never 0 for an undefined value. [`crate::measure_cell`] reports
//! such rows as errors.

mod confusion;
mod intensity;
mod scores;

pub use confusion::Confusion;
pub use intensity::{accuracy4, mae};
pub use scores::{average_precision, roc_auc};
