use super::ConfigArgument;
use anyhow::Result;
use mosei_data::Prepared;
use std::path::PathBuf;

/// Draw the label budgets: which training segments have labels.
///
/// Example: mosei-ssl sample --config configs/demo.toml --prepared prepared --out subsets.parquet
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    config: ConfigArgument,
    /// A prepared folder.
    #[arg(long, value_name = "DIR")]
    prepared: PathBuf,
    /// The table to write.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

pub(crate) fn run(a: Arguments) -> Result<()> {
    let rows = train::write_subsets(&a.config.load()?, &Prepared::open(&a.prepared)?, &a.out)?;
    tracing::info!("{rows} rows in {}", a.out.display());
    Ok(())
}
