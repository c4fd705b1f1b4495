//! A table: which programs, which ratios, which targets.
//!
//! What does not live here: how a table is read from its file, `definition.rs`.

use serde::Deserialize;

/// A table, all placeholders filled in.
#[derive(Debug)]
pub struct Table {
    /// Its name: the stem of its file, also on the command line.
    pub name: String,
    /// The heading above it.
    pub title: String,
    /// Its place on the page.
    pub order: u32,
    /// What is measured.
    pub about: String,
    /// Whether it needs a GPU.
    pub gpu: bool,
    /// What runs before the rounds.
    pub prepare: Vec<Run>,
    /// What runs in each round.
    pub programs: Vec<Program>,
    /// The rows of the table.
    pub rows: Vec<Row>,
    /// The charts.
    pub plots: Vec<Plot>,
}

/// One call of a program.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// A program of ours by its name, or a script of a peer by its path below `benches/`.
    pub program: String,
    /// What it is called with.
    pub arguments: Vec<String>,
}

impl Run {
    /// Whether it is a script in Python.
    pub fn is_peer(&self) -> bool {
        self.program.starts_with("peers/")
    }
}

/// A program of the rounds.
#[derive(Debug)]
pub struct Program {
    /// Its name in rows.
    pub name: String,
    /// How it is called.
    pub run: Run,
    /// The most rounds it takes part in; 0 if it runs only at full size.
    pub rounds: Option<usize>,
}

/// One line of the table on the page.
#[derive(Debug)]
pub struct Row {
    /// What it is about.
    pub what: String,
    /// The measure.
    pub measure: Measure,
    /// The target.
    pub target: Option<Target>,
}

/// What a row shows; figures by their full name, `PROGRAM/FIGURE`.
#[derive(Debug)]
pub enum Measure {
    /// Ours over theirs, or theirs over ours where lower is better: above 1 is in our favour.
    Ratio {
        /// Our figure.
        ours: String,
        /// Their figure.
        theirs: String,
        /// Whether higher is better.
        higher_is_better: bool,
        /// The factor that converts ours to the unit of theirs.
        factor: f64,
    },
    /// Ours over theirs, to be 1.
    Agreement {
        /// Our figure.
        ours: String,
        /// Their figure.
        theirs: String,
    },
    /// A figure by itself.
    Alone(String),
}

/// The target for the median of a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Target {
    /// At least this.
    AtLeast(f64),
    /// At most this.
    AtMost(f64),
    /// This close to 1.
    Within(f64),
}

impl Target {
    /// Whether a value meets it.
    pub fn is_met(self, value: f64) -> bool {
        match self {
            Target::AtLeast(least) => value >= least,
            Target::AtMost(most) => value <= most,
            Target::Within(off) => (value - 1.0).abs() <= off,
        }
    }
}

/// A chart with two logarithmic axes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plot {
    /// Part of the file's name.
    pub file: String,
    /// The heading above it.
    pub title: String,
    /// The key of a figure's `more` that holds x, and the name of that axis.
    pub x: String,
    /// Name of the other axis.
    pub y: String,
    /// Its lines.
    #[serde(rename = "line")]
    pub lines: Vec<Line>,
}

/// A line of a chart.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Name in the legend.
    pub name: String,
    /// Figures, `PROGRAM/FIGURE`, from left to right.
    pub figures: Vec<String>,
    /// x of each; left out: from the figures' `more`.
    pub at: Option<Vec<f64>>,
    /// The expected growth.
    pub expected: Option<Growth>,
}

/// The expected growth of a line, through its first point.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Growth {
    /// Grows with this power of x.
    Power(f64),
    /// This multiple of the first, at each point.
    Times(Vec<f64>),
}

impl Table {
    /// All calls of programs.
    pub fn runs(&self) -> impl Iterator<Item = &Run> {
        self.prepare
            .iter()
            .chain(self.programs.iter().map(|p| &p.run))
    }

    /// Full names of all figures that rows and charts name.
    pub fn figures(&self) -> Vec<&str> {
        let rows = self.rows.iter().flat_map(|row| match &row.measure {
            Measure::Ratio { ours, theirs, .. } | Measure::Agreement { ours, theirs } => {
                vec![ours.as_str(), theirs]
            }
            Measure::Alone(figure) => vec![figure.as_str()],
        });
        let plots = self
            .plots
            .iter()
            .flat_map(|p| &p.lines)
            .flat_map(|l| &l.figures)
            .map(String::as_str);
        rows.chain(plots).collect()
    }
}

/// Program and figure of a full name.
pub fn split(figure: &str) -> Option<(&str, &str)> {
    figure.rsplit_once('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_met_on_their_edge() {
        assert!(Target::AtLeast(2.0).is_met(2.0) && !Target::AtLeast(2.0).is_met(1.99));
        assert!(Target::AtMost(2.0).is_met(2.0) && !Target::AtMost(2.0).is_met(2.01));
        assert!(Target::Within(0.02).is_met(0.985) && !Target::Within(0.02).is_met(1.03));
    }
}
