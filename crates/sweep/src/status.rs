//! Where a sweep stands, read from the run folder alone: while it runs elsewhere, after it ended, after it was killed.

use crate::SweepError;
use crate::engine::chain;
use crate::lock::SweepLock;
use crate::marks::{Marks, SWEEP_FILE, SweepRecord, read_json, read_plan, unix_s};
use crate::process::{self, RunningRecord};
use crate::schedule::Schedule;
use crate::slurm::{self, Fate, JobsRecord, Look, Stand};
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
    /// Seconds left by the mean time of the steps of each kind; none while nothing runs, and before the first step
    /// is done.
    pub left_s: Option<f64>,
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
    /// All others.
    pub pending: usize,
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
    let schedule = Schedule::new(&plan)?;
    let mut times = Times::default();
    for (i, step) in plan.steps.iter().enumerate() {
        let place = match status.kinds.iter().position(|k| k.kind == step.kind) {
            Some(place) => place,
            None => {
                status.kinds.push(KindCounts { kind: step.kind.clone(), ..KindCounts::default() });
                status.kinds.len() - 1
            }
        };
        let counts = &mut status.kinds[place];
        let task = queue.as_ref().and_then(|queue| queue.task(&step.id));
        let stand = queue.as_ref().and_then(|queue| queue.stand(&step.id));
        let running = process::running(&marks.folder(&step.id));
        if let (Some(_), _) | (_, Some(Stand::Running(_))) = (&running, &stand) {
            let record: Option<RunningRecord> = running.flatten();
            let seconds = record.map_or(0.0, |r| (unix_s() - r.started_unix_s).max(0.0));
            let place = match (&stand, task) {
                (Some(Stand::Running(node)), Some((job, task))) => Some(format!("{node}, job {job}_{task}")),
                _ => None,
            };
            counts.running += 1;
            times.running.push((&step.kind, seconds));
            status.running.push(Running { id: step.id.clone(), seconds, place });
            continue;
        }
        if let Some(Stand::Queued(reason)) = stand {
            counts.queued += 1;
            times.pending.push(&step.kind);
            *status.slurm.get_or_insert_default().waiting.entry(reason).or_default() += 1;
            continue;
        }
        let error = match slurm::fate(&plan, &schedule, &marks, i) {
            Fate::Done(seconds) => {
                counts.done += 1;
                times.done.entry(&step.kind).or_default().push(seconds);
                continue;
            }
            Fate::Failed(error) => Some(error),
            Fate::Lost => queue.as_ref().and_then(|queue| queue.lost(run_dir, &step.id)),
            Fate::Blocked(_) => None,
        };
        match error {
            Some(error) => {
                counts.failed += 1;
                let logs = slurm::logs(run_dir, step, task);
                status.failures.push(Failure { id: step.id.clone(), error, logs });
            }
            None => {
                counts.pending += 1;
                times.pending.push(&step.kind);
            }
        }
    }
    let at_a_time = if status.slurm.is_some() { times.running.len().max(1) } else { status.jobs };
    status.left_s = if status.alive { times.left_s(at_a_time) } else { None };
    Ok(status)
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

/// How long steps took, and which are still to come.
#[derive(Debug, Default)]
struct Times<'a> {
    done: BTreeMap<&'a str, Vec<f64>>,
    running: Vec<(&'a str, f64)>,
    pending: Vec<&'a str>,
}

impl Times<'_> {
    /// The rest of the work shared by `jobs` processes, and no less than the longest rest of one. A kind of which
    /// nothing is done yet is taken to last as long as the mean of all.
    fn left_s(&self, jobs: usize) -> Option<f64> {
        let all: Vec<f64> = self.done.values().flatten().copied().collect();
        let overall = mean(&all)?;
        let expected = |kind: &str| self.done.get(kind).and_then(|s| mean(s)).unwrap_or(overall);
        let rests: Vec<f64> = self.running.iter().map(|(kind, so_far)| (expected(kind) - so_far).max(0.0)).collect();
        let work = rests.iter().sum::<f64>() + self.pending.iter().map(|kind| expected(kind)).sum::<f64>();
        Some(rests.iter().fold(work / jobs as f64, |left, &rest| left.max(rest)))
    }
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_left_follows_the_kinds() {
        let mut times = Times::default();
        assert_eq!(times.left_s(2), None);
        times.done.insert("cell", vec![10.0, 20.0]);
        times.pending = vec!["cell", "cell", "cell"];
        times.running = vec![("cell", 5.0)];
        assert_eq!(times.left_s(2), Some((10.0 + 45.0) / 2.0));
        times.pending.clear();
        assert_eq!(times.left_s(4), Some(10.0), "one process cannot be shared");
        times.running = vec![("cell", 500.0)];
        assert_eq!(times.left_s(1), Some(0.0));
    }
}
