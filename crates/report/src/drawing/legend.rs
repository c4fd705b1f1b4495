//! The legend of a figure.

use super::chart::LineStyle;
use super::mark::marks;
use super::shape::{Anchor, Ink, Shape, Span, Stroke, polyline};
use super::{pdf_font, svg};
use crate::style::MARKERS;

/// Width of a sample.
const SAMPLE: f64 = 44.0;

/// One line of a legend.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The slot of its series.
    pub slot: usize,
    /// The name shown.
    pub name: String,
    /// How the series is drawn.
    pub style: LineStyle,
}

/// What the line looks like in the figure: 44 by 14 pixels, its left upper corner at (x, y).
fn sample(slot: usize, style: LineStyle, x: f64, y: f64) -> Vec<Shape> {
    let middle = y + 7.0;
    let mut out = Vec::new();
    if let Some(stroke) = style.stroke(slot) {
        let line = polyline([(x + 1.0, middle), (x + SAMPLE - 1.0, middle)]);
        // Samples of all measured lines are of one width.
        let width = if style == LineStyle::Thin {
            stroke.width
        } else {
            2.0
        };
        out.push(Shape::line(line, Stroke { width, ..stroke }));
    }
    if let Some(r) = style.marker() {
        out.push(marks(MARKERS[slot], [(x + SAMPLE / 2.0, middle)], r, slot));
    }
    out
}

/// A sample as an SVG element, for the page; its name stands beside it.
pub(crate) fn sample_svg(entry: &Entry) -> String {
    format!(
        "<svg viewBox=\"0 0 44 14\" width=\"44\" height=\"14\" aria-hidden=\"true\" xmlns=\"http://www.w3.org/2000/svg\">{}</svg>",
        svg::elements(&sample(entry.slot, entry.style, 0.0, 0.0))
    )
}

/// What stands beside the drawings of a sheet: samples with their names below each other, with
/// lines of text under them, no wider than `width`; and its height.
pub(crate) fn block(entries: &[Entry], remarks: &[String], width: f64) -> (Vec<Shape>, f64) {
    let (mut out, mut at) = (Vec::new(), 0.0);
    for Entry { slot, name, style } in entries {
        out.extend(sample(*slot, *style, 0.0, at));
        let span = Span {
            text: name.clone(),
            size: 14.0,
            bold: false,
            ink: Ink::Strong,
        };
        out.push(Shape::Words {
            x: SAMPLE + 10.0,
            y: at + 12.0,
            anchor: Anchor::Start,
            spans: vec![span],
            halo: false,
        });
        at += 24.0;
    }
    at += 8.0;
    for line in remarks.iter().flat_map(|remark| wrapped(remark, width)) {
        out.push(Shape::small(0.0, at + 10.0, Anchor::Start, &line));
        at += 17.0;
    }
    (out, at)
}

/// Lines of whole words that are not wider than `width`, if the reader's font is about as wide as
/// Helvetica.
fn wrapped(text: &str, width: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line)
                if pdf_font::width(&format!("{line} {word}"), false) * super::shape::SMALL
                    <= width * 0.94 =>
            {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_string()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::wrapped;

    #[test]
    fn long_remarks_are_several_lines_of_whole_words() {
        let text = "a remark that is a good deal longer than the width that it is given here";
        let lines = wrapped(text, 150.0);
        assert!(
            lines.len() > 2 && lines.iter().all(|line| line.len() < 40),
            "{lines:?}"
        );
        assert_eq!(lines.join(" "), text);
    }
}
