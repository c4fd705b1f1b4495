//! How long the rest of a plan takes. Each step is estimated from timed steps of its own kind; the
//! estimates are simulated over the available workers, in the order in which the engine starts
//! steps.
//!
//! The times of one kind say nothing about another kind: only the plan's costs compare kinds, and
//! only roughly.

use crate::marks::Marks;
use crate::schedule::{Schedule, StepOutcome};
use crate::{Plan, Step, SweepError};
use std::collections::BTreeMap;
use std::path::Path;

/// Seconds to start a process and to read and write its files: the part of a step that its cost
/// does not cover.
const STARTUP_S: f64 = 0.5;

/// How long the rest of a plan takes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Forecast {
    /// Seconds from now to the end, without the steps in `untimed`.
    pub seconds: f64,
    /// Steps that have not ended.
    pub steps: usize,
    /// Kinds without a timed step and without costs in the plan, with the number of remaining steps
    /// of each.
    pub untimed: Vec<(String, usize)>,
}

/// Forecasts how long a sweep of `plan` in `run_dir` takes with this number of workers. `None`
/// while one of the first steps ([`first_steps`]) is not done, as it may still reject its inputs
/// and so end the plan, and if there is no estimate for any step.
///
/// # Errors
/// An invalid plan.
pub fn forecast(
    plan: &Plan,
    run_dir: &Path,
    workers: usize,
) -> Result<Option<Forecast>, SweepError> {
    let runs: Vec<bool> = crate::explain(plan, run_dir)?
        .iter()
        .map(|e| e.reason.runs())
        .collect();
    let mut schedule = Schedule::new(plan)?;
    if schedule.first_steps().into_iter().any(|i| runs[i]) {
        return Ok(None);
    }
    for i in (0..plan.steps.len()).filter(|&i| !runs[i]) {
        schedule.settle(i, StepOutcome::Skipped);
    }
    Ok(simulate(
        plan,
        schedule,
        &StepTimes::read(plan, &Marks::new(run_dir)),
        &[],
        workers,
    ))
}

/// The steps before the main work, such as the preparation of data: steps without a cost that more
/// than half of all steps need. If one of them fails, so does the whole plan.
///
/// # Errors
/// An invalid plan.
pub fn first_steps(plan: &Plan) -> Result<Vec<&Step>, SweepError> {
    plan.check()?;
    Ok(Schedule::new(plan)?
        .first_steps()
        .into_iter()
        .map(|i| &plan.steps[i])
        .collect())
}

/// Measured step times by kind.
#[derive(Debug, Default)]
pub(crate) struct StepTimes<'a> {
    kinds: BTreeMap<&'a str, Kind>,
    cost_ns: Option<u64>,
}

#[derive(Debug, Default)]
struct Kind {
    /// Number of steps and sum of their seconds, by cost.
    of_cost: BTreeMap<u64, (usize, f64)>,
}

impl<'a> StepTimes<'a> {
    /// No times yet.
    pub fn new(plan: &Plan) -> Self {
        StepTimes {
            kinds: BTreeMap::new(),
            cost_ns: plan.cost_ns,
        }
    }

    /// The times of the steps that are done for their current keys.
    pub fn read(plan: &'a Plan, marks: &Marks) -> Self {
        let mut times = StepTimes::new(plan);
        for step in &plan.steps {
            if let Some(record) = marks
                .record(&step.id)
                .filter(|record| record.key == step.key)
            {
                times.add(step, record.seconds);
            }
        }
        times
    }

    /// Adds the time of a step.
    pub fn add(&mut self, step: &'a Step, seconds: f64) {
        let (count, sum) = self
            .kinds
            .entry(&step.kind)
            .or_default()
            .of_cost
            .entry(step.cost)
            .or_default();
        *count += 1;
        *sum += seconds.max(0.0);
    }

    /// Estimated seconds of a step: the mean of the steps of its kind and cost; else scaled by cost
    /// from the steps of its kind; else from the plan's time per unit of cost. `None` without any
    /// of these.
    pub fn estimate(&self, step: &Step) -> Option<f64> {
        let by_cost = || {
            let ns = self.cost_ns.filter(|_| step.cost > 0)?;
            Some(STARTUP_S + step.cost as f64 * ns as f64 * 1e-9)
        };
        self.kinds
            .get(step.kind.as_str())
            .and_then(|kind| kind.estimate(step.cost))
            .or_else(by_cost)
    }
}

impl Kind {
    fn estimate(&self, cost: u64) -> Option<f64> {
        if let Some((count, sum)) = self.of_cost.get(&cost) {
            return Some(sum / *count as f64);
        }
        let sum = |value: fn(u64, usize, f64) -> f64| {
            self.of_cost
                .iter()
                .map(|(&cost, &(count, seconds))| value(cost, count, seconds))
                .sum::<f64>()
        };
        let (count, costs) = (
            sum(|_, count, _| count as f64),
            sum(|cost, count, _| cost as f64 * count as f64),
        );
        if count == 0.0 {
            return None;
        }
        if cost == 0 || costs == 0.0 {
            return Some(sum(|_, _, seconds| seconds) / count);
        }
        let startup = STARTUP_S.min(sum(|_, _, seconds| seconds) / count);
        let work = (sum(|_, _, seconds| seconds) - startup * count).max(0.0);
        Some(startup + work * (cost as f64 / costs))
    }
}

/// Simulates the rest of a plan. Steps that have ended are settled in `schedule`; `running` holds
/// the steps that run now, each with the seconds so far. `None` if there is no estimate for any
/// remaining step.
pub(crate) fn simulate(
    plan: &Plan,
    mut schedule: Schedule<'_>,
    times: &StepTimes<'_>,
    running: &[(usize, f64)],
    workers: usize,
) -> Option<Forecast> {
    let (mut seconds, mut found) = (vec![0.0; plan.steps.len()], Forecast::default());
    for (i, step) in plan
        .steps
        .iter()
        .enumerate()
        .filter(|&(i, _)| !schedule.is_settled(i))
    {
        found.steps += 1;
        match times.estimate(step) {
            Some(estimate) => seconds[i] = estimate,
            None => match found
                .untimed
                .iter_mut()
                .find(|(kind, _)| *kind == step.kind)
            {
                Some((_, count)) => *count += 1,
                None => found.untimed.push((step.kind.clone(), 1)),
            },
        }
    }
    if found.steps > 0 && found.steps == found.untimed.iter().map(|(_, count)| count).sum::<usize>()
    {
        return None;
    }
    let mut busy: Vec<(f64, usize)> = Vec::new();
    for &(i, so_far) in running {
        schedule.mark_started(i);
        busy.push(((seconds[i] - so_far).max(0.0), i));
    }
    found.seconds = makespan(&mut schedule, &seconds, busy, workers);
    Some(found)
}

/// Seconds until all steps have ended, if step `i` takes `seconds[i]` and `workers` run in
/// parallel, each starting the next ready step as soon as it is free. `busy` holds the running
/// steps, each with its remaining seconds.
pub(crate) fn makespan(
    schedule: &mut Schedule<'_>,
    seconds: &[f64],
    mut busy: Vec<(f64, usize)>,
    workers: usize,
) -> f64 {
    let mut now = 0.0;
    loop {
        while busy.len() < workers.max(1)
            && let Some(i) = schedule.next_ready()
        {
            schedule.mark_started(i);
            busy.push((now + seconds[i], i));
        }
        let first = busy
            .iter()
            .enumerate()
            .min_by(|(_, a), (_, b)| a.0.total_cmp(&b.0))
            .map(|(position, _)| position);
        let Some(position) = first else { return now };
        let (end, step) = busy.swap_remove(position);
        now = end;
        schedule.settle(step, StepOutcome::Done);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(id: &str, cost: u64, needs: &[&str]) -> Step {
        Step {
            id: id.into(),
            key: "k".into(),
            cost,
            needs: needs.iter().map(|s| s.to_string()).collect(),
            kind: id.split('-').next().unwrap().into(),
            ..Step::default()
        }
    }

    /// Two pre-trainings, a hundred cells of two different costs for each, and the steps before and
    /// after.
    fn study() -> Plan {
        let mut steps = vec![step("prepare", 0, &[]), step("sample", 0, &["prepare"])];
        for train in ["pretrain-a", "pretrain-b"] {
            steps.push(step(train, 50_000, &["sample"]));
            steps.extend(
                (0..50).map(|i| step(&format!("cell-{train}{i}"), 1000, &["sample", train])),
            );
            steps.extend(
                (50..100).map(|i| step(&format!("cell-{train}{i}"), 10, &["sample", train])),
            );
        }
        let cells: Vec<&str> = steps[2..].iter().map(|s| s.id.as_str()).collect();
        let end = Step {
            tolerant: true,
            ..step("evaluate", 0, &cells)
        };
        steps.push(end);
        Plan {
            name: "p".into(),
            steps,
            ..Plan::default()
        }
    }

    fn done(plan: &Plan, run: &Path, id: &str, seconds: f64) {
        let step = plan.steps.iter().find(|s| s.id == id).unwrap();
        Marks::new(run).write_done(step, seconds).unwrap();
    }

    fn untimed(forecast: &Forecast) -> Vec<(&str, usize)> {
        forecast
            .untimed
            .iter()
            .map(|(kind, n)| (kind.as_str(), *n))
            .collect()
    }

    #[test]
    fn each_kind_is_forecast_from_its_own_times() {
        let dir = tempfile::tempdir().unwrap();
        let (d, plan) = (dir.path(), study());
        done(&plan, d, "prepare", 4.0);
        done(&plan, d, "sample", 1.0);
        assert_eq!(
            forecast(&plan, d, 2).unwrap(),
            None,
            "no remaining kind was timed"
        );
        done(&plan, d, "pretrain-a", 300.0);
        // The other pre-training takes as long; there is no estimate for the 200 cells, which are
        // of another kind.
        let found = forecast(&plan, d, 2).unwrap().unwrap();
        assert_eq!(
            (found.seconds, untimed(&found)),
            (300.0, vec![("cell", 200), ("evaluate", 1)])
        );
        done(&plan, d, "cell-pretrain-a0", 2.5);
        // 2 s of work for a cost of 1000, so 0.02 s for a cost of 10, each plus half a second to
        // start.
        let found = forecast(&plan, d, 1).unwrap().unwrap();
        let expected = 300.0 + 99.0 * 2.5 + 100.0 * 0.52;
        assert!(
            (found.seconds - expected).abs() < 1e-9,
            "{found:?}, {expected}"
        );
        assert_eq!((found.steps, untimed(&found)), (201, vec![("evaluate", 1)]));
        // A timed cell of the same cost takes precedence.
        done(&plan, d, "cell-pretrain-a50", 1.0);
        let found = forecast(&plan, d, 1).unwrap().unwrap();
        let expected = 300.0 + 99.0 * 2.5 + 99.0;
        assert!(
            (found.seconds - expected).abs() < 1e-9,
            "{found:?}, {expected}"
        );
    }

    #[test]
    fn costs_are_used_where_no_step_of_a_kind_is_done() {
        let dir = tempfile::tempdir().unwrap();
        let (d, plan) = (
            dir.path(),
            Plan {
                cost_ns: Some(1_000_000),
                ..study()
            },
        );
        assert_eq!(
            forecast(&plan, d, 1).unwrap(),
            None,
            "the data may still be rejected"
        );
        done(&plan, d, "prepare", 4.0);
        assert_eq!(
            forecast(&plan, d, 1).unwrap(),
            None,
            "so may the label budgets"
        );
        done(&plan, d, "sample", 1.0);
        let found = forecast(&plan, d, 1).unwrap().unwrap();
        let expected = 2.0 * (50.5 + 50.0 * 1.5 + 50.0 * 0.51);
        assert!(
            (found.seconds - expected).abs() < 1e-9,
            "{found:?}, {expected}"
        );
        let found = forecast(&plan, d, 2).unwrap().unwrap();
        assert!(
            (found.seconds - expected / 2.0).abs() < 1.0,
            "{found:?}, {expected}"
        );
        // Measured times take precedence over costs.
        done(&plan, d, "pretrain-a", 9.0);
        let found = forecast(&plan, d, 1).unwrap().unwrap();
        let expected = 9.0 + 2.0 * (50.0 * 1.5 + 50.0 * 0.51);
        assert!(
            (found.seconds - expected).abs() < 1e-9,
            "{found:?}, {expected}"
        );
    }

    #[test]
    fn times_for_other_settings_are_ignored() {
        let dir = tempfile::tempdir().unwrap();
        let (d, mut plan) = (
            dir.path(),
            Plan {
                cost_ns: Some(1_000_000),
                ..study()
            },
        );
        for (id, seconds) in [("prepare", 4.0), ("sample", 1.0), ("pretrain-a", 9.0)] {
            done(&plan, d, id, seconds);
        }
        plan.steps
            .iter_mut()
            .filter(|s| s.kind == "pretrain")
            .for_each(|s| s.key = "another".into());
        let found = forecast(&plan, d, 1).unwrap().unwrap();
        let expected = 2.0 * (50.5 + 50.0 * 1.5 + 50.0 * 0.51);
        assert!(
            (found.seconds - expected).abs() < 1e-9,
            "{found:?}, {expected}"
        );
    }

    #[test]
    fn a_finished_study_takes_no_time() {
        let dir = tempfile::tempdir().unwrap();
        let plan = Plan {
            steps: vec![step("prepare", 0, &[])],
            ..Plan::default()
        };
        done(&plan, dir.path(), "prepare", 4.0);
        assert_eq!(
            forecast(&plan, dir.path(), 1).unwrap(),
            Some(Forecast::default())
        );
        assert_eq!(
            first_steps(&study())
                .unwrap()
                .iter()
                .map(|s| s.id.as_str())
                .collect::<Vec<_>>(),
            ["prepare", "sample"]
        );
    }

    #[test]
    fn a_running_step_counts_with_its_remaining_time() {
        let plan = study();
        let mut schedule = Schedule::new(&plan).unwrap();
        let mut times = StepTimes::new(&plan);
        let index = |id: &str| plan.steps.iter().position(|s| s.id == id).unwrap();
        for (id, seconds) in [("prepare", 4.0), ("sample", 1.0), ("pretrain-a", 300.0)] {
            times.add(&plan.steps[index(id)], seconds);
            schedule.settle(index(id), StepOutcome::Skipped);
        }
        let found = simulate(&plan, schedule, &times, &[(index("pretrain-b"), 280.0)], 2).unwrap();
        assert_eq!((found.seconds, found.steps), (20.0, 202));
    }
}
