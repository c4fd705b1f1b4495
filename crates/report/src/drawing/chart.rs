//! One panel: lines over x, their spread, and every single value as a faint dot.

use super::axis::Axis;
use super::mark::marks;
use super::shape::{Anchor, Ink, Shape, Step, Stroke, polyline};
use super::{Drawing, WIDTH};
use crate::style::{DASHES, MARKERS};

/// Height of a panel.
const HEIGHT: f64 = 250.0;

const LEFT: f64 = 50.0;
const RIGHT: f64 = WIDTH - 22.0;
const TOP: f64 = 34.0;
const BOTTOM: f64 = HEIGHT - 44.0;

/// One x of a series.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Point {
    /// Its place on the horizontal axis.
    pub x: f64,
    /// Its place on the vertical axis, usually a mean.
    pub mean: f64,
    /// Lowest and highest, drawn as a band between neighbouring points, or as a bar where a series
    /// has only one.
    pub spread: Option<(f64, f64)>,
    /// Single values, drawn as faint dots.
    pub singles: Vec<f64>,
}

impl Point {
    /// A point without spread.
    pub fn at(x: f64, mean: f64) -> Self {
        Point {
            x,
            mean,
            spread: None,
            singles: Vec::new(),
        }
    }
}

/// How a series is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineStyle {
    /// A line.
    Line,
    /// A thin dotted line, for what is expected.
    Thin,
    /// A line with a marker at each point.
    Marked,
    /// Small markers alone.
    Marks,
}

impl LineStyle {
    /// The size of its markers, if it has any.
    pub(crate) fn marker(self) -> Option<f64> {
        match self {
            LineStyle::Line | LineStyle::Thin => None,
            LineStyle::Marked => Some(4.5),
            LineStyle::Marks => Some(3.0),
        }
    }

    /// Its line; `None` where it has none.
    pub(crate) fn stroke(self, slot: usize) -> Option<Stroke> {
        let (width, dash) = match self {
            LineStyle::Line => (1.4, DASHES[slot]),
            LineStyle::Thin => (1.2, "1 3"),
            LineStyle::Marked => (2.0, DASHES[slot]),
            LineStyle::Marks => return None,
        };
        Some(Stroke {
            dash,
            ..Stroke::solid(Ink::Slot(slot), width)
        })
    }
}

/// One line.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Which of eight colours, dashes and markers.
    pub slot: usize,
    /// Its name.
    pub label: String,
    /// Its points, from left to right.
    pub points: Vec<Point>,
    /// How it is drawn.
    pub style: LineStyle,
}

/// A dotted line to compare with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reference {
    /// At one y.
    Level(f64),
    /// Where y is x.
    Diagonal,
}

/// One panel.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Chart {
    /// Prefix of the ids in it, unique on the page.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Behind the title, in a softer colour.
    pub aside: String,
    /// For readers who cannot see the figure.
    pub description: String,
    /// The horizontal axis.
    pub x: Axis,
    /// The title of the horizontal axis.
    pub x_title: String,
    /// The vertical axis.
    pub y: Axis,
    /// A dotted reference line, such as chance.
    pub reference: Option<Reference>,
    /// Intervals of x that are shaded.
    pub shaded: Vec<(f64, f64)>,
    /// The lines; later ones lie over earlier ones.
    pub series: Vec<Series>,
}

impl Chart {
    /// The chart as a drawing.
    pub fn drawing(&self) -> Drawing {
        let mut shapes = self.frame();
        let middle = (self.series.len() as f64 - 1.0) / 2.0;
        for (i, series) in self.series.iter().enumerate() {
            // Side by side, so that the dots of one start do not hide those of another.
            let aside = (i as f64 - middle) * 4.0;
            shapes.extend(self.line(series, aside));
        }
        Drawing {
            id: self.id.clone(),
            title: self.title.clone(),
            description: self.description.clone(),
            height: HEIGHT,
            shapes,
        }
    }

    fn at(&self, x: f64, y: f64) -> (f64, f64) {
        (self.x.place(x, LEFT, RIGHT), self.y.place(y, BOTTOM, TOP))
    }

    fn frame(&self) -> Vec<Shape> {
        let across = |y: f64| [Step::Move(LEFT, y), Step::Line(RIGHT, y)];
        let x_px = |x: f64| self.x.place(x, LEFT, RIGHT);
        let y_px = |y: f64| self.y.place(y, BOTTOM, TOP);
        let shade = |&(from, to): &(f64, f64)| {
            let corners = [(from, TOP), (to, TOP), (to, BOTTOM), (from, BOTTOM)];
            polyline(corners.map(|(x, y)| (x_px(x), y)))
                .into_iter()
                .chain([Step::Close])
                .collect::<Vec<_>>()
        };
        let shaded = self.shaded.iter().flat_map(shade).collect();
        let grid = self
            .y
            .ticks
            .iter()
            .flat_map(|(value, _)| across(y_px(*value)))
            .collect();
        let ticks = self.x.ticks.iter().map(|(value, _)| x_px(*value));
        let ticks = ticks.flat_map(|x| [Step::Move(x, BOTTOM), Step::Line(x, BOTTOM + 4.0)]);
        let mut out = vec![
            Shape::area(shaded, Ink::Grid, 1.0),
            Shape::line(grid, Stroke::solid(Ink::Grid, 1.0)),
            Shape::line(
                across(BOTTOM).into_iter().chain(ticks).collect(),
                Stroke::solid(Ink::Soft, 1.0),
            ),
        ];
        let reference = match self.reference {
            None => Vec::new(),
            Some(Reference::Level(y)) => across(y_px(y)).to_vec(),
            Some(Reference::Diagonal) => {
                let ends = [self.x.low.max(self.y.low), self.x.high.min(self.y.high)];
                polyline(ends.map(|end| self.at(end, end)))
            }
        };
        out.push(Shape::line(
            reference,
            Stroke {
                dash: "1 3",
                ..Stroke::solid(Ink::Soft, 1.5)
            },
        ));
        out.push(Shape::title(&self.title, &self.aside));
        for (value, label) in &self.y.ticks {
            out.push(Shape::small(
                LEFT - 6.0,
                y_px(*value) + 4.0,
                Anchor::End,
                label,
            ));
        }
        for (value, label) in self.x.labelled(LEFT, RIGHT, 6.8) {
            out.push(Shape::small(
                x_px(*value),
                BOTTOM + 17.0,
                Anchor::Middle,
                label,
            ));
        }
        out.push(Shape::small(
            (LEFT + RIGHT) / 2.0,
            HEIGHT - 7.0,
            Anchor::Middle,
            &self.x_title,
        ));
        out
    }

    /// A series, from what lies lowest: its spread, single values, line, markers.
    fn line(&self, series: &Series, aside: f64) -> Vec<Shape> {
        let slot = series.slot.min(DASHES.len() - 1);
        let mut out = self.spread(series, slot, aside);
        let singles = series
            .points
            .iter()
            .flat_map(|p| p.singles.iter().map(|&y| self.at(p.x, y)));
        out.push(Shape::dots(singles.map(|(x, y)| (x + aside, y)), slot));
        let points: Vec<(f64, f64)> = series.points.iter().map(|p| self.at(p.x, p.mean)).collect();
        if let Some(stroke) = series.style.stroke(slot).filter(|_| points.len() > 1) {
            out.push(Shape::line(polyline(points.iter().copied()), stroke));
        }
        // A single point makes no line.
        let alone = (points.len() == 1).then_some(4.5);
        if let Some(r) = series.style.marker().or(alone) {
            out.push(marks(MARKERS[slot], points, r, slot));
        }
        out
    }

    fn spread(&self, series: &Series, slot: usize, aside: f64) -> Vec<Shape> {
        let ends = |p: &Point| {
            p.spread
                .map(|(low, high)| (self.at(p.x, low), self.at(p.x, high)))
        };
        let edges: Vec<_> = series.points.iter().filter_map(ends).collect();
        if edges.len() > 1 {
            let upper = edges.iter().map(|(_, high)| *high);
            let mut outline = polyline(upper.chain(edges.iter().rev().map(|(low, _)| *low)));
            outline.push(Step::Close);
            return vec![Shape::area(outline, Ink::Slot(slot), 0.13)];
        }
        let bar = |&((x, low), (_, high)): &((f64, f64), (f64, f64))| {
            let (x, cap) = (x + aside, 4.0);
            let lines = [
                [(x - cap, low), (x + cap, low)],
                [(x, low), (x, high)],
                [(x - cap, high), (x + cap, high)],
            ];
            lines.into_iter().flat_map(polyline).collect::<Vec<_>>()
        };
        vec![Shape::line(
            edges.iter().flat_map(bar).collect(),
            Stroke::solid(Ink::Slot(slot), 1.3),
        )]
    }
}
