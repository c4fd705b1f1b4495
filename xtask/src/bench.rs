//! `cargo xtask bench`: the benchmarks of all crates that have some.

use crate::{setup, workspace};
use anyhow::{Context, Result};
use std::fs;
use std::path::Path;
use std::process::ExitCode;

/// Runs the benchmarks of the workspace.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  cargo xtask bench\n  cargo xtask bench -- attention")]
pub struct Bench {
    /// Passed on to the benchmarks, such as a part of a name.
    #[arg(last = true)]
    arguments: Vec<String>,
}

impl Bench {
    /// Runs the verb.
    pub fn run(self) -> Result<ExitCode> {
        let root = workspace::root()?;
        let crates = crates_with_benches(&root.join("crates"))?;
        if crates.is_empty() {
            println!("no crate has benchmarks (a folder 'benches') yet");
            return Ok(ExitCode::SUCCESS);
        }
        setup::ensure(&root, false)?;
        let mut cargo = workspace::cargo(&root);
        cargo.args(["bench", "--locked", "--benches"]);
        for name in &crates {
            cargo.args(["--package", name]);
        }
        workspace::run("cargo bench", cargo.arg("--").args(&self.arguments))?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Names of the crates with a folder `benches`; a crate's folder bears its name.
fn crates_with_benches(crates: &Path) -> Result<Vec<String>> {
    let list = fs::read_dir(crates).with_context(|| format!("failed to list {}", crates.display()))?;
    let mut names: Vec<String> = list
        .flatten()
        .filter(|e| e.path().join("benches").is_dir())
        .map(|e| e.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    Ok(names)
}
