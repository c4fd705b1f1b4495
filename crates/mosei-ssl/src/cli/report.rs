use crate::RunFolder;
use anyhow::Result;
use std::path::PathBuf;

/// Write the report of a run from what it has left on disk, without training anything.
///
/// Example: mosei-ssl report runs/demo
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The run folder.
    run: PathBuf,
}

pub(crate) fn run(a: Arguments) -> Result<()> {
    let page = crate::write_report(&RunFolder::new(&a.run))?;
    tracing::info!("report in {}", page.display());
    Ok(())
}
