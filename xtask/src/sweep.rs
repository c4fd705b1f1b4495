//! `cargo xtask sweep`: the whole study of a config, as far as it is not done yet.
//!
//! What lives here: the way from the command line to the engine, and how its progress is shown. What the steps are,
//! `mosei-ssl plan` says; how they are run, the crate `sweep`.

use crate::outcome::{left_out, summary, wait, wait_for_it};
use crate::progress::style;
use crate::status::duration;
use crate::{machine, setup, slurm, workspace};
use anyhow::{Context, Result, bail};
use indicatif::ProgressBar;
use std::io::{IsTerminal, stderr};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use sweep::{Event, Explanation, Forecast, Plan, Reason};

/// Runs the study of a config: what is done already is not done again.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  cargo xtask sweep
  cargo xtask sweep configs/demo.toml --out runs/demo --jobs 4
  cargo xtask sweep configs/mosei.toml --data ../mosei --device cuda
  cargo xtask sweep configs/mosei.toml --data ../mosei --engine slurm --wait
  cargo xtask sweep --explain")]
pub struct Sweep {
    /// The study [default: configs/demo.toml of this checkout].
    config: Option<PathBuf>,
    /// Folder of the input files.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The run's folder [default: runs/NAME of this checkout, after the config's file name].
    #[arg(long, value_name = "RUN")]
    out: Option<PathBuf>,
    /// What runs the steps: processes of this machine, or jobs of a cluster (docs/cluster.md).
    #[arg(long, value_enum, default_value_t = Engine::Local)]
    engine: Engine,
    /// Wait for the end of the cluster's jobs, and submit again what was killed.
    #[arg(long)]
    wait: bool,
    /// Processes at a time [default: cores divided by the threads of each, and no more than memory has room for]; with slurm,
    /// tasks of each array at a time [default: as the config says].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
    /// Where models run: cpu, cuda or cuda:INDEX.
    #[arg(long, value_name = "DEVICE", value_parser = device)]
    device: Option<String>,
    /// Say what would run; run and write nothing.
    #[arg(long)]
    dry_run: bool,
    /// Say of every step why it would run, or that it is done; run and write nothing.
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

fn device(text: &str) -> Result<String, String> {
    let index_is_good = |index: &str| !index.is_empty() && index.bytes().all(|b| b.is_ascii_digit());
    match text {
        "cpu" | "cuda" => Ok(text.to_string()),
        _ if text.strip_prefix("cuda:").is_some_and(index_is_good) => Ok(text.to_string()),
        _ => Err("expected cpu, cuda or cuda:INDEX".to_string()),
    }
}

impl Sweep {
    /// Runs the verb.
    pub fn run(self) -> Result<ExitCode> {
        let root = workspace::root()?;
        let config = self.config.clone().unwrap_or_else(|| root.join("configs/demo.toml"));
        if !config.is_file() {
            eprintln!("error: {}: no such config", config.display());
            return Ok(ExitCode::from(2));
        }
        if self.wait && self.engine == Engine::Local {
            eprintln!("error: --wait belongs to --engine slurm; processes of this machine are always waited for");
            return Ok(ExitCode::from(2));
        }
        if self.engine == Engine::Slurm && !self.only_looks() {
            // Before anything is built.
            sweep::slurm::available()?;
        }
        let name = config.file_stem().context("the config has no file name")?;
        let run = self.out.clone().unwrap_or_else(|| root.join("runs").join(name));
        if !self.only_looks() {
            announce(&root, &config, &run)?;
        }
        setup::ensure(&root, false)?;
        let program = workspace::build_program(&root)?;
        if !self.only_looks() {
            // Planning writes the config into the run's folder, under the feet of a sweep that works there.
            sweep::check_free(&run)?;
        }
        let mut plan = match self.plan(&program, &config, &run)? {
            Ok(plan) => plan,
            Err(code) => return Ok(code),
        };
        plan.check()?;
        if self.only_looks() {
            show(&plan, &sweep::explain(&plan, &run)?, self.explain);
            return Ok(ExitCode::SUCCESS);
        }
        if self.engine == Engine::Slurm {
            if let Some(jobs) = self.jobs {
                slurm::at_most(&mut plan, u32::from(jobs));
            }
            return slurm::run(&plan, &run, &program, self.wait);
        }
        let jobs = self.jobs.map_or_else(|| machine::default_jobs(plan.threads), usize::from);
        let mut forecast = sweep::forecast(&plan, &run, jobs)?;
        let known = forecast.as_ref().map_or(String::new(), |forecast| format!("; {}", expected(forecast)));
        say!("{}: {}, {jobs} at a time{known}", plan.name, counted(&plan));
        let first: Vec<String> = sweep::first_steps(&plan)?.into_iter().map(|step| step.id.clone()).collect();
        let mut display = Display::new(plan.steps.len(), &run);
        let outcome = sweep::run(&plan, &run, &program, jobs, &mut |event| {
            display.tell(event);
            // Until its first steps are done a study may turn out to be one that cannot run.
            if let Event::Done { step, .. } = event
                && forecast.is_none()
                && first.contains(&step.id)
            {
                forecast = sweep::forecast(&plan, &run, jobs).unwrap_or_default();
                forecast.iter().for_each(|forecast| display.line(&format!("from now on {}", expected(forecast))));
            }
        })?;
        display.finish();
        Ok(summary(&outcome, &run))
    }

    /// Whether nothing is to be run or written.
    fn only_looks(&self) -> bool {
        self.dry_run || self.explain
    }

    /// The plan as the study's program makes it; an exit code where it refuses, having said why itself.
    fn plan(&self, program: &Path, config: &Path, run: &Path) -> Result<Result<Plan, ExitCode>> {
        let mut command = Command::new(program);
        command.arg("plan").arg(config).arg("--run").arg(run);
        if let Some(data) = &self.data {
            command.arg("--data").arg(data);
        }
        if let Some(device) = &self.device {
            command.args(["--device", device]);
        }
        if self.only_looks() {
            command.arg("--dry-run");
        }
        let output = command.stderr(Stdio::inherit()).output().context("failed to start mosei-ssl plan")?;
        if !output.status.success() {
            return Ok(Err(workspace::exit_code(output.status)));
        }
        match serde_json::from_slice(&output.stdout) {
            Ok(plan) => Ok(Ok(plan)),
            Err(e) => bail!("mosei-ssl plan printed no plan: {e}"),
        }
    }
}

/// Says before anything else what is about to happen, and where it leads.
fn announce(root: &Path, config: &Path, run: &Path) -> Result<()> {
    say!("the study of {}; results will be in {}", config.display(), run.display());
    let mut first = Vec::new();
    if workspace::built_ahead()?.is_some() {
        return Ok(());
    }
    if !root.join(".libtorch").exists() {
        first.push("set up libtorch (about 200 MB, once)");
    }
    if !root.join("target/release/mosei-ssl").exists() {
        first.push("build the programs (5 to 15 minutes, once)");
    }
    if !first.is_empty() {
        say!("first: {}; then the plan, and how long it will take", first.join(", "));
    }
    Ok(())
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
    let kinds: Vec<String> = kinds.into_iter().map(|(kind, n)| format!("{n} {kind}")).collect();
    format!("{} steps ({})", plan.steps.len(), kinds.join(", "))
}

/// How long a sweep will take.
fn expected(forecast: &Forecast) -> String {
    match forecast.steps {
        0 => "all of them done before".to_string(),
        _ => format!("about {}, by what was timed{}", duration(forecast.seconds), left_out(&forecast.untimed)),
    }
}

/// What would run, by name, or for every step the reason.
fn show(plan: &Plan, explanations: &[Explanation<'_>], all: bool) {
    for e in explanations {
        let waiting = |other: &&Explanation<'_>| matches!(&other.reason, Reason::Blocked { by } if *by == e.step.id);
        if all && !matches!(e.reason, Reason::Blocked { .. }) {
            say!("{:<44} {}", e.step.id, e.reason);
            match explanations.iter().filter(waiting).count() {
                0 => {}
                n => say!("{:<44} {}", "", wait_for_it(n)),
            }
        } else if all {
            // One failure is told once, whatever waits for it.
        } else if e.reason.runs() {
            say!("{:<44} {}", e.step.id, e.step.about);
        }
    }
    let to_run = explanations.iter().filter(|e| e.reason.runs()).count();
    say!("{}: {} steps, {} done, {to_run} to run", plan.name, plan.steps.len(), plan.steps.len() - to_run);
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
            bar.set_style(style("{bar:30} {pos}/{len} steps, {per_sec}, {eta} left  {msg}"));
            bar.enable_steady_tick(std::time::Duration::from_millis(200));
            bar
        });
        Display { bar, run: run.to_path_buf(), total, settled: 0, skipped: 0 }
    }

    pub(crate) fn tell(&mut self, event: Event<'_>) {
        match event {
            Event::OrphanEnded { id } => self.line(&format!("ended {id}, left running by a sweep that was killed")),
            Event::Skipped { .. } => {
                self.settled += 1;
                self.skipped += 1;
            }
            Event::Submitted { job, kind, tasks } => {
                self.line(&format!("submitted job {job}: {kind}, {tasks} task{}", if tasks == 1 { "" } else { "s" }));
            }
            Event::FoundByName { job, name, output } => {
                self.line(&format!(
                    "sbatch said no job's number ({output:?}); job {job} was found by its name, {name}"
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
                    self.line(&format!("{} done     {}  {}", self.count(), step.id, duration(seconds)));
                }
            }
            Event::Retrying { step, error, runs } => {
                let last = error.lines().last().unwrap_or_default();
                self.line(&format!("{} again    {} (run {} of it): {last}", self.count(), step.id, runs + 1));
            }
            Event::Failed { step, .. } => {
                self.settled += 1;
                // Why stands once, at the end; whoever cannot wait for that looks there.
                let log = self.run.join("steps").join(&step.id).join("log.txt");
                let log = if log.is_file() { format!(" (log: {})", log.display()) } else { String::new() };
                self.line(&format!("{} FAILED   {}{log}", self.count(), step.id));
            }
            Event::Blocked { by, steps } => {
                self.settled += steps.len();
                self.line(&format!("{} {} for {}, which failed", self.count(), wait(steps.len()), by.id));
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

#[cfg(test)]
mod tests {
    use super::device;

    #[test]
    fn devices_are_checked_before_anything_is_built() {
        assert!(["cpu", "cuda", "cuda:1"].into_iter().all(|d| device(d).is_ok()));
        assert!(["gpu", "cuda:", "cuda:x", ""].into_iter().all(|d| device(d).is_err()));
    }
}
