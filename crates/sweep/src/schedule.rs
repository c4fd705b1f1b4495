//! Which step runs next, which steps are blocked, and which results depend on more than their key.

use crate::{Plan, PlanError};
use std::collections::{BTreeMap, BTreeSet};

/// How a step ended in this sweep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StepOutcome {
    /// It was done already.
    Skipped,
    /// It ran and succeeded.
    Done,
    /// It ran and failed.
    Failed,
    /// It could not run because of a failure.
    Blocked,
}

impl StepOutcome {
    pub fn is_success(self) -> bool {
        matches!(self, StepOutcome::Skipped | StepOutcome::Done)
    }
}

/// The state of each step of a plan during a sweep.
#[derive(Debug)]
pub(crate) struct Schedule<'a> {
    plan: &'a Plan,
    /// All steps in topological order.
    order: Vec<usize>,
    needs: Vec<Vec<usize>>,
    dependents: Vec<Vec<usize>>,
    collecting: Vec<bool>,
    /// Cost of the most expensive chain of steps that starts with the step.
    critical_path: Vec<u64>,
    started: Vec<bool>,
    outcomes: Vec<Option<StepOutcome>>,
    /// For each blocked step, the failed step that blocks it.
    cause: Vec<Option<usize>>,
}

impl<'a> Schedule<'a> {
    pub fn new(plan: &'a Plan) -> Result<Self, PlanError> {
        let n = plan.steps.len();
        let index_of = plan.index_by_id();
        let needs: Vec<Vec<usize>> = plan
            .steps
            .iter()
            .map(|s| {
                s.needs
                    .iter()
                    .filter_map(|need| index_of.get(need.as_str()).copied())
                    .collect()
            })
            .collect();
        let mut dependents = vec![Vec::new(); n];
        for (i, of) in needs.iter().enumerate() {
            for &need in of {
                dependents[need].push(i);
            }
        }
        let mut collecting = vec![false; n];
        let order = plan.order()?;
        let mut critical_path = vec![0u64; n];
        for &i in order.iter().rev() {
            let behind = dependents[i]
                .iter()
                .map(|&d| critical_path[d])
                .max()
                .unwrap_or(0);
            critical_path[i] = plan.steps[i].cost.saturating_add(behind);
        }
        for &i in &order {
            let step = &plan.steps[i];
            collecting[i] = step.tolerant || needs[i].iter().any(|&n| collecting[n]);
        }
        let (started, outcomes, cause) = (vec![false; n], vec![None; n], vec![None; n]);
        Ok(Schedule {
            plan,
            order,
            needs,
            dependents,
            collecting,
            critical_path,
            started,
            outcomes,
            cause,
        })
    }

    /// Whether the step's result depends on more than its key, namely on which of its needs failed.
    /// Such a step runs again whenever one of its needs has run.
    pub fn is_collecting(&self, step: usize) -> bool {
        self.collecting[step]
    }

    pub fn needs(&self, step: usize) -> &[usize] {
        &self.needs[step]
    }

    /// Cost of the most expensive chain of steps that starts with the step.
    pub fn critical_path(&self, step: usize) -> u64 {
        self.critical_path[step]
    }

    pub fn mark_started(&mut self, step: usize) {
        self.started[step] = true;
    }

    /// Makes the step ready to be started again.
    pub fn mark_waiting(&mut self, step: usize) {
        self.started[step] = false;
    }

    pub fn settle(&mut self, step: usize, outcome: StepOutcome) {
        self.outcomes[step] = Some(outcome);
    }

    /// The collecting steps that a new run of `step` invalidates: those that depend on it through
    /// collecting steps only.
    pub fn invalidated_by(&self, step: usize) -> Vec<usize> {
        let (mut stale, mut open) = (Vec::new(), vec![step]);
        while let Some(i) = open.pop() {
            for &d in &self.dependents[i] {
                if self.collecting[d] && !stale.contains(&d) {
                    stale.push(d);
                    open.push(d);
                }
            }
        }
        stale
    }

    /// Whether the step has ended in any way.
    pub fn is_settled(&self, step: usize) -> bool {
        self.outcomes[step].is_some()
    }

    /// Settles every blocked step and returns each with the failed step that it needs, directly or
    /// indirectly.
    pub fn settle_blocked(&mut self) -> Vec<(usize, usize)> {
        let mut blocked = Vec::new();
        while let Some((i, by)) = self.next_blocked() {
            let failed = self.cause[by].unwrap_or(by);
            self.cause[i] = Some(failed);
            self.settle(i, StepOutcome::Blocked);
            blocked.push((i, failed));
        }
        blocked
    }

    /// How many steps would be blocked if only this one failed.
    fn would_block(&self, step: usize) -> usize {
        let (mut failed_needs, mut blocked, mut open) =
            (BTreeMap::new(), BTreeSet::new(), vec![step]);
        while let Some(i) = open.pop() {
            for &d in &self.dependents[i] {
                let failed: &mut usize = failed_needs.entry(d).or_default();
                *failed += 1;
                let blocks = !self.plan.steps[d].tolerant || *failed == self.needs[d].len();
                if blocks && blocked.insert(d) {
                    open.push(d);
                }
            }
        }
        blocked.len()
    }

    /// The steps before the main work: those without a cost that need only such steps and that more
    /// than half of all steps need. If one of them fails, so does the whole plan.
    pub fn first_steps(&self) -> Vec<usize> {
        let mut first = Vec::new();
        for &i in &self.order {
            let is_early =
                self.plan.steps[i].cost == 0 && self.needs[i].iter().all(|n| first.contains(n));
            if is_early && 2 * self.would_block(i) > self.plan.steps.len() {
                first.push(i);
            }
        }
        first
    }

    /// A waiting step that can never run, with the need that blocks it.
    fn next_blocked(&self) -> Option<(usize, usize)> {
        self.waiting().find_map(|i| {
            let failed = |&&n: &&usize| self.outcomes[n].is_some_and(|e| !e.is_success());
            let first_failed = self.needs[i].iter().find(failed);
            let blocked = if self.plan.steps[i].tolerant {
                !self.needs[i].is_empty()
                    && self.needs[i].iter().filter(failed).count() == self.needs[i].len()
            } else {
                first_failed.is_some()
            };
            first_failed.filter(|_| blocked).map(|&by| (i, by))
        })
    }

    /// Of the ready steps the one with the most expensive critical path, the first in plan order
    /// among equals. Call it after [`Schedule::settle_blocked`].
    pub fn next_ready(&self) -> Option<usize> {
        let ready = self
            .waiting()
            .filter(|&i| self.needs[i].iter().all(|&n| self.outcomes[n].is_some()));
        // `max_by_key` returns the last of equal elements, hence the reversed order.
        ready.rev().max_by_key(|&i| self.critical_path[i])
    }

    fn waiting(&self) -> impl DoubleEndedIterator<Item = usize> {
        (0..self.plan.steps.len()).filter(|&i| self.outcomes[i].is_none() && !self.started[i])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Step;

    fn step(id: &str, cost: u64, needs: &[&str]) -> Step {
        let needs = needs.iter().map(|s| s.to_string()).collect();
        Step {
            id: id.into(),
            key: "k".into(),
            cost,
            needs,
            ..Step::default()
        }
    }

    #[test]
    fn the_most_expensive_critical_path_starts_first_and_plan_order_breaks_ties() {
        let steps = vec![
            step("cheap", 1, &[]),
            step("long", 50, &[]),
            step("long too", 50, &[]),
            step("root", 20, &[]),
            step("of root", 40, &["root"]),
            step("end", 0, &["cheap", "long", "long too", "of root"]),
        ];
        let plan = Plan {
            steps,
            ..Plan::default()
        };
        let mut schedule = Schedule::new(&plan).unwrap();
        let mut order = Vec::new();
        while let Some(i) = schedule.next_ready() {
            schedule.mark_started(i);
            schedule.settle(i, StepOutcome::Done);
            order.push(plan.steps[i].id.as_str());
        }
        assert_eq!(
            order,
            ["root", "long", "long too", "of root", "cheap", "end"]
        );
    }

    #[test]
    fn a_blocked_step_names_the_failure_and_not_the_step_before_it() {
        let tolerant = Step {
            tolerant: true,
            ..step("end", 0, &["cell a", "cell b"])
        };
        let steps = vec![
            step("prepare", 0, &[]),
            step("sample", 0, &["prepare"]),
            step("train a", 9, &["sample"]),
            step("train b", 9, &["sample"]),
            step("cell a", 1, &["sample", "train a"]),
            step("cell b", 1, &["sample", "train b"]),
            tolerant,
        ];
        let plan = Plan {
            steps,
            ..Plan::default()
        };
        let blocked = |failed: &[usize]| {
            let mut schedule = Schedule::new(&plan).unwrap();
            failed
                .iter()
                .for_each(|&i| schedule.settle(i, StepOutcome::Failed));
            schedule.settle_blocked()
        };
        assert_eq!(blocked(&[0]), [1, 2, 3, 4, 5, 6].map(|i| (i, 0)));
        assert_eq!(blocked(&[2]), [(4, 2)]);
        assert_eq!(blocked(&[2, 3]), [(4, 2), (5, 3), (6, 2)]);
        let schedule = Schedule::new(&plan).unwrap();
        let counts: Vec<usize> = (0..7).map(|i| schedule.would_block(i)).collect();
        assert_eq!(counts, [6, 5, 1, 1, 0, 0, 0]);
        // Neither a training, though many steps may need it, nor a collecting step.
        assert_eq!(schedule.first_steps(), [0, 1]);
    }

    #[test]
    fn a_plan_of_independent_steps_has_no_first_steps() {
        let steps = (0..40).map(|i| step(&i.to_string(), 0, &[])).collect();
        assert_eq!(
            Schedule::new(&Plan {
                steps,
                ..Plan::default()
            })
            .unwrap()
            .first_steps(),
            Vec::<usize>::new()
        );
    }
}
