//! Which steps become which job array, and which tasks of earlier arrays each waits for. Decides only; submits nothing.

use super::settings::Slurm;
use crate::schedule::Schedule;
use crate::{Plan, PlanError};
use std::collections::{BTreeMap, BTreeSet};

/// Single tasks that one dependency names at most; where there were more, whole arrays are named.
const MOST_TASKS_NAMED: usize = 50;

/// Steps of one kind that wait for the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Array {
    pub kind: String,
    /// Places in the plan of the steps of each task.
    pub tasks: Vec<Vec<usize>>,
    /// Earlier arrays, each with the tasks waited for, or none where it is the whole array.
    pub after: Vec<(usize, Option<Vec<usize>>)>,
}

/// The arrays of the steps in `runs`, each after those that it waits for, with at most `most_tasks` tasks each.
pub(crate) fn arrays(
    plan: &Plan,
    schedule: &Schedule<'_>,
    runs: &BTreeSet<usize>,
    settings: &Slurm,
    most_tasks: usize,
) -> Result<Vec<Array>, PlanError> {
    let mut depth = vec![0usize; plan.steps.len()];
    for i in plan.order()?.into_iter().filter(|i| runs.contains(i)) {
        let before = schedule.needs(i).iter().filter(|n| runs.contains(n)).map(|&n| depth[n] + 1).max();
        depth[i] = before.unwrap_or(0);
    }
    // What has most work behind it goes first, as on one machine.
    let mut sorted: Vec<usize> = runs.iter().copied().collect();
    sorted.sort_by_key(|&i| (depth[i], std::cmp::Reverse(schedule.ahead(i)), i));
    let mut groups: Vec<(&str, Vec<usize>, Vec<usize>)> = Vec::new();
    let mut found: BTreeMap<(&str, Vec<usize>), usize> = BTreeMap::new();
    for i in sorted {
        let (kind, needs) = (plan.steps[i].kind.as_str(), nearest_needs(schedule, i, runs));
        let place = *found.entry((kind, needs.clone())).or_insert_with(|| {
            groups.push((kind, needs, Vec::new()));
            groups.len() - 1
        });
        groups[place].2.push(i);
    }

    let mut arrays: Vec<Array> = Vec::new();
    // The array and the task of each step.
    let mut task_of: BTreeMap<usize, (usize, usize)> = BTreeMap::new();
    for (kind, needs, steps) in groups {
        let after = waits(&arrays, &task_of, &needs);
        let a_task = settings.of(kind).steps_per_task.map_or(1, |n| n as usize).max(1);
        let tasks: Vec<Vec<usize>> = steps.chunks(a_task).map(<[usize]>::to_vec).collect();
        for tasks in tasks.chunks(most_tasks.max(1)) {
            for (t, steps) in tasks.iter().enumerate() {
                task_of.extend(steps.iter().map(|&i| (i, (arrays.len(), t))));
            }
            arrays.push(Array { kind: kind.to_string(), tasks: tasks.to_vec(), after: after.clone() });
        }
    }
    Ok(arrays)
}

/// The needs of a step that run too, without those that another of them waits for anyway.
fn nearest_needs(schedule: &Schedule<'_>, step: usize, runs: &BTreeSet<usize>) -> Vec<usize> {
    let own: BTreeSet<usize> = schedule.needs(step).iter().copied().filter(|n| runs.contains(n)).collect();
    let mut behind: BTreeSet<usize> = BTreeSet::new();
    let mut open: Vec<usize> = own.iter().copied().collect();
    while let Some(i) = open.pop() {
        // A step that is done waits for nobody, nor does what lies behind it matter.
        open.extend(schedule.needs(i).iter().filter(|n| runs.contains(n)).filter(|&&n| behind.insert(n)));
    }
    own.difference(&behind).copied().collect()
}

fn waits(
    arrays: &[Array],
    task_of: &BTreeMap<usize, (usize, usize)>,
    needs: &[usize],
) -> Vec<(usize, Option<Vec<usize>>)> {
    let mut by_array: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for (array, task) in needs.iter().filter_map(|need| task_of.get(need)) {
        by_array.entry(*array).or_default().insert(*task);
    }
    let whole = |array: usize, tasks: &BTreeSet<usize>| tasks.len() == arrays[array].tasks.len();
    let named: usize = by_array.iter().filter(|(a, tasks)| !whole(**a, tasks)).map(|(_, tasks)| tasks.len()).sum();
    by_array
        .into_iter()
        .map(|(array, tasks)| {
            let all = whole(array, &tasks) || named > MOST_TASKS_NAMED;
            (array, (!all).then(|| tasks.into_iter().collect()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Step;

    fn step(id: &str, cost: u64, needs: &[&str]) -> Step {
        let needs = needs.iter().map(|s| s.to_string()).collect();
        let kind = id.split('-').next().unwrap().to_string();
        Step { id: id.into(), key: "k".into(), cost, needs, kind, ..Step::default() }
    }

    fn plan() -> Plan {
        let steps = vec![
            step("prepare", 0, &[]),
            step("train-a", 9, &["prepare"]),
            step("train-b", 5, &["prepare"]),
            step("cell-a1", 1, &["prepare", "train-a"]),
            step("cell-b1", 3, &["prepare", "train-b"]),
            step("cell-a2", 2, &["train-a"]),
            step("end", 0, &["train-a", "train-b", "cell-a1", "cell-a2", "cell-b1"]),
        ];
        Plan { steps, ..Plan::default() }
    }

    /// The arrays in words: `kind: task task < array.task array`.
    fn words(plan: &Plan, runs: &BTreeSet<usize>, settings: &Slurm, most: usize) -> Vec<String> {
        let schedule = Schedule::new(plan).unwrap();
        let word = |a: &Array| {
            let task = |t: &Vec<usize>| t.iter().map(|&i| plan.steps[i].id.as_str()).collect::<Vec<_>>().join("+");
            let after = a.after.iter().map(|(array, tasks)| format!("{array}{tasks:?}")).collect::<Vec<_>>().join(" ");
            format!("{}: {} < {after}", a.kind, a.tasks.iter().map(task).collect::<Vec<_>>().join(" "))
        };
        arrays(plan, &schedule, runs, settings, most).unwrap().iter().map(word).collect()
    }

    #[test]
    fn steps_with_the_same_needs_form_an_array_that_waits_for_the_nearest() {
        let plan = plan();
        assert_eq!(
            words(&plan, &(0..7).collect(), &Slurm::default(), 1000),
            [
                "prepare: prepare < ",
                "train: train-a train-b < 0None",
                "cell: cell-b1 < 1Some([1])",
                "cell: cell-a2 cell-a1 < 1Some([0])",
                "end: end < 2None 3None"
            ]
        );
        // What is done is waited for by nobody.
        assert_eq!(
            words(&plan, &[3, 4, 6].into(), &Slurm::default(), 1000),
            ["cell: cell-b1 cell-a1 < ", "end: end < 0None"]
        );
    }

    #[test]
    fn arrays_are_no_longer_than_the_cluster_allows_and_tasks_hold_as_many_steps_as_asked() {
        let steps = (0..5).map(|i| step(&format!("cell-{i}"), 0, &[])).chain([step("end", 0, &["cell-1", "cell-4"])]);
        let plan = Plan { steps: steps.collect(), ..Plan::default() };
        let two = Slurm { steps_per_task: Some(2), ..Slurm::default() };
        assert_eq!(
            words(&plan, &(0..6).collect(), &two, 2),
            ["cell: cell-0+cell-1 cell-2+cell-3 < ", "cell: cell-4 < ", "end: end < 0Some([0]) 1None"]
        );
    }

    #[test]
    fn many_single_tasks_become_whole_arrays() {
        let ids: Vec<String> = (0..120).map(|i| format!("cell-{i}")).collect();
        let half: Vec<&str> = ids.iter().step_by(2).map(String::as_str).collect();
        let steps = ids.iter().map(|id| step(id, 0, &[])).chain([step("end", 0, &half)]);
        let plan = Plan { steps: steps.collect(), ..Plan::default() };
        assert_eq!(words(&plan, &(0..121).collect(), &Slurm::default(), 1000)[1], "end: end < 0None");
    }
}
