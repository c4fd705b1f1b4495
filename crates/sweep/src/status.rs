//! Where a sweep stands, read from the run folder alone: while it runs elsewhere, after it ended, after it was killed.

use crate::engine::chain;
use crate::forecast::{Forecast, Timed, lay_out};
use crate::lock::SweepLock;
use crate::marks::{Marks, SWEEP_FILE, SweepRecord, read_json, read_plan, unix_s};
use crate::process::{self, RunningRecord};
use crate::schedule::{End, Schedule};
use crate::slurm::{self, Fate, JobsRecord, Look, Stand};
use crate::{Plan, SweepError};
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::path::Path;

/// Where a sweep stands.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Status {
    /// The plan's name.
    pub name: String,
    /// Counts, kinds in the order in which they first stand in the plan.
    pub kinds: Vec<KindCounts>,
    /// What failed, in plan order.
    pub failures: Vec<Failure>,
    /// What runs now, in plan order.
    pub running: Vec<Running>,
    /// Whether a sweep works in the folder now.
    pub alive: bool,
    /// Process id of the last sweep, where it is known.
    pub pid: Option<u32>,
    /// How many processes the last sweep runs at a time.
    pub jobs: usize,
    /// Seconds since the last sweep began, up to its end where it has ended; none for one that was killed.
    pub elapsed_s: Option<f64>,
    /// What Slurm has of the folder's jobs, where its last sweep was submitted there.
    pub slurm: Option<SlurmStatus>,
    /// How long what is left takes, by the times of each kind; none while no sweep works here, where nothing is left that can
    /// run, and where nothing is known of what is left.
    pub left: Option<Forecast>,
}

/// What Slurm has of the jobs of a folder.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SlurmStatus {
    /// The cluster.
    pub cluster: String,
    /// Jobs that have not ended; all of them where Slurm cannot be asked.
    pub jobs: Vec<String>,
    /// Why Slurm cannot be asked; the marks in the folder are then all there is to see.
    pub problem: Option<String>,
    /// Why steps wait in the queue, in Slurm's words, and how many each.
    pub waiting: BTreeMap<String, usize>,
}

/// How many steps of a kind stand how.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KindCounts {
    /// The kind.
    pub kind: String,
    /// Done for the key of the plan.
    pub done: usize,
    /// Running now.
    pub running: usize,
    /// Waiting in the queue of a cluster.
    pub queued: usize,
    /// Failed at the last attempt, or killed by a cluster.
    pub failed: usize,
    /// Waiting for a step that failed, be it a need of theirs or of their needs.
    pub blocked: usize,
    /// All others.
    pub pending: usize,
}

impl KindCounts {
    /// All steps of the kind.
    pub fn all(&self) -> usize {
        self.done + self.running + self.queued + self.failed + self.blocked + self.pending
    }
}

/// A step that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Which.
    pub id: String,
    /// Why, several lines.
    pub error: String,
    /// The logs that there are, relative to the run folder.
    pub logs: Vec<String>,
    /// How many steps cannot run because of it; each counts once, for the first of the failures before it.
    pub waiting: usize,
}

/// A step that runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Running {
    /// Which.
    pub id: String,
    /// For how long.
    pub seconds: f64,
    /// The cluster's node, job and task, where it runs on one.
    pub place: Option<String>,
}

/// Reads where the last sweep in `run_dir` stands, from the folder, and where jobs were submitted for it, from Slurm. Takes no
/// lock for longer than an instant, and writes nothing.
///
/// # Errors
/// Where no sweep has run in the folder, or its plan cannot be read.
pub fn status(run_dir: &Path) -> Result<Status, SweepError> {
    let plan = read_plan(run_dir)?;
    let marks = Marks::new(run_dir);
    let sweep: Option<SweepRecord> = read_json(&run_dir.join(SWEEP_FILE));
    let queue = Queue::ask(run_dir)?;
    let mut status =
        Status { name: plan.name.clone(), alive: SweepLock::is_held(run_dir), jobs: 1, ..Status::default() };
    if let Some(sweep) = &sweep {
        status.pid = Some(sweep.pid);
        status.jobs = sweep.jobs.max(1);
        let end = sweep.finished_unix_s.or(status.alive.then(unix_s));
        status.elapsed_s = end.map(|end| (end - sweep.started_unix_s).max(0.0));
    }
    if let Some(queue) = &queue {
        let slurm = queue.status();
        status.alive |= slurm.problem.is_none() && !slurm.jobs.is_empty();
        status.elapsed_s = status.alive.then(|| (unix_s() - queue.record.submitted_unix_s).max(0.0));
        status.slurm = Some(slurm);
    }
    let mut schedule = Schedule::new(&plan)?;
    let stands: Vec<StepStand> =
        (0..plan.steps.len()).map(|i| stand(&plan, &schedule, &marks, queue.as_ref(), i)).collect();
    let mut timed = Timed::new(&plan);
    let mut running = Vec::new();
    for (i, stand) in stands.into_iter().enumerate() {
        let step = &plan.steps[i];
        let place = status.place(&step.kind);
        let counts = &mut status.kinds[place];
        match stand {
            StepStand::Running(seconds, place) => {
                counts.running += 1;
                running.push((i, seconds));
                status.running.push(Running { id: step.id.clone(), seconds, place });
            }
            StepStand::Queued(reason) => {
                counts.queued += 1;
                *status.slurm.get_or_insert_default().waiting.entry(reason).or_default() += 1;
            }
            StepStand::Done(seconds) => {
                counts.done += 1;
                timed.add(step, seconds);
                schedule.settle(i, End::Skipped);
            }
            StepStand::Failed(failure) => {
                counts.failed += 1;
                status.failures.push(failure);
                schedule.settle(i, End::Failed);
            }
            StepStand::Pending => counts.pending += 1,
        }
    }
    running.iter().for_each(|&(i, _)| schedule.mark_started(i));
    for (i, failed) in schedule.settle_blocked() {
        let place = status.place(&plan.steps[i].kind);
        let counts = &mut status.kinds[place];
        // What still is in a cluster's queue will be taken from it, and end there.
        if queue.as_ref().and_then(|queue| queue.stand(&plan.steps[i].id)).is_none_or(|stand| !stand.is_live()) {
            counts.pending -= 1;
            counts.blocked += 1;
        }
        if let Some(failure) = status.failures.iter_mut().find(|f| f.id == plan.steps[failed].id) {
            failure.waiting += 1;
        }
    }
    let at_a_time = if status.slurm.is_some() { running.len().max(1) } else { status.jobs };
    let left = || lay_out(&plan, schedule, &timed, &running, at_a_time).filter(|left| left.steps > 0);
    status.left = if status.alive { left() } else { None };
    Ok(status)
}

impl Status {
    /// The place of a kind's counts, which are made where there are none.
    fn place(&mut self, kind: &str) -> usize {
        self.kinds.iter().position(|k| k.kind == kind).unwrap_or_else(|| {
            self.kinds.push(KindCounts { kind: kind.to_string(), ..KindCounts::default() });
            self.kinds.len() - 1
        })
    }
}

/// How one step stands.
enum StepStand {
    /// It runs, for so many seconds, and on a cluster there.
    Running(f64, Option<String>),
    /// It waits in a cluster's queue, for this reason.
    Queued(String),
    /// It is done, and took so many seconds.
    Done(f64),
    Failed(Failure),
    Pending,
}

/// How step `i` stands, by its marks and by Slurm.
fn stand(plan: &Plan, schedule: &Schedule<'_>, marks: &Marks, queue: Option<&Queue>, i: usize) -> StepStand {
    let step = &plan.steps[i];
    let task = queue.and_then(|queue| queue.task(&step.id));
    let stand = queue.and_then(|queue| queue.stand(&step.id));
    let running = process::running(&marks.folder(&step.id));
    if let (Some(_), _) | (_, Some(Stand::Running(_))) = (&running, &stand) {
        let record: Option<RunningRecord> = running.flatten();
        let seconds = record.map_or(0.0, |r| (unix_s() - r.started_unix_s).max(0.0));
        let place = match (&stand, task) {
            (Some(Stand::Running(node)), Some((job, task))) => Some(format!("{node}, job {job}_{task}")),
            _ => None,
        };
        return StepStand::Running(seconds, place);
    }
    if let Some(Stand::Queued(reason)) = stand {
        return StepStand::Queued(reason);
    }
    let error = match slurm::fate(plan, schedule, marks, i) {
        Fate::Done(seconds) => return StepStand::Done(seconds),
        Fate::Failed(error) => Some(error),
        Fate::Lost => queue.and_then(|queue| queue.lost(&marks.run, &step.id)),
        Fate::Blocked(_) => None,
    };
    error.map_or(StepStand::Pending, |error| {
        let logs = slurm::logs(&marks.run, step, task);
        StepStand::Failed(Failure { id: step.id.clone(), error, logs, waiting: 0 })
    })
}

/// The jobs of a folder and what Slurm says of them.
struct Queue {
    record: JobsRecord,
    look: Result<Look, SweepError>,
    accounts: OnceCell<BTreeMap<(String, u32), String>>,
    tasks: BTreeMap<String, (String, u32)>,
}

impl Queue {
    fn ask(run: &Path) -> Result<Option<Self>, SweepError> {
        let Some(record) = JobsRecord::read(run)? else { return Ok(None) };
        // Where Slurm cannot be asked, the look below says so.
        let record = record.clone().with_asked().unwrap_or(record);
        let tasks = record.steps().map(|(id, (job, task))| (id.to_string(), (job.to_string(), task))).collect();
        Ok(Some(Queue { look: record.look(), record, accounts: OnceCell::new(), tasks }))
    }

    fn status(&self) -> SlurmStatus {
        let (jobs, problem) = match &self.look {
            Ok(look) => (look.live_jobs(&self.record), None),
            Err(e) => (self.record.ids(), Some(chain(e))),
        };
        SlurmStatus { cluster: self.record.cluster.clone(), jobs, problem, waiting: BTreeMap::new() }
    }

    /// The job and task of a step.
    fn task(&self, id: &str) -> Option<(&str, u32)> {
        self.tasks.get(id).map(|(job, task)| (job.as_str(), *task))
    }

    fn stand(&self, id: &str) -> Option<Stand> {
        let (job, task) = self.task(id)?;
        Some(self.look.as_ref().ok()?.stand(job, task))
    }

    /// Why a step has ended without a mark; none for one that has not been submitted, or of which Slurm cannot be asked.
    fn lost(&self, run: &Path, id: &str) -> Option<String> {
        let (job, task) = self.task(id)?;
        let Stand::Ended(state) = self.stand(id)? else { return None };
        let accounts = || self.accounts.get_or_init(|| self.record.accounted());
        let state = state.or_else(|| accounts().get(&(job.to_string(), task)).cloned());
        Some(slurm::lost(run, job, task, state.as_deref()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Step;
    use crate::marks::{PLAN_FILE, write_json};

    fn step(id: &str, needs: &[&str]) -> Step {
        Step {
            id: id.into(),
            key: "k".into(),
            needs: needs.iter().map(|s| s.to_string()).collect(),
            kind: id.split('-').next().unwrap().into(),
            ..Step::default()
        }
    }

    /// Two trainings with four cells each, in a folder in which a sweep of two at a time works.
    fn working(run: &Path) -> (Plan, SweepLock) {
        let mut steps = vec![step("prepare", &[])];
        for train in ["train-a", "train-b"] {
            steps.push(step(train, &["prepare"]));
            steps.extend((0..4).map(|i| step(&format!("cell-{train}{i}"), &[train])));
        }
        let plan = Plan { name: "p".into(), steps, ..Plan::default() };
        let lock = SweepLock::take(run).unwrap();
        write_json(&run.join(PLAN_FILE), &plan).unwrap();
        let record = SweepRecord { pid: 1, jobs: 2, started_unix_s: unix_s() - 60.0, finished_unix_s: None };
        write_json(&run.join(SWEEP_FILE), &record).unwrap();
        (plan, lock)
    }

    fn mark(plan: &Plan, run: &Path, done: &[(&str, f64)]) {
        for (id, seconds) in done {
            let step = plan.steps.iter().find(|s| s.id == *id).unwrap();
            Marks::new(run).write_done(step, *seconds).unwrap();
        }
    }

    #[test]
    fn time_left_follows_the_kinds_and_the_jobs() {
        let dir = tempfile::tempdir().unwrap();
        let d = dir.path();
        let (plan, lock) = working(d);
        assert_eq!(status(d).unwrap().left, None);
        mark(&plan, d, &[("prepare", 1.0), ("train-a", 300.0), ("train-b", 100.0)]);
        // Trainings take 200 s; that says nothing of the eight cells, and nothing else is left.
        assert_eq!(status(d).unwrap().left, None);
        mark(&plan, d, &[("cell-train-a0", 2.0), ("cell-train-a1", 4.0)]);
        let left = status(d).unwrap().left.unwrap();
        assert_eq!((left.seconds, left.steps, left.untimed.len()), (3.0 * 3.0, 6, 0));
        drop(lock);
        assert_eq!(status(d).unwrap().left, None, "nothing is foretold of a sweep that has ended");
    }

    #[test]
    fn a_failure_is_told_once_with_what_waits_for_it() {
        let dir = tempfile::tempdir().unwrap();
        let d = dir.path();
        let (plan, _lock) = working(d);
        mark(&plan, d, &[("prepare", 1.0), ("train-a", 9.0)]);
        Marks::new(d).write_error("train-b", "out of luck").unwrap();
        let seen = status(d).unwrap();
        assert_eq!(seen.failures.len(), 1);
        assert_eq!((seen.failures[0].id.as_str(), seen.failures[0].waiting), ("train-b", 4));
        let cells = seen.kinds.iter().find(|k| k.kind == "cell").unwrap();
        assert_eq!((cells.pending, cells.blocked, cells.all()), (4, 4, 8));
        mark(&plan, d, &[("cell-train-a0", 2.0)]);
        assert_eq!(status(d).unwrap().left.unwrap().seconds, 4.0, "three cells, two at a time");
    }

    #[test]
    fn no_time_is_foretold_for_a_study_that_cannot_begin() {
        let dir = tempfile::tempdir().unwrap();
        let d = dir.path();
        let (plan, _lock) = working(d);
        mark(&plan, d, &[("cell-train-a0", 2.0)]);
        assert!(status(d).unwrap().left.is_some());
        Marks::new(d).write_error("prepare", "no such file").unwrap();
        let seen = status(d).unwrap();
        assert_eq!((seen.failures[0].waiting, seen.left), (9, None));
    }
}
