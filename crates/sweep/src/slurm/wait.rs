//! Submits a plan, waits for the end of its jobs and resubmits steps that were killed.

use super::outcome::{TaskOutcome, lost_error, task_outcome};
use super::queue::{TaskState, ended_by_itself};
use super::records::{self, JobsRecord};
use super::submit::{Launch, begin, submit_steps, to_run};
use crate::marks::Marks;
use crate::schedule::{Schedule, StepOutcome};
use crate::{Event, Outcome, Plan, SweepError};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How often Slurm is queried, and how long it may fail to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Polling {
    /// Time between two queries.
    pub interval: Duration,
    /// How long to wait for the records of a finished task to appear, and for Slurm to answer
    /// again.
    pub patience: Duration,
}

impl Default for Polling {
    fn default() -> Self {
        Polling {
            interval: Duration::from_secs(10),
            patience: Duration::from_secs(120),
        }
    }
}

/// Runs the steps of `plan` that are not done as Slurm jobs and waits for their end. Killed steps
/// are submitted again, at most `retries.killed` times; cancelled ones are not. `stop` ends only
/// the waiting: the jobs continue.
///
/// # Errors
/// As [`super::submit`]; a Slurm controller that stops answering.
pub fn run_until(
    plan: &Plan,
    run: &Path,
    launch: &Launch,
    polling: Polling,
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
        polling,
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
        let resubmit = wait.wait_for_jobs(&record, stop)?;
        if wait.outcome.interrupted || !resubmit {
            break;
        }
        // Submit again what is not done, except steps that failed and those that they block.
        runs = to_run(plan, run)?;
        let mut schedule = Schedule::new(plan)?;
        for i in 0..plan.steps.len() {
            if !runs.contains(&i) {
                schedule.settle(i, StepOutcome::Skipped);
            } else if wait.failed.contains_key(&i) {
                schedule.settle(i, StepOutcome::Failed);
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
    polling: Polling,
    /// Steps that failed in this sweep, with their errors.
    failed: BTreeMap<usize, String>,
    /// How often a step was killed.
    killed: BTreeMap<usize, u32>,
    outcome: Outcome,
    on_event: &'a mut dyn FnMut(Event<'_>),
}

impl Wait<'_> {
    /// Waits for the end of the jobs. Returns whether a step must be submitted again.
    fn wait_for_jobs(
        &mut self,
        record: &JobsRecord,
        stop: &AtomicBool,
    ) -> Result<bool, SweepError> {
        let index_of = self.plan.index_by_id();
        let mut open: Vec<(usize, String, u32)> = record
            .steps()
            .filter_map(|(id, (job, task))| Some((*index_of.get(id)?, job.to_string(), task)))
            .collect();
        let mut started: BTreeSet<usize> = BTreeSet::new();
        let mut ended: BTreeMap<usize, Instant> = BTreeMap::new();
        let (mut resubmit, mut answered) = (false, Instant::now());
        while !open.is_empty() {
            self.pause(stop);
            if stop.load(Ordering::Relaxed) {
                self.outcome.interrupted = true;
                return Ok(false);
            }
            let queue = match record.query_queue() {
                Ok(queue) => queue,
                // The controller may be busy or restarting.
                Err(SweepError::Slurm { .. }) if answered.elapsed() < self.polling.patience => {
                    continue;
                }
                Err(e) => return Err(e),
            };
            answered = Instant::now();
            let cancelled = records::is_cancelled(self.run);
            let mut accounts = None;
            let mut rest = Vec::new();
            for (i, job, task) in open {
                let state = match queue.task_state(&job, task) {
                    TaskState::Queued(_) => {
                        rest.push((i, job, task));
                        continue;
                    }
                    TaskState::Running(_) => {
                        if started.insert(i) {
                            (self.on_event)(Event::Started {
                                step: &self.plan.steps[i],
                            });
                        }
                        rest.push((i, job, task));
                        continue;
                    }
                    TaskState::Ended(state) => state,
                };
                match task_outcome(self.plan, &self.schedule, &self.marks, i) {
                    TaskOutcome::Done(seconds) => self.done(i, seconds),
                    TaskOutcome::Failed(error) => self.fail(i, error),
                    TaskOutcome::Blocked(_) => {}
                    TaskOutcome::Lost => {
                        let state = state.or_else(|| {
                            let accounts =
                                accounts.get_or_insert_with(|| record.query_accounting());
                            accounts.get(&(job.clone(), task)).cloned()
                        });
                        let since = *ended.entry(i).or_insert_with(Instant::now);
                        if ended_by_itself(state.as_deref())
                            && since.elapsed() < self.polling.patience
                        {
                            rest.push((i, job, task));
                            continue;
                        }
                        let by_user = cancelled || state.as_deref() == Some("CANCELLED");
                        resubmit |= self.lost(
                            i,
                            lost_error(self.run, &job, task, state.as_deref()),
                            by_user,
                        );
                    }
                }
            }
            open = rest;
        }
        if records::is_cancelled(self.run) {
            self.outcome.interrupted = true;
        }
        Ok(resubmit)
    }

    /// Sleeps until the next query, or until `stop` is set.
    fn pause(&self, stop: &AtomicBool) {
        let begin = Instant::now();
        while begin.elapsed() < self.polling.interval && !stop.load(Ordering::Relaxed) {
            sleep(Duration::from_millis(50).min(self.polling.interval));
        }
    }

    fn done(&mut self, i: usize, seconds: f64) {
        let step = &self.plan.steps[i];
        // A collecting step may run more than once.
        if !self.outcome.done.contains(&step.id) {
            self.outcome.done.push(step.id.clone());
        }
        (self.on_event)(Event::Done { step, seconds });
    }

    fn fail(&mut self, i: usize, error: String) {
        let step = &self.plan.steps[i];
        (self.on_event)(Event::Failed {
            step,
            error: &error,
        });
        self.failed.insert(i, error.clone());
        self.outcome.failed.push((step.id.clone(), error));
    }

    /// Handles a step that left no record. Returns whether it must be submitted again.
    fn lost(&mut self, i: usize, error: String, by_user: bool) -> bool {
        let killed = self.killed.entry(i).or_default();
        *killed += 1;
        let runs = *killed;
        if !by_user && runs <= self.plan.retries.killed {
            (self.on_event)(Event::Retrying {
                step: &self.plan.steps[i],
                error: &error,
                runs,
            });
            return true;
        }
        let attempts = if runs > 1 {
            format!("failed {runs} times; the last error: ")
        } else {
            String::new()
        };
        let error = format!("{attempts}{error}");
        // The same file as from the local engine. If it cannot be written, the outcome still holds
        // the error.
        let _ = self.marks.write_error(&self.plan.steps[i].id, &error);
        self.fail(i, error);
        false
    }

    /// The outcome, with the blocked steps.
    fn finish(mut self) -> Outcome {
        if self.outcome.interrupted {
            return self.outcome;
        }
        for i in 0..self.plan.steps.len() {
            if self.failed.contains_key(&i) {
                self.schedule.settle(i, StepOutcome::Failed);
            } else if self.marks.is_done(&self.plan.steps[i]) {
                self.schedule.settle(i, StepOutcome::Skipped);
            }
        }
        let blocked = self.schedule.settle_blocked();
        self.outcome.block(self.plan, &blocked, self.on_event);
        self.outcome
    }
}
