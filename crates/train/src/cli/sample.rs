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
    /// The table of validation segments to write, where `finetune.validation_labels` is "budget".
    #[arg(long, value_name = "FILE")]
    validation_out: Option<PathBuf>,
}

pub(crate) fn run(a: Arguments) -> Result<()> {
    let (study, prepared) = (a.config.load()?, Prepared::open(&a.prepared)?);
    let rows = train::write_subsets(&study, &prepared, &a.out)?;
    tracing::info!("{rows} rows in {}", a.out.display());
    if let Some(out) = &a.validation_out {
        let rows = train::write_validation_subsets(&study, &prepared, out)?;
        tracing::info!("{rows} rows in {}", out.display());
    }
    Ok(())
}
