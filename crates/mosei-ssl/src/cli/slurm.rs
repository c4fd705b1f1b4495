//! A study over a cluster: what `mosei-ssl sweep --engine slurm` submits and waits for.
//!
//! What does not live here: the dialogue with Slurm (the crate `sweep`).

use super::outcome::{program, quoted, summary};
use super::sweep::Display;
use anyhow::{Context, Result};
use std::path::Path;
use sweep::slurm::{Launch, Polling};
use sweep::{Event, Interrupt, Plan};

/// Lets at most so many tasks of each array run at a time, whatever the configuration says.
pub(crate) fn at_most(plan: &mut Plan, tasks: u32) {
    plan.slurm.at_most = Some(tasks);
    for settings in plan.slurm.kind.values_mut() {
        settings.at_most = None;
    }
}

/// Submits what is not done of a plan, and waits for its end where asked to.
pub(crate) fn run(plan: &Plan, run: &Path, this: &Path, wait: bool) -> Result<u8> {
    let launch = Launch::new(this, vec![this.into(), "step".into()]);
    let mut display = Display::new(plan.steps.len(), run);
    if wait {
        let interrupt = Interrupt::listen().context("failed to listen for signals")?;
        let polling = Polling::default();
        let mut show = |event: Event<'_>| display.show(event);
        let outcome =
            sweep::slurm::run_until(plan, run, &launch, polling, interrupt.flag(), &mut show)?;
        display.finish();
        let code = summary(&outcome, run);
        if interrupt.is_set() {
            say!("only the waiting has ended; the jobs go on");
            follow(run);
        }
        return Ok(code);
    }
    let submitted = sweep::slurm::submit(plan, run, &launch, &mut |event| display.show(event))?;
    display.finish();
    let (steps, jobs, skipped) = (submitted.steps, submitted.jobs.len(), submitted.skipped);
    if jobs == 0 {
        say!("{}: all {skipped} steps were done before", plan.name);
    } else {
        say!(
            "{}: {steps} steps in {jobs} jobs of Slurm, {skipped} were done before",
            plan.name
        );
        follow(run);
        say!("when they have ended, the same command submits what failed or was killed");
    }
    Ok(0)
}

fn follow(run: &Path) {
    say!("follow with:    {} status {}", program(), quoted(run));
    say!("cancel with:    {} cancel {}", program(), quoted(run));
}
