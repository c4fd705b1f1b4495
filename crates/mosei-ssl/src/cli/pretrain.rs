use super::FoldArguments;
use crate::StudyError;
use anyhow::Result;
use mosei_schema::PretrainKind;
use std::path::PathBuf;
use train::{OutputOptions, PretrainRun};

/// Pre-train an encoder on the training videos of a fold, without labels.
///
/// Goes on from a checkpoint of the same settings where there is one.
///
/// Example: mosei-ssl pretrain --config configs/demo.toml --prepared prepared --seed 0 --out
/// pretrain
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    on: FoldArguments,
    /// ordinary; shuffled (a control: the frames of each segment in random order) or transductive
    /// (an ablation: frames of validation and test videos too).
    #[arg(long, default_value = "ordinary", value_parser = super::one_of(PretrainKind::ALL))]
    kind: PretrainKind,
    /// Content key that a plan gives; by default a hash of the settings.
    #[arg(long)]
    key: Option<String>,
    /// The folder to write: encoder/, pretraining.parquet, journal.jsonl.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub(crate) fn run(a: Arguments) -> Result<()> {
    let (study, corpus) = a.on.open()?;
    corpus
        .prepared
        .manifest()
        .require_time(corpus.prepared.folder())?;
    let key = a.key.unwrap_or_else(|| {
        let inputs = &corpus.prepared.manifest().inputs;
        run_record::hash_json(&(study.to_toml(), inputs, a.on.fold, a.on.seed, a.kind))
    });
    let run = PretrainRun {
        encoder: &study.encoder,
        mask: &study.mask,
        training: &study.pretrain,
        on: study.pretrain_on,
        kind: a.kind,
        seed: a.on.seed,
        output: OutputOptions {
            key: &key,
            folder: &a.out,
            checkpoints: &study.checkpoints,
            tensorboard: study.tensorboard,
        },
    };
    let summary = train::pretrain(&run, &corpus).map_err(StudyError::from)?;
    tracing::info!(
        "{} steps, validation loss {:.4} at step {}: encoder in {}",
        summary.steps,
        -summary.best_score,
        summary.best_step,
        a.out.join("encoder").display()
    );
    Ok(())
}
