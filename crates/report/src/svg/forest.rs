//! A forest of differences: a row for each, with its point, its interval and its single pairs as faint dots.

use super::axis::Axis;
use super::drawing::{Drawing, FONT, WIDTH};
use super::{escape, mark, px};
use crate::style::{LIGHT, Marker};
use std::fmt::Write;

const LEFT: f64 = 108.0;
const RIGHT: f64 = WIDTH - 22.0;
const TOP: f64 = 34.0;
const ROW: f64 = 27.0;
/// Below the rows: ticks and what the sides mean.
const FOOT: f64 = 48.0;
/// Characters of a label that fit left of the rows.
const LABEL: usize = 14;

/// What stands in a row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub label: String,
    /// Whether it is the one that the others explain.
    pub strong: bool,
    /// What is drawn, or why nothing is.
    pub mark: Result<Mark, String>,
}

/// A difference.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Mark {
    pub value: f64,
    pub interval: Option<(f64, f64)>,
    pub singles: Vec<f64>,
}

/// A drawing of differences.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Forest {
    pub id: String,
    pub title: String,
    /// Behind the title, in a softer colour.
    pub aside: String,
    pub description: String,
    /// What lies left of 0, and right of it.
    pub sides: [String; 2],
    pub rows: Vec<Row>,
}

impl Forest {
    /// The forest as a drawing; `None` where no row has a value.
    pub fn drawing(&self) -> Option<Drawing> {
        let marks = || self.rows.iter().filter_map(|row| row.mark.as_ref().ok());
        let reach = |mark: &Mark| {
            let ends = mark.interval.unwrap_or((mark.value, mark.value));
            mark.singles.iter().copied().chain([ends.0, ends.1, mark.value]).collect::<Vec<f64>>()
        };
        marks().next()?;
        let x = Axis::linear(marks().flat_map(reach).chain([0.0]), 5)?;
        let bottom = TOP + ROW * self.rows.len() as f64;
        let mut body = String::new();
        self.frame(&x, bottom, &mut body);
        for (i, row) in self.rows.iter().enumerate() {
            draw(row, &x, TOP + ROW * (i as f64 + 0.5), &mut body);
        }
        Some(Drawing {
            id: self.id.clone(),
            title: self.title.clone(),
            description: self.description.clone(),
            height: bottom + FOOT,
            body,
        })
    }

    fn frame(&self, x: &Axis, bottom: f64, out: &mut String) {
        let at = |value: f64| px(x.place(value, LEFT, RIGHT));
        let (top, below) = (px(TOP), px(bottom));
        let lines: String = x.ticks.iter().map(|(value, _)| format!("M{} {top}V{below}", at(*value))).collect();
        // Writing into a String cannot fail.
        let _ = writeln!(
            out,
            "<g class=\"grid\" stroke=\"#dddddd\" stroke-width=\"1\" fill=\"none\"><path d=\"{lines}\"/></g>\n\
             <g class=\"axis\" stroke=\"#57606a\" fill=\"none\"><path stroke-width=\"1\" d=\"M{} {below}H{}\"/>\
             <path stroke-width=\"1.5\" stroke-dasharray=\"1 3\" d=\"M{zero} {top}V{below}\"/></g>",
            px(LEFT),
            px(RIGHT),
            zero = at(0.0),
        );
        let _ = write!(
            out,
            "<g {FONT} font-size=\"11.5\"><text x=\"4\" y=\"18\"><tspan class=\"ink\" fill=\"#1b1f24\" font-size=\"14\" \
             font-weight=\"600\">{}</tspan><tspan class=\"soft\" fill=\"#57606a\" dx=\"8\">{}</tspan></text>\
             <g class=\"soft\" fill=\"#57606a\" text-anchor=\"middle\">",
            escape(&self.title),
            escape(&self.aside),
        );
        for (value, label) in x.labelled(LEFT, RIGHT, 6.8) {
            let _ = write!(out, "<text x=\"{}\" y=\"{}\">{}</text>", at(*value), px(bottom + 16.0), escape(label));
        }
        let y = px(bottom + 36.0);
        let _ = writeln!(
            out,
            "</g><g class=\"soft\" fill=\"#57606a\"><text x=\"{}\" y=\"{y}\">\u{2190} {}</text>\
             <text x=\"{}\" y=\"{y}\" text-anchor=\"end\">{} \u{2192}</text></g></g>",
            px(LEFT),
            escape(&self.sides[0]),
            px(RIGHT),
            escape(&self.sides[1]),
        );
    }
}

fn draw(row: &Row, x: &Axis, y: f64, out: &mut String) {
    let at = |value: f64| x.place(value, LEFT, RIGHT);
    let weight = if row.strong { " font-weight=\"600\"" } else { "" };
    let short = shortened(&row.label);
    let _ = writeln!(
        out,
        "<text {FONT} font-size=\"12\" class=\"ink\" fill=\"#1b1f24\" text-anchor=\"end\"{weight} x=\"{}\" y=\"{}\">{}</text>",
        px(LEFT - 10.0),
        px(y + 4.0),
        escape(&short),
    );
    let mark = match &row.mark {
        Ok(mark) => mark,
        Err(why) => {
            let _ = writeln!(
                out,
                "<text {FONT} font-size=\"11.5\" class=\"soft mark\" fill=\"#57606a\" stroke=\"#ffffff\" stroke-width=\"4\" \
                 paint-order=\"stroke\" x=\"{}\" y=\"{}\">{}</text>",
                px(LEFT + 8.0),
                px(y + 4.0),
                escape(why),
            );
            return;
        }
    };
    let _ = write!(out, "<g class=\"k0\" color=\"{}\">", LIGHT[0]);
    // Below the interval, so that neither hides the other.
    let singles: String = mark.singles.iter().map(|&v| format!("M{} {}h0", px(at(v)), px(y + 7.5))).collect();
    if !singles.is_empty() {
        let _ = write!(
            out,
            "<path d=\"{singles}\" stroke=\"currentColor\" stroke-width=\"4\" stroke-linecap=\"round\" stroke-opacity=\".38\"/>"
        );
    }
    if let Some((low, high)) = mark.interval {
        let (low, high, cap) = (px(at(low)), px(at(high)), px(y - 4.0));
        let _ = write!(
            out,
            "<path d=\"M{low} {cap}v8M{low} {}H{high}M{high} {cap}v8\" stroke=\"currentColor\" stroke-width=\"{}\" fill=\"none\"/>",
            px(y),
            if row.strong { "2.6" } else { "1.6" },
        );
    }
    let shape = if row.strong { Marker::Diamond } else { Marker::Circle };
    let _ = writeln!(
        out,
        "<path class=\"mark\" d=\"{}\" fill=\"currentColor\" stroke=\"#ffffff\" stroke-width=\"1\"/></g>",
        mark::path(shape, at(mark.value), y, if row.strong { 5.5 } else { 4.5 }),
    );
}

/// The label, cut where it would run out of the drawing; the table beside it has it whole.
fn shortened(label: &str) -> String {
    if label.chars().count() <= LABEL {
        return label.to_string();
    }
    label.chars().take(LABEL - 1).chain(['\u{2026}']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forest(rows: Vec<Row>) -> Forest {
        let text = String::new;
        Forest { id: "f".into(), title: text(), aside: text(), description: text(), sides: [text(), text()], rows }
    }

    #[test]
    fn a_row_without_a_value_says_why_and_moves_no_axis() {
        let mark = Mark { value: 0.02, interval: Some((0.01, 0.03)), singles: vec![0.02] };
        let row = |label: &str, mark| Row { label: label.into(), strong: false, mark };
        let one = forest(vec![row("sad", Ok(mark.clone()))]).drawing().unwrap();
        let two = forest(vec![row("sad", Ok(mark)), row("fear", Err("n/a (3 positives)".into()))]).drawing().unwrap();
        assert!(two.body.contains("n/a (3 positives)") && two.height == one.height + ROW);
        assert_eq!(forest(vec![row("fear", Err("n/a".into()))]).drawing(), None);
    }

    #[test]
    fn long_labels_are_cut() {
        assert_eq!(shortened("surprise"), "surprise");
        assert_eq!(shortened("a very long emotion"), "a very long e\u{2026}");
    }
}
