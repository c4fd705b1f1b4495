//! The engine: one loop that starts what may run, watches it, and marks how it ended.

use crate::lock::SweepLock;
use crate::marks::{LOG_FILE, Marks, PLAN_FILE, SWEEP_FILE, SweepRecord, unix_s, write_json};
use crate::process::{Crew, POLL, end_orphans};
use crate::schedule::{End, Schedule};
use crate::{Interrupt, Plan, Step, SweepError, slurm};
use std::path::Path;
use std::process::ExitStatus;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::Instant;

/// What happens while a plan runs.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// A process of an earlier sweep that was killed still ran, and was ended.
    OrphanEnded {
        /// The step's id.
        id: &'a str,
    },
    /// The step was done before.
    Skipped {
        /// Which.
        step: &'a Step,
    },
    /// A job of a cluster has been submitted.
    Submitted {
        /// Its number there.
        job: &'a str,
        /// What its steps are, by their kind.
        kind: &'a str,
        /// How many tasks it has.
        tasks: usize,
    },
    /// A job that a cluster has taken without saying its number was found by its name.
    FoundByName {
        /// Its number.
        job: &'a str,
        /// Its name.
        name: &'a str,
        /// What the cluster said.
        said: &'a str,
    },
    /// Its process runs.
    Started {
        /// Which.
        step: &'a Step,
    },
    /// It ended well.
    Done {
        /// Which.
        step: &'a Step,
        /// How long it took.
        seconds: f64,
    },
    /// It ended badly and will be run again.
    Again {
        /// Which.
        step: &'a Step,
        /// Why it ended, several lines.
        error: &'a str,
        /// How many times it has run.
        runs: u32,
    },
    /// It ended badly for the last time.
    Failed {
        /// Which.
        step: &'a Step,
        /// Why, several lines.
        error: &'a str,
    },
    /// A step has failed for the last time, and these cannot run as they need it, directly or not.
    Blocked {
        /// The step that failed.
        by: &'a Step,
        /// The steps that wait for it, and for no other that failed before it.
        steps: &'a [&'a Step],
    },
    /// The sweep is being stopped; processes are asked to end.
    Stopping,
}

/// How a sweep ended. Ids stand in the order in which their steps ended.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Outcome {
    /// Steps that ran well.
    pub done: Vec<String>,
    /// Steps that were done before.
    pub skipped: Vec<String>,
    /// Steps that failed, with the error.
    pub failed: Vec<(String, String)>,
    /// Steps that could not run, with the step whose failure is the cause, be it a need of theirs or of their needs.
    pub blocked: Vec<(String, String)>,
    /// Whether it was stopped before its end.
    pub interrupted: bool,
    /// How long it took.
    pub seconds: f64,
}

impl Outcome {
    /// Whether every step of the plan is done.
    pub fn is_complete(&self) -> bool {
        self.failed.is_empty() && self.blocked.is_empty() && !self.interrupted
    }

    /// How many steps could not run because the one of this id failed.
    pub fn waiting_for(&self, failed: &str) -> usize {
        self.blocked.iter().filter(|(_, by)| by == failed).count()
    }

    /// Notes the steps that a failure keeps from running, and tells them once for each failure; each step and the one that
    /// failed by their places in the plan.
    pub(crate) fn block(&mut self, plan: &Plan, blocked: &[(usize, usize)], on_event: &mut dyn FnMut(Event<'_>)) {
        let mut causes: Vec<usize> = Vec::new();
        for &(i, failed) in blocked {
            self.blocked.push((plan.steps[i].id.clone(), plan.steps[failed].id.clone()));
            if !causes.contains(&failed) {
                causes.push(failed);
            }
        }
        for failed in causes {
            let steps: Vec<&Step> =
                blocked.iter().filter(|(_, by)| *by == failed).map(|&(i, _)| &plan.steps[i]).collect();
            on_event(Event::Blocked { by: &plan.steps[failed], steps: &steps });
        }
    }
}

/// Runs what is not done of `plan` in the folder `run_dir`: at most `jobs` processes of `program` at a time, in plan
/// order as they become ready. SIGINT, SIGTERM and SIGHUP end the processes and the sweep.
///
/// # Errors
/// Where the plan is no good, another sweep works in the folder, or the folder cannot be written. A step that fails
/// is part of the outcome and keeps only what needs it from running.
pub fn run(
    plan: &Plan,
    run_dir: &Path,
    program: &Path,
    jobs: usize,
    on_event: &mut dyn FnMut(Event<'_>),
) -> Result<Outcome, SweepError> {
    let interrupt = Interrupt::listen().map_err(SweepError::io("listen for signals in", run_dir))?;
    run_until(plan, run_dir, program, jobs, interrupt.flag(), on_event)
}

/// As [`run`], stopped by `stop` rather than by signals.
///
/// # Errors
/// Those of [`run`].
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
    slurm::forget(run_dir)?;
    let marks = Marks::new(run_dir);
    for id in end_orphans(&marks)? {
        on_event(Event::OrphanEnded { id: &id });
    }
    write_json(&run_dir.join(PLAN_FILE), plan)?;
    let mut record = SweepRecord { pid: std::process::id(), jobs, started_unix_s: unix_s(), finished_unix_s: None };
    write_json(&run_dir.join(SWEEP_FILE), &record)?;

    let mut sweep = Sweep::new(plan, marks, program, &plan.server, on_event)?;
    for i in 0..plan.steps.len() {
        sweep.skip_if_settled(i);
        if !sweep.schedule.is_settled(i) {
            // Why an earlier attempt failed is not why this one has not begun.
            sweep.marks.forget_error(&plan.steps[i].id)?;
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

/// How often a step has ended badly.
#[derive(Debug, Clone, Copy, Default)]
struct BadEnds {
    killed: u32,
    failed: u32,
}

/// Steps of a plan that this process runs: all of them, or those of one task of a cluster's job.
pub(crate) struct Sweep<'a> {
    plan: &'a Plan,
    marks: Marks,
    program: &'a Path,
    pub(crate) schedule: Schedule<'a>,
    crew: Crew,
    /// How often each step has ended badly.
    ends: Vec<BadEnds>,
    pub(crate) outcome: Outcome,
    on_event: &'a mut dyn FnMut(Event<'_>),
}

impl<'a> Sweep<'a> {
    /// A sweep of which no step has ended; `server` as in [`Plan::server`].
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
            crew: Crew::new(server),
            ends: vec![BadEnds::default(); plan.steps.len()],
            outcome: Outcome::default(),
            on_event,
        })
    }

    /// Skips a step that is done, whatever its needs do.
    pub(crate) fn skip_if_settled(&mut self, i: usize) {
        // A key holds the keys of what it needs: no need has to be looked at, or even to exist any more.
        if !self.schedule.is_collecting(i) && self.marks.is_done(&self.plan.steps[i]) {
            self.skip(i);
        }
    }

    /// Runs the steps that have not ended, at most `jobs` at a time, until all have or `stop` is set.
    pub(crate) fn work(&mut self, jobs: usize, stop: &AtomicBool) -> Result<(), SweepError> {
        loop {
            if stop.load(Ordering::Relaxed) {
                (self.on_event)(Event::Stopping);
                self.crew.end_all();
                self.outcome.interrupted = true;
                return Ok(());
            }
            self.settle_blocked();
            while self.crew.len() < jobs
                && let Some(i) = self.schedule.next_ready()
            {
                self.skip_or_start(i)?;
                self.settle_blocked();
            }
            if self.crew.len() == 0 {
                return Ok(());
            }
            let mut ended = self.crew.ended();
            while ended.is_empty() && !stop.load(Ordering::Relaxed) {
                sleep(POLL);
                ended = self.crew.ended();
            }
            for (i, status, seconds) in ended {
                self.finish(i, status, seconds);
            }
        }
    }

    fn skip(&mut self, i: usize) {
        let step = &self.plan.steps[i];
        self.schedule.settle(i, End::Skipped);
        self.outcome.skipped.push(step.id.clone());
        (self.on_event)(Event::Skipped { step });
    }

    fn settle_blocked(&mut self) {
        let blocked = self.schedule.settle_blocked();
        self.outcome.block(self.plan, &blocked, self.on_event);
    }

    fn skip_or_start(&mut self, i: usize) -> Result<(), SweepError> {
        let step = &self.plan.steps[i];
        // A need that ran in this sweep has taken the mark of a collecting step away.
        if self.schedule.is_collecting(i) && !step.always && self.marks.is_done(step) {
            self.skip(i);
            return Ok(());
        }
        self.marks.begin_anew(&step.id)?;
        for stale in self.schedule.made_stale_by(i) {
            self.marks.forget(&self.plan.steps[stale].id)?;
        }
        self.schedule.mark_started(i);
        let folder = self.marks.folder(&step.id);
        match self.crew.start(i, self.program, &step.command, &folder) {
            Ok(()) => (self.on_event)(Event::Started { step }),
            Err(e) => {
                self.crew.abandon(i);
                self.fail(i, chain(&e));
            }
        }
        Ok(())
    }

    fn finish(&mut self, i: usize, status: std::io::Result<ExitStatus>, seconds: f64) {
        let step = &self.plan.steps[i];
        // A process that nobody knows the end of counts as killed: it is, by us.
        let killed = status.as_ref().map_or(true, |status| status.code().is_none());
        let problem = match status {
            Err(e) => Some(format!("its process was lost: {e}")),
            Ok(status) if !status.success() => Some(self.with_log(i, &status.to_string())),
            Ok(_) => match self.marks.missing_output(step) {
                Some(output) => Some(self.with_log(i, &format!("ended well but left no '{output}'"))),
                None => self.marks.write_done(step, seconds).err().map(|e| chain(&e)),
            },
        };
        match problem {
            Some(error) => self.fail_or_try_again(i, error, killed),
            None => {
                self.schedule.settle(i, End::Done);
                self.outcome.done.push(step.id.clone());
                (self.on_event)(Event::Done { step, seconds });
            }
        }
    }

    fn fail_or_try_again(&mut self, i: usize, error: String, killed: bool) {
        let (ends, retries) = (&mut self.ends[i], self.plan.retries);
        let (count, most) =
            if killed { (&mut ends.killed, retries.killed) } else { (&mut ends.failed, retries.failed) };
        *count += 1;
        let again = *count <= most;
        let runs = ends.killed + ends.failed;
        if again {
            self.schedule.mark_waiting(i);
            (self.on_event)(Event::Again { step: &self.plan.steps[i], error: &error, runs });
        } else {
            let times = if runs > 1 { format!("ran {runs} times; the last time: ") } else { String::new() };
            self.fail(i, format!("{times}{error}"));
        }
    }

    fn fail(&mut self, i: usize, error: String) {
        let step = &self.plan.steps[i];
        // Where even this cannot be written, the outcome and the event still say it.
        let _ = self.marks.write_error(&step.id, &error);
        self.schedule.settle(i, End::Failed);
        (self.on_event)(Event::Failed { step, error: &error });
        self.outcome.failed.push((step.id.clone(), error));
    }

    fn with_log(&self, i: usize, what: &str) -> String {
        let id = &self.plan.steps[i].id;
        let tail = self.marks.log_tail(id);
        if tail.is_empty() {
            return format!("{what}; it printed nothing");
        }
        format!("{what}; the end of steps/{id}/{LOG_FILE}:\n{}", tail.join("\n"))
    }
}

pub(crate) fn chain(error: &SweepError) -> String {
    let mut text = error.to_string();
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}
