/// Why no report can be made of an input.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The primary metric is not one of those measured.
    #[error("primary metric: expected one of {expected}, found '{found}'")]
    UnknownMetric {
        /// The names there are.
        expected: String,
        /// What is there.
        found: String,
    },
    /// A result that is not finite.
    #[error(
        "results: cell {cell}, {emotion} {metric}: expected a finite value or none, found {found}"
    )]
    NotFinite {
        /// The cell's key.
        cell: String,
        /// An emotion, `macro` or `micro`.
        emotion: String,
        /// Name of the metric.
        metric: String,
        /// What is there.
        found: f64,
    },
    /// Two results of one run: a mean over runs would count it twice.
    #[error(
        "results: {emotion} {metric} of {start} with label budget {budget}, fold {fold}, seed {seed}, draw {draw}: \
         expected one row, found those of cells {} and {}",
        cells[0], cells[1]
    )]
    TwoRows {
        /// The start.
        start: String,
        /// Name of the label budget.
        budget: Box<str>,
        /// Fold, seed and draw name a run of a start and a budget.
        fold: i32,
        /// Training seed.
        seed: i32,
        /// Label draw.
        draw: i32,
        /// An emotion, `macro` or `micro`.
        emotion: Box<str>,
        /// Name of the metric.
        metric: &'static str,
        /// Keys of the two cells.
        cells: Box<[String; 2]>,
    },
    /// Studies that have nothing in common to compare.
    #[error("studies to compare: expected {expected}, found {found}")]
    Incomparable {
        /// What was expected of them.
        expected: String,
        /// What is there.
        found: String,
    },
    /// Statistics of a different study than the results.
    #[error("statistics: expected the label budgets of the results, found {budget}")]
    UnknownBudget {
        /// The budget that no result has.
        budget: String,
    },
    /// A table could not be written.
    #[error("table {name} cannot be written as CSV")]
    Csv {
        /// Name of the file.
        name: String,
        /// Why.
        source: csv::Error,
    },
    /// The page could not be rendered.
    #[error("the page cannot be rendered")]
    Template(#[from] askama::Error),
}
