//! `cargo xtask sweep`: sets up, builds the program `mosei-ssl`, and hands over to `mosei-ssl
//! sweep`.

use crate::{setup, workspace};
use anyhow::Result;
use std::env;
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode};

/// Runs a study from this checkout: sets up and builds where needed, then hands over to `mosei-ssl
/// sweep`.
#[derive(clap::Args)]
#[command(
    disable_help_flag = true,
    after_help = "Examples:
  cargo xtask sweep
  cargo xtask sweep configs/demo.toml --out runs/demo --jobs 4
  cargo xtask sweep --help"
)]
pub struct Sweep {
    /// Arguments of `mosei-ssl sweep`. Without a configuration it is configs/demo.toml of this
    /// checkout; runs go into its runs/.
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "ARGUMENTS"
    )]
    arguments: Vec<OsString>,
}

impl Sweep {
    /// Runs the verb: on success this process becomes `mosei-ssl sweep`.
    pub fn run(self) -> Result<ExitCode> {
        // Before anything is built, which takes minutes.
        let missing = self
            .arguments
            .iter()
            .map(Path::new)
            .find(|a| a.extension() == Some("toml".as_ref()) && !a.exists());
        if let Some(config) = missing {
            eprintln!("error: {}: no such configuration", config.display());
            return Ok(ExitCode::from(2));
        }
        let root = workspace::root()?;
        announce(&root);
        setup::ensure(&root, false)?;
        let mut command = Command::new(workspace::build_program(&root)?);
        command.arg("sweep").args(&self.arguments);
        for (variable, default) in [
            ("MOSEI_SSL_CONFIG", "configs/demo.toml"),
            ("MOSEI_SSL_RUNS", "runs"),
        ] {
            if env::var_os(variable).is_none() {
                command.env(variable, root.join(default));
            }
        }
        Err(anyhow::Error::new(command.exec()).context("failed to start mosei-ssl"))
    }
}

/// Prints what comes before the study, where that takes long.
fn announce(root: &Path) {
    let steps = [
        (
            root.join(workspace::LIBTORCH_LINK),
            "set up libtorch (about 200 MB, once)",
        ),
        (
            workspace::program(root),
            "build the program (5 to 15 minutes, once)",
        ),
    ];
    let first: Vec<&str> = steps
        .iter()
        .filter(|(path, _)| !path.exists())
        .map(|(_, step)| *step)
        .collect();
    if !first.is_empty() {
        say!(
            "first: {}; then the plan, and how long it will take",
            first.join(", ")
        );
    }
}
