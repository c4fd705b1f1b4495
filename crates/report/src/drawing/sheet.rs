//! Drawings with a legend on a sheet, which is a file of its own.

use super::legend::Entry;
use super::shape::Shape;
use super::{Drawing, WIDTH, legend, pdf, svg};

/// Room between the drawings of a sheet.
const GAP: f64 = 16.0;

/// Drawings with a legend and remarks.
#[derive(Debug, Clone, PartialEq)]
pub struct Sheet {
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) width: f64,
    pub(crate) height: f64,
    /// The position and the shapes of each part.
    pub(crate) parts: Vec<(f64, f64, Vec<Shape>)>,
}

/// The legend of a sheet.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Legend {
    /// Samples of lines with their names.
    pub entries: Vec<Entry>,
    /// Lines of text below them.
    pub remarks: Vec<String>,
}

impl Sheet {
    /// Drawings in two columns, with the legend after the last; more than six in three columns.
    pub fn new(title: &str, drawings: Vec<Drawing>, legend: &Legend) -> Self {
        let columns = match drawings.len() {
            0 | 1 => 1,
            2..=6 => 2,
            _ => 3,
        };
        let description: Vec<&str> = drawings.iter().map(|d| d.description.as_str()).collect();
        let description = if drawings.is_empty() {
            legend.remarks.join(" ")
        } else {
            description.join(" ")
        };
        let (block, block_height) = legend::block(&legend.entries, &legend.remarks, WIDTH - 24.0);
        let heights: Vec<f64> = drawings
            .iter()
            .map(|d| d.height)
            .chain([block_height + 32.0])
            .collect();
        let rows: Vec<f64> = heights
            .chunks(columns)
            .map(|row| row.iter().copied().fold(0.0, f64::max))
            .collect();
        let place = |i: usize| {
            let above: f64 = rows[..i / columns].iter().map(|height| height + GAP).sum();
            (GAP + (i % columns) as f64 * (WIDTH + GAP), GAP + above)
        };
        let (x, y) = place(drawings.len());
        let mut parts: Vec<(f64, f64, Vec<Shape>)> = drawings
            .into_iter()
            .enumerate()
            .map(|(i, d)| (place(i).0, place(i).1, d.shapes))
            .collect();
        parts.push((x + 24.0, y + 16.0, block));
        Sheet {
            title: title.into(),
            description,
            width: columns as f64 * (WIDTH + GAP) + GAP,
            height: rows.iter().map(|height| height + GAP).sum::<f64>() + GAP,
            parts,
        }
    }

    /// An SVG file on a ground that follows the reader's light or dark scheme.
    pub fn to_svg(&self) -> String {
        svg::file(self)
    }

    /// A PDF file of one page, in the colours of the light scheme.
    pub fn to_pdf(&self) -> Vec<u8> {
        pdf::file(self)
    }
}
