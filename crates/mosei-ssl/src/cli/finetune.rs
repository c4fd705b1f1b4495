use super::FoldArguments;
use crate::StudyError;
use anyhow::Result;
use mosei_schema::{LabelBudget, Start};
use std::path::PathBuf;
use train::{CardNotes, FinetuneRun, OutputOptions};

/// Train one cell of the grid: a start, a label budget, a seed, a label draw.
///
/// Example: mosei-ssl finetune --config configs/demo.toml --prepared prepared --subsets
/// subsets.parquet --start ssl --encoder pretrain/encoder --labels f0.05 --out cell
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    on: FoldArguments,
    /// The table that `sample` wrote.
    #[arg(long, value_name = "FILE")]
    subsets: PathBuf,
    /// The table of labelled validation segments that `sample` wrote, where `validation_labels` is
    /// "budget".
    #[arg(long, value_name = "FILE")]
    validation_subsets: Option<PathBuf>,
    /// What the cell begins with.
    #[arg(long, value_parser = super::one_of(Start::ALL))]
    start: Start,
    /// The pre-trained encoder's folder, for ssl, frozen, ssl-shuffled and ssl-transductive: each
    /// of its kind.
    #[arg(long, value_name = "DIR")]
    encoder: Option<PathBuf>,
    /// The output of `encode`, for frozen and random-frozen; without it, it is computed for this
    /// cell alone.
    #[arg(long, value_name = "FILE")]
    encodings: Option<PathBuf>,
    /// Label budget: a share such as f0.05 or a count such as n24.
    #[arg(long)]
    labels: String,
    /// Label draw.
    #[arg(long, default_value_t = 0)]
    draw: usize,
    /// Seed of the encoder's pre-training; by default the training seed.
    #[arg(long, value_name = "SEED", value_parser = clap::value_parser!(u32).range(..=i64::from(i32::MAX)))]
    pretrain_seed: Option<u32>,
    /// Content key that a plan gives; by default a hash of the settings.
    #[arg(long)]
    key: Option<String>,
    /// The folder to write: predictions.parquet, model/, journal.jsonl.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub(crate) fn run(a: Arguments) -> Result<()> {
    let budget = a.labels.parse::<LabelBudget>().map_err(StudyError::from)?;
    let (study, mut corpus) = a.on.open()?;
    let key = match a.key {
        Some(key) => key,
        None => {
            // All that the outcome depends on: a checkpoint of another encoder is not used.
            let encoder = a
                .encoder
                .as_ref()
                .map(|e| run_record::hash_file(&e.join("model.safetensors")))
                .transpose()?;
            let validation = a
                .validation_subsets
                .as_deref()
                .map(run_record::hash_file)
                .transpose()?;
            let files = (encoder, run_record::hash_file(&a.subsets)?, validation);
            let inputs = &corpus.prepared.manifest().inputs;
            let settings = (
                study.to_toml(),
                a.on.fold,
                a.on.seed,
                a.draw,
                &a.labels,
                a.start.name(),
            );
            run_record::hash_json(&(settings, inputs, files))
        }
    };
    let run = FinetuneRun {
        config: &study.finetune,
        encoder: &study.encoder,
        start: a.start,
        pretrained: a.encoder.as_deref(),
        encodings: a.encodings.as_deref(),
        subsets: &a.subsets,
        validation_subsets: a.validation_subsets.as_deref(),
        budget,
        draw: a.draw,
        seed: a.on.seed,
        pretrain_seed: a.pretrain_seed.unwrap_or(a.on.seed),
        output: OutputOptions {
            key: &key,
            folder: &a.out,
            checkpoints: &study.checkpoints,
            tensorboard: study.tensorboard,
        },
        card: CardNotes {
            study: &study.name,
            licence: study.report.licence.as_deref(),
            notes: &study.report.notes,
        },
    };
    let summary = train::finetune(&run, &mut corpus).map_err(StudyError::from)?;
    tracing::info!(
        "{} steps, best at step {}: predictions in {}",
        summary.steps,
        summary.best_step,
        a.out.display()
    );
    Ok(())
}
