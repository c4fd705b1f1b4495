//! What became of a step whose task has ended: read from its marks, and where it left none, from Slurm.

use super::records;
use crate::marks::{LOG_FILE, Marks};
use crate::schedule::Schedule;
use crate::{Plan, Step};
use std::path::Path;

/// How the step of a task that has ended stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Fate {
    /// It is done, and took so many seconds.
    Done(f64),
    /// It failed and said why.
    Failed(String),
    /// A step that it needs, at this place of the plan, is not done.
    Blocked(usize),
    /// It left no mark: it was killed, cancelled, or never came to run.
    Lost,
}

/// Reads the marks of step `i`.
pub(crate) fn fate(plan: &Plan, schedule: &Schedule<'_>, marks: &Marks, i: usize) -> Fate {
    let step = &plan.steps[i];
    if let Some(record) = marks.record(&step.id).filter(|_| marks.is_done(step)) {
        return Fate::Done(record.seconds);
    }
    if let Some(error) = marks.error(&step.id) {
        return Fate::Failed(error);
    }
    match bad_need(plan, schedule, marks, i) {
        Some(by) => Fate::Blocked(by),
        None => Fate::Lost,
    }
}

/// A need that keeps the step from running, as far as needs are done now.
fn bad_need(plan: &Plan, schedule: &Schedule<'_>, marks: &Marks, i: usize) -> Option<usize> {
    let needs = schedule.needs(i);
    let mut bad = needs.iter().copied().filter(|&n| !marks.is_done(&plan.steps[n]));
    let first = bad.next()?;
    let all = 1 + bad.count() == needs.len();
    (!plan.steps[i].tolerant || all).then_some(first)
}

/// What there is to say of a step that left no mark, several lines, of which the last says most; `state` as Slurm has it.
pub(crate) fn lost(run: &Path, job: &str, task: u32, state: Option<&str>) -> String {
    let what = match state {
        Some(state) => format!("Slurm ended it ({state})"),
        None => "it ended without a word, and Slurm remembers it no more".to_string(),
    };
    let output = records::output(job, task);
    let text = run_record::read_to_string(&run.join(&output)).unwrap_or_default();
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let tail = &lines[lines.len().saturating_sub(6)..];
    if tail.is_empty() {
        return format!("task {task} of job {job}: {what}");
    }
    format!("task {task} of job {job}; the end of {output}:\n{}\n{what}", tail.join("\n"))
}

/// The logs that there are of a step, relative to the run folder.
pub(crate) fn logs(run: &Path, step: &Step, task: Option<(&str, u32)>) -> Vec<String> {
    let of_slurm = task.map(|(job, task)| records::output(job, task));
    let all = [Some(format!("steps/{}/{LOG_FILE}", step.id)), of_slurm];
    all.into_iter().flatten().filter(|log| run.join(log).is_file()).collect()
}
