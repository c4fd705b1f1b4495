use crate::StudyError;
use anyhow::{Context, Result};
use std::path::PathBuf;

/// Apply a trained model to every segment of a prepared folder, or to recordings without labels.
///
/// A row a segment and emotion: probability, whether it is above the model's threshold, and
/// intensity. Recordings (a features file, .csd) are cut into pieces that the model can take;
/// `segment` counts them from 0, `start_s` and `end_s` are their times.
///
/// Example: mosei-ssl predict runs/demo/cells/fold0/ssl-f0.4-seed0-draw0/model runs/demo/prepared
/// --out predictions
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// A model's folder.
    model: PathBuf,
    /// A prepared folder, or a features file (.csd), that holds the model's columns.
    data: PathBuf,
    /// The table to write: NAME.parquet, NAME.csv, or NAME for both.
    #[arg(long, value_name = "NAME")]
    out: PathBuf,
    /// cpu, cuda or cuda:INDEX.
    #[arg(long, default_value = "cpu")]
    device: String,
}

pub(crate) fn run(a: Arguments) -> Result<()> {
    let device = torch_ext::open_device(&a.device).map_err(StudyError::from)?;
    let out = super::table_files(&a.out);
    let segments = train::predict(&a.model, &a.data, device, &out)
        .map_err(StudyError::from)
        .with_context(|| format!("{} on {}", a.model.display(), a.data.display()))?;
    tracing::info!("{segments} segments in {}", super::and(&out));
    Ok(())
}
