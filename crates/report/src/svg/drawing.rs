//! A finished drawing: as an element of the page, or with others on a sheet that is a file of its own.

use super::{css, escape, legend, px};
use std::fmt::Write;

/// Width of every drawing in its own pixels: that of a phone.
pub(crate) const WIDTH: f64 = 360.0;
/// The type of all words in drawings.
pub(crate) const FONT: &str = "font-family=\"system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif\"";
/// Room between the drawings of a sheet.
const GAP: f64 = 16.0;

/// What is drawn, and what a reader who does not see it should know.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Drawing {
    /// Prefix of the ids in it; one of its own on the page.
    pub id: String,
    pub title: String,
    pub description: String,
    pub height: f64,
    /// The elements.
    pub body: String,
}

impl Drawing {
    /// An element of its own, sized by the page.
    pub fn to_svg(&self) -> String {
        let id = escape(&self.id);
        format!(
            "<svg viewBox=\"0 0 {WIDTH} {}\" role=\"img\" aria-labelledby=\"{id}-t {id}-d\" \
             xmlns=\"http://www.w3.org/2000/svg\">\n<title id=\"{id}-t\">{}</title>\n<desc id=\"{id}-d\">{}</desc>\n{}</svg>",
            px(self.height),
            escape(&self.title),
            escape(&self.description),
            self.body,
        )
    }
}

/// Drawings in two columns as a file of its own, with a legend and remarks after the last, on a ground that follows the
/// reader's scheme.
pub(crate) fn sheet(title: &str, drawings: &[Drawing], entries: &[(usize, String)], remarks: &[String]) -> String {
    let columns = if drawings.len() > 1 { 2 } else { 1 };
    let legend_height = 24.0 * entries.len() as f64 + 17.0 * remarks.len() as f64 + 32.0;
    let heights: Vec<f64> = drawings.iter().map(|d| d.height).chain([legend_height]).collect();
    let rows: Vec<f64> = heights.chunks(columns).map(|row| row.iter().copied().fold(0.0, f64::max)).collect();
    let place = |i: usize| {
        let above: f64 = rows[..i / columns].iter().map(|height| height + GAP).sum();
        (GAP + (i % columns) as f64 * (WIDTH + GAP), GAP + above)
    };
    let width = columns as f64 * (WIDTH + GAP) + GAP;
    let height = rows.iter().map(|height| height + GAP).sum::<f64>() + GAP;
    let description: Vec<&str> = drawings.iter().map(|d| d.description.as_str()).collect();
    let description = if drawings.is_empty() { remarks.join(" ") } else { description.join(" ") };
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         role=\"img\" aria-labelledby=\"t d\">\n<title id=\"t\">{}</title>\n<desc id=\"d\">{}</desc>\n\
         <style>{}</style>\n<rect class=\"card\" fill=\"#ffffff\" width=\"{width}\" height=\"{height}\" rx=\"8\"/>\n",
        escape(title),
        escape(&description),
        css(),
    );
    for (i, drawing) in drawings.iter().enumerate() {
        let (x, y) = place(i);
        // Writing into a String cannot fail.
        let _ = write!(out, "<g transform=\"translate({} {})\">\n{}</g>\n", px(x), px(y), drawing.body);
    }
    let (x, y) = place(drawings.len());
    let _ = writeln!(out, "<g {FONT}>\n{}</g>\n</svg>", legend::block(entries, remarks, x + 24.0, y + 16.0));
    out
}
