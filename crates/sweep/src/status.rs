//! The status of a sweep, read from the run folder: while it runs in another process, after it has
//! ended or was killed.

use crate::forecast::{Forecast, StepTimes, simulate};
use crate::lock::SweepLock;
use crate::marks::{Marks, SWEEP_FILE, SweepRecord, read_json, read_plan, unix_s};
use crate::process::{self, RunningRecord};
use crate::schedule::{Schedule, StepOutcome};
use crate::slurm::{self, JobsRecord, QueueSnapshot, TaskOutcome, TaskState};
use crate::{Plan, SweepError};
use run_record::error_chain;
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::path::Path;

/// The status of a sweep.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Status {
    /// The plan's name.
    pub name: String,
    /// Step counts by kind, in the order in which kinds first appear in the plan.
    pub kinds: Vec<KindCounts>,
    /// Failed steps, in plan order.
    pub failures: Vec<Failure>,
    /// Running steps, in plan order.
    pub running: Vec<Running>,
    /// Whether a sweep is running in the folder.
    pub alive: bool,
    /// Process id of the last sweep, if known.
    pub pid: Option<u32>,
    /// How many processes the last sweep runs in parallel.
    pub jobs: usize,
    /// Seconds from the start of the last sweep to its end or to now; none if it was killed.
    pub elapsed_s: Option<f64>,
    /// The folder's jobs in Slurm, if its last sweep was submitted there.
    pub slurm: Option<SlurmStatus>,
    /// How long the remaining steps take, estimated from the times of each kind. None if no sweep
    /// is running, if no remaining step can run, and if there is no estimate.
    pub left: Option<Forecast>,
}

/// The jobs of a folder in Slurm.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SlurmStatus {
    /// The cluster.
    pub cluster: String,
    /// Jobs that have not ended; all jobs if Slurm cannot be queried.
    pub jobs: Vec<String>,
    /// Why Slurm cannot be queried; the status then rests on the files of the folder alone.
    pub problem: Option<String>,
    /// Slurm's reasons why steps are queued, each with the number of steps.
    pub reasons: BTreeMap<String, usize>,
}

/// How many steps of a kind are in each state.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KindCounts {
    /// The kind.
    pub kind: String,
    /// Done for their current key.
    pub done: usize,
    /// Running now.
    pub running: usize,
    /// Waiting in the queue of a cluster.
    pub queued: usize,
    /// Failed at the last attempt, or killed on a cluster.
    pub failed: usize,
    /// Not runnable because a step that they need, directly or indirectly, failed.
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
    /// The step's id.
    pub id: String,
    /// The error, several lines.
    pub error: String,
    /// Its log files, relative to the run folder.
    pub logs: Vec<String>,
    /// How many steps cannot run because of it. A step blocked by several failures counts for the
    /// first of them.
    pub blocked: usize,
}

/// A running step.
#[derive(Debug, Clone, PartialEq)]
pub struct Running {
    /// The step's id.
    pub id: String,
    /// Seconds since its start.
    pub seconds: f64,
    /// Node, job and task, if it runs on a cluster.
    pub location: Option<String>,
}

/// Reads the status of the last sweep in `run_dir` from the folder and, if jobs were submitted for
/// it, from Slurm. Holds locks only for an instant, and writes nothing.
///
/// # Errors
/// A folder in which no sweep has run; a plan that cannot be read.
pub fn status(run_dir: &Path) -> Result<Status, SweepError> {
    let plan = read_plan(run_dir)?;
    let marks = Marks::new(run_dir);
    let sweep: Option<SweepRecord> = read_json(&run_dir.join(SWEEP_FILE));
    let queue = SlurmQueue::query(run_dir)?;
    let mut status = Status {
        name: plan.name.clone(),
        alive: SweepLock::is_held(run_dir),
        jobs: 1,
        ..Status::default()
    };
    if let Some(sweep) = &sweep {
        status.pid = Some(sweep.pid);
        status.jobs = sweep.jobs.max(1);
        let end = sweep.finished_unix_s.or(status.alive.then(unix_s));
        status.elapsed_s = end.map(|end| (end - sweep.started_unix_s).max(0.0));
    }
    if let Some(queue) = &queue {
        let slurm = queue.status();
        status.alive |= slurm.problem.is_none() && !slurm.jobs.is_empty();
        status.elapsed_s = status
            .alive
            .then(|| (unix_s() - queue.record.submitted_unix_s).max(0.0));
        status.slurm = Some(slurm);
    }
    let mut schedule = Schedule::new(&plan)?;
    let states: Vec<StepState> = (0..plan.steps.len())
        .map(|i| step_state(&plan, &schedule, &marks, queue.as_ref(), i))
        .collect();
    let mut times = StepTimes::new(&plan);
    let mut running = Vec::new();
    for (i, state) in states.into_iter().enumerate() {
        let step = &plan.steps[i];
        let kind = status.kind_index(&step.kind);
        let counts = &mut status.kinds[kind];
        match state {
            StepState::Running(seconds, location) => {
                counts.running += 1;
                running.push((i, seconds));
                status.running.push(Running {
                    id: step.id.clone(),
                    seconds,
                    location,
                });
            }
            StepState::Queued(reason) => {
                counts.queued += 1;
                *status
                    .slurm
                    .get_or_insert_default()
                    .reasons
                    .entry(reason)
                    .or_default() += 1;
            }
            StepState::Done(seconds) => {
                counts.done += 1;
                times.add(step, seconds);
                schedule.settle(i, StepOutcome::Skipped);
            }
            StepState::Failed(failure) => {
                counts.failed += 1;
                status.failures.push(failure);
                schedule.settle(i, StepOutcome::Failed);
            }
            StepState::Pending => counts.pending += 1,
        }
    }
    running.iter().for_each(|&(i, _)| schedule.mark_started(i));
    for (i, failed) in schedule.settle_blocked() {
        let kind = status.kind_index(&plan.steps[i].kind);
        let counts = &mut status.kinds[kind];
        // A blocked step that is still queued on a cluster counts as queued: its task will start
        // and end there.
        if queue
            .as_ref()
            .and_then(|queue| queue.task_state(&plan.steps[i].id))
            .is_none_or(|state| !state.is_active())
        {
            counts.pending -= 1;
            counts.blocked += 1;
        }
        if let Some(failure) = status
            .failures
            .iter_mut()
            .find(|f| f.id == plan.steps[failed].id)
        {
            failure.blocked += 1;
        }
    }
    let workers = if status.slurm.is_some() {
        running.len().max(1)
    } else {
        status.jobs
    };
    let left =
        || simulate(&plan, schedule, &times, &running, workers).filter(|left| left.steps > 0);
    status.left = if status.alive { left() } else { None };
    Ok(status)
}

impl Status {
    /// The index of a kind's counts, which are added if missing.
    fn kind_index(&mut self, kind: &str) -> usize {
        self.kinds
            .iter()
            .position(|k| k.kind == kind)
            .unwrap_or_else(|| {
                self.kinds.push(KindCounts {
                    kind: kind.to_string(),
                    ..KindCounts::default()
                });
                self.kinds.len() - 1
            })
    }
}

/// The state of one step.
enum StepState {
    /// Running, with the seconds since its start and, on a cluster, its location.
    Running(f64, Option<String>),
    /// Queued on a cluster, with Slurm's reason.
    Queued(String),
    /// Done, with the seconds it took.
    Done(f64),
    Failed(Failure),
    Pending,
}

/// The state of step `i` by its files and by Slurm.
fn step_state(
    plan: &Plan,
    schedule: &Schedule<'_>,
    marks: &Marks,
    queue: Option<&SlurmQueue>,
    i: usize,
) -> StepState {
    let step = &plan.steps[i];
    let task = queue.and_then(|queue| queue.task(&step.id));
    let state = queue.and_then(|queue| queue.task_state(&step.id));
    let running = process::running(&marks.folder(&step.id));
    if let (Some(_), _) | (_, Some(TaskState::Running(_))) = (&running, &state) {
        let record: Option<RunningRecord> = running.flatten();
        let seconds = record.map_or(0.0, |r| (unix_s() - r.started_unix_s).max(0.0));
        let location = match (&state, task) {
            (Some(TaskState::Running(node)), Some((job, task))) => {
                Some(format!("{node}, job {job}_{task}"))
            }
            _ => None,
        };
        return StepState::Running(seconds, location);
    }
    if let Some(TaskState::Queued(reason)) = state {
        return StepState::Queued(reason);
    }
    let error = match slurm::task_outcome(plan, schedule, marks, i) {
        TaskOutcome::Done(seconds) => return StepState::Done(seconds),
        TaskOutcome::Failed(error) => Some(error),
        TaskOutcome::Lost => queue.and_then(|queue| queue.lost_error(&marks.run, &step.id)),
        TaskOutcome::Blocked(_) => None,
    };
    error.map_or(StepState::Pending, |error| {
        let logs = slurm::logs(&marks.run, step, task);
        StepState::Failed(Failure {
            id: step.id.clone(),
            error,
            logs,
            blocked: 0,
        })
    })
}

/// The jobs of a folder with their state in Slurm.
struct SlurmQueue {
    record: JobsRecord,
    snapshot: Result<QueueSnapshot, SweepError>,
    accounts: OnceCell<BTreeMap<(String, u32), String>>,
    tasks: BTreeMap<String, (String, u32)>,
}

impl SlurmQueue {
    fn query(run: &Path) -> Result<Option<Self>, SweepError> {
        let Some(record) = JobsRecord::read(run)? else {
            return Ok(None);
        };
        // If Slurm cannot be queried, the query below returns the error.
        let record = record.clone().resolve_pending().unwrap_or(record);
        let tasks = record
            .steps()
            .map(|(id, (job, task))| (id.to_string(), (job.to_string(), task)))
            .collect();
        Ok(Some(SlurmQueue {
            snapshot: record.query_queue(),
            record,
            accounts: OnceCell::new(),
            tasks,
        }))
    }

    fn status(&self) -> SlurmStatus {
        let (jobs, problem) = match &self.snapshot {
            Ok(snapshot) => (snapshot.active_jobs(&self.record), None),
            Err(e) => (self.record.ids(), Some(error_chain(e))),
        };
        SlurmStatus {
            cluster: self.record.cluster.clone(),
            jobs,
            problem,
            reasons: BTreeMap::new(),
        }
    }

    /// The job and task of a step.
    fn task(&self, id: &str) -> Option<(&str, u32)> {
        self.tasks.get(id).map(|(job, task)| (job.as_str(), *task))
    }

    fn task_state(&self, id: &str) -> Option<TaskState> {
        let (job, task) = self.task(id)?;
        Some(self.snapshot.as_ref().ok()?.task_state(job, task))
    }

    /// Why a step ended without a record; none if it was not submitted or Slurm cannot be queried.
    fn lost_error(&self, run: &Path, id: &str) -> Option<String> {
        let (job, task) = self.task(id)?;
        let TaskState::Ended(state) = self.task_state(id)? else {
            return None;
        };
        let accounts = || self.accounts.get_or_init(|| self.record.query_accounting());
        let state = state.or_else(|| accounts().get(&(job.to_string(), task)).cloned());
        Some(slurm::lost_error(run, job, task, state.as_deref()))
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

    /// Two trainings with four cells each, in a folder in which a sweep with two parallel jobs is
    /// running.
    fn running_sweep(run: &Path) -> (Plan, SweepLock) {
        let mut steps = vec![step("prepare", &[])];
        for train in ["train-a", "train-b"] {
            steps.push(step(train, &["prepare"]));
            steps.extend((0..4).map(|i| step(&format!("cell-{train}{i}"), &[train])));
        }
        let plan = Plan {
            name: "p".into(),
            steps,
            ..Plan::default()
        };
        let lock = SweepLock::take(run).unwrap();
        write_json(&run.join(PLAN_FILE), &plan).unwrap();
        let record = SweepRecord {
            pid: 1,
            jobs: 2,
            started_unix_s: unix_s() - 60.0,
            finished_unix_s: None,
        };
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
    fn the_remaining_time_follows_kinds_and_jobs() {
        let dir = tempfile::tempdir().unwrap();
        let d = dir.path();
        let (plan, lock) = running_sweep(d);
        assert_eq!(status(d).unwrap().left, None);
        mark(
            &plan,
            d,
            &[("prepare", 1.0), ("train-a", 300.0), ("train-b", 100.0)],
        );
        // Trainings take 200 s, which is no estimate for the eight cells, and only cells remain.
        assert_eq!(status(d).unwrap().left, None);
        mark(&plan, d, &[("cell-train-a0", 2.0), ("cell-train-a1", 4.0)]);
        let left = status(d).unwrap().left.unwrap();
        assert_eq!(
            (left.seconds, left.steps, left.untimed.len()),
            (3.0 * 3.0, 6, 0)
        );
        drop(lock);
        assert_eq!(
            status(d).unwrap().left,
            None,
            "no forecast for a sweep that has ended"
        );
    }

    #[test]
    fn a_failure_is_listed_once_with_the_steps_it_blocks() {
        let dir = tempfile::tempdir().unwrap();
        let d = dir.path();
        let (plan, _lock) = running_sweep(d);
        mark(&plan, d, &[("prepare", 1.0), ("train-a", 9.0)]);
        Marks::new(d).write_error("train-b", "out of luck").unwrap();
        let seen = status(d).unwrap();
        assert_eq!(seen.failures.len(), 1);
        assert_eq!(
            (seen.failures[0].id.as_str(), seen.failures[0].blocked),
            ("train-b", 4)
        );
        let cells = seen.kinds.iter().find(|k| k.kind == "cell").unwrap();
        assert_eq!((cells.pending, cells.blocked, cells.all()), (4, 4, 8));
        mark(&plan, d, &[("cell-train-a0", 2.0)]);
        assert_eq!(
            status(d).unwrap().left.unwrap().seconds,
            4.0,
            "three cells, two at a time"
        );
    }

    #[test]
    fn no_time_is_foretold_for_a_study_that_cannot_begin() {
        let dir = tempfile::tempdir().unwrap();
        let d = dir.path();
        let (plan, _lock) = running_sweep(d);
        mark(&plan, d, &[("cell-train-a0", 2.0)]);
        assert!(status(d).unwrap().left.is_some());
        Marks::new(d)
            .write_error("prepare", "no such file")
            .unwrap();
        let seen = status(d).unwrap();
        assert_eq!((seen.failures[0].blocked, seen.left), (9, None));
    }
}
