use super::ConfigArgument;
use anyhow::Result;
use std::path::PathBuf;
use train::{Corpus, PretrainSettings};

/// Pre-train an encoder on the training segments of a fold, without labels.
///
/// Goes on from a checkpoint of the same settings where there is one.
///
/// Example: mosei-ssl pretrain --config configs/demo.toml --prepared prepared --seed 0 --out pretrain
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    config: ConfigArgument,
    /// A prepared folder.
    #[arg(long, value_name = "DIR")]
    prepared: PathBuf,
    /// Cross-validation fold.
    #[arg(long, default_value_t = 0)]
    fold: usize,
    /// Training seed.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=i64::from(i32::MAX)))]
    seed: u32,
    /// Content key that a plan gives; by default a hash of the settings.
    #[arg(long)]
    key: Option<String>,
    /// The folder to write: encoder/, pretraining.parquet, journal.jsonl.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub(crate) fn run(a: Arguments) -> Result<()> {
    let study = a.config.load()?;
    let device = super::open_device(&study)?;
    let corpus = Corpus::open(&a.prepared, a.fold, device)?;
    let key = a.key.unwrap_or_else(|| {
        let inputs = &corpus.prepared.manifest().inputs;
        run_record::hash_json(&(study.to_toml(), inputs, a.fold, a.seed))
    });
    let summary = train::pretrain(&study, &corpus, PretrainSettings { seed: a.seed, key: &key }, &a.out)?;
    tracing::info!(
        "{} steps, validation loss {:.4} at step {}: encoder in {}",
        summary.steps,
        -summary.best_score,
        summary.best_step,
        a.out.join("encoder").display()
    );
    Ok(())
}
