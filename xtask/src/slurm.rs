//! A study over a cluster: `cargo xtask sweep --engine slurm`, `cargo xtask cancel`, and what a task runs on its node.
//!
//! What does not live here: anything that Slurm is told or says (the crate `sweep`).

use crate::outcome::{quoted, summary};
use crate::status::duration;
use crate::sweep::Display;
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use sweep::slurm::{Launch, Polling, ranges};
use sweep::{Event, Interrupt, Plan};

/// Takes back the jobs that a sweep has submitted to Slurm. What is done stays done.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  cargo xtask cancel runs/demo")]
pub struct Cancel {
    /// The run's folder.
    run: PathBuf,
}

impl Cancel {
    /// Runs the verb.
    pub fn run(self) -> Result<ExitCode> {
        let jobs = sweep::slurm::cancel(&self.run)?;
        match jobs.len() {
            0 => say!("no job of {} is in the queue", self.run.display()),
            _ => say!("cancelled jobs {}", ranges(&jobs)),
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Runs the steps of one task of a job array; Slurm starts it on a node.
#[derive(clap::Args)]
pub struct Step {
    /// The run's folder.
    run: PathBuf,
    /// The list of the array's tasks, as a submission has written it.
    list: PathBuf,
    /// Which task.
    #[arg(long, env = "SLURM_ARRAY_TASK_ID")]
    task: usize,
}

impl Step {
    /// Runs the verb.
    pub fn run(self) -> Result<ExitCode> {
        let outcome = sweep::slurm::run_task(&self.run, &self.list, self.task, &mut |event| match event {
            Event::OrphanEnded { id } => say!("ended {id}, left running by an earlier start of this task"),
            Event::Skipped { step } => say!("{} was done before", step.id),
            Event::Started { step } => say!("running {}", step.id),
            Event::Done { step, seconds } => say!("done {} in {}", step.id, duration(seconds)),
            Event::Retrying { step, error, .. } => say!("again {}: {error}", step.id),
            Event::Failed { step, error } => say!("FAILED {}: {error}", step.id),
            Event::Blocked { by, steps } => {
                let ids: Vec<&str> = steps.iter().map(|step| step.id.as_str()).collect();
                say!("cannot run {}: {}, which must come before, is not done", ids.join(", "), by.id);
            }
            Event::Stopping => say!("asked to end: waiting for the step to end"),
            Event::Submitted { .. } | Event::FoundByName { .. } => {}
        })?;
        Ok(match &outcome {
            o if o.interrupted => ExitCode::from(130),
            o if !o.failed.is_empty() => ExitCode::FAILURE,
            o if !o.blocked.is_empty() => ExitCode::from(3),
            _ => ExitCode::SUCCESS,
        })
    }
}

/// Lets at most so many tasks of each array run at a time, whatever the config says.
pub fn at_most(plan: &mut Plan, tasks: u32) {
    plan.slurm.at_most = Some(tasks);
    for settings in plan.slurm.kind.values_mut() {
        settings.at_most = None;
    }
}

/// Submits what is not done of a plan, and waits for its end where asked to.
pub fn run(plan: &Plan, run: &Path, program: &Path, wait: bool) -> Result<ExitCode> {
    let this = std::env::current_exe().context("failed to find this program")?;
    let launch = Launch::new(program, vec![this.into(), "step".into()]);
    let mut display = Display::new(plan.steps.len(), run);
    if wait {
        let interrupt = Interrupt::listen().context("failed to listen for signals")?;
        let polling = Polling::default();
        let mut tell = |event: Event<'_>| display.tell(event);
        let outcome = sweep::slurm::run_until(plan, run, &launch, polling, interrupt.flag(), &mut tell)?;
        display.finish();
        let code = summary(&outcome, run);
        if interrupt.is_set() {
            say!("only the waiting has ended; the jobs go on");
            follow(run);
        }
        return Ok(code);
    }
    let submitted = sweep::slurm::submit(plan, run, &launch, &mut |event| display.tell(event))?;
    display.finish();
    let (steps, jobs, skipped) = (submitted.steps, submitted.jobs.len(), submitted.skipped);
    if jobs == 0 {
        say!("{}: all {skipped} steps were done before", plan.name);
    } else {
        say!("{}: {steps} steps in {jobs} jobs of Slurm, {skipped} were done before", plan.name);
        follow(run);
        say!("when they have ended, the same command submits what failed or was killed");
    }
    Ok(ExitCode::SUCCESS)
}

fn follow(run: &Path) {
    say!("follow with:    cargo xtask status {}", quoted(run));
    say!("take back with: cargo xtask cancel {}", quoted(run));
}
