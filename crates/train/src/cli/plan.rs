use anyhow::Result;
use backbone::Precision;
use std::path::PathBuf;
use torch_ext::Processor;
use train::{Place, Study, TrainError};

/// Print the steps of a study as JSON: key, command, what each needs and leaves.
///
/// Writes the resolved configuration to RUN/config.toml, which the commands of the steps read.
///
/// Example: mosei-ssl plan configs/demo.toml --run runs/demo --dry-run
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The study's configuration (TOML).
    config: PathBuf,
    /// The run folder.
    #[arg(long, value_name = "RUN")]
    run: PathBuf,
    /// The folder with the data files; without one the study makes its own.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// cpu, cuda or cuda:INDEX, instead of the configuration's.
    #[arg(long)]
    device: Option<String>,
    /// Write nothing.
    #[arg(long)]
    dry_run: bool,
}

pub(crate) fn run(a: Arguments) -> Result<()> {
    let mut study = Study::load(&a.config)?;
    if let Some(device) = &a.device {
        study = study.with_device(device).map_err(|e| TrainError::Argument {
            what: "--device",
            expected: e.expected,
            found: e.found,
        })?;
    }
    // The commands of the steps name absolute paths, so that they run from anywhere.
    let absolute = |path: PathBuf| std::path::absolute(path);
    let place = Place { run: absolute(a.run)?, data: a.data.map(absolute).transpose()? };
    let mut plan = train::plan(&study, &place)?;
    if !a.dry_run {
        // What it costs to know how long it will take: a fraction of a second, of which nobody hears in a dry run.
        plan.cost_ns = train::seconds_per_segment(&study, &place.run)?.map(|seconds| (seconds * 1e9) as u64);
    }
    if study.encoder.precision == Precision::Bf16 && study.device == "cpu" && Processor::best() < Processor::Avx512Bf16
    {
        tracing::warn!(
            "encoder.precision is bf16, and this processor ({}) has no products of bfloat16: fp32 may be faster here",
            Processor::best().name()
        );
    }
    if !a.dry_run {
        // A device that is not there is said now, not by each of a hundred cells.
        torch_ext::open_device(&study.device).map_err(TrainError::from)?;
        run_record::write_atomic(&place.run.join("config.toml"), study.to_toml().as_bytes())?;
    }
    super::say(&(serde_json::to_string(&plan)? + "\n"))
}
