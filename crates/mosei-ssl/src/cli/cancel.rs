use anyhow::Result;
use std::path::PathBuf;
use sweep::slurm::ranges;

/// Cancel the jobs that a sweep has submitted to Slurm. What is done stays done.
///
/// Example: mosei-ssl cancel runs/demo
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The run folder.
    run: PathBuf,
}

pub(crate) fn run(a: &Arguments) -> Result<()> {
    let jobs = sweep::slurm::cancel(&a.run)?;
    match jobs.len() {
        0 => say!("no job of {} is in the queue", a.run.display()),
        _ => say!("cancelled jobs {}", ranges(&jobs)),
    }
    Ok(())
}
