//! `mosei-ssl sweep`: the whole study of a configuration, as far as it is not done.
//!
//! What lives here: the way from the command line to the engine, and how its progress is shown.
//! What does not: the steps (`plan`), and how they are run (the crate `sweep`).

use super::outcome::{duration, left_out, summary, wait, wait_for_it};
use super::{machine, plan, slurm};
use crate::RunFolder;
use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{IsTerminal, stderr};
use std::path::{Path, PathBuf};
use sweep::{Event, Explanation, Forecast, Plan, Reason};

/// Run the study of a configuration: steps that are done are not run again.
///
/// Examples: mosei-ssl sweep configs/demo.toml --out runs/demo --jobs 4;
/// mosei-ssl sweep configs/mosei.toml --data ../mosei --engine slurm --wait
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The study's configuration (TOML).
    #[arg(env = "MOSEI_SSL_CONFIG")]
    config: PathBuf,
    /// Folder of the input files.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The run folder [default: RUNS/NAME, after the configuration's file name].
    #[arg(long, value_name = "RUN")]
    out: Option<PathBuf>,
    /// Folder of all runs, where --out is not given.
    #[arg(
        long,
        value_name = "RUNS",
        env = "MOSEI_SSL_RUNS",
        default_value = "runs"
    )]
    runs: PathBuf,
    /// What runs the steps: processes of this machine, or jobs of a cluster (docs/cluster.md).
    #[arg(long, value_enum, default_value_t = Engine::Local)]
    engine: Engine,
    /// Wait for the end of the cluster's jobs, and submit again what was killed.
    #[arg(long)]
    wait: bool,
    /// Processes at a time [default: cores divided by the threads of each, limited by memory]; with
    /// slurm, tasks of each array at a time [default: as the configuration says].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
    /// cpu, cuda or cuda:INDEX, instead of the configuration's.
    #[arg(long, value_name = "DEVICE")]
    device: Option<String>,
    /// List the steps that would run, and the confidence interval and hours to expect of this design
    /// and of designs around it; run and write nothing.
    #[arg(long)]
    dry_run: bool,
    /// With --dry-run: a finished run of the same data, for its variances and times.
    #[arg(long, value_name = "RUN", requires = "dry_run")]
    pilot: Option<PathBuf>,
    /// List for every step why it would run, or that it is done; run and write nothing.
    #[arg(long)]
    explain: bool,
}

/// What runs the steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Engine {
    /// Processes of this machine.
    Local,
    /// Job arrays of Slurm.
    Slurm,
}

/// The process' exit code.
pub(crate) fn run(a: Arguments) -> Result<u8> {
    if !a.config.is_file() {
        eprintln!("error: {}: no such configuration", a.config.display());
        return Ok(2);
    }
    if a.wait && a.engine == Engine::Local {
        eprintln!(
            "error: --wait belongs to --engine slurm; processes of this machine are always waited for"
        );
        return Ok(2);
    }
    let only_lists = a.dry_run || a.explain;
    if a.engine == Engine::Slurm && !only_lists {
        sweep::slurm::available()?;
    }
    let name = a
        .config
        .file_stem()
        .context("the configuration has no file name")?;
    let run = a.out.clone().unwrap_or_else(|| a.runs.join(name));
    if !only_lists {
        say!(
            "the study of {}; results will be in {}",
            a.config.display(),
            run.display()
        );
        // Planning writes the configuration into the run folder, which must not change under
        // another sweep.
        sweep::check_free(&run)?;
    }
    let folder = RunFolder::new(std::path::absolute(&run)?);
    let mut plan = plan::make(
        &a.config,
        folder,
        a.data.as_deref(),
        a.device.as_deref(),
        only_lists,
    )?;
    plan.check()?;
    if only_lists {
        list(&plan, &sweep::explain(&plan, &run)?, a.explain);
        if a.dry_run {
            forecast(&a, &RunFolder::new(&run))?;
        }
        return Ok(0);
    }
    let program = std::env::current_exe().context("failed to find this program")?;
    if a.engine == Engine::Slurm {
        if let Some(jobs) = a.jobs {
            slurm::at_most(&mut plan, u32::from(jobs));
        }
        return slurm::run(&plan, &run, &program, a.wait);
    }
    let jobs = a
        .jobs
        .map_or_else(|| machine::default_jobs(plan.threads), usize::from);
    run_here(&plan, &run, &program, jobs)
}

/// Says what the design can be expected to show, and what it costs.
fn forecast(a: &Arguments, run: &RunFolder) -> Result<()> {
    let study = plan::load(&a.config, a.device.as_deref())?;
    let pilot = a.pilot.as_ref().map(RunFolder::new);
    let timed = match pilot {
        Some(_) => None,
        None => crate::seconds_per_segment(&study, run)?,
    };
    match crate::forecast_designs(&study, a.data.as_deref(), pilot.as_ref(), timed)? {
        Some(found) => {
            let jobs = a.jobs.map_or_else(
                || machine::default_jobs(study.threads),
                usize::from,
            );
            say!("{}", found.to_text(jobs * study.threads).trim_end());
        }
        None => say!(
            "
the confidence interval to expect needs the number of test videos, which a folds file decides: give --pilot RUN"
        ),
    }
    Ok(())
}

/// Runs a plan over processes of this machine.
fn run_here(plan: &Plan, run: &Path, program: &Path, jobs: usize) -> Result<u8> {
    let mut forecast = sweep::forecast(plan, run, jobs)?;
    let known = forecast.as_ref().map_or(String::new(), |forecast| {
        format!("; {}", expected(forecast))
    });
    say!("{}: {}, {jobs} at a time{known}", plan.name, counted(plan));
    let first: Vec<String> = sweep::first_steps(plan)?
        .into_iter()
        .map(|step| step.id.clone())
        .collect();
    let mut display = Display::new(plan.steps.len(), run);
    let outcome = sweep::run(plan, run, program, jobs, &mut |event| {
        display.show(event);
        // Until its first steps are done a study may turn out to be one that cannot run.
        if let Event::Done { step, .. } = event
            && forecast.is_none()
            && first.contains(&step.id)
        {
            forecast = sweep::forecast(plan, run, jobs).unwrap_or_default();
            forecast
                .iter()
                .for_each(|forecast| display.line(&format!("from now on {}", expected(forecast))));
        }
    })?;
    display.finish();
    Ok(summary(&outcome, run))
}

/// The steps of a plan by kind: "110 steps (4 pretrain, 96 cell, …)".
fn counted(plan: &Plan) -> String {
    let mut kinds: Vec<(&str, usize)> = Vec::new();
    for step in &plan.steps {
        match kinds.iter_mut().find(|(kind, _)| *kind == step.kind) {
            Some((_, n)) => *n += 1,
            None => kinds.push((&step.kind, 1)),
        }
    }
    let kinds: Vec<String> = kinds
        .into_iter()
        .map(|(kind, n)| format!("{n} {kind}"))
        .collect();
    format!("{} steps ({})", plan.steps.len(), kinds.join(", "))
}

/// How long a sweep will take.
fn expected(forecast: &Forecast) -> String {
    match forecast.steps {
        0 => "all of them done before".to_string(),
        _ => format!(
            "about {}, by what was timed{}",
            duration(forecast.seconds),
            left_out(&forecast.untimed)
        ),
    }
}

/// Lists what would run, or for every step the reason.
fn list(plan: &Plan, explanations: &[Explanation<'_>], all: bool) {
    for e in explanations {
        let waiting = |other: &&Explanation<'_>| matches!(&other.reason, Reason::Blocked { by } if *by == e.step.id);
        if all && !matches!(e.reason, Reason::Blocked { .. }) {
            say!("{:<44} {}", e.step.id, e.reason);
            match explanations.iter().filter(waiting).count() {
                0 => {}
                n => say!("{:<44} {}", "", wait_for_it(n)),
            }
        } else if all {
            // One failure is listed once, whatever waits for it.
        } else if e.reason.runs() {
            say!("{:<44} {}", e.step.id, e.step.about);
        }
    }
    let to_run = explanations.iter().filter(|e| e.reason.runs()).count();
    say!(
        "{}: {} steps, {} done, {to_run} to run",
        plan.name,
        plan.steps.len(),
        plan.steps.len() - to_run
    );
}

/// Shows events: a bar with rate and time left on a terminal, a line a step elsewhere.
pub(crate) struct Display {
    bar: Option<ProgressBar>,
    run: PathBuf,
    total: usize,
    settled: usize,
    skipped: usize,
}

impl Display {
    pub(crate) fn new(total: usize, run: &Path) -> Self {
        let bar = stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(0);
            let look = ProgressStyle::with_template(
                "{bar:30} {pos}/{len} steps, {per_sec}, {eta} left  {msg}",
            );
            bar.set_style(look.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.enable_steady_tick(std::time::Duration::from_millis(200));
            bar
        });
        Display {
            bar,
            run: run.to_path_buf(),
            total,
            settled: 0,
            skipped: 0,
        }
    }

    pub(crate) fn show(&mut self, event: Event<'_>) {
        match event {
            Event::OrphanEnded { id } => self.line(&format!(
                "ended {id}, left running by a sweep that was killed"
            )),
            Event::Skipped { .. } => {
                self.settled += 1;
                self.skipped += 1;
            }
            Event::Submitted { job, kind, tasks } => {
                self.line(&format!(
                    "submitted job {job}: {kind}, {tasks} task{}",
                    if tasks == 1 { "" } else { "s" }
                ));
            }
            Event::FoundByName { job, name, output } => {
                self.line(&format!(
                    "sbatch printed no job number ({output:?}); job {job} was found by its name, {name}"
                ));
            }
            Event::Started { step } => {
                if let Some(bar) = &self.bar {
                    bar.set_message(step.id.clone());
                }
            }
            Event::Done { step, seconds } => {
                self.settled += 1;
                if self.bar.is_none() {
                    self.line(&format!(
                        "{} done     {}  {}",
                        self.count(),
                        step.id,
                        duration(seconds)
                    ));
                }
            }
            Event::Retrying { step, error, runs } => {
                let last = error.lines().last().unwrap_or_default();
                self.line(&format!(
                    "{} again    {} (run {} of it): {last}",
                    self.count(),
                    step.id,
                    runs + 1
                ));
            }
            Event::Failed { step, .. } => {
                self.settled += 1;
                // The reason follows at the end; the log has it now.
                let log = self.run.join("steps").join(&step.id).join("log.txt");
                let log = if log.is_file() {
                    format!(" (log: {})", log.display())
                } else {
                    String::new()
                };
                self.line(&format!("{} FAILED   {}{log}", self.count(), step.id));
            }
            Event::Blocked { by, steps } => {
                self.settled += steps.len();
                self.line(&format!(
                    "{} {} for {}, which failed",
                    self.count(),
                    wait(steps.len()),
                    by.id
                ));
            }
            Event::Stopping => self.line("stopping: waiting for the processes to end"),
        }
        if let Some(bar) = &self.bar {
            // Steps that were done before would make the rate look better than it is.
            bar.set_length((self.total - self.skipped) as u64);
            bar.set_position((self.settled - self.skipped) as u64);
        }
    }

    fn count(&self) -> String {
        let width = self.total.to_string().len();
        format!("[{:>width$}/{}]", self.settled, self.total)
    }

    fn line(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(text),
            None => say!("{text}"),
        }
    }

    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
