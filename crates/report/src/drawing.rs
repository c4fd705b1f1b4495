//! Our own figures: deterministic, without script, readable in the light, in the dark and in grey.
//!
//! What lives here: axes, marks, a chart of lines, a forest of differences, all made of the few things in `shape`, and the two
//! writers that know those: `svg` and `pdf`. What does not: what the figures are about.

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

use shape::Shape;

/// Width of every drawing in its own pixels: that of a phone.
pub(crate) const WIDTH: f64 = 360.0;

/// What is drawn, and what a reader who does not see it should know.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Drawing {
    /// Prefix of the ids in it; one of its own on the page.
    pub id: String,
    pub title: String,
    pub description: String,
    pub height: f64,
    pub shapes: Vec<Shape>,
}
