//! Which step may run next, which can no longer run, and which results are not settled by a key alone.

use crate::{Plan, PlanError};

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
    needs: Vec<Vec<usize>>,
    dependents: Vec<Vec<usize>>,
    collecting: Vec<bool>,
    started: Vec<bool>,
    ends: Vec<Option<End>>,
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
        for i in plan.order()? {
            let step = &plan.steps[i];
            collecting[i] = step.tolerant || step.always || needs[i].iter().any(|&n| collecting[n]);
        }
        Ok(Schedule { plan, needs, dependents, collecting, started: vec![false; n], ends: vec![None; n] })
    }

    /// Whether the step's outcome depends on more than its key: on which of its needs failed, or on the moment. Such
    /// a step runs again whenever one of its needs has run.
    pub fn is_collecting(&self, step: usize) -> bool {
        self.collecting[step]
    }

    pub fn needs(&self, step: usize) -> &[usize] {
        &self.needs[step]
    }

    pub fn mark_started(&mut self, step: usize) {
        self.started[step] = true;
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

    /// A step that waits though it can never run, with the need that keeps it from running.
    pub fn next_blocked(&self) -> Option<(usize, usize)> {
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

    /// The first step of the plan that may run now. Call it when nothing is blocked.
    pub fn next_ready(&self) -> Option<usize> {
        self.waiting().find(|&i| self.needs[i].iter().all(|&n| self.ends[n].is_some()))
    }

    fn waiting(&self) -> impl Iterator<Item = usize> {
        (0..self.plan.steps.len()).filter(|&i| self.ends[i].is_none() && !self.started[i])
    }
}
