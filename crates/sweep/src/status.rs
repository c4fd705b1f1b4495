//! Where a sweep stands, read from the run folder alone: while it runs elsewhere, after it ended, after it was killed.

use crate::SweepError;
use crate::lock::SweepLock;
use crate::marks::{Marks, SWEEP_FILE, SweepRecord, read_json, read_plan, unix_s};
use crate::process::{self, RunningRecord};
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
    /// Seconds left by the mean time of the steps of each kind; none while nothing runs, and before the first step
    /// is done.
    pub left_s: Option<f64>,
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
    /// Failed at the last attempt.
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
}

/// A step that runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Running {
    /// Which.
    pub id: String,
    /// For how long.
    pub seconds: f64,
}

/// Reads where the last sweep in `run_dir` stands. Takes no lock for longer than an instant, and writes nothing.
///
/// # Errors
/// Where no sweep has run in the folder, or its plan cannot be read.
pub fn status(run_dir: &Path) -> Result<Status, SweepError> {
    let plan = read_plan(run_dir)?;
    let marks = Marks::new(run_dir);
    let sweep: Option<SweepRecord> = read_json(&run_dir.join(SWEEP_FILE));
    let mut status =
        Status { name: plan.name.clone(), alive: SweepLock::is_held(run_dir), jobs: 1, ..Status::default() };
    if let Some(sweep) = &sweep {
        status.pid = Some(sweep.pid);
        status.jobs = sweep.jobs.max(1);
        let end = sweep.finished_unix_s.or(status.alive.then(unix_s));
        status.elapsed_s = end.map(|end| (end - sweep.started_unix_s).max(0.0));
    }
    let mut times = Times::default();
    for step in &plan.steps {
        let place = match status.kinds.iter().position(|k| k.kind == step.kind) {
            Some(place) => place,
            None => {
                status.kinds.push(KindCounts { kind: step.kind.clone(), ..KindCounts::default() });
                status.kinds.len() - 1
            }
        };
        let counts = &mut status.kinds[place];
        if let Some(record) = process::running(&marks.folder(&step.id)) {
            let seconds = record.map_or(0.0, |r: RunningRecord| (unix_s() - r.started_unix_s).max(0.0));
            counts.running += 1;
            times.running.push((&step.kind, seconds));
            status.running.push(Running { id: step.id.clone(), seconds });
        } else if let Some(record) = marks.record(&step.id).filter(|_| marks.is_done(step)) {
            counts.done += 1;
            times.done.entry(&step.kind).or_default().push(record.seconds);
        } else if let Some(error) = marks.error(&step.id) {
            counts.failed += 1;
            status.failures.push(Failure { id: step.id.clone(), error });
        } else {
            counts.pending += 1;
            times.pending.push(&step.kind);
        }
    }
    status.left_s = if status.alive { times.left_s(status.jobs) } else { None };
    Ok(status)
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
