//! Charts as SVG and PDF: deterministic, without script, readable in light and dark schemes and in
//! grey.
//!
//! A [`Chart`] of lines becomes a [`Drawing`]; one or more of these with a [`Legend`] become a
//! [`Sheet`], which is a file of its own.
//!
//! ```
//! use report::drawing::{Axis, Chart, Legend, LineStyle, Point, Series, Sheet};
//!
//! let points = vec![Point::at(1.0, 10.0), Point::at(100.0, 1000.0)];
//! let chart = Chart {
//!     title: "seconds".into(),
//!     x: Axis::log_over([1.0, 100.0], |x| x.to_string()).ok_or("no values")?,
//!     x_title: "rows".into(),
//!     y: Axis::log_over([10.0, 1000.0], |x| x.to_string()).ok_or("no values")?,
//!     series: vec![Series { slot: 0, label: "sort".into(), points, style: LineStyle::Marked }],
//!     ..Chart::default()
//! };
//! let sheet = Sheet::new("Time against rows", vec![chart.drawing()], &Legend::default());
//! assert!(sheet.to_svg().starts_with("<svg"));
//! # Ok::<(), &str>(())
//! ```

pub(crate) mod axis;
pub(crate) mod chart;
pub(crate) mod forest;
pub(crate) mod legend;
mod mark;
mod pdf;
mod pdf_font;
pub(crate) mod shape;
pub(crate) mod sheet;
pub(crate) mod svg;

pub use axis::Axis;
pub use chart::{Chart, LineStyle, Point, Reference, Series};
pub use legend::Entry;
use shape::Shape;
pub use sheet::{Legend, Sheet};

/// Width of every drawing in its own pixels: that of a phone.
pub(crate) const WIDTH: f64 = 360.0;

/// A drawing, with a description for readers who cannot see it.
#[derive(Debug, Clone, PartialEq)]
pub struct Drawing {
    /// Prefix of the ids in it, unique on the page.
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) height: f64,
    pub(crate) shapes: Vec<Shape>,
}
