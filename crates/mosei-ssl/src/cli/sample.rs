use super::ConfigArgument;
use crate::StudyError;
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
    let folds = study.folds(prepared.fold_count())?;
    let rows =
        train::write_subsets(&study.labels, &folds, &prepared, &a.out).map_err(StudyError::from)?;
    tracing::info!("{rows} rows in {}", a.out.display());
    if let Some(out) = &a.validation_out {
        let rows = train::write_validation_subsets(&study.labels, &folds, &prepared, out)
            .map_err(StudyError::from)?;
        tracing::info!("{rows} rows in {}", out.display());
    }
    Ok(())
}
