use super::ConfigArgument;
use anyhow::Result;
use std::path::PathBuf;
use train::{Corpus, EncodeSettings};

/// Run an encoder that stays as it is over a fold, once for all cells that probe it.
///
/// Example: mosei-ssl encode --config configs/demo.toml --prepared prepared --start frozen
/// --encoder pretrain/encoder --out encodings.safetensors
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    config: ConfigArgument,
    /// A prepared folder.
    #[arg(long, value_name = "DIR")]
    prepared: PathBuf,
    /// frozen or random-frozen.
    #[arg(long)]
    start: String,
    /// The pre-trained encoder's folder, for frozen.
    #[arg(long, value_name = "DIR")]
    encoder: Option<PathBuf>,
    /// Cross-validation fold.
    #[arg(long, default_value_t = 0)]
    fold: usize,
    /// Training seed.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=i64::from(i32::MAX)))]
    seed: u32,
    /// The file to write.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

pub(crate) fn run(a: Arguments) -> Result<()> {
    let study = a.config.load()?;
    let start = super::start(&a.start)?;
    let device = super::open_device(&study)?;
    let mut corpus = Corpus::open(&a.prepared, a.fold, device)?;
    let settings = EncodeSettings { start, encoder: a.encoder.as_deref(), seed: a.seed };
    let [rows, width] = train::encode(&study, &mut corpus, settings, &a.out)?;
    tracing::info!("{rows} rows of {width} numbers in {}", a.out.display());
    Ok(())
}
