//! The job arrays of a plan: which steps each holds, and which tasks of earlier arrays it depends
//! on. Nothing is submitted here.

use super::settings::Slurm;
use crate::schedule::Schedule;
use crate::{Plan, PlanError};
use std::collections::{BTreeMap, BTreeSet};

/// The most single tasks that a dependency lists; above it, the dependency is on whole arrays.
const MAX_TASKS_NAMED: usize = 50;

/// A job array: steps of one kind with the same dependencies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Array {
    pub kind: String,
    /// Indices into the plan of the steps of each task.
    pub tasks: Vec<Vec<usize>>,
    /// The earlier arrays that it depends on, each with the tasks, or `None` for the whole array.
    pub after: Vec<(usize, Option<Vec<usize>>)>,
}

/// The arrays for the steps in `runs`, in topological order, with at most `max_array_size` tasks
/// each.
pub(crate) fn arrays(
    plan: &Plan,
    schedule: &Schedule<'_>,
    runs: &BTreeSet<usize>,
    settings: &Slurm,
    max_array_size: usize,
) -> Result<Vec<Array>, PlanError> {
    let mut depth = vec![0usize; plan.steps.len()];
    for i in plan.order()?.into_iter().filter(|i| runs.contains(i)) {
        let before = schedule
            .needs(i)
            .iter()
            .filter(|n| runs.contains(n))
            .map(|&n| depth[n] + 1)
            .max();
        depth[i] = before.unwrap_or(0);
    }
    // The most expensive critical path first, as in the local engine.
    let mut sorted: Vec<usize> = runs.iter().copied().collect();
    sorted.sort_by_key(|&i| (depth[i], std::cmp::Reverse(schedule.critical_path(i)), i));
    let mut groups: Vec<(&str, Vec<usize>, Vec<usize>)> = Vec::new();
    let mut found: BTreeMap<(&str, Vec<usize>), usize> = BTreeMap::new();
    for i in sorted {
        let (kind, needs) = (
            plan.steps[i].kind.as_str(),
            nearest_needs(schedule, i, runs),
        );
        let index = *found.entry((kind, needs.clone())).or_insert_with(|| {
            groups.push((kind, needs, Vec::new()));
            groups.len() - 1
        });
        groups[index].2.push(i);
    }

    let mut arrays: Vec<Array> = Vec::new();
    // The array and the task of each step.
    let mut task_of: BTreeMap<usize, (usize, usize)> = BTreeMap::new();
    for (kind, needs, steps) in groups {
        let after = dependencies(&arrays, &task_of, &needs);
        let steps_per_task = settings
            .for_kind(kind)
            .steps_per_task
            .map_or(1, |n| n as usize)
            .max(1);
        let tasks: Vec<Vec<usize>> = steps
            .chunks(steps_per_task)
            .map(<[usize]>::to_vec)
            .collect();
        for tasks in tasks.chunks(max_array_size.max(1)) {
            for (t, steps) in tasks.iter().enumerate() {
                task_of.extend(steps.iter().map(|&i| (i, (arrays.len(), t))));
            }
            arrays.push(Array {
                kind: kind.to_string(),
                tasks: tasks.to_vec(),
                after: after.clone(),
            });
        }
    }
    Ok(arrays)
}

/// The needs of a step that run too, without those that another of its needs already depends on.
fn nearest_needs(schedule: &Schedule<'_>, step: usize, runs: &BTreeSet<usize>) -> Vec<usize> {
    let own: BTreeSet<usize> = schedule
        .needs(step)
        .iter()
        .copied()
        .filter(|n| runs.contains(n))
        .collect();
    let mut indirect: BTreeSet<usize> = BTreeSet::new();
    let mut open: Vec<usize> = own.iter().copied().collect();
    while let Some(i) = open.pop() {
        // A step that is done has no dependencies to wait for.
        open.extend(
            schedule
                .needs(i)
                .iter()
                .filter(|n| runs.contains(n))
                .filter(|&&n| indirect.insert(n)),
        );
    }
    own.difference(&indirect).copied().collect()
}

fn dependencies(
    arrays: &[Array],
    task_of: &BTreeMap<usize, (usize, usize)>,
    needs: &[usize],
) -> Vec<(usize, Option<Vec<usize>>)> {
    let mut by_array: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for (array, task) in needs.iter().filter_map(|need| task_of.get(need)) {
        by_array.entry(*array).or_default().insert(*task);
    }
    let whole = |array: usize, tasks: &BTreeSet<usize>| tasks.len() == arrays[array].tasks.len();
    let listed: usize = by_array
        .iter()
        .filter(|(a, tasks)| !whole(**a, tasks))
        .map(|(_, tasks)| tasks.len())
        .sum();
    by_array
        .into_iter()
        .map(|(array, tasks)| {
            let all = whole(array, &tasks) || listed > MAX_TASKS_NAMED;
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
        Step {
            id: id.into(),
            key: "k".into(),
            cost,
            needs,
            kind,
            ..Step::default()
        }
    }

    fn plan() -> Plan {
        let steps = vec![
            step("prepare", 0, &[]),
            step("train-a", 9, &["prepare"]),
            step("train-b", 5, &["prepare"]),
            step("cell-a1", 1, &["prepare", "train-a"]),
            step("cell-b1", 3, &["prepare", "train-b"]),
            step("cell-a2", 2, &["train-a"]),
            step(
                "end",
                0,
                &["train-a", "train-b", "cell-a1", "cell-a2", "cell-b1"],
            ),
        ];
        Plan {
            steps,
            ..Plan::default()
        }
    }

    /// The arrays as text: `kind: task task < array.task array`.
    fn describe(plan: &Plan, runs: &BTreeSet<usize>, settings: &Slurm, most: usize) -> Vec<String> {
        let schedule = Schedule::new(plan).unwrap();
        let text = |a: &Array| {
            let task = |t: &Vec<usize>| {
                t.iter()
                    .map(|&i| plan.steps[i].id.as_str())
                    .collect::<Vec<_>>()
                    .join("+")
            };
            let after = a
                .after
                .iter()
                .map(|(array, tasks)| format!("{array}{tasks:?}"))
                .collect::<Vec<_>>()
                .join(" ");
            format!(
                "{}: {} < {after}",
                a.kind,
                a.tasks.iter().map(task).collect::<Vec<_>>().join(" ")
            )
        };
        arrays(plan, &schedule, runs, settings, most)
            .unwrap()
            .iter()
            .map(text)
            .collect()
    }

    #[test]
    fn steps_with_the_same_needs_form_an_array_that_depends_on_the_nearest_ones() {
        let plan = plan();
        assert_eq!(
            describe(&plan, &(0..7).collect(), &Slurm::default(), 1000),
            [
                "prepare: prepare < ",
                "train: train-a train-b < 0None",
                "cell: cell-b1 < 1Some([1])",
                "cell: cell-a2 cell-a1 < 1Some([0])",
                "end: end < 2None 3None"
            ]
        );
        // There are no dependencies on steps that are done.
        assert_eq!(
            describe(&plan, &[3, 4, 6].into(), &Slurm::default(), 1000),
            ["cell: cell-b1 cell-a1 < ", "end: end < 0None"]
        );
    }

    #[test]
    fn arrays_respect_the_largest_size_and_tasks_the_number_of_steps() {
        let steps = (0..5)
            .map(|i| step(&format!("cell-{i}"), 0, &[]))
            .chain([step("end", 0, &["cell-1", "cell-4"])]);
        let plan = Plan {
            steps: steps.collect(),
            ..Plan::default()
        };
        let two = Slurm {
            steps_per_task: Some(2),
            ..Slurm::default()
        };
        assert_eq!(
            describe(&plan, &(0..6).collect(), &two, 2),
            [
                "cell: cell-0+cell-1 cell-2+cell-3 < ",
                "cell: cell-4 < ",
                "end: end < 0Some([0]) 1None"
            ]
        );
    }

    #[test]
    fn a_dependency_on_many_single_tasks_becomes_one_on_the_whole_array() {
        let ids: Vec<String> = (0..120).map(|i| format!("cell-{i}")).collect();
        let half: Vec<&str> = ids.iter().step_by(2).map(String::as_str).collect();
        let steps = ids
            .iter()
            .map(|id| step(id, 0, &[]))
            .chain([step("end", 0, &half)]);
        let plan = Plan {
            steps: steps.collect(),
            ..Plan::default()
        };
        assert_eq!(
            describe(&plan, &(0..121).collect(), &Slurm::default(), 1000)[1],
            "end: end < 0None"
        );
    }
}
