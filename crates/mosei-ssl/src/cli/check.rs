use crate::Study;
use anyhow::Result;
use std::path::PathBuf;

/// Check a configuration and print it with every default filled in.
///
/// Example: mosei-ssl check configs/demo.toml
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The study's configuration (TOML).
    config: PathBuf,
}

pub(crate) fn run(a: Arguments) -> Result<()> {
    super::say(&Study::load(&a.config)?.to_toml())
}
