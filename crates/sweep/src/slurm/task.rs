//! What a task does on its node: the steps of one task, run and marked as the local engine runs and marks them.

use super::queue::{Stand, ended_by_itself};
use super::records::{JobsRecord, TaskList};
use crate::engine::Sweep;
use crate::lock::lock;
use crate::marks::{Marks, TASK_LOCK_FILE, read_plan};
use crate::process::end_orphan;
use crate::schedule::{End, Schedule};
use crate::{Event, Interrupt, Outcome, Plan, SweepError};
use std::collections::BTreeSet;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Runs the steps of task number `task` in `list`, which a submission wrote for the folder `run`. SIGTERM, which Slurm sends
/// before it kills, ends them.
///
/// # Errors
/// Where the list does not hold the task, another one runs the same step, or the folder cannot be used. A step that fails,
/// or that is blocked, is part of the outcome.
pub fn run_task(
    run: &Path,
    list: &Path,
    task: usize,
    on_event: &mut dyn FnMut(Event<'_>),
) -> Result<Outcome, SweepError> {
    let interrupt = Interrupt::listen().map_err(SweepError::io("listen for signals in", run))?;
    let tasks = TaskList::read(list)?;
    std::env::set_current_dir(&tasks.folder).map_err(SweepError::io("go to folder", &tasks.folder))?;
    let plan = read_plan(run)?;
    plan.check()?;
    let places = plan.places();
    let none = || SweepError::NoTask { list: list.to_path_buf(), task };
    let ids = tasks.tasks.get(task).ok_or_else(none)?;
    let own: Vec<usize> =
        ids.iter().map(|id| places.get(id.as_str()).copied().ok_or_else(none)).collect::<Result<_, _>>()?;

    let marks = Marks::new(run);
    let mut locks = Vec::new();
    for id in ids {
        let held = lock(&marks.folder(id), TASK_LOCK_FILE)?;
        locks.push(
            held.ok_or_else(|| SweepError::Busy { id: id.clone(), lock: marks.folder(id).join(TASK_LOCK_FILE) })?,
        );
        // Of the same task, where Slurm has started it once more.
        if end_orphan(&marks, id)? {
            on_event(Event::OrphanEnded { id });
        }
    }
    // A server of processes is worth its start only where it serves several.
    let server = if own.len() > 1 { plan.server.as_slice() } else { &[] };
    let mut sweep = Sweep::new(&plan, marks.clone(), &tasks.program, server, on_event)?;
    let patience = Duration::try_from_secs_f64(tasks.patience_s).unwrap_or_default();
    await_needs(&plan, &sweep.schedule, &marks, &own, patience, &interrupt);
    for i in (0..plan.steps.len()).filter(|i| !own.contains(i)) {
        // Those that are no needs of ours are nobody's business here.
        let needed = own.iter().any(|&o| sweep.schedule.needs(o).contains(&i));
        let good = !needed || marks.is_done(&plan.steps[i]);
        sweep.schedule.settle(i, if good { End::Skipped } else { End::Failed });
    }
    for &i in &own {
        sweep.skip_if_settled(i);
    }
    sweep.work(1, interrupt.flag())?;
    Ok(sweep.outcome)
}

/// Waits until every need is done or known to have failed: the file system of a network may show the marks of another node
/// some time after they were made.
fn await_needs(
    plan: &Plan,
    schedule: &Schedule<'_>,
    marks: &Marks,
    own: &[usize],
    patience: Duration,
    interrupt: &Interrupt,
) {
    let begin = Instant::now();
    let mut open: BTreeSet<usize> = own.iter().flat_map(|&i| schedule.needs(i)).copied().collect();
    open.retain(|&n| !marks.is_done(&plan.steps[n]));
    let killed = if open.is_empty() { BTreeSet::new() } else { killed(&marks.run) };
    loop {
        open.retain(|&n| !marks.is_done(&plan.steps[n]) && !is_hopeless(plan, schedule, marks, &killed, n));
        if open.is_empty() || begin.elapsed() >= patience || interrupt.came() {
            return;
        }
        sleep(Duration::from_millis(500).min(patience));
    }
}

/// The steps of which Slurm knows that they left no mark; none where it cannot be asked from this node.
fn killed(run: &Path) -> BTreeSet<String> {
    let Ok(Some(record)) = JobsRecord::read(run) else { return BTreeSet::new() };
    let Ok(look) = record.look() else { return BTreeSet::new() };
    let is_killed = |(job, task): (&str, u32)| match look.stand(job, task) {
        Stand::Ended(state) => !ended_by_itself(state.as_deref()),
        _ => false,
    };
    record.steps().filter(|&(_, task)| is_killed(task)).map(|(id, _)| id.to_string()).collect()
}

/// Whether the step has failed or was killed, or one before it that keeps it from running.
fn is_hopeless(plan: &Plan, schedule: &Schedule<'_>, marks: &Marks, killed: &BTreeSet<String>, step: usize) -> bool {
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
