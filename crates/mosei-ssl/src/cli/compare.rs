use crate::RunFolder;
use anyhow::Result;
use run_record::write_atomic;
use std::path::PathBuf;

/// Lay studies beside each other: each difference, how far two studies differ, and what all say
/// together.
///
/// The primary contrast is that of the first run. Differences are of ssl and scratch, macro, at the
/// label budgets that all runs have.
///
/// Example: mosei-ssl compare runs/ravdess runs/ravdess-replication-1 --out compared
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The run folders, finished; two or more.
    #[arg(num_args = 2.., required = true)]
    runs: Vec<PathBuf>,
    /// A folder for comparison.html, the figure (SVG, PDF) and tables (CSV).
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(crate) fn run(a: Arguments) -> Result<()> {
    let runs: Vec<RunFolder> = a.runs.iter().map(RunFolder::new).collect();
    let comparison = crate::compare(&runs)?;
    super::say(&comparison.to_text())?;
    if let Some(out) = a.out {
        for (name, content) in comparison.files()? {
            write_atomic(&out.join(name), &content)?;
        }
        tracing::info!("the page, its figure and tables are in {}", out.display());
    }
    Ok(())
}
