use super::FoldArguments;
use anyhow::Result;
use mosei_schema::LabelBudget;
use std::path::PathBuf;
use train::{CellSettings, LabelTables};

/// Train one cell of the grid: a start, a label budget, a seed, a label draw.
///
/// Example: mosei-ssl finetune --config configs/demo.toml --prepared prepared --subsets subsets.parquet
/// --start ssl --encoder pretrain/encoder --labels f0.05 --out cell
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    on: FoldArguments,
    /// The table that `sample` wrote.
    #[arg(long, value_name = "FILE")]
    subsets: PathBuf,
    /// The table of labelled validation segments that `sample` wrote, where `validation_labels` is "budget".
    #[arg(long, value_name = "FILE")]
    validation_subsets: Option<PathBuf>,
    /// ssl, scratch, frozen, random-frozen, pooled-logistic, ssl-shuffled or ssl-transductive.
    #[arg(long)]
    start: String,
    /// The pre-trained encoder's folder, for ssl, frozen, ssl-shuffled and ssl-transductive: each of its kind.
    #[arg(long, value_name = "DIR")]
    encoder: Option<PathBuf>,
    /// What `encode` wrote, for frozen and random-frozen; without it, it is made for this cell alone.
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
    let budget = a.labels.parse::<LabelBudget>().map_err(train::TrainError::from)?;
    let start = super::start(&a.start)?;
    let (study, mut corpus) = a.on.open()?;
    let key = match a.key {
        Some(key) => key,
        None => {
            // All that the outcome depends on: a checkpoint made from another encoder is not gone on with.
            let encoder =
                a.encoder.as_ref().map(|e| run_record::hash_file(&e.join("model.safetensors"))).transpose()?;
            let validation = a.validation_subsets.as_deref().map(run_record::hash_file).transpose()?;
            let files = (encoder, run_record::hash_file(&a.subsets)?, validation);
            let inputs = &corpus.prepared.manifest().inputs;
            let settings = (study.to_toml(), a.on.fold, a.on.seed, a.draw, &a.labels, &a.start);
            run_record::hash_json(&(settings, inputs, files))
        }
    };
    let (encoder, encodings) = (a.encoder.as_deref(), a.encodings.as_deref());
    let pretrain_seed = a.pretrain_seed.unwrap_or(a.on.seed);
    let settings =
        CellSettings { start, encoder, encodings, budget, seed: a.on.seed, pretrain_seed, draw: a.draw, key: &key };
    let labels = LabelTables { training: &a.subsets, validation: a.validation_subsets.as_deref() };
    let summary = train::finetune(&study, &mut corpus, labels, settings, &a.out)?;
    tracing::info!("{} steps, best at step {}: predictions in {}", summary.steps, summary.best_step, a.out.display());
    Ok(())
}
