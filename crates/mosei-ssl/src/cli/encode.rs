use super::FoldArguments;
use crate::StudyError;
use anyhow::Result;
use mosei_schema::Start;
use std::path::PathBuf;
use train::EncodeRun;

/// Run a frozen encoder over a fold, once for all cells that probe it.
///
/// Example: mosei-ssl encode --config configs/demo.toml --prepared prepared --start frozen
/// --encoder pretrain/encoder --out encodings.safetensors
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    on: FoldArguments,
    /// frozen or random-frozen.
    #[arg(long, value_parser = super::one_of(Start::ALL))]
    start: Start,
    /// The pre-trained encoder's folder, for frozen.
    #[arg(long, value_name = "DIR")]
    encoder: Option<PathBuf>,
    /// The file to write.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

pub(crate) fn run(a: Arguments) -> Result<()> {
    let (study, mut corpus) = a.on.open()?;
    let run = EncodeRun {
        encoder: &study.encoder,
        heads: &study.finetune.heads,
        start: a.start,
        pretrained: a.encoder.as_deref(),
        seed: a.on.seed,
    };
    let [rows, width] = train::encode(&run, &mut corpus, &a.out).map_err(StudyError::from)?;
    tracing::info!("{rows} rows of {width} numbers in {}", a.out.display());
    Ok(())
}
