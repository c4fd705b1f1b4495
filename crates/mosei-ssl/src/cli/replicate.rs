use crate::{RunFolder, Study, StudyError, replication};
use anyhow::Result;
use std::path::PathBuf;

/// Write the configuration of an independent replication of a study.
///
/// Another partition of the videos, other training seeds, pre-trainings and label draws, and nothing
/// else. Run it like any study, then compare both: mosei-ssl compare RUN RUN.
///
/// Example: mosei-ssl replicate runs/demo --seed 1
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The run folder of the study, finished or not.
    run: PathBuf,
    /// The number of the replication, from 1: each has seeds of its own.
    #[arg(long, value_name = "S")]
    seed: u32,
    /// The file to write, which must not exist. Default: NAME-replication-S.toml here.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(crate) fn run(a: Arguments) -> Result<()> {
    let run = RunFolder::new(&a.run);
    run.read_plan()?;
    let study = Study::load(&run.config())?;
    let new = replication(&study, a.seed)?;
    let out = a.out.unwrap_or_else(|| format!("{}.toml", new.name).into());
    if out.exists() {
        return Err(StudyError::Argument {
            what: "--out",
            expected: "a file that does not exist".into(),
            found: out.display().to_string(),
        }
        .into());
    }
    run_record::write_atomic(&out, new.to_toml().as_bytes())?;
    if study.data.folds.is_some() {
        tracing::warn!(
            "the folds come from a file, so the replication has the same test videos; only seeds and label draws are others"
        );
    }
    let data = match study.synth {
        Some(_) => "",
        None => " --data DIR",
    };
    tracing::info!("wrote {}", out.display());
    tracing::info!("next: mosei-ssl sweep {}{data} --out RUN", out.display());
    Ok(())
}
