use crate::{Place, RunFolder, Study, StudyError};
use anyhow::Result;
use std::path::{Path, PathBuf};
use sweep::Plan;

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
    // The commands of the steps name absolute paths, so that they run from anywhere.
    let folder = RunFolder::new(std::path::absolute(&a.run)?);
    let plan = make(
        &a.config,
        folder,
        a.data.as_deref(),
        a.device.as_deref(),
        a.dry_run,
    )?;
    super::say(&(serde_json::to_string(&plan)? + "\n"))
}

/// The study of a configuration, where a device may replace the configuration's.
pub(crate) fn load(config: &Path, device: Option<&str>) -> Result<Study> {
    let study = Study::load(config)?;
    let Some(device) = device else {
        return Ok(study);
    };
    let study = study.with_device(device);
    Ok(study.map_err(|e| StudyError::Argument {
        what: "--device",
        expected: e.expected,
        found: e.found,
    })?)
}

/// The plan of a configuration in a run folder (an absolute path), where a device may replace the
/// configuration's. Unless `dry_run`, the resolved configuration is written there and the cost of a
/// step is measured.
pub(crate) fn make(
    config: &Path,
    folder: RunFolder,
    data: Option<&Path>,
    device: Option<&str>,
    dry_run: bool,
) -> Result<Plan> {
    let study = load(config, device)?;
    let place = Place {
        run: folder,
        data: data.map(std::path::absolute).transpose()?,
    };
    let mut plan = crate::plan(&study, &place)?;
    let seconds = match dry_run {
        true => None,
        false => crate::seconds_per_segment(&study, &place.run)?,
    };
    if let Some(advice) = crate::precision_advice(&study, &place.run, seconds)? {
        tracing::warn!("{advice}");
    }
    if !dry_run {
        plan.cost_ns = seconds.map(|seconds| (seconds * 1e9) as u64);
        // A device that is not available is reported now, not by each of a hundred cells.
        torch_ext::open_device(&study.device).map_err(StudyError::from)?;
        run_record::write_atomic(&place.run.config(), study.to_toml().as_bytes())?;
    }
    Ok(plan)
}
