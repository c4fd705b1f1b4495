//! One panel: lines of means over x, their spread, and every single value as a faint dot.

use super::axis::Axis;
use super::drawing::{Drawing, FONT, WIDTH};
use super::{escape, mark, px};
use crate::style::{DASHES, LIGHT, MARKERS};
use std::fmt::Write;

/// Height of a panel.
const HEIGHT: f64 = 250.0;

const LEFT: f64 = 50.0;
const RIGHT: f64 = WIDTH - 22.0;
const TOP: f64 = 34.0;
const BOTTOM: f64 = HEIGHT - 44.0;

/// One x of a series.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Point {
    pub x: f64,
    pub mean: f64,
    /// Drawn as a band between neighbouring points, as a bar where a series has only one.
    pub spread: Option<(f64, f64)>,
    pub singles: Vec<f64>,
}

/// One line.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Series {
    /// Which colour, dash and marker.
    pub slot: usize,
    pub label: String,
    pub points: Vec<Point>,
    /// Whether a marker stands at each point.
    pub marked: bool,
}

/// One panel.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Chart {
    /// Prefix of the ids in it; one of its own on the page.
    pub id: String,
    pub title: String,
    /// Behind the title, in a softer colour.
    pub aside: String,
    /// What a reader who does not see the figure should know.
    pub description: String,
    pub x: Axis,
    pub x_title: String,
    pub y: Axis,
    /// A horizontal line that means something, such as chance.
    pub reference: Option<f64>,
    pub series: Vec<Series>,
}

impl Chart {
    /// The chart as a drawing.
    pub fn drawing(&self) -> Drawing {
        let mut body = String::new();
        self.frame(&mut body);
        let middle = (self.series.len() as f64 - 1.0) / 2.0;
        for (i, series) in self.series.iter().enumerate() {
            // Side by side, so that the dots of one start do not hide those of another.
            let aside = (i as f64 - middle) * 4.0;
            self.draw(series, aside, &mut body);
        }
        Drawing {
            id: self.id.clone(),
            title: self.title.clone(),
            description: self.description.clone(),
            height: HEIGHT,
            body,
        }
    }

    fn x_px(&self, x: f64) -> f64 {
        self.x.place(x, LEFT, RIGHT)
    }

    fn y_px(&self, y: f64) -> f64 {
        self.y.place(y, BOTTOM, TOP)
    }

    fn frame(&self, out: &mut String) {
        let (left, right, bottom) = (px(LEFT), px(RIGHT), px(BOTTOM));
        // Writing into a String cannot fail.
        let _ = write!(out, "<g class=\"grid\" stroke=\"#dddddd\" stroke-width=\"1\" fill=\"none\"><path d=\"");
        for (value, _) in &self.y.ticks {
            let _ = write!(out, "M{left} {}H{right}", px(self.y_px(*value)));
        }
        out.push_str("\"/></g>\n");
        let _ = write!(
            out,
            "<g class=\"axis\" stroke=\"#57606a\" stroke-width=\"1\" fill=\"none\"><path d=\"M{left} {bottom}H{right}"
        );
        for (value, _) in &self.x.ticks {
            let _ = write!(out, "M{} {bottom}v4", px(self.x_px(*value)));
        }
        out.push_str("\"/>");
        if let Some(value) = self.reference {
            let _ = write!(
                out,
                "<path stroke-dasharray=\"1 3\" stroke-width=\"1.5\" d=\"M{left} {}H{right}\"/>",
                px(self.y_px(value))
            );
        }
        out.push_str("</g>\n");
        let _ = write!(out, "<g {FONT} font-size=\"11.5\">");
        let _ = write!(
            out,
            "<text x=\"4\" y=\"18\"><tspan class=\"ink\" fill=\"#1b1f24\" font-size=\"14\" font-weight=\"600\">{}</tspan>",
            escape(&self.title)
        );
        if !self.aside.is_empty() {
            let _ = write!(out, "<tspan class=\"soft\" fill=\"#57606a\" dx=\"8\">{}</tspan>", escape(&self.aside));
        }
        out.push_str("</text><g class=\"soft\" fill=\"#57606a\" text-anchor=\"end\">");
        for (value, label) in &self.y.ticks {
            let _ = write!(
                out,
                "<text x=\"{}\" y=\"{}\">{}</text>",
                px(LEFT - 6.0),
                px(self.y_px(*value) + 4.0),
                escape(label)
            );
        }
        out.push_str("</g><g class=\"soft\" fill=\"#57606a\" text-anchor=\"middle\">");
        for (value, label) in self.x.labelled(LEFT, RIGHT, 6.8) {
            let _ = write!(
                out,
                "<text x=\"{}\" y=\"{}\">{}</text>",
                px(self.x_px(*value)),
                px(BOTTOM + 17.0),
                escape(label)
            );
        }
        let _ = write!(
            out,
            "<text x=\"{}\" y=\"{}\">{}</text>",
            px((LEFT + RIGHT) / 2.0),
            px(HEIGHT - 7.0),
            escape(&self.x_title)
        );
        out.push_str("</g></g>\n");
    }

    fn draw(&self, series: &Series, aside: f64, out: &mut String) {
        let slot = series.slot.min(LIGHT.len() - 1);
        let _ = writeln!(out, "<g class=\"k{slot}\" color=\"{}\">", LIGHT[slot]);
        self.spread(series, aside, out);
        let singles: String = series
            .points
            .iter()
            .flat_map(|p| p.singles.iter().map(|&y| format!("M{} {}h0", px(self.x_px(p.x) + aside), px(self.y_px(y)))))
            .collect();
        if !singles.is_empty() {
            let _ = writeln!(
                out,
                "<path d=\"{singles}\" stroke=\"currentColor\" stroke-width=\"4\" stroke-linecap=\"round\" stroke-opacity=\".38\"/>"
            );
        }
        let line: Vec<String> =
            series.points.iter().map(|p| format!("{} {}", px(self.x_px(p.x)), px(self.y_px(p.mean)))).collect();
        if line.len() > 1 {
            let dash = match DASHES[slot] {
                "" => String::new(),
                dash => format!(" stroke-dasharray=\"{dash}\""),
            };
            let width = if series.marked { "2" } else { "1.4" };
            let _ = writeln!(
                out,
                "<path d=\"M{}\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"{width}\" stroke-linejoin=\"round\"{dash}/>",
                line.join("L")
            );
        }
        if series.marked {
            let marks: String = series
                .points
                .iter()
                .map(|p| mark::path(MARKERS[slot], self.x_px(p.x), self.y_px(p.mean), 4.5))
                .collect();
            let _ = writeln!(
                out,
                "<path class=\"mark\" d=\"{marks}\" fill=\"currentColor\" stroke=\"#ffffff\" stroke-width=\"1\"/>"
            );
        }
        out.push_str("</g>\n");
    }

    fn spread(&self, series: &Series, aside: f64, out: &mut String) {
        let edges: Vec<(f64, f64, f64)> = series
            .points
            .iter()
            .filter_map(|p| p.spread.map(|(low, high)| (self.x_px(p.x), self.y_px(low), self.y_px(high))))
            .collect();
        if edges.len() > 1 {
            let upper = edges.iter().map(|(x, _, high)| (x, high));
            let lower = edges.iter().rev().map(|(x, low, _)| (x, low));
            let outline: Vec<String> = upper.chain(lower).map(|(x, y)| format!("{} {}", px(*x), px(*y))).collect();
            let _ = writeln!(out, "<path d=\"M{}Z\" fill=\"currentColor\" fill-opacity=\".13\"/>", outline.join("L"));
        } else if !edges.is_empty() {
            let bars: String = edges
                .iter()
                .map(|&(x, low, high)| {
                    let cap = px(x + aside - 4.0);
                    format!("M{cap} {l}h8M{} {l}V{h}M{cap} {h}h8", px(x + aside), l = px(low), h = px(high))
                })
                .collect();
            let _ = writeln!(out, "<path d=\"{bars}\" stroke=\"currentColor\" stroke-width=\"1.3\" fill=\"none\"/>");
        }
    }
}
