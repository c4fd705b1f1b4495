//! The local engine: one loop that starts the steps that are ready, polls their processes and
//! records how each ended.

use crate::lock::SweepLock;
use crate::marks::{LOG_FILE, Marks, PLAN_FILE, SWEEP_FILE, SweepRecord, unix_s, write_json};
use crate::process::{POLL, WorkerPool, end_orphans};
use crate::schedule::{Schedule, StepOutcome};
use crate::{Interrupt, Plan, Step, SweepError, slurm};
use run_record::error_chain;
use std::path::Path;
use std::process::ExitStatus;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::Instant;

/// What happens while a plan runs.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// A process left running by an earlier sweep, which was killed, has been terminated.
    OrphanEnded {
        /// The step's id.
        id: &'a str,
    },
    /// The step is done already.
    Skipped {
        /// The step.
        step: &'a Step,
    },
    /// A job was submitted to a cluster.
    Submitted {
        /// The job's number.
        job: &'a str,
        /// The kind of its steps.
        kind: &'a str,
        /// The number of its tasks.
        tasks: usize,
    },
    /// `sbatch` accepted a job without printing its number; the job was found by its name.
    FoundByName {
        /// The job's number.
        job: &'a str,
        /// The job's name.
        name: &'a str,
        /// What `sbatch` printed.
        output: &'a str,
    },
    /// The step's process was started.
    Started {
        /// The step.
        step: &'a Step,
    },
    /// The step succeeded.
    Done {
        /// The step.
        step: &'a Step,
        /// Seconds it took.
        seconds: f64,
    },
    /// The step failed or was killed, and will be retried.
    Retrying {
        /// The step.
        step: &'a Step,
        /// The error, several lines.
        error: &'a str,
        /// The number of attempts so far.
        runs: u32,
    },
    /// The step failed, and no retry is left.
    Failed {
        /// The step.
        step: &'a Step,
        /// The error, several lines.
        error: &'a str,
    },
    /// A step failed, and these cannot run because they need it, directly or indirectly.
    Blocked {
        /// The step that failed.
        by: &'a Step,
        /// The blocked steps, without those that an earlier failure blocks.
        steps: &'a [&'a Step],
    },
    /// The sweep is stopping; its processes are being terminated.
    Stopping,
}

/// How a sweep ended. Ids are in the order in which their steps ended.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Outcome {
    /// Steps that ran and succeeded.
    pub done: Vec<String>,
    /// Steps that were done already.
    pub skipped: Vec<String>,
    /// Steps that failed, each with its error.
    pub failed: Vec<(String, String)>,
    /// Steps that could not run, each with the failed step that it needs, directly or indirectly.
    pub blocked: Vec<(String, String)>,
    /// Whether it was stopped early.
    pub interrupted: bool,
    /// Seconds it took.
    pub seconds: f64,
}

impl Outcome {
    /// Whether every step of the plan is done.
    pub fn is_complete(&self) -> bool {
        self.failed.is_empty() && self.blocked.is_empty() && !self.interrupted
    }

    /// How many steps could not run because the step with this id failed.
    pub fn blocked_by(&self, failed: &str) -> usize {
        self.blocked.iter().filter(|(_, by)| by == failed).count()
    }

    /// Records blocked steps, each with the failed step behind it (as indices into the plan), and
    /// emits one event for each failure.
    pub(crate) fn block(
        &mut self,
        plan: &Plan,
        blocked: &[(usize, usize)],
        on_event: &mut dyn FnMut(Event<'_>),
    ) {
        let mut causes: Vec<usize> = Vec::new();
        for &(i, failed) in blocked {
            self.blocked
                .push((plan.steps[i].id.clone(), plan.steps[failed].id.clone()));
            if !causes.contains(&failed) {
                causes.push(failed);
            }
        }
        for failed in causes {
            let steps: Vec<&Step> = blocked
                .iter()
                .filter(|(_, by)| *by == failed)
                .map(|&(i, _)| &plan.steps[i])
                .collect();
            on_event(Event::Blocked {
                by: &plan.steps[failed],
                steps: &steps,
            });
        }
    }
}

/// Runs the steps of `plan` that are not done in the folder `run_dir`: at most `jobs` processes of
/// `program` at a time. Of the ready steps the one with the longest critical path starts first,
/// then plan order decides. SIGINT, SIGTERM and SIGHUP stop the sweep and terminate its processes.
///
/// # Errors
/// An invalid plan; another sweep that is running in the folder; a folder that cannot be written. A
/// failed step is part of the outcome and blocks only the steps that need it.
pub fn run(
    plan: &Plan,
    run_dir: &Path,
    program: &Path,
    jobs: usize,
    on_event: &mut dyn FnMut(Event<'_>),
) -> Result<Outcome, SweepError> {
    let interrupt =
        Interrupt::listen().map_err(SweepError::io("listen for signals in", run_dir))?;
    run_until(plan, run_dir, program, jobs, interrupt.flag(), on_event)
}

/// Like [`run`], but stopped by the flag `stop` instead of signals.
///
/// # Errors
/// As [`run`].
pub fn run_until(
    plan: &Plan,
    run_dir: &Path,
    program: &Path,
    jobs: usize,
    stop: &AtomicBool,
    on_event: &mut dyn FnMut(Event<'_>),
) -> Result<Outcome, SweepError> {
    let begin = Instant::now();
    plan.check()?;
    let jobs = jobs.max(1);
    let lock = SweepLock::take(run_dir)?;
    slurm::check_ended(run_dir)?;
    slurm::clear_jobs(run_dir)?;
    let marks = Marks::new(run_dir);
    for id in end_orphans(&marks)? {
        on_event(Event::OrphanEnded { id: &id });
    }
    write_json(&run_dir.join(PLAN_FILE), plan)?;
    let mut record = SweepRecord {
        pid: std::process::id(),
        jobs,
        started_unix_s: unix_s(),
        finished_unix_s: None,
    };
    write_json(&run_dir.join(SWEEP_FILE), &record)?;

    let mut sweep = Sweep::new(plan, marks, program, &plan.server, on_event)?;
    for i in 0..plan.steps.len() {
        sweep.skip_if_done(i);
        if !sweep.schedule.is_settled(i) {
            // The error of an earlier attempt must not be reported for a step that has yet to
            // start.
            sweep.marks.clear_error(&plan.steps[i].id)?;
        }
    }
    sweep.work(jobs, stop)?;
    let mut outcome = sweep.outcome;
    outcome.seconds = begin.elapsed().as_secs_f64();
    record.finished_unix_s = Some(unix_s());
    write_json(&run_dir.join(SWEEP_FILE), &record)?;
    drop(lock);
    Ok(outcome)
}

/// How often a step was killed and how often it failed by itself.
#[derive(Debug, Clone, Copy, Default)]
struct FailureCounts {
    killed: u32,
    failed: u32,
}

/// The steps of a plan that this process runs: all of them, or those of one task of a job array.
pub(crate) struct Sweep<'a> {
    plan: &'a Plan,
    marks: Marks,
    program: &'a Path,
    pub(crate) schedule: Schedule<'a>,
    pool: WorkerPool,
    /// Failed attempts of each step.
    failures: Vec<FailureCounts>,
    pub(crate) outcome: Outcome,
    on_event: &'a mut dyn FnMut(Event<'_>),
}

impl<'a> Sweep<'a> {
    /// A sweep in which no step has ended yet; `server` as in [`Plan::server`].
    pub(crate) fn new(
        plan: &'a Plan,
        marks: Marks,
        program: &'a Path,
        server: &[String],
        on_event: &'a mut dyn FnMut(Event<'_>),
    ) -> Result<Self, SweepError> {
        Ok(Sweep {
            plan,
            marks,
            program,
            schedule: Schedule::new(plan)?,
            pool: WorkerPool::new(server),
            failures: vec![FailureCounts::default(); plan.steps.len()],
            outcome: Outcome::default(),
            on_event,
        })
    }

    /// Skips a step that is done, whatever the state of its needs.
    pub(crate) fn skip_if_done(&mut self, i: usize) {
        // A step's key covers the keys of its needs, so the needs are not checked and need not even
        // exist any more.
        if !self.schedule.is_collecting(i) && self.marks.is_done(&self.plan.steps[i]) {
            self.skip(i);
        }
    }

    /// Runs all remaining steps, at most `jobs` at a time, until all have ended or `stop` is set.
    pub(crate) fn work(&mut self, jobs: usize, stop: &AtomicBool) -> Result<(), SweepError> {
        loop {
            if stop.load(Ordering::Relaxed) {
                (self.on_event)(Event::Stopping);
                self.pool.terminate_all();
                self.outcome.interrupted = true;
                return Ok(());
            }
            self.settle_blocked();
            while self.pool.len() < jobs
                && let Some(i) = self.schedule.next_ready()
            {
                self.skip_or_start(i)?;
                self.settle_blocked();
            }
            if self.pool.len() == 0 {
                return Ok(());
            }
            let mut ended = self.pool.poll();
            while ended.is_empty() && !stop.load(Ordering::Relaxed) {
                sleep(POLL);
                ended = self.pool.poll();
            }
            for (i, status, seconds) in ended {
                self.finish(i, status, seconds);
            }
        }
    }

    fn skip(&mut self, i: usize) {
        let step = &self.plan.steps[i];
        self.schedule.settle(i, StepOutcome::Skipped);
        self.outcome.skipped.push(step.id.clone());
        (self.on_event)(Event::Skipped { step });
    }

    fn settle_blocked(&mut self) {
        let blocked = self.schedule.settle_blocked();
        self.outcome.block(self.plan, &blocked, self.on_event);
    }

    fn skip_or_start(&mut self, i: usize) -> Result<(), SweepError> {
        let step = &self.plan.steps[i];
        // If one of its needs ran in this sweep, a collecting step's record has been removed.
        if self.schedule.is_collecting(i) && self.marks.is_done(step) {
            self.skip(i);
            return Ok(());
        }
        self.marks.reset(&step.id)?;
        for stale in self.schedule.invalidated_by(i) {
            self.marks.clear_done(&self.plan.steps[stale].id)?;
        }
        self.schedule.mark_started(i);
        let folder = self.marks.folder(&step.id);
        match self.pool.start(i, self.program, &step.command, &folder) {
            Ok(()) => (self.on_event)(Event::Started { step }),
            Err(e) => {
                self.pool.kill(i);
                self.fail(i, error_chain(&e));
            }
        }
        Ok(())
    }

    fn finish(&mut self, i: usize, status: std::io::Result<ExitStatus>, seconds: f64) {
        let step = &self.plan.steps[i];
        // A process whose exit status is unknown counts as killed: the pool kills it.
        let killed = status
            .as_ref()
            .map_or(true, |status| status.code().is_none());
        let problem = match status {
            Err(e) => Some(format!("lost its process: {e}")),
            Ok(status) if !status.success() => Some(self.with_log(i, &status.to_string())),
            Ok(_) => match self.marks.missing_output(step) {
                Some(output) => Some(self.with_log(
                    i,
                    &format!("exited with success but did not write '{output}'"),
                )),
                None => self
                    .marks
                    .write_done(step, seconds)
                    .err()
                    .map(|e| error_chain(&e)),
            },
        };
        match problem {
            Some(error) => self.retry_or_fail(i, error, killed),
            None => {
                self.schedule.settle(i, StepOutcome::Done);
                self.outcome.done.push(step.id.clone());
                (self.on_event)(Event::Done { step, seconds });
            }
        }
    }

    fn retry_or_fail(&mut self, i: usize, error: String, killed: bool) {
        let (failures, retries) = (&mut self.failures[i], self.plan.retries);
        let (count, limit) = if killed {
            (&mut failures.killed, retries.killed)
        } else {
            (&mut failures.failed, retries.failed)
        };
        *count += 1;
        let retry = *count <= limit;
        let runs = failures.killed + failures.failed;
        if retry {
            self.schedule.mark_waiting(i);
            (self.on_event)(Event::Retrying {
                step: &self.plan.steps[i],
                error: &error,
                runs,
            });
        } else {
            let attempts = if runs > 1 {
                format!("failed {runs} times; the last error: ")
            } else {
                String::new()
            };
            self.fail(i, format!("{attempts}{error}"));
        }
    }

    fn fail(&mut self, i: usize, error: String) {
        let step = &self.plan.steps[i];
        // If even this cannot be written, the outcome and the event still hold the error.
        let _ = self.marks.write_error(&step.id, &error);
        self.schedule.settle(i, StepOutcome::Failed);
        (self.on_event)(Event::Failed {
            step,
            error: &error,
        });
        self.outcome.failed.push((step.id.clone(), error));
    }

    fn with_log(&self, i: usize, what: &str) -> String {
        let id = &self.plan.steps[i].id;
        let tail = self.marks.log_tail(id);
        if tail.is_empty() {
            return format!("{what}; its log is empty");
        }
        format!(
            "{what}; the last lines of steps/{id}/{LOG_FILE}:\n{}",
            tail.join("\n")
        )
    }
}
