//! The report of a finished run: one HTML file that needs no network and no script to be read.
//!
//! What lives here: sentences, tables, SVG figures, the page, and files for papers, made of result
//! rows and the statistics of `eval`. Everything is a pure function of [`ReportInput`]: the same
//! input gives the same bytes. What does not: reading a run folder (the caller does), computing
//! metrics and statistics (`eval` does).
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

mod comparison;
mod difference;
pub mod drawing;
mod equivalence;
mod error;
mod export;
mod figures;
mod input;
mod interpretation;
mod numbers;
mod render;
mod reportable;
mod start_roles;
mod statistics_index;
mod study;
mod style;
mod tables;
mod verdict;

pub use comparison::{ComparedStudy, Comparison, compare};
pub use error::ReportError;
pub use export::exports;
pub use input::{
    Candidate, Curve, CurvePoint, FactGroup, RebuiltColumn, Reconstruction, ReportInput,
    ScoredRows, Training,
};
pub use render::{claim, render};
pub use study::headline_cells;
