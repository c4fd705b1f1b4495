use anyhow::{Context, Result};
use std::path::PathBuf;
use train::TrainError;

/// Write what a trained model says of every segment of a prepared folder (Parquet).
///
/// Example: mosei-ssl predict --model runs/demo/cells/fold0/ssl-f0.25-seed0-draw0/model --data runs/demo/prepared --out said.parquet
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// A model's folder.
    #[arg(long, value_name = "DIR")]
    model: PathBuf,
    /// A prepared folder that holds the model's columns.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The table to write.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// cpu, cuda or cuda:INDEX.
    #[arg(long, default_value = "cpu")]
    device: String,
}

pub(crate) fn run(a: Arguments) -> Result<()> {
    let device = torch_ext::open_device(&a.device).map_err(TrainError::from)?;
    let segments = train::predict_corpus(&a.model, &a.data, device, &a.out)
        .with_context(|| format!("{} on {}", a.model.display(), a.data.display()))?;
    tracing::info!("{segments} segments in {}", a.out.display());
    Ok(())
}
