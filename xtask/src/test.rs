//! `cargo xtask test`: everything that a change has to pass.

use crate::{setup, workspace};
use anyhow::Result;
use std::process::ExitCode;

/// Checks the layout, the lints, the documentation and the tests; stops at the first that fails.
///
/// The tests include the table of which crate may use which (`xtask/tests/architecture.rs`).
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  cargo xtask test\n  cargo xtask test --soak 60")]
pub struct Test {
    /// Instead: sweep the demo again and again for so long, killed every few seconds, and compare
    /// each outcome with that of a sweep left alone.
    #[arg(long, value_name = "MINUTES")]
    soak: Option<f64>,
}

/// Each check: its name, and the arguments to cargo.
const CHECKS: [(&str, &[&str]); 4] = [
    ("layout (cargo fmt)", &["fmt", "--all", "--check"]),
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
        for (i, (name, arguments)) in CHECKS.iter().enumerate() {
            say!("[{}/{}] {name}", i + 1, CHECKS.len());
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
        say!("all {} checks passed", CHECKS.len());
        Ok(ExitCode::SUCCESS)
    }
}
