//! What a plan takes on more machines than it was run on: its steps as they were measured, laid out over workers in the
//! order in which the engine would start them.

use crate::marks::{Marks, read_plan};
use crate::schedule::{End, Schedule};
use crate::{Plan, PlanError, SweepError};
use std::collections::BTreeMap;
use std::path::Path;

/// What a plan takes.
#[derive(Debug, Clone, PartialEq)]
pub struct Cost {
    /// The plan's name.
    pub name: String,
    /// Steps whose time was measured.
    pub measured: usize,
    /// Steps that are not done, taken to last as long as the mean of their kind, or of all where none of it is done.
    pub estimated: usize,
    /// Seconds of all steps together.
    pub work_s: f64,
    /// Seconds of the longest chain of steps, which no number of machines makes shorter.
    pub longest_chain_s: f64,
    /// Seconds from begin to end with so many steps at a time, as asked.
    pub spans: Vec<(usize, f64)>,
}

/// Works out what the plan in `run_dir` takes with so many steps at a time, from the times of the steps that are done.
///
/// # Errors
/// Where no plan is in the folder, or no step of it is done.
pub fn cost(run_dir: &Path, at_a_time: &[usize]) -> Result<Cost, SweepError> {
    let plan = read_plan(run_dir)?;
    plan.check()?;
    let marks = Marks::new(run_dir);
    let measured: Vec<Option<f64>> =
        plan.steps.iter().map(|s| marks.record(&s.id).filter(|r| r.key == s.key).map(|r| r.seconds.max(0.0))).collect();
    let mut of_kind: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for (step, seconds) in plan.steps.iter().zip(&measured) {
        of_kind.entry(&step.kind).or_default().extend(seconds);
    }
    let all: Vec<f64> = measured.iter().copied().flatten().collect();
    let overall = mean(&all).ok_or_else(|| SweepError::NothingMeasured { run: run_dir.to_path_buf() })?;
    let expected = |kind: &str| of_kind.get(kind).and_then(|seconds| mean(seconds)).unwrap_or(overall);
    let seconds: Vec<f64> =
        plan.steps.iter().zip(&measured).map(|(step, m)| m.unwrap_or_else(|| expected(&step.kind))).collect();
    let spans = at_a_time.iter().map(|&n| Ok((n, span(&plan, &seconds, n)?))).collect::<Result<_, PlanError>>()?;
    Ok(Cost {
        name: plan.name.clone(),
        measured: all.len(),
        estimated: plan.steps.len() - all.len(),
        work_s: seconds.iter().sum(),
        longest_chain_s: span(&plan, &seconds, plan.steps.len())?,
        spans,
    })
}

/// Seconds that a sweep of `plan` in `run_dir` will take with so many steps at a time: by the steps of the run that are done, and
/// where none of a kind is, by what the plan says of their costs. `None` where neither tells anything.
///
/// # Errors
/// Where the plan is no good.
pub fn forecast(plan: &Plan, run_dir: &Path, at_a_time: usize) -> Result<Option<f64>, SweepError> {
    /// Starting a process, and reading and writing what it needs.
    const BESIDE_TRAINING_S: f64 = 0.5;
    let marks = Marks::new(run_dir);
    let mut of_kind: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for step in &plan.steps {
        of_kind.entry(&step.kind).or_default().extend(marks.record(&step.id).map(|r| r.seconds.max(0.0)));
    }
    let runs: Vec<bool> = crate::explain(plan, run_dir)?.iter().map(|e| e.reason.runs()).collect();
    let expected = |step: &crate::Step| {
        let measured = of_kind.get(step.kind.as_str()).and_then(|seconds| mean(seconds));
        let by_cost = |ns: u64| BESIDE_TRAINING_S + step.cost as f64 * ns as f64 * 1e-9;
        measured.or_else(|| plan.cost_ns.map(by_cost))
    };
    let seconds: Option<Vec<f64>> =
        plan.steps.iter().zip(&runs).map(|(step, &runs)| if runs { expected(step) } else { Some(0.0) }).collect();
    seconds.map(|seconds| Ok(span(plan, &seconds, at_a_time)?)).transpose()
}

/// Seconds from begin to end where step `i` takes `seconds[i]` and `workers` run at a time, each beginning the next that may
/// run as soon as it is free.
fn span(plan: &Plan, seconds: &[f64], workers: usize) -> Result<f64, PlanError> {
    let mut schedule = Schedule::new(plan)?;
    let (mut now, mut running): (f64, Vec<(f64, usize)>) = (0.0, Vec::new());
    loop {
        while running.len() < workers.max(1)
            && let Some(i) = schedule.next_ready()
        {
            schedule.mark_started(i);
            running.push((now + seconds[i], i));
        }
        let first = running.iter().enumerate().min_by(|(_, a), (_, b)| a.0.total_cmp(&b.0)).map(|(place, _)| place);
        let Some(place) = first else { return Ok(now) };
        let (end, step) = running.swap_remove(place);
        now = end;
        schedule.settle(step, End::Done);
    }
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Step;

    fn plan() -> Plan {
        let step = |id: &str, needs: &[&str]| Step {
            id: id.into(),
            key: "k".into(),
            needs: needs.iter().map(|s| s.to_string()).collect(),
            kind: id.split('-').next().unwrap().into(),
            ..Step::default()
        };
        let cells = ["cell-1", "cell-2", "cell-3", "cell-4"];
        let mut steps = vec![step("prepare", &[]), step("train", &["prepare"])];
        steps.extend(cells.map(|id| step(id, &["train"])));
        steps.push(step("end", &cells));
        Plan { name: "p".into(), steps, ..Plan::default() }
    }

    #[test]
    fn more_workers_help_as_far_as_needs_let_them() {
        let seconds = [1.0, 10.0, 4.0, 4.0, 4.0, 6.0, 1.0];
        let spans: Vec<f64> = [1, 2, 3, 4, 256].map(|n| span(&plan(), &seconds, n).unwrap()).to_vec();
        // Chain 1 + 10 + 6 + 1; with three workers the fourth cell begins when the first has ended.
        assert_eq!(spans, [30.0, 22.0, 22.0, 18.0, 18.0]);
        assert_eq!(span(&Plan::default(), &[], 4).unwrap(), 0.0);
    }

    #[test]
    fn a_forecast_goes_by_what_was_done_and_else_by_costs() {
        let dir = tempfile::tempdir().unwrap();
        let mut plan = plan();
        assert_eq!(forecast(&plan, dir.path(), 1).unwrap(), None);
        plan.steps.iter_mut().filter(|s| s.kind == "cell").for_each(|s| s.cost = 1000);
        plan.cost_ns = Some(1_000_000);
        // Four cells of a second, and seven steps of half a second each beside what they train.
        assert_eq!(forecast(&plan, dir.path(), 1).unwrap(), Some(4.0 + 3.5));
        assert_eq!(forecast(&plan, dir.path(), 4).unwrap(), Some(1.5 + 3.0 * 0.5));
        Marks::new(dir.path()).write_done(&plan.steps[2], 9.0).unwrap();
        assert_eq!(
            forecast(&plan, dir.path(), 1).unwrap(),
            Some(3.0 * 9.0 + 3.0 * 0.5),
            "one is done, and tells of three"
        );
    }

    #[test]
    fn what_is_not_done_takes_as_long_as_its_kind() {
        let dir = tempfile::tempdir().unwrap();
        let (d, plan) = (dir.path(), plan());
        crate::marks::write_json(&d.join("plan.json"), &plan).unwrap();
        assert!(cost(d, &[1]).unwrap_err().to_string().contains("no step of this plan is done"));
        let marks = Marks::new(d);
        for (i, seconds) in [(0, 1.0), (1, 10.0), (2, 2.0), (3, 4.0)] {
            marks.write_done(&plan.steps[i], seconds).unwrap();
        }
        let found = cost(d, &[1, 4]).unwrap();
        assert_eq!((found.measured, found.estimated), (4, 3));
        // Two cells of 3, and the last step as the mean of all, 17 / 4.
        assert_eq!(found.work_s, 17.0 + 6.0 + 4.25);
        assert_eq!(found.longest_chain_s, 1.0 + 10.0 + 4.0 + 4.25);
        assert_eq!(found.spans, [(1, 27.25), (4, 1.0 + 10.0 + 4.0 + 4.25)]);
    }
}
