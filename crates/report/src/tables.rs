//! The tables of the report, as cells; the template and the exports write them.

mod equivalence;
mod paired;
mod results;
mod run;
mod spread;

pub(crate) use equivalence::{area_table, equivalence_table};
pub(crate) use paired::{others_table, paired_by_emotion, paired_table};
pub(crate) use results::{emotion_table, main_table, support_table};
pub(crate) use run::{best_step_table, fact_table, failure_table, pretraining_table, search_table};
pub(crate) use spread::{aggregate_table, spread_table};

use crate::numbers::{count, fixed, interval, signed};
use eval::statistics::Interval;

/// One cell.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Cell {
    pub text: String,
    /// The number that the text rounds, for files that machines read.
    pub value: Option<f64>,
    /// Its interval, in words.
    pub interval: String,
    /// The ends of the interval.
    pub ends: Option<Ends>,
    /// A line more in smaller type.
    pub remark: String,
    /// Whether it heads its row, and for how many rows.
    pub heads_rows: Option<usize>,
    /// Whether it is words, set to the left.
    pub words: bool,
}

impl Cell {
    /// A count.
    fn count(n: usize) -> Self {
        Cell { text: count(n as u64), value: Some(n as f64), ..Cell::default() }
    }

    /// A number with so many decimals.
    fn number(x: f64, decimals: usize) -> Self {
        Cell { text: fixed(x, decimals), value: Some(x), ..Cell::default() }
    }

    /// A difference with so many decimals.
    fn signed(x: f64, decimals: usize) -> Self {
        Cell { text: signed(x, decimals), value: Some(x), ..Cell::default() }
    }

    /// A p.
    fn p(p: Option<f64>) -> Self {
        let text = |p: f64| if p < 0.001 { "< 0.001".to_string() } else { fixed(p, 3) };
        p.map_or_else(|| Cell::none("n/a"), |p| Cell { text: text(p), value: Some(p), ..Cell::default() })
    }

    /// What stands where a number would.
    fn none(why: impl Into<String>) -> Self {
        Cell { text: why.into(), ..Cell::default() }
    }

    /// What stands where a metric rests on too few rows.
    fn refused(why: &str) -> Self {
        Cell::none(format!("n/a ({why})"))
    }

    fn words(text: impl Into<String>) -> Self {
        Cell { text: text.into(), words: true, ..Cell::default() }
    }

    fn head(text: impl Into<String>, rows: usize) -> Self {
        Cell { text: text.into(), heads_rows: Some(rows), words: true, ..Cell::default() }
    }

    /// The name of a start, with what it is there for where it is no contender.
    fn start(name: &str) -> Self {
        Cell::head(name, 1).remark(crate::controls::remark(name).unwrap_or_default())
    }

    fn remark(mut self, remark: impl Into<String>) -> Self {
        self.remark = remark.into();
        self
    }

    fn value(mut self, value: f64) -> Self {
        self.value = Some(value);
        self
    }

    fn within(mut self, ends: Option<Interval>, decimals: usize, sign: bool) -> Self {
        self.interval = ends.map(|ends| interval(ends, decimals, sign)).unwrap_or_default();
        self.ends = ends.map(Ends::from);
        self
    }
}

/// The ends of an interval, for files that machines read; `None` where an end is no number, and words say what it is.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Ends {
    pub low: Option<f64>,
    pub high: Option<f64>,
}

impl From<Interval> for Ends {
    fn from(Interval { low, high }: Interval) -> Self {
        Ends { low: Some(low), high: Some(high) }
    }
}

/// Rows that belong together, under a header row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Table {
    pub caption: String,
    pub head: Vec<Cell>,
    pub groups: Vec<Vec<Vec<Cell>>>,
}

/// Column titles: the first `words` of them over words, the others over numbers.
fn head<'t>(words: usize, titles: impl IntoIterator<Item = &'t str>) -> Vec<Cell> {
    let cell = |(i, title)| if i < words { Cell::words(title) } else { Cell::none(title) };
    titles.into_iter().enumerate().map(cell).collect()
}

/// A label budget with its number and kind, at the head of so many rows.
fn budget_head(study: &crate::study::Study<'_>, budget: usize, rows: usize) -> Cell {
    let cell = Cell::head(study.label(budget), rows).value(study.budgets[budget].labels);
    cell.remark(study.kind(budget).unwrap_or_default())
}

/// What every table of numbers with intervals says of its brackets.
fn brackets(study: &crate::study::Study<'_>) -> String {
    match study.answers.statistics {
        Some(_) => format!(" [{} interval]", crate::numbers::percent(study.answers.level())),
        None => " (no intervals were computed)".into(),
    }
}
