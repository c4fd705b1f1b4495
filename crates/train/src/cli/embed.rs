use anyhow::{Context, Result};
use std::path::PathBuf;
use train::{EmbedLevel, TrainError};

/// Write what an encoder makes of every segment of a prepared folder (Parquet).
///
/// Example: mosei-ssl embed --encoder runs/demo/pretrain/fold0-seed0/encoder --data runs/demo/prepared --out h.parquet
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// An encoder's folder.
    #[arg(long, value_name = "DIR")]
    encoder: PathBuf,
    /// A prepared folder that holds the encoder's columns.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The table to write.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// A row a frame, or a row a segment (the mean of its frames).
    #[arg(long, value_enum, default_value = "segment")]
    level: Level,
    /// Add the standardised input columns x0, x1, …
    #[arg(long)]
    with_input: bool,
    /// cpu, cuda or cuda:INDEX.
    #[arg(long, default_value = "cpu")]
    device: String,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Level {
    Frame,
    Segment,
}

pub(crate) fn run(a: Arguments) -> Result<()> {
    let device = torch_ext::open_device(&a.device).map_err(TrainError::from)?;
    let level = match a.level {
        Level::Frame => EmbedLevel::Frame,
        Level::Segment => EmbedLevel::Segment,
    };
    let rows = train::embed(&a.encoder, &a.data, device, level, a.with_input, &a.out)
        .with_context(|| format!("{} on {}", a.encoder.display(), a.data.display()))?;
    tracing::info!("{rows} rows in {}", a.out.display());
    Ok(())
}
