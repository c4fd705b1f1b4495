//! `cargo xtask test`: everything that a change has to pass.

use crate::{setup, workspace};
use anyhow::{Result, bail};
use std::process::ExitCode;

/// Checks the layout, the lints, the documentation and the tests; stops at the first that fails.
///
/// The tests include the table of which crate may use which (`xtask/tests/architecture.rs`).
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  cargo xtask test\n  cargo xtask test --quick\n  cargo xtask test --soak 60"
)]
pub struct Test {
    /// Instead: the layout, and every test but those that kill processes, break disks, drive a
    /// browser, start Slurm or install Python packages. Needs cargo-nextest.
    #[arg(long, conflicts_with = "soak")]
    quick: bool,
    /// Instead: sweep the demo repeatedly for so long, killed every few seconds, and compare each
    /// outcome with that of an undisturbed sweep.
    #[arg(long, value_name = "MINUTES")]
    soak: Option<f64>,
}

/// A check: its name, and the arguments to cargo.
type Check = (&'static str, &'static [&'static str]);

const LAYOUT: Check = ("layout (cargo fmt)", &["fmt", "--all", "--check"]);

const ALL: [Check; 4] = [
    LAYOUT,
    (
        "lints (cargo clippy)",
        &[
            "clippy",
            "--workspace",
            "--all-targets",
            "--locked",
            "--",
            "-D",
            "warnings",
        ],
    ),
    (
        "documentation (cargo doc)",
        &["doc", "--workspace", "--no-deps", "--locked"],
    ),
    ("tests (cargo test)", &["test", "--workspace", "--locked"]),
];

/// The profile `default` of `.config/nextest.toml` leaves the slow tests out.
const QUICK: [Check; 2] = [
    LAYOUT,
    (
        "tests (cargo nextest)",
        &["nextest", "run", "--workspace", "--locked"],
    ),
];

impl Test {
    /// Runs the verb.
    pub fn run(self) -> Result<ExitCode> {
        let root = workspace::root()?;
        setup::ensure(&root, false)?;
        if let Some(minutes) = self.soak {
            let mut cargo = workspace::cargo(&root);
            cargo.args([
                "test",
                "--release",
                "--locked",
                "--package",
                "study-tests",
                "--test",
                "crash",
                "soak",
            ]);
            cargo.args(["--", "--ignored", "--exact", "--nocapture"]);
            cargo
                .env("SOAK_MINUTES", minutes.to_string())
                .env("SOAK_CONFIG", root.join("configs/demo.toml"));
            workspace::run("soak", &mut cargo)?;
            return Ok(ExitCode::SUCCESS);
        }
        if self.quick {
            let version = workspace::cargo(&root)
                .args(["nextest", "--version"])
                .output()?;
            if !version.status.success() {
                bail!(
                    "cargo-nextest is not installed\n  next: cargo install --locked cargo-nextest"
                );
            }
        }
        let checks: &[Check] = if self.quick { &QUICK } else { &ALL };
        for (i, (name, arguments)) in checks.iter().enumerate() {
            say!("[{}/{}] {name}", i + 1, checks.len());
            let mut cargo = workspace::cargo(&root);
            cargo.args(*arguments);
            // For the pages alone: in the tests it would replace the flags by which examples in
            // docs find libtorch.
            match arguments[0] {
                "doc" => cargo.env("RUSTDOCFLAGS", "-D warnings"),
                _ => cargo.env_remove("RUSTDOCFLAGS"),
            };
            workspace::run(name, &mut cargo)?;
        }
        say!("all {} checks passed", checks.len());
        Ok(ExitCode::SUCCESS)
    }
}
