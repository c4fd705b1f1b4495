use super::ConfigArgument;
use crate::StudyError;
use anyhow::Result;
use std::path::PathBuf;

/// Write a synthetic corpus: a .csd pair and folds, shaped like CMU-MOSEI.
///
/// Example: mosei-ssl synth --config configs/demo.toml --out corpus
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    config: ConfigArgument,
    /// The folder to write.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub(crate) fn run(a: Arguments) -> Result<()> {
    let study = a.config.load()?;
    let synth = study.synth.as_ref().ok_or_else(|| StudyError::Config {
        path: a.config.config.clone(),
        key: "synth".into(),
        reason: "expected a [synth] table with the size of the corpus, found none".into(),
    })?;
    mosei_data::synthesise(synth, &a.out, &mut super::video_progress("writing videos"))?;
    tracing::info!("synthetic corpus in {}", a.out.display());
    Ok(())
}
