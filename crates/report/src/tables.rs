//! The tables of the report, as cells; the template writes them.

mod paired;
mod results;
mod run;

pub(crate) use paired::paired_table;
pub(crate) use results::{emotion_table, main_table, support_table};
pub(crate) use run::{fact_table, failure_table, pretraining_table};

/// One cell.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Cell {
    pub text: String,
    /// A second line in smaller type.
    pub remark: String,
    /// Whether it heads its row, and for how many rows.
    pub heads_rows: Option<usize>,
    /// Whether it is words, set to the left.
    pub words: bool,
}

impl Cell {
    fn number(text: impl Into<String>) -> Self {
        Cell { text: text.into(), ..Cell::default() }
    }

    fn words(text: impl Into<String>) -> Self {
        Cell { text: text.into(), words: true, ..Cell::default() }
    }

    fn head(text: impl Into<String>, rows: usize) -> Self {
        Cell { text: text.into(), heads_rows: Some(rows), words: true, ..Cell::default() }
    }

    fn remark(mut self, remark: impl Into<String>) -> Self {
        self.remark = remark.into();
        self
    }
}

/// Rows that belong together, under a header row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Table {
    pub caption: String,
    pub head: Vec<Cell>,
    pub groups: Vec<Vec<Vec<Cell>>>,
}

/// Column titles: the first `words` of them over words, the others over numbers.
fn head<'t>(words: usize, titles: impl IntoIterator<Item = &'t str>) -> Vec<Cell> {
    let cell = |(i, title)| if i < words { Cell::words(title) } else { Cell::number(title) };
    titles.into_iter().enumerate().map(cell).collect()
}
