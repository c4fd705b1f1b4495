//! Which step may run next, which can no longer run, and which results are not settled by a key alone.

use crate::{Plan, PlanError};
use std::collections::{BTreeMap, BTreeSet};

/// How a step ended in this sweep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// It was done before.
    Skipped,
    /// It ran, well.
    Done,
    /// It ran, and failed.
    Failed,
    /// It could not run.
    Blocked,
}

impl End {
    pub fn is_good(self) -> bool {
        matches!(self, End::Skipped | End::Done)
    }
}

/// Where each step of a plan stands.
#[derive(Debug)]
pub(crate) struct Schedule<'a> {
    plan: &'a Plan,
    /// All steps, each after its needs.
    order: Vec<usize>,
    needs: Vec<Vec<usize>>,
    dependents: Vec<Vec<usize>>,
    collecting: Vec<bool>,
    /// Cost of the longest chain that begins with the step.
    ahead: Vec<u64>,
    started: Vec<bool>,
    ends: Vec<Option<End>>,
    /// Of a step that could not run, the one whose failure is the cause.
    cause: Vec<Option<usize>>,
}

impl<'a> Schedule<'a> {
    pub fn new(plan: &'a Plan) -> Result<Self, PlanError> {
        let n = plan.steps.len();
        let places = plan.places();
        let needs: Vec<Vec<usize>> = plan
            .steps
            .iter()
            .map(|s| s.needs.iter().filter_map(|need| places.get(need.as_str()).copied()).collect())
            .collect();
        let mut dependents = vec![Vec::new(); n];
        for (i, of) in needs.iter().enumerate() {
            for &need in of {
                dependents[need].push(i);
            }
        }
        let mut collecting = vec![false; n];
        let order = plan.order()?;
        let mut ahead = vec![0u64; n];
        for &i in order.iter().rev() {
            let behind = dependents[i].iter().map(|&d| ahead[d]).max().unwrap_or(0);
            ahead[i] = plan.steps[i].cost.saturating_add(behind);
        }
        for &i in &order {
            let step = &plan.steps[i];
            collecting[i] = step.tolerant || step.always || needs[i].iter().any(|&n| collecting[n]);
        }
        let (started, ends, cause) = (vec![false; n], vec![None; n], vec![None; n]);
        Ok(Schedule { plan, order, needs, dependents, collecting, ahead, started, ends, cause })
    }

    /// Whether the step's outcome depends on more than its key: on which of its needs failed, or on the moment. Such
    /// a step runs again whenever one of its needs has run.
    pub fn is_collecting(&self, step: usize) -> bool {
        self.collecting[step]
    }

    pub fn needs(&self, step: usize) -> &[usize] {
        &self.needs[step]
    }

    /// Cost of the longest chain that begins with the step.
    pub fn ahead(&self, step: usize) -> u64 {
        self.ahead[step]
    }

    pub fn mark_started(&mut self, step: usize) {
        self.started[step] = true;
    }

    /// The step is to be started once more.
    pub fn mark_waiting(&mut self, step: usize) {
        self.started[step] = false;
    }

    pub fn settle(&mut self, step: usize, end: End) {
        self.ends[step] = Some(end);
    }

    /// The collecting steps that a new run of `step` makes stale: those behind it, without a keyed step in between.
    pub fn made_stale_by(&self, step: usize) -> Vec<usize> {
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

    /// Whether the step has ended, one way or another.
    pub fn is_settled(&self, step: usize) -> bool {
        self.ends[step].is_some()
    }

    /// Settles every step that can never run; each with the step that failed and that it waits for, directly or not.
    pub fn settle_blocked(&mut self) -> Vec<(usize, usize)> {
        let mut blocked = Vec::new();
        while let Some((i, by)) = self.next_blocked() {
            let failed = self.cause[by].unwrap_or(by);
            self.cause[i] = Some(failed);
            self.settle(i, End::Blocked);
            blocked.push((i, failed));
        }
        blocked
    }

    /// How many steps could not run if this one failed and nothing else did.
    fn would_block(&self, step: usize) -> usize {
        let (mut bad_needs, mut blocked, mut open) = (BTreeMap::new(), BTreeSet::new(), vec![step]);
        while let Some(i) = open.pop() {
            for &d in &self.dependents[i] {
                let bad: &mut usize = bad_needs.entry(d).or_default();
                *bad += 1;
                let blocks = !self.plan.steps[d].tolerant || *bad == self.needs[d].len();
                if blocks && blocked.insert(d) {
                    open.push(d);
                }
            }
        }
        blocked.len()
    }

    /// The steps that come before all work: of no cost by the plan, behind none but their like, and waited for by more than half
    /// of all steps. Where one of them fails, a plan ends as it begins.
    pub fn first(&self) -> Vec<usize> {
        let mut first = Vec::new();
        for &i in &self.order {
            let early = self.plan.steps[i].cost == 0 && self.needs[i].iter().all(|n| first.contains(n));
            if early && 2 * self.would_block(i) > self.plan.steps.len() {
                first.push(i);
            }
        }
        first
    }

    /// A step that waits though it can never run, with the need that keeps it from running.
    fn next_blocked(&self) -> Option<(usize, usize)> {
        self.waiting().find_map(|i| {
            let bad = |&&n: &&usize| self.ends[n].is_some_and(|e| !e.is_good());
            let first_bad = self.needs[i].iter().find(bad);
            let blocked = if self.plan.steps[i].tolerant {
                !self.needs[i].is_empty() && self.needs[i].iter().filter(bad).count() == self.needs[i].len()
            } else {
                first_bad.is_some()
            };
            first_bad.filter(|_| blocked).map(|&by| (i, by))
        })
    }

    /// Of the steps that may run now the one with the costliest chain ahead, the first of the plan among equals. Call
    /// it when nothing is blocked.
    pub fn next_ready(&self) -> Option<usize> {
        let ready = self.waiting().filter(|&i| self.needs[i].iter().all(|&n| self.ends[n].is_some()));
        // The last of equals is what `max_by_key` gives.
        ready.rev().max_by_key(|&i| self.ahead[i])
    }

    fn waiting(&self) -> impl DoubleEndedIterator<Item = usize> {
        (0..self.plan.steps.len()).filter(|&i| self.ends[i].is_none() && !self.started[i])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Step;

    fn step(id: &str, cost: u64, needs: &[&str]) -> Step {
        let needs = needs.iter().map(|s| s.to_string()).collect();
        Step { id: id.into(), key: "k".into(), cost, needs, ..Step::default() }
    }

    #[test]
    fn what_has_the_costliest_chain_ahead_begins_first_and_plan_order_decides_among_equals() {
        let steps = vec![
            step("cheap", 1, &[]),
            step("long", 50, &[]),
            step("long too", 50, &[]),
            step("root", 20, &[]),
            step("of root", 40, &["root"]),
            step("end", 0, &["cheap", "long", "long too", "of root"]),
        ];
        let plan = Plan { steps, ..Plan::default() };
        let mut schedule = Schedule::new(&plan).unwrap();
        let mut order = Vec::new();
        while let Some(i) = schedule.next_ready() {
            schedule.mark_started(i);
            schedule.settle(i, End::Done);
            order.push(plan.steps[i].id.as_str());
        }
        assert_eq!(order, ["root", "long", "long too", "of root", "cheap", "end"]);
    }

    #[test]
    fn what_cannot_run_names_the_failure_and_not_the_step_before_it() {
        let tolerant = Step { tolerant: true, ..step("end", 0, &["cell a", "cell b"]) };
        let steps = vec![
            step("prepare", 0, &[]),
            step("sample", 0, &["prepare"]),
            step("train a", 9, &["sample"]),
            step("train b", 9, &["sample"]),
            step("cell a", 1, &["sample", "train a"]),
            step("cell b", 1, &["sample", "train b"]),
            tolerant,
        ];
        let plan = Plan { steps, ..Plan::default() };
        let blocked = |failed: &[usize]| {
            let mut schedule = Schedule::new(&plan).unwrap();
            failed.iter().for_each(|&i| schedule.settle(i, End::Failed));
            schedule.settle_blocked()
        };
        assert_eq!(blocked(&[0]), [1, 2, 3, 4, 5, 6].map(|i| (i, 0)));
        assert_eq!(blocked(&[2]), [(4, 2)]);
        assert_eq!(blocked(&[2, 3]), [(4, 2), (5, 3), (6, 2)]);
        let schedule = Schedule::new(&plan).unwrap();
        let counts: Vec<usize> = (0..7).map(|i| schedule.would_block(i)).collect();
        assert_eq!(counts, [6, 5, 1, 1, 0, 0, 0]);
        // Neither a training, though much may wait for it, nor what collects.
        assert_eq!(schedule.first(), [0, 1]);
    }

    #[test]
    fn a_plan_of_equals_has_no_first_step() {
        let steps = (0..40).map(|i| step(&i.to_string(), 0, &[])).collect();
        assert_eq!(Schedule::new(&Plan { steps, ..Plan::default() }).unwrap().first(), Vec::<usize>::new());
    }
}
