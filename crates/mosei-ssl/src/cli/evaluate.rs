use crate::RunFolder;
use anyhow::Result;
use run_record::write_results;
use std::path::PathBuf;

/// Measure predictions: of a whole run, or of one table.
///
/// Examples: mosei-ssl evaluate runs/demo;
/// mosei-ssl evaluate --predictions predictions.parquet --out results.csv
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The run folder: writes its predictions.parquet, pretraining.parquet and results.csv.
    #[arg(
        required_unless_present = "predictions",
        conflicts_with = "predictions"
    )]
    run: Option<PathBuf>,
    /// A table in the columns of predictions.parquet, by whatever program: pandas, polars, DuckDB.
    /// Other columns are not read.
    #[arg(long, value_name = "FILE", requires = "out")]
    predictions: Option<PathBuf>,
    /// The measurements of that table (CSV).
    #[arg(long, value_name = "FILE", requires = "predictions")]
    out: Option<PathBuf>,
}

pub(crate) fn run(a: Arguments) -> Result<()> {
    if let Some(run) = a.run {
        let c = crate::collect(&RunFolder::new(run))?;
        tracing::info!(
            "{} measurements of {} finished cells of {}",
            c.measurements,
            c.finished,
            c.planned
        );
    }
    if let (Some(predictions), Some(out)) = (a.predictions, a.out) {
        let mut rows = Vec::new();
        run_record::each_cell(&predictions, |cell| {
            rows.extend(eval::measure_cell(&cell)?);
            Ok::<(), anyhow::Error>(())
        })?;
        write_results(&out, &rows)?;
        tracing::info!("{} measurements in {}", rows.len(), out.display());
    }
    Ok(())
}
