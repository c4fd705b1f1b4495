//! Submitting and waiting for the end, with steps that were killed submitted again.

use super::fate::{Fate, fate, lost};
use super::queue::{Stand, ended_by_itself};
use super::records::{self, JobsRecord};
use super::submit::{Launch, begin, submit_steps, to_run};
use crate::marks::Marks;
use crate::schedule::{End, Schedule};
use crate::{Event, Outcome, Plan, SweepError};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How often Slurm is asked, and for how long it may fail to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Time between two looks.
    pub look: Duration,
    /// How long the marks of a step whose task has ended may fail to show, and Slurm to answer.
    pub patience: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Pace { look: Duration::from_secs(10), patience: Duration::from_secs(120) }
    }
}

/// Runs what is not done of `plan` as jobs of Slurm and waits for their end. Steps that Slurm killed are submitted again as
/// often as the plan's `retries.killed` says, those that somebody cancelled are not. `stop` ends the waiting; the jobs go on.
///
/// # Errors
/// Those of [`super::submit`]; Slurm that answers no more.
pub fn run_until(
    plan: &Plan,
    run: &Path,
    launch: &Launch,
    pace: Pace,
    stop: &AtomicBool,
    on_event: &mut dyn FnMut(Event<'_>),
) -> Result<Outcome, SweepError> {
    let clock = Instant::now();
    let _lock = begin(plan, run)?;
    let mut wait = Wait {
        plan,
        run,
        schedule: Schedule::new(plan)?,
        marks: Marks::new(run),
        pace,
        failed: BTreeMap::new(),
        killed: BTreeMap::new(),
        outcome: Outcome::default(),
        on_event,
    };
    let mut runs = to_run(plan, run)?;
    for (i, step) in plan.steps.iter().enumerate() {
        if !runs.contains(&i) {
            wait.outcome.skipped.push(step.id.clone());
            (wait.on_event)(Event::Skipped { step });
        }
    }
    while !runs.is_empty() {
        let record = submit_steps(plan, run, launch, &runs, wait.on_event)?;
        let again = wait.round(&record, stop)?;
        if wait.outcome.interrupted || !again {
            break;
        }
        // Of what is not done: neither what failed for good, nor what that keeps from running.
        runs = to_run(plan, run)?;
        let mut schedule = Schedule::new(plan)?;
        for i in 0..plan.steps.len() {
            if !runs.contains(&i) {
                schedule.settle(i, End::Skipped);
            } else if wait.failed.contains_key(&i) {
                schedule.settle(i, End::Failed);
                runs.remove(&i);
            }
        }
        for (i, _) in schedule.settle_blocked() {
            runs.remove(&i);
        }
    }
    let mut outcome = wait.finish();
    outcome.seconds = clock.elapsed().as_secs_f64();
    Ok(outcome)
}

struct Wait<'a> {
    plan: &'a Plan,
    run: &'a Path,
    schedule: Schedule<'a>,
    marks: Marks,
    pace: Pace,
    /// What failed for good in this sweep, and why.
    failed: BTreeMap<usize, String>,
    /// How often a step was killed.
    killed: BTreeMap<usize, u32>,
    outcome: Outcome,
    on_event: &'a mut dyn FnMut(Event<'_>),
}

impl Wait<'_> {
    /// Waits for the end of the jobs; whether a step is to be submitted again.
    fn round(&mut self, record: &JobsRecord, stop: &AtomicBool) -> Result<bool, SweepError> {
        let places = self.plan.places();
        let mut open: Vec<(usize, String, u32)> =
            record.steps().filter_map(|(id, (job, task))| Some((*places.get(id)?, job.to_string(), task))).collect();
        let mut started: BTreeSet<usize> = BTreeSet::new();
        let mut ended: BTreeMap<usize, Instant> = BTreeMap::new();
        let (mut again, mut answered) = (false, Instant::now());
        while !open.is_empty() {
            self.pause(stop);
            if stop.load(Ordering::Relaxed) {
                self.outcome.interrupted = true;
                return Ok(false);
            }
            let look = match record.look() {
                Ok(look) => look,
                // A controller that is busy or starts anew.
                Err(SweepError::Slurm { .. }) if answered.elapsed() < self.pace.patience => continue,
                Err(e) => return Err(e),
            };
            answered = Instant::now();
            let cancelled = records::is_cancelled(self.run);
            let mut accounts = None;
            let mut rest = Vec::new();
            for (i, job, task) in open {
                let state = match look.stand(&job, task) {
                    Stand::Queued(_) => {
                        rest.push((i, job, task));
                        continue;
                    }
                    Stand::Running(_) => {
                        if started.insert(i) {
                            (self.on_event)(Event::Started { step: &self.plan.steps[i] });
                        }
                        rest.push((i, job, task));
                        continue;
                    }
                    Stand::Ended(state) => state,
                };
                match fate(self.plan, &self.schedule, &self.marks, i) {
                    Fate::Done(seconds) => self.done(i, seconds),
                    Fate::Failed(error) => self.fail(i, error),
                    Fate::Blocked(_) => {}
                    Fate::Lost => {
                        let state = state.or_else(|| {
                            let accounts = accounts.get_or_insert_with(|| record.accounted());
                            accounts.get(&(job.clone(), task)).cloned()
                        });
                        let since = *ended.entry(i).or_insert_with(Instant::now);
                        if ended_by_itself(state.as_deref()) && since.elapsed() < self.pace.patience {
                            rest.push((i, job, task));
                            continue;
                        }
                        let by_somebody = cancelled || state.as_deref() == Some("CANCELLED");
                        again |= self.lost(i, lost(self.run, &job, task, state.as_deref()), by_somebody);
                    }
                }
            }
            open = rest;
        }
        if records::is_cancelled(self.run) {
            self.outcome.interrupted = true;
        }
        Ok(again)
    }

    /// Sleeps until the next look, or until the waiting is to end.
    fn pause(&self, stop: &AtomicBool) {
        let begin = Instant::now();
        while begin.elapsed() < self.pace.look && !stop.load(Ordering::Relaxed) {
            sleep(Duration::from_millis(50).min(self.pace.look));
        }
    }

    fn done(&mut self, i: usize, seconds: f64) {
        let step = &self.plan.steps[i];
        // What collects runs again where what it collects did.
        if !self.outcome.done.contains(&step.id) {
            self.outcome.done.push(step.id.clone());
        }
        (self.on_event)(Event::Done { step, seconds });
    }

    fn fail(&mut self, i: usize, error: String) {
        let step = &self.plan.steps[i];
        (self.on_event)(Event::Failed { step, error: &error });
        self.failed.insert(i, error.clone());
        self.outcome.failed.push((step.id.clone(), error));
    }

    /// Whether the step is to be submitted again.
    fn lost(&mut self, i: usize, error: String, by_somebody: bool) -> bool {
        let killed = self.killed.entry(i).or_default();
        *killed += 1;
        let runs = *killed;
        if !by_somebody && runs <= self.plan.retries.killed {
            (self.on_event)(Event::Again { step: &self.plan.steps[i], error: &error, runs });
            return true;
        }
        let times = if runs > 1 { format!("ran {runs} times; the last time: ") } else { String::new() };
        let error = format!("{times}{error}");
        // As the local engine leaves it; the outcome says it even where this cannot be written.
        let _ = self.marks.write_error(&self.plan.steps[i].id, &error);
        self.fail(i, error);
        false
    }

    /// The outcome, with what could not run.
    fn finish(mut self) -> Outcome {
        if self.outcome.interrupted {
            return self.outcome;
        }
        for i in 0..self.plan.steps.len() {
            if self.failed.contains_key(&i) {
                self.schedule.settle(i, End::Failed);
            } else if self.marks.is_done(&self.plan.steps[i]) {
                self.schedule.settle(i, End::Skipped);
            }
        }
        let blocked = self.schedule.settle_blocked();
        self.outcome.block(self.plan, &blocked, self.on_event);
        self.outcome
    }
}
