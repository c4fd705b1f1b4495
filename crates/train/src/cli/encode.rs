use super::FoldArguments;
use anyhow::Result;
use std::path::PathBuf;
use train::EncodeSettings;

/// Run an encoder that stays as it is over a fold, once for all cells that probe it.
///
/// Example: mosei-ssl encode --config configs/demo.toml --prepared prepared --start frozen
/// --encoder pretrain/encoder --out encodings.safetensors
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    on: FoldArguments,
    /// frozen or random-frozen.
    #[arg(long)]
    start: String,
    /// The pre-trained encoder's folder, for frozen.
    #[arg(long, value_name = "DIR")]
    encoder: Option<PathBuf>,
    /// The file to write.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

pub(crate) fn run(a: Arguments) -> Result<()> {
    let start = super::start(&a.start)?;
    let (study, mut corpus) = a.on.open()?;
    let settings = EncodeSettings { start, encoder: a.encoder.as_deref(), seed: a.on.seed };
    let [rows, width] = train::encode(&study, &mut corpus, settings, &a.out)?;
    tracing::info!("{rows} rows of {width} numbers in {}", a.out.display());
    Ok(())
}
