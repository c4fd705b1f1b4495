//! How long what is left of a plan takes: each step by the steps of its own kind that were timed, laid out over as many workers as
//! there are, in the order in which the engine would start them.
//!
//! Kinds have no common measure but the plan's costs, and those only roughly: the mean of one kind says nothing of another.

use crate::marks::Marks;
use crate::schedule::{End, Schedule};
use crate::{Plan, Step, SweepError};
use std::collections::BTreeMap;
use std::path::Path;

/// Starting a process, and reading and writing what it needs, seconds: the part of a step that no cost speaks of.
const BESIDE_WORK_S: f64 = 0.5;

/// How long the rest of a plan takes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Forecast {
    /// Seconds from now to the end, without the steps in `untimed`.
    pub seconds: f64,
    /// Steps that have not ended.
    pub steps: usize,
    /// Kinds of which nothing was timed and of whose cost the plan says nothing, with how many steps of each are left.
    pub untimed: Vec<(String, usize)>,
}

/// How long a sweep of `plan` in `run_dir` will take with so many steps at a time. `None` while one of the first steps
/// ([`first_steps`]) is not done, as it may yet refuse its inputs and be the last, and where nothing is known of any step.
///
/// # Errors
/// Where the plan is no good.
pub fn forecast(plan: &Plan, run_dir: &Path, at_a_time: usize) -> Result<Option<Forecast>, SweepError> {
    let runs: Vec<bool> = crate::explain(plan, run_dir)?.iter().map(|e| e.reason.runs()).collect();
    let mut schedule = Schedule::new(plan)?;
    if schedule.first().into_iter().any(|i| runs[i]) {
        return Ok(None);
    }
    for i in (0..plan.steps.len()).filter(|&i| !runs[i]) {
        schedule.settle(i, End::Skipped);
    }
    Ok(lay_out(plan, schedule, &Timed::read(plan, &Marks::new(run_dir)), &[], at_a_time))
}

/// The steps before all work, such as the preparation of data: of no cost by the plan, and waited for by more than half of all
/// steps. What they refuse ends the whole plan.
///
/// # Errors
/// Where the plan is no good.
pub fn first_steps(plan: &Plan) -> Result<Vec<&Step>, SweepError> {
    plan.check()?;
    Ok(Schedule::new(plan)?.first().into_iter().map(|i| &plan.steps[i]).collect())
}

/// How long steps took, by their kinds.
#[derive(Debug, Default)]
pub(crate) struct Timed<'a> {
    kinds: BTreeMap<&'a str, Kind>,
    cost_ns: Option<u64>,
}

#[derive(Debug, Default)]
struct Kind {
    /// Number and sum of the seconds, by cost.
    of_cost: BTreeMap<u64, (usize, f64)>,
}

impl<'a> Timed<'a> {
    /// Of a plan of which nothing is done.
    pub fn new(plan: &Plan) -> Self {
        Timed { kinds: BTreeMap::new(), cost_ns: plan.cost_ns }
    }

    /// Of the steps that were done for the keys that they have now.
    pub fn read(plan: &'a Plan, marks: &Marks) -> Self {
        let mut timed = Timed::new(plan);
        for step in &plan.steps {
            if let Some(record) = marks.record(&step.id).filter(|record| record.key == step.key) {
                timed.add(step, record.seconds);
            }
        }
        timed
    }

    /// A step took so long.
    pub fn add(&mut self, step: &'a Step, seconds: f64) {
        let (count, sum) = self.kinds.entry(&step.kind).or_default().of_cost.entry(step.cost).or_default();
        *count += 1;
        *sum += seconds.max(0.0);
    }

    /// How long a step takes: the mean of those of its kind and cost; else by those of its kind, in proportion to the costs;
    /// else by what the plan says of its cost. `None` where none of these is known.
    pub fn expected(&self, step: &Step) -> Option<f64> {
        let by_cost = || {
            let ns = self.cost_ns.filter(|_| step.cost > 0)?;
            Some(BESIDE_WORK_S + step.cost as f64 * ns as f64 * 1e-9)
        };
        self.kinds.get(step.kind.as_str()).and_then(|kind| kind.expected(step.cost)).or_else(by_cost)
    }
}

impl Kind {
    fn expected(&self, cost: u64) -> Option<f64> {
        if let Some((count, sum)) = self.of_cost.get(&cost) {
            return Some(sum / *count as f64);
        }
        let sum = |value: fn(u64, usize, f64) -> f64| {
            self.of_cost.iter().map(|(&cost, &(count, seconds))| value(cost, count, seconds)).sum::<f64>()
        };
        let (count, costs) = (sum(|_, count, _| count as f64), sum(|cost, count, _| cost as f64 * count as f64));
        if count == 0.0 {
            return None;
        }
        if cost == 0 || costs == 0.0 {
            return Some(sum(|_, _, seconds| seconds) / count);
        }
        let beside = BESIDE_WORK_S.min(sum(|_, _, seconds| seconds) / count);
        let work = (sum(|_, _, seconds| seconds) - beside * count).max(0.0);
        Some(beside + work * (cost as f64 / costs))
    }
}

/// Lays out what has not ended: in `schedule` the steps that have are settled, and those in `running` started, each with the
/// seconds that it has run for. `None` where nothing is known of any of them.
pub(crate) fn lay_out(
    plan: &Plan,
    mut schedule: Schedule<'_>,
    timed: &Timed<'_>,
    running: &[(usize, f64)],
    workers: usize,
) -> Option<Forecast> {
    let (mut seconds, mut found) = (vec![0.0; plan.steps.len()], Forecast::default());
    for (i, step) in plan.steps.iter().enumerate().filter(|&(i, _)| !schedule.is_settled(i)) {
        found.steps += 1;
        match timed.expected(step) {
            Some(expected) => seconds[i] = expected,
            None => match found.untimed.iter_mut().find(|(kind, _)| *kind == step.kind) {
                Some((_, count)) => *count += 1,
                None => found.untimed.push((step.kind.clone(), 1)),
            },
        }
    }
    if found.steps > 0 && found.steps == found.untimed.iter().map(|(_, count)| count).sum::<usize>() {
        return None;
    }
    let mut busy: Vec<(f64, usize)> = Vec::new();
    for &(i, so_far) in running {
        schedule.mark_started(i);
        busy.push(((seconds[i] - so_far).max(0.0), i));
    }
    found.seconds = span(&mut schedule, &seconds, busy, workers);
    Some(found)
}

/// Seconds until all steps have ended, where step `i` takes `seconds[i]` and `workers` run at a time, each beginning the next that
/// may run as soon as it is free. Those that are `busy` end after so many seconds.
pub(crate) fn span(schedule: &mut Schedule<'_>, seconds: &[f64], mut busy: Vec<(f64, usize)>, workers: usize) -> f64 {
    let mut now = 0.0;
    loop {
        while busy.len() < workers.max(1)
            && let Some(i) = schedule.next_ready()
        {
            schedule.mark_started(i);
            busy.push((now + seconds[i], i));
        }
        let first = busy.iter().enumerate().min_by(|(_, a), (_, b)| a.0.total_cmp(&b.0)).map(|(place, _)| place);
        let Some(place) = first else { return now };
        let (end, step) = busy.swap_remove(place);
        now = end;
        schedule.settle(step, End::Done);
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

    /// Two pre-trainings, for each of them a hundred cells of two costs, and what comes before and after.
    fn study() -> Plan {
        let mut steps = vec![step("prepare", 0, &[]), step("sample", 0, &["prepare"])];
        for train in ["pretrain-a", "pretrain-b"] {
            steps.push(step(train, 50_000, &["sample"]));
            steps.extend((0..50).map(|i| step(&format!("cell-{train}{i}"), 1000, &["sample", train])));
            steps.extend((50..100).map(|i| step(&format!("cell-{train}{i}"), 10, &["sample", train])));
        }
        let cells: Vec<&str> = steps[2..].iter().map(|s| s.id.as_str()).collect();
        let end = Step { tolerant: true, ..step("evaluate", 0, &cells) };
        steps.push(end);
        Plan { name: "p".into(), steps, ..Plan::default() }
    }

    fn done(plan: &Plan, run: &Path, id: &str, seconds: f64) {
        let step = plan.steps.iter().find(|s| s.id == id).unwrap();
        Marks::new(run).write_done(step, seconds).unwrap();
    }

    fn untimed(forecast: &Forecast) -> Vec<(&str, usize)> {
        forecast.untimed.iter().map(|(kind, n)| (kind.as_str(), *n)).collect()
    }

    #[test]
    fn each_kind_is_foretold_by_itself() {
        let dir = tempfile::tempdir().unwrap();
        let (d, plan) = (dir.path(), study());
        done(&plan, d, "prepare", 4.0);
        done(&plan, d, "sample", 1.0);
        assert_eq!(forecast(&plan, d, 2).unwrap(), None, "nothing that is left was timed");
        done(&plan, d, "pretrain-a", 300.0);
        // The other pre-training takes as long; of 200 cells nothing is known, least of all that they take as long as it.
        let found = forecast(&plan, d, 2).unwrap().unwrap();
        assert_eq!((found.seconds, untimed(&found)), (300.0, vec![("cell", 200), ("evaluate", 1)]));
        done(&plan, d, "cell-pretrain-a0", 2.5);
        // 2 s of work for a cost of 1000, so 0.02 s for one of 10, each beside half a second.
        let found = forecast(&plan, d, 1).unwrap().unwrap();
        let expected = 300.0 + 99.0 * 2.5 + 100.0 * 0.52;
        assert!((found.seconds - expected).abs() < 1e-9, "{found:?}, {expected}");
        assert_eq!((found.steps, untimed(&found)), (201, vec![("evaluate", 1)]));
        // By their own times, where cells of that cost were timed.
        done(&plan, d, "cell-pretrain-a50", 1.0);
        let found = forecast(&plan, d, 1).unwrap().unwrap();
        let expected = 300.0 + 99.0 * 2.5 + 99.0;
        assert!((found.seconds - expected).abs() < 1e-9, "{found:?}, {expected}");
    }

    #[test]
    fn costs_speak_where_no_step_of_a_kind_is_done() {
        let dir = tempfile::tempdir().unwrap();
        let (d, plan) = (dir.path(), Plan { cost_ns: Some(1_000_000), ..study() });
        assert_eq!(forecast(&plan, d, 1).unwrap(), None, "the data may yet be refused");
        done(&plan, d, "prepare", 4.0);
        assert_eq!(forecast(&plan, d, 1).unwrap(), None, "so may the budgets");
        done(&plan, d, "sample", 1.0);
        let found = forecast(&plan, d, 1).unwrap().unwrap();
        let expected = 2.0 * (50.5 + 50.0 * 1.5 + 50.0 * 0.51);
        assert!((found.seconds - expected).abs() < 1e-9, "{found:?}, {expected}");
        let found = forecast(&plan, d, 2).unwrap().unwrap();
        assert!((found.seconds - expected / 2.0).abs() < 1.0, "{found:?}, {expected}");
        // What was timed counts more.
        done(&plan, d, "pretrain-a", 9.0);
        let found = forecast(&plan, d, 1).unwrap().unwrap();
        let expected = 9.0 + 2.0 * (50.0 * 1.5 + 50.0 * 0.51);
        assert!((found.seconds - expected).abs() < 1e-9, "{found:?}, {expected}");
    }

    #[test]
    fn times_for_other_settings_do_not_count() {
        let dir = tempfile::tempdir().unwrap();
        let (d, mut plan) = (dir.path(), Plan { cost_ns: Some(1_000_000), ..study() });
        for (id, seconds) in [("prepare", 4.0), ("sample", 1.0), ("pretrain-a", 9.0)] {
            done(&plan, d, id, seconds);
        }
        plan.steps.iter_mut().filter(|s| s.kind == "pretrain").for_each(|s| s.key = "another".into());
        let found = forecast(&plan, d, 1).unwrap().unwrap();
        let expected = 2.0 * (50.5 + 50.0 * 1.5 + 50.0 * 0.51);
        assert!((found.seconds - expected).abs() < 1e-9, "{found:?}, {expected}");
    }

    #[test]
    fn a_study_that_is_done_takes_no_time() {
        let dir = tempfile::tempdir().unwrap();
        let plan = Plan { steps: vec![step("prepare", 0, &[])], ..Plan::default() };
        done(&plan, dir.path(), "prepare", 4.0);
        assert_eq!(forecast(&plan, dir.path(), 1).unwrap(), Some(Forecast::default()));
        assert_eq!(
            first_steps(&study()).unwrap().iter().map(|s| s.id.as_str()).collect::<Vec<_>>(),
            ["prepare", "sample"]
        );
    }

    #[test]
    fn what_runs_counts_with_its_rest() {
        let plan = study();
        let mut schedule = Schedule::new(&plan).unwrap();
        let mut timed = Timed::new(&plan);
        let place = |id: &str| plan.steps.iter().position(|s| s.id == id).unwrap();
        for (id, seconds) in [("prepare", 4.0), ("sample", 1.0), ("pretrain-a", 300.0)] {
            timed.add(&plan.steps[place(id)], seconds);
            schedule.settle(place(id), End::Skipped);
        }
        let found = lay_out(&plan, schedule, &timed, &[(place("pretrain-b"), 280.0)], 2).unwrap();
        assert_eq!((found.seconds, found.steps), (20.0, 202));
    }
}
