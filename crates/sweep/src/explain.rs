//! Why each step of a plan would run, or would not, without running anything.

use crate::marks::{LOG_FILE, Marks};
use crate::schedule::{Schedule, StepOutcome};
use crate::{Plan, Step, SweepError};
use std::fmt;
use std::path::Path;

/// One step, and why it would run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation<'a> {
    /// The step.
    pub step: &'a Step,
    /// The reason, or that it is done.
    pub reason: Reason,
}

/// Why a step would run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// It would not run: it is done.
    Done,
    /// It has never been started.
    NeverRan,
    /// It was started but neither succeeded nor failed: the sweep was stopped.
    Unfinished,
    /// The last attempt failed.
    FailedBefore {
        /// The error.
        error: String,
    },
    /// It was done for other settings or inputs.
    KeyChanged {
        /// The key it was done for.
        old: String,
        /// Its key now.
        new: String,
    },
    /// One of its outputs is missing.
    OutputMissing {
        /// The output's path, relative to the run folder.
        output: String,
    },
    /// It never ran: a step that it needs, directly or indirectly, has failed.
    Blocked {
        /// The step that failed.
        by: String,
    },
    /// It collects the results of other steps, and one of them will run.
    NeedRuns {
        /// The step that will run.
        need: String,
    },
}

impl Reason {
    /// Whether the step would run.
    pub fn runs(&self) -> bool {
        *self != Reason::Done
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The first characters are enough to distinguish two hashes.
        let short = |key: &str| key.chars().take(8).collect::<String>();
        match self {
            Reason::Done => write!(f, "done"),
            Reason::NeverRan => write!(f, "never ran"),
            Reason::Unfinished => write!(f, "was stopped before it ended"),
            Reason::FailedBefore { error } => write!(f, "failed before: {}", last_line(error)),
            Reason::KeyChanged { old, new } => {
                write!(
                    f,
                    "settings or inputs changed ({} to {})",
                    short(old),
                    short(new)
                )
            }
            Reason::OutputMissing { output } => write!(f, "output '{output}' is missing"),
            Reason::Blocked { by } => write!(f, "never ran: it needs {by}, which failed"),
            Reason::NeedRuns { need } => write!(f, "needs {need}, which will run"),
        }
    }
}

/// The most informative line of an error: the last one, which is what the program printed last.
fn last_line(error: &str) -> &str {
    error
        .lines()
        .rev()
        .map(str::trim)
        .find(|l| !l.is_empty())
        .unwrap_or("unknown error")
}

/// Reports for each step of `plan`, in plan order, whether it would run in `run_dir`, and why.
/// Writes nothing; the folder need not exist.
///
/// # Errors
/// An invalid plan.
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
                Some(&n) => Reason::NeedRuns {
                    need: plan.steps[n].id.clone(),
                },
                None => Reason::Done,
            },
            own => own,
        };
    }
    for (i, reason) in reasons.iter().enumerate() {
        match reason {
            Reason::Done => schedule.settle(i, StepOutcome::Skipped),
            Reason::FailedBefore { .. } => schedule.settle(i, StepOutcome::Failed),
            _ => {}
        }
    }
    for (i, failed) in schedule.settle_blocked() {
        if matches!(reasons[i], Reason::NeverRan) {
            reasons[i] = Reason::Blocked {
                by: plan.steps[failed].id.clone(),
            };
        }
    }
    Ok(plan
        .steps
        .iter()
        .zip(reasons)
        .map(|(step, reason)| Explanation { step, reason })
        .collect())
}

/// The reason as far as the step's own files show it.
fn own_reason(marks: &Marks, step: &Step) -> Reason {
    match marks.record(&step.id) {
        None => match marks.error(&step.id) {
            Some(error) => Reason::FailedBefore { error },
            None if marks.folder(&step.id).join(LOG_FILE).exists() => Reason::Unfinished,
            None => Reason::NeverRan,
        },
        Some(record) if record.key != step.key => Reason::KeyChanged {
            old: record.key,
            new: step.key.clone(),
        },
        Some(_) => match marks.missing_output(step) {
            Some(output) => Reason::OutputMissing {
                output: output.to_string(),
            },
            None => Reason::Done,
        },
    }
}
