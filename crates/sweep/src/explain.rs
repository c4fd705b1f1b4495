//! Why each step of a plan would run, or not, without running any.

use crate::marks::{LOG_FILE, Marks};
use crate::schedule::{End, Schedule};
use crate::{Plan, Step, SweepError};
use std::fmt;
use std::path::Path;

/// One step and why it would run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation<'a> {
    /// Which.
    pub step: &'a Step,
    /// Why, or that it is done.
    pub reason: Reason,
}

/// Why a step would run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// It would not: it is done.
    Done,
    /// Nothing of it is there.
    NeverRan,
    /// It was started, and neither ended well nor failed: the sweep was stopped.
    Unfinished,
    /// The last attempt failed.
    FailedBefore {
        /// Why.
        error: String,
    },
    /// It was done for other settings or inputs.
    KeyChanged {
        /// The key it was done for.
        old: String,
        /// Its key now.
        new: String,
    },
    /// Something it left is gone.
    OutputMissing {
        /// Which path, relative to the run folder.
        output: String,
    },
    /// It never ran, and cannot while a step that it needs, directly or not, fails as it did before.
    WaitsFor {
        /// The step that failed.
        failed: String,
    },
    /// It collects what others leave, and one of them will run.
    NeedRuns {
        /// Which.
        need: String,
    },
    /// It runs every time.
    Always,
}

impl Reason {
    /// Whether the step would run.
    pub fn runs(&self) -> bool {
        *self != Reason::Done
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Enough of a hash to tell two apart.
        let short = |key: &str| key.chars().take(8).collect::<String>();
        match self {
            Reason::Done => write!(f, "done"),
            Reason::NeverRan => write!(f, "never ran"),
            Reason::Unfinished => write!(f, "was stopped before its end"),
            Reason::FailedBefore { error } => write!(f, "failed before: {}", last_line(error)),
            Reason::KeyChanged { old, new } => {
                write!(f, "settings or inputs changed ({} to {})", short(old), short(new))
            }
            Reason::OutputMissing { output } => write!(f, "output '{output}' is missing"),
            Reason::WaitsFor { failed } => write!(f, "never ran, as it waits for {failed}, which failed"),
            Reason::NeedRuns { need } => write!(f, "needs {need}, which will run"),
            Reason::Always => write!(f, "runs every time"),
        }
    }
}

/// The line of an error that says most: a program's last words, where it had any.
fn last_line(error: &str) -> &str {
    error.lines().rev().map(str::trim).find(|l| !l.is_empty()).unwrap_or("no reason known")
}

/// Says for each step of `plan`, in plan order, whether it would run in `run_dir`, and why. Writes nothing; the folder
/// need not exist.
///
/// # Errors
/// Where the plan is no good.
pub fn explain<'a>(plan: &'a Plan, run_dir: &Path) -> Result<Vec<Explanation<'a>>, SweepError> {
    plan.check()?;
    let marks = Marks::new(run_dir);
    let mut schedule = Schedule::new(plan)?;
    let mut reasons = vec![Reason::Done; plan.steps.len()];
    for i in plan.order()? {
        let step = &plan.steps[i];
        let running_need = schedule.needs(i).iter().find(|&&n| reasons[n].runs());
        reasons[i] = match own_reason(&marks, step) {
            Reason::Done if schedule.is_collecting(i) => match running_need {
                Some(&n) => Reason::NeedRuns { need: plan.steps[n].id.clone() },
                None => Reason::Done,
            },
            own => own,
        };
    }
    for (i, reason) in reasons.iter().enumerate() {
        match reason {
            Reason::Done => schedule.settle(i, End::Skipped),
            Reason::FailedBefore { .. } => schedule.settle(i, End::Failed),
            _ => {}
        }
    }
    for (i, failed) in schedule.settle_blocked() {
        if matches!(reasons[i], Reason::NeverRan) {
            reasons[i] = Reason::WaitsFor { failed: plan.steps[failed].id.clone() };
        }
    }
    Ok(plan.steps.iter().zip(reasons).map(|(step, reason)| Explanation { step, reason }).collect())
}

/// What the step's own marks say.
fn own_reason(marks: &Marks, step: &Step) -> Reason {
    if step.always {
        return Reason::Always;
    }
    match marks.record(&step.id) {
        None => match marks.error(&step.id) {
            Some(error) => Reason::FailedBefore { error },
            None if marks.folder(&step.id).join(LOG_FILE).exists() => Reason::Unfinished,
            None => Reason::NeverRan,
        },
        Some(record) if record.key != step.key => Reason::KeyChanged { old: record.key, new: step.key.clone() },
        Some(_) => match marks.missing_output(step) {
            Some(output) => Reason::OutputMissing { output: output.to_string() },
            None => Reason::Done,
        },
    }
}
