//! Runs the steps of one task on its node, with the code of the local engine.

use super::queue::{TaskState, ended_by_itself};
use super::records::{JobsRecord, TaskList};
use crate::engine::Sweep;
use crate::lock::lock;
use crate::marks::{Marks, TASK_LOCK_FILE, read_plan};
use crate::process::end_orphan;
use crate::schedule::{Schedule, StepOutcome};
use crate::{Event, Interrupt, Outcome, Plan, SweepError};
use std::collections::BTreeSet;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Runs the steps of task number `task` in `list`, which a submission wrote for the folder `run`.
/// SIGTERM, which Slurm sends before it kills a task, terminates them.
///
/// # Errors
/// A list without this task; another task that runs the same step; a folder that cannot be used. A
/// failed or blocked step is part of the outcome.
pub fn run_task(
    run: &Path,
    list: &Path,
    task: usize,
    on_event: &mut dyn FnMut(Event<'_>),
) -> Result<Outcome, SweepError> {
    let interrupt = Interrupt::listen().map_err(SweepError::io("listen for signals in", run))?;
    let tasks = TaskList::read(list)?;
    std::env::set_current_dir(&tasks.folder)
        .map_err(SweepError::io("change to folder", &tasks.folder))?;
    let plan = read_plan(run)?;
    plan.check()?;
    let index_of = plan.index_by_id();
    let none = || SweepError::NoTask {
        list: list.to_path_buf(),
        task,
    };
    let ids = tasks.tasks.get(task).ok_or_else(none)?;
    let own: Vec<usize> = ids
        .iter()
        .map(|id| index_of.get(id.as_str()).copied().ok_or_else(none))
        .collect::<Result<_, _>>()?;

    let marks = Marks::new(run);
    let mut locks = Vec::new();
    for id in ids {
        let held = lock(&marks.folder(id), TASK_LOCK_FILE)?;
        locks.push(held.ok_or_else(|| SweepError::Busy {
            id: id.clone(),
            lock: marks.folder(id).join(TASK_LOCK_FILE),
        })?);
        // Left by an earlier start of this task, which Slurm requeued.
        if end_orphan(&marks, id)? {
            on_event(Event::OrphanEnded { id });
        }
    }
    // Starting the fork server pays off only for several steps.
    let server = if own.len() > 1 {
        plan.server.as_slice()
    } else {
        &[]
    };
    let mut sweep = Sweep::new(&plan, marks.clone(), &tasks.program, server, on_event)?;
    let patience = Duration::try_from_secs_f64(tasks.patience_s).unwrap_or_default();
    await_needs(&plan, &sweep.schedule, &marks, &own, patience, &interrupt);
    for i in (0..plan.steps.len()).filter(|i| !own.contains(i)) {
        // Steps of other tasks count as done unless an own step needs them.
        let needed = own.iter().any(|&o| sweep.schedule.needs(o).contains(&i));
        let is_met = !needed || marks.is_done(&plan.steps[i]);
        sweep.schedule.settle(
            i,
            if is_met {
                StepOutcome::Skipped
            } else {
                StepOutcome::Failed
            },
        );
    }
    for &i in &own {
        sweep.skip_if_done(i);
    }
    sweep.work(1, interrupt.flag())?;
    Ok(sweep.outcome)
}

/// Waits until every need is done or known to have failed: a network file system may show the
/// records of another node with a delay.
fn await_needs(
    plan: &Plan,
    schedule: &Schedule<'_>,
    marks: &Marks,
    own: &[usize],
    patience: Duration,
    interrupt: &Interrupt,
) {
    let start = Instant::now();
    let mut open: BTreeSet<usize> = own
        .iter()
        .flat_map(|&i| schedule.needs(i))
        .copied()
        .collect();
    open.retain(|&n| !marks.is_done(&plan.steps[n]));
    let killed = if open.is_empty() {
        BTreeSet::new()
    } else {
        killed_steps(&marks.run)
    };
    loop {
        open.retain(|&n| {
            !marks.is_done(&plan.steps[n]) && !can_never_run(plan, schedule, marks, &killed, n)
        });
        if open.is_empty() || start.elapsed() >= patience || interrupt.is_set() {
            return;
        }
        sleep(Duration::from_millis(500).min(patience));
    }
}

/// The steps whose tasks were killed according to Slurm; none if Slurm cannot be queried from this
/// node.
fn killed_steps(run: &Path) -> BTreeSet<String> {
    let Ok(Some(record)) = JobsRecord::read(run) else {
        return BTreeSet::new();
    };
    let Ok(queue) = record.query_queue() else {
        return BTreeSet::new();
    };
    let is_killed = |(job, task): (&str, u32)| match queue.task_state(job, task) {
        TaskState::Ended(state) => !ended_by_itself(state.as_deref()),
        _ => false,
    };
    record
        .steps()
        .filter(|&(_, task)| is_killed(task))
        .map(|(id, _)| id.to_string())
        .collect()
}

/// Whether the step or one that it needs, directly or indirectly, failed or was killed.
fn can_never_run(
    plan: &Plan,
    schedule: &Schedule<'_>,
    marks: &Marks,
    killed: &BTreeSet<String>,
    step: usize,
) -> bool {
    let (mut seen, mut open) = (vec![false; plan.steps.len()], vec![step]);
    while let Some(i) = open.pop() {
        if std::mem::replace(&mut seen[i], true) || marks.is_done(&plan.steps[i]) {
            continue;
        }
        if killed.contains(&plan.steps[i].id) || marks.error(&plan.steps[i].id).is_some() {
            return true;
        }
        if !plan.steps[i].tolerant {
            open.extend(schedule.needs(i));
        }
    }
    false
}
