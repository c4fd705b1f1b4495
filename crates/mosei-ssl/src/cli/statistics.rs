use crate::RunFolder;
use anyhow::Result;
use std::path::PathBuf;

/// Compute confidence intervals, tests and label equivalence of a run.
///
/// Writes RUN/statistics.json.
///
/// Example: mosei-ssl statistics runs/demo
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The run folder, evaluated.
    run: PathBuf,
}

pub(crate) fn run(a: Arguments) -> Result<()> {
    let s = crate::write_statistics(&RunFolder::new(&a.run))?;
    tracing::info!(
        "{} numbers of {} videos, {} seeds, {} label draws",
        s.curves.len() + s.contrasts.len() + s.equivalences.len() + s.areas.len(),
        s.clusters,
        s.seeds,
        s.draws
    );
    Ok(())
}
