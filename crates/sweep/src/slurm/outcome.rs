//! How the task of a step ended: read from the step's files, or from Slurm if it left none.

use super::records;
use crate::marks::{LOG_FILE, Marks};
use crate::schedule::Schedule;
use crate::{Plan, Step};
use std::path::Path;

/// How the step of a finished task ended.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum TaskOutcome {
    /// It is done, with the seconds it took.
    Done(f64),
    /// It failed, with the error that it left.
    Failed(String),
    /// A step that it needs is not done; its index in the plan.
    Blocked(usize),
    /// It left no record: it was killed, cancelled or never started.
    Lost,
}

/// Reads the outcome of step `i` from its files.
pub(crate) fn task_outcome(
    plan: &Plan,
    schedule: &Schedule<'_>,
    marks: &Marks,
    i: usize,
) -> TaskOutcome {
    let step = &plan.steps[i];
    if let Some(record) = marks.record(&step.id).filter(|_| marks.is_done(step)) {
        return TaskOutcome::Done(record.seconds);
    }
    if let Some(error) = marks.error(&step.id) {
        return TaskOutcome::Failed(error);
    }
    match unmet_need(plan, schedule, marks, i) {
        Some(by) => TaskOutcome::Blocked(by),
        None => TaskOutcome::Lost,
    }
}

/// A need that blocks the step in the present state of its needs.
fn unmet_need(plan: &Plan, schedule: &Schedule<'_>, marks: &Marks, i: usize) -> Option<usize> {
    let needs = schedule.needs(i);
    let mut unmet = needs
        .iter()
        .copied()
        .filter(|&n| !marks.is_done(&plan.steps[n]));
    let first = unmet.next()?;
    let all = 1 + unmet.count() == needs.len();
    (!plan.steps[i].tolerant || all).then_some(first)
}

/// The error of a step that left no record: several lines, the last one with Slurm's `state` of the
/// task.
pub(crate) fn lost_error(run: &Path, job: &str, task: u32, state: Option<&str>) -> String {
    let end = match state {
        Some(state) => format!("Slurm ended it ({state})"),
        None => "it ended without a record, and Slurm no longer lists it".to_string(),
    };
    let output = records::output(job, task);
    let text = run_record::read_to_string(&run.join(&output)).unwrap_or_default();
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let tail = &lines[lines.len().saturating_sub(6)..];
    if tail.is_empty() {
        return format!("task {task} of job {job}: {end}");
    }
    format!(
        "task {task} of job {job}; the last lines of {output}:\n{}\n{end}",
        tail.join("\n")
    )
}

/// The existing logs of a step, relative to the run folder.
pub(crate) fn logs(run: &Path, step: &Step, task: Option<(&str, u32)>) -> Vec<String> {
    let slurm_log = task.map(|(job, task)| records::output(job, task));
    let all = [Some(format!("steps/{}/{LOG_FILE}", step.id)), slurm_log];
    all.into_iter()
        .flatten()
        .filter(|log| run.join(log).is_file())
        .collect()
}
