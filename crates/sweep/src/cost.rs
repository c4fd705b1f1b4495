//! What a plan takes on more machines than it was run on: its steps as they were measured, laid out over workers in the
//! order in which the engine would start them.

use crate::forecast::{Timed, span};
use crate::marks::{Marks, read_plan};
use crate::schedule::Schedule;
use crate::{PlanError, SweepError};
use std::path::Path;

/// What a plan takes.
#[derive(Debug, Clone, PartialEq)]
pub struct Cost {
    /// The plan's name.
    pub name: String,
    /// Steps whose time was measured.
    pub measured: usize,
    /// Steps that are not done, taken to last as those of their kind do, or as long as the plan says of their cost.
    pub estimated: usize,
    /// Steps of which neither is known, by their kind; they are not in the times below.
    pub untimed: Vec<(String, usize)>,
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
    let timed = Timed::read(&plan, &marks);
    let count = measured.iter().flatten().count();
    if count == 0 {
        return Err(SweepError::NothingMeasured { run: run_dir.to_path_buf() });
    }
    let (mut seconds, mut untimed) = (Vec::new(), Vec::<(String, usize)>::new());
    for (step, measured) in plan.steps.iter().zip(&measured) {
        let expected = measured.or_else(|| timed.expected(step));
        if expected.is_none() {
            match untimed.iter_mut().find(|(kind, _)| *kind == step.kind) {
                Some((_, n)) => *n += 1,
                None => untimed.push((step.kind.clone(), 1)),
            }
        }
        seconds.push(expected.unwrap_or(0.0));
    }
    let took = |n: usize| Ok::<f64, PlanError>(span(&mut Schedule::new(&plan)?, &seconds, Vec::new(), n));
    let spans = at_a_time.iter().map(|&n| Ok((n, took(n)?))).collect::<Result<_, PlanError>>()?;
    Ok(Cost {
        name: plan.name.clone(),
        measured: count,
        estimated: plan.steps.len() - count - untimed.iter().map(|(_, n)| n).sum::<usize>(),
        untimed,
        work_s: seconds.iter().sum(),
        longest_chain_s: took(plan.steps.len())?,
        spans,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Plan, Step};

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

    fn took(plan: &Plan, seconds: &[f64], workers: usize) -> f64 {
        span(&mut Schedule::new(plan).unwrap(), seconds, Vec::new(), workers)
    }

    #[test]
    fn more_workers_help_as_far_as_needs_let_them() {
        let seconds = [1.0, 10.0, 4.0, 4.0, 4.0, 6.0, 1.0];
        let spans: Vec<f64> = [1, 2, 3, 4, 256].map(|n| took(&plan(), &seconds, n)).to_vec();
        // Chain 1 + 10 + 6 + 1; with three workers the fourth cell begins when the first has ended.
        assert_eq!(spans, [30.0, 22.0, 22.0, 18.0, 18.0]);
        assert_eq!(took(&Plan::default(), &[], 4), 0.0);
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
        assert_eq!((found.measured, found.estimated), (4, 2));
        // Two cells of 3; how long the end takes is not known.
        assert_eq!(found.untimed, [("end".to_string(), 1)]);
        assert_eq!(found.work_s, 17.0 + 6.0);
        assert_eq!(found.longest_chain_s, 1.0 + 10.0 + 4.0);
        assert_eq!(found.spans, [(1, 23.0), (4, 1.0 + 10.0 + 4.0)]);
    }
}
