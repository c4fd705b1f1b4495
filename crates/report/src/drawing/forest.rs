//! A forest of differences: a row for each, with its point, its interval and its single pairs as
//! faint dots.

use super::axis::Axis;
use super::mark::marks as markers;
use super::shape::{Anchor, Ink, SMALL, Shape, Span, Step, Stroke, polyline};
use super::{Drawing, WIDTH};
use crate::style::Marker;

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
            mark.singles
                .iter()
                .copied()
                .chain([ends.0, ends.1, mark.value])
                .collect::<Vec<f64>>()
        };
        marks().next()?;
        let x = Axis::linear(marks().flat_map(reach).chain([0.0]), 5)?;
        let bottom = TOP + ROW * self.rows.len() as f64;
        let mut shapes = self.frame(&x, bottom);
        for (i, row) in self.rows.iter().enumerate() {
            shapes.extend(draw(row, &x, TOP + ROW * (i as f64 + 0.5)));
        }
        Some(Drawing {
            id: self.id.clone(),
            title: self.title.clone(),
            description: self.description.clone(),
            height: bottom + FOOT,
            shapes,
        })
    }

    fn frame(&self, x: &Axis, bottom: f64) -> Vec<Shape> {
        let down = |value: f64| polyline([TOP, bottom].map(|y| (x.place(value, LEFT, RIGHT), y)));
        let grid = x.ticks.iter().flat_map(|(value, _)| down(*value)).collect();
        let mut out = vec![
            Shape::line(grid, Stroke::solid(Ink::Grid, 1.0)),
            Shape::line(
                polyline([(LEFT, bottom), (RIGHT, bottom)]),
                Stroke::solid(Ink::Soft, 1.0),
            ),
            Shape::line(
                down(0.0),
                Stroke {
                    dash: "1 3",
                    ..Stroke::solid(Ink::Soft, 1.5)
                },
            ),
            Shape::title(&self.title, &self.aside),
        ];
        for (value, label) in x.labelled(LEFT, RIGHT, 6.8) {
            out.push(Shape::small(
                x.place(*value, LEFT, RIGHT),
                bottom + 16.0,
                Anchor::Middle,
                label,
            ));
        }
        let y = bottom + 36.0;
        out.extend([arrow(LEFT, y - 4.0, 1.0), arrow(RIGHT, y - 4.0, -1.0)]);
        out.push(Shape::small(LEFT + 15.0, y, Anchor::Start, &self.sides[0]));
        out.push(Shape::small(RIGHT - 15.0, y, Anchor::End, &self.sides[1]));
        out
    }
}

/// An arrow whose tip is at (x, y) and whose shaft goes in the direction `back`; not every font has
/// one.
fn arrow(x: f64, y: f64, back: f64) -> Shape {
    let mut steps = polyline([(x, y), (x + 11.0 * back, y)]);
    steps.extend(polyline([
        (x + 4.0 * back, y - 3.5),
        (x, y),
        (x + 4.0 * back, y + 3.5),
    ]));
    Shape::line(steps, Stroke::solid(Ink::Soft, 1.2))
}

fn draw(row: &Row, x: &Axis, y: f64) -> Vec<Shape> {
    let at = |value: f64| x.place(value, LEFT, RIGHT);
    let words = |x: f64, anchor: Anchor, span: Span, halo: bool| Shape::Words {
        x,
        y: y + 4.0,
        anchor,
        spans: vec![span],
        halo,
    };
    let label = Span {
        text: shortened(&row.label),
        size: 12.0,
        bold: row.strong,
        ink: Ink::Strong,
    };
    let mut out = vec![words(LEFT - 10.0, Anchor::End, label, false)];
    let mark = match &row.mark {
        Ok(mark) => mark,
        Err(why) => {
            let why = Span {
                text: why.clone(),
                size: SMALL,
                bold: false,
                ink: Ink::Soft,
            };
            out.push(words(LEFT + 8.0, Anchor::Start, why, true));
            return out;
        }
    };
    // Below the interval, so that neither hides the other.
    out.push(Shape::dots(
        mark.singles.iter().map(|&v| (at(v), y + 7.5)),
        0,
    ));
    if let Some((low, high)) = mark.interval {
        let cap = |x: f64| [Step::Move(x, y - 4.0), Step::Line(x, y + 4.0)];
        let (low, high) = (at(low), at(high));
        let bar = [Step::Move(low, y), Step::Line(high, y)];
        let steps = cap(low).into_iter().chain(bar).chain(cap(high)).collect();
        out.push(Shape::line(
            steps,
            Stroke::solid(Ink::Slot(0), if row.strong { 2.6 } else { 1.6 }),
        ));
    }
    let (shape, size) = if row.strong {
        (Marker::Diamond, 5.5)
    } else {
        (Marker::Circle, 4.5)
    };
    out.push(markers(shape, [(at(mark.value), y)], size, 0));
    out
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
        Forest {
            id: "f".into(),
            title: text(),
            aside: text(),
            description: text(),
            sides: [text(), text()],
            rows,
        }
    }

    #[test]
    fn a_row_without_a_value_says_why_and_moves_no_axis() {
        let mark = Mark {
            value: 0.02,
            interval: Some((0.01, 0.03)),
            singles: vec![0.02],
        };
        let row = |label: &str, mark| Row {
            label: label.into(),
            strong: false,
            mark,
        };
        let one = forest(vec![row("sad", Ok(mark.clone()))])
            .drawing()
            .unwrap();
        let two = forest(vec![
            row("sad", Ok(mark)),
            row("fear", Err("n/a (3 positives)".into())),
        ])
        .drawing()
        .unwrap();
        assert!(
            format!("{:?}", two.shapes).contains("n/a (3 positives)")
                && two.height == one.height + ROW
        );
        assert_eq!(forest(vec![row("fear", Err("n/a".into()))]).drawing(), None);
    }

    #[test]
    fn long_labels_are_cut() {
        assert_eq!(shortened("surprise"), "surprise");
        assert_eq!(shortened("a very long emotion"), "a very long e\u{2026}");
    }
}
