//! The report of a finished run: one HTML file that needs no network and no script to be read.
//!
//! What lives here: putting result rows together over runs, the paired differences, words, tables, SVG figures and the
//! page. Everything is a pure function of [`ReportInput`]: the same input gives the same bytes. What does not: reading a
//! run folder (the caller does) and measuring predictions (`eval` does).
//!
//! ```
//! use report::{ReportInput, render};
//!
//! // `results` are the rows of results.csv, as `eval` makes them.
//! let input = ReportInput { name: "my study".into(), ..ReportInput::default() };
//! let html = render(&input)?;
//! assert!(html.contains("my study"));
//! # Ok::<(), report::ReportError>(())
//! ```

mod aggregate;
mod error;
mod figures;
mod input;
mod numbers;
mod paired;
mod render;
mod study;
mod style;
mod svg;
mod tables;
mod verdict;

pub use error::ReportError;
pub use figures::learning_curve_svg;
pub use input::{Curve, CurvePoint, FactGroup, ReportInput};
pub use render::render;
