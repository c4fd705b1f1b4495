//! The tables of the report, as cells; the template and the exports write them.

mod comparison;
mod equivalence;
mod paired;
mod results;
mod run;
mod sources;
mod spread;

pub(crate) use comparison::comparison_table;
pub(crate) use equivalence::{area_table, equivalence_table};
pub(crate) use paired::{others_table, paired_by_emotion, paired_table};
pub(crate) use results::{emotion_table, main_table, support_table};
pub(crate) use run::{best_step_table, fact_table, failure_table, pretraining_table, search_table};
pub(crate) use sources::sources_table;
pub(crate) use spread::{aggregate_table, spread_table};

use crate::numbers::{count, fixed, interval, signed};
use eval::statistics::Interval;

/// One cell.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Cell {
    pub text: String,
    /// The unrounded number, for machine-readable files.
    pub value: Option<f64>,
    /// Its confidence interval, as text.
    pub interval: String,
    /// The ends of the confidence interval.
    pub ends: Option<Ends>,
    /// A second line in smaller type.
    pub remark: String,
    /// Whether it heads its row, and for how many rows.
    pub heads_rows: Option<usize>,
    /// Whether it is words, set to the left.
    pub words: bool,
    /// Of a column title: its name in machine-readable files, where that is not the text.
    pub column: Option<String>,
}

impl Cell {
    /// A count.
    fn count(n: usize) -> Self {
        Cell {
            text: count(n as u64),
            value: Some(n as f64),
            ..Cell::default()
        }
    }

    /// A number with so many decimals.
    fn number(x: f64, decimals: usize) -> Self {
        Cell {
            text: fixed(x, decimals),
            value: Some(x),
            ..Cell::default()
        }
    }

    /// A difference with so many decimals.
    fn signed(x: f64, decimals: usize) -> Self {
        Cell {
            text: signed(x, decimals),
            value: Some(x),
            ..Cell::default()
        }
    }

    /// A p value.
    fn p(p: Option<f64>) -> Self {
        let text = |p: f64| {
            if p < 0.001 {
                "< 0.001".to_string()
            } else {
                fixed(p, 3)
            }
        };
        p.map_or_else(
            || Cell::none("n/a"),
            |p| Cell {
                text: text(p),
                value: Some(p),
                ..Cell::default()
            },
        )
    }

    /// Text in place of a number.
    fn none(why: impl Into<String>) -> Self {
        Cell {
            text: why.into(),
            ..Cell::default()
        }
    }

    /// A metric that is not reported because it has too few rows.
    fn not_reportable(why: &str) -> Self {
        Cell::none(format!("n/a ({why})"))
    }

    fn words(text: impl Into<String>) -> Self {
        Cell {
            text: text.into(),
            words: true,
            ..Cell::default()
        }
    }

    fn head(text: impl Into<String>, rows: usize) -> Self {
        Cell {
            text: text.into(),
            heads_rows: Some(rows),
            words: true,
            ..Cell::default()
        }
    }

    /// The name of a start, marked where it is a control or an ablation.
    fn start(name: &str) -> Self {
        Cell::head(name, 1).remark(crate::start_roles::role(name).unwrap_or_default())
    }

    /// A column title whose name in machine-readable files is another.
    fn column(mut self, name: impl Into<String>) -> Self {
        self.column = Some(name.into());
        self
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
        self.interval = ends
            .map(|ends| interval(ends, decimals, sign))
            .unwrap_or_default();
        self.ends = ends.map(Ends::from);
        self
    }
}

/// The ends of a confidence interval, for machine-readable files; `None` where an end is not finite
/// and the text describes it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Ends {
    pub low: Option<f64>,
    pub high: Option<f64>,
}

impl From<Interval> for Ends {
    fn from(Interval { low, high }: Interval) -> Self {
        Ends {
            low: Some(low),
            high: Some(high),
        }
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
    let cell = |(i, title)| {
        if i < words {
            Cell::words(title)
        } else {
            Cell::none(title)
        }
    };
    titles.into_iter().enumerate().map(cell).collect()
}

/// A label budget with its number of labels and its kind, heading `rows` rows.
fn budget_head(study: &crate::study::Study<'_>, budget: usize, rows: usize) -> Cell {
    let cell = Cell::head(study.label(budget), rows).value(study.budgets[budget].labels);
    cell.remark(study.kind(budget).unwrap_or_default())
}

/// The end of a caption of values with confidence intervals: the meaning of the brackets.
fn brackets(study: &crate::study::Study<'_>) -> String {
    match study.statistics.all {
        Some(_) => format!(
            " [{} confidence interval]",
            crate::numbers::percent(study.statistics.confidence_level())
        ),
        None => " (no confidence intervals were computed)".into(),
    }
}
