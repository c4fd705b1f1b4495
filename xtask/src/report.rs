//! `cargo xtask report`: the tables and figures of a run, made anew.

use crate::{setup, workspace};
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
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
        // Asked before anything is built.
        if let Some(reason) = no_run(&self.run) {
            eprintln!("error: {reason}");
            return Ok(ExitCode::from(2));
        }
        let root = workspace::root()?;
        setup::ensure(&root, false)?;
        let program = workspace::build_program(&root)?;
        let status =
            Command::new(&program).arg("report").arg(&self.run).status().context("failed to start mosei-ssl")?;
        Ok(workspace::exit_code(status))
    }
}

/// The plan that a sweep leaves in the folder of its run.
const PLAN_FILE: &str = "plan.json";

/// Why a folder is no run; `None` where it is one.
fn no_run(folder: &Path) -> Option<String> {
    let found = match folder {
        _ if folder.join(PLAN_FILE).is_file() => return None,
        _ if folder.is_dir() => format!("a folder without {PLAN_FILE}"),
        _ if folder.exists() => "a file".to_string(),
        _ => "nothing".to_string(),
    };
    Some(format!("{}: expected the folder of a run (with {PLAN_FILE}), found {found}", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_without_a_plan_is_refused_at_once() {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        assert!(no_run(&source).unwrap().ends_with("(with plan.json), found a folder without plan.json"));
        assert!(no_run(&source.join("report.rs")).unwrap().ends_with("found a file"));
        let missing = source.join("nodir");
        assert!(no_run(&missing).unwrap().ends_with("found nothing"));
        // No build, no set-up: this ends before either.
        let code = Report { run: missing }.run().unwrap();
        assert_eq!(format!("{code:?}"), format!("{:?}", ExitCode::from(2)));
    }
}
