use crate::StudyError;
use anyhow::{Context, Result};
use std::path::PathBuf;
use train::EmbedLevel;

/// Write the outputs of an encoder for every segment of a prepared folder, or for recordings without
/// labels.
///
/// Columns h0, h1, … for a frame or for a segment. Recordings (a features file, .csd) are cut as
/// `predict` cuts them.
///
/// Example: mosei-ssl embed runs/demo/pretrain/fold0-seed0/encoder runs/demo/prepared --out
/// h.parquet
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// An encoder's folder, or a model's.
    #[arg(value_name = "ENCODER", required_unless_present = "encoder_option")]
    encoder: Option<PathBuf>,
    /// A prepared folder, or a features file (.csd), that holds the encoder's columns.
    #[arg(value_name = "DATA", required_unless_present = "data_option")]
    data: Option<PathBuf>,
    /// The same as ENCODER.
    #[arg(
        long = "encoder",
        value_name = "ENCODER",
        conflicts_with = "encoder",
        requires = "data_option",
        hide = true
    )]
    encoder_option: Option<PathBuf>,
    /// The same as DATA.
    #[arg(
        long = "data",
        value_name = "DATA",
        conflicts_with = "data",
        requires = "encoder_option",
        hide = true
    )]
    data_option: Option<PathBuf>,
    /// The table to write: NAME.parquet, NAME.csv, or NAME for both.
    #[arg(long, value_name = "NAME")]
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
    let device = torch_ext::open_device(&a.device).map_err(StudyError::from)?;
    let level = match a.level {
        Level::Frame => EmbedLevel::Frame,
        Level::Segment => EmbedLevel::Segment,
    };
    let out = super::table_files(&a.out);
    // One of each there is: clap sees to it.
    let encoder = a.encoder.or(a.encoder_option).unwrap_or_default();
    let data = a.data.or(a.data_option).unwrap_or_default();
    let rows = train::embed(&encoder, &data, device, level, a.with_input, &out)
        .map_err(StudyError::from)
        .with_context(|| format!("{} on {}", encoder.display(), data.display()))?;
    tracing::info!("{rows} rows in {}", super::and(&out));
    Ok(())
}
