//! `cargo xtask report`: the tables and figures of a run, made anew.

use crate::{setup, workspace};
use anyhow::{Context, Result};
use std::path::PathBuf;
use std::process::{Command, ExitCode};

/// Makes the report of a run anew from what is in its folder.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  cargo xtask report runs/demo")]
pub struct Report {
    /// The run's folder.
    run: PathBuf,
}

impl Report {
    /// Runs the verb.
    pub fn run(self) -> Result<ExitCode> {
        let root = workspace::root()?;
        setup::ensure(&root, false)?;
        let program = workspace::build_program(&root)?;
        let status =
            Command::new(&program).arg("report").arg(&self.run).status().context("failed to start mosei-ssl")?;
        Ok(workspace::exit_code(status))
    }
}
