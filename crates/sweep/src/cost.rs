//! How long a plan would take on more machines: the measured step times, simulated over a number of
//! workers in the order in which the engine starts steps.

use crate::forecast::{StepTimes, makespan};
use crate::marks::{Marks, read_plan};
use crate::schedule::Schedule;
use crate::{PlanError, SweepError};
use std::path::Path;

/// How long a plan takes with different numbers of workers.
#[derive(Debug, Clone, PartialEq)]
pub struct Cost {
    /// The plan's name.
    pub name: String,
    /// Steps whose time was measured.
    pub measured: usize,
    /// Steps that are not done, whose time is estimated from steps of the same kind or from the
    /// plan's cost.
    pub estimated: usize,
    /// Steps without any estimate, counted by kind; the times below exclude them.
    pub untimed: Vec<(String, usize)>,
    /// Seconds of all steps together.
    pub work_s: f64,
    /// Seconds of the critical path, the lower bound for any number of workers.
    pub critical_path_s: f64,
    /// Numbers of workers, as requested, each with the seconds that the whole plan takes.
    pub makespans: Vec<(usize, f64)>,
}

/// Computes how long the plan in `run_dir` takes with each number of workers, from the times of the
/// steps that are done.
///
/// # Errors
/// A folder without a plan; a plan of which no step is done.
pub fn cost(run_dir: &Path, workers: &[usize]) -> Result<Cost, SweepError> {
    let plan = read_plan(run_dir)?;
    plan.check()?;
    let marks = Marks::new(run_dir);
    let measured: Vec<Option<f64>> = plan
        .steps
        .iter()
        .map(|s| {
            marks
                .record(&s.id)
                .filter(|r| r.key == s.key)
                .map(|r| r.seconds.max(0.0))
        })
        .collect();
    let times = StepTimes::read(&plan, &marks);
    let count = measured.iter().flatten().count();
    if count == 0 {
        return Err(SweepError::NoTimings {
            run: run_dir.to_path_buf(),
        });
    }
    let (mut seconds, mut untimed) = (Vec::new(), Vec::<(String, usize)>::new());
    for (step, measured) in plan.steps.iter().zip(&measured) {
        let estimate = measured.or_else(|| times.estimate(step));
        if estimate.is_none() {
            match untimed.iter_mut().find(|(kind, _)| *kind == step.kind) {
                Some((_, n)) => *n += 1,
                None => untimed.push((step.kind.clone(), 1)),
            }
        }
        seconds.push(estimate.unwrap_or(0.0));
    }
    let duration = |n: usize| {
        Ok::<f64, PlanError>(makespan(
            &mut Schedule::new(&plan)?,
            &seconds,
            Vec::new(),
            n,
        ))
    };
    let makespans = workers
        .iter()
        .map(|&n| Ok((n, duration(n)?)))
        .collect::<Result<_, PlanError>>()?;
    Ok(Cost {
        name: plan.name.clone(),
        measured: count,
        estimated: plan.steps.len() - count - untimed.iter().map(|(_, n)| n).sum::<usize>(),
        untimed,
        work_s: seconds.iter().sum(),
        critical_path_s: duration(plan.steps.len())?,
        makespans,
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
        Plan {
            name: "p".into(),
            steps,
            ..Plan::default()
        }
    }

    fn duration(plan: &Plan, seconds: &[f64], workers: usize) -> f64 {
        makespan(
            &mut Schedule::new(plan).unwrap(),
            seconds,
            Vec::new(),
            workers,
        )
    }

    #[test]
    fn the_critical_path_bounds_the_gain_of_more_workers() {
        let seconds = [1.0, 10.0, 4.0, 4.0, 4.0, 6.0, 1.0];
        let makespans: Vec<f64> = [1, 2, 3, 4, 256]
            .map(|n| duration(&plan(), &seconds, n))
            .to_vec();
        // Critical path 1 + 10 + 6 + 1; with three workers the fourth cell starts when the first
        // has ended.
        assert_eq!(makespans, [30.0, 22.0, 22.0, 18.0, 18.0]);
        assert_eq!(duration(&Plan::default(), &[], 4), 0.0);
    }

    #[test]
    fn steps_that_are_not_done_are_estimated_by_their_kind() {
        let dir = tempfile::tempdir().unwrap();
        let (d, plan) = (dir.path(), plan());
        crate::marks::write_json(&d.join("plan.json"), &plan).unwrap();
        assert!(
            cost(d, &[1])
                .unwrap_err()
                .to_string()
                .contains("no step of this plan is done")
        );
        let marks = Marks::new(d);
        for (i, seconds) in [(0, 1.0), (1, 10.0), (2, 2.0), (3, 4.0)] {
            marks.write_done(&plan.steps[i], seconds).unwrap();
        }
        let found = cost(d, &[1, 4]).unwrap();
        assert_eq!((found.measured, found.estimated), (4, 2));
        // Two cells of 3 seconds; the time of the last step is unknown.
        assert_eq!(found.untimed, [("end".to_string(), 1)]);
        assert_eq!(found.work_s, 17.0 + 6.0);
        assert_eq!(found.critical_path_s, 1.0 + 10.0 + 4.0);
        assert_eq!(found.makespans, [(1, 23.0), (4, 1.0 + 10.0 + 4.0)]);
    }
}
