//! What the order of steps gains: the makespan of a plan whose steps sleep instead of working,
//! begun in the order of the plan or by the work that depends on each step. The engine and its
//! waiting for processes are the real ones.

use anyhow::{Context, Result, ensure};
use clap::Parser;
use run_record::StepRecord;
use serde_json::json;
use std::path::{Path, PathBuf};
use sweep::Plan;

#[derive(Parser)]
struct Arguments {
    /// A run folder whose sweep is done: its plan, and how long each step took.
    #[arg(long)]
    run: PathBuf,
    /// Processes at a time.
    #[arg(long)]
    jobs: usize,
    /// Seconds to sleep for a second of work.
    #[arg(long, default_value_t = 0.1)]
    scale: f64,
    /// An empty folder to run in.
    #[arg(long)]
    scratch: PathBuf,
}

fn main() -> Result<()> {
    let a = Arguments::parse();
    let path = a.run.join("plan.json");
    let mut plan: Plan =
        serde_json::from_slice(&std::fs::read(&path).with_context(|| path.display().to_string())?)?;
    let mut work = 0.0;
    plan.server.clear();
    for step in &mut plan.steps {
        let folder = a.run.join("steps").join(&step.id);
        let record = StepRecord::read(&folder).with_context(|| format!("{}: not done", step.id))?;
        work += record.seconds;
        step.command = vec![format!("{}", record.seconds * a.scale)];
        step.outputs.clear();
    }
    let by_cost = makespan(&plan, &a, "by-cost")?;
    plan.steps.iter_mut().for_each(|s| s.cost = 0);
    let by_plan = makespan(&plan, &a, "plan-order")?;
    let more = |seconds: f64| json!({"jobs": a.jobs, "share of the floor": work / a.jobs as f64 / seconds});
    study_benches::emit("makespan by cost", by_cost, "s", more(by_cost));
    study_benches::emit("makespan in plan order", by_plan, "s", more(by_plan));
    Ok(())
}

/// Seconds of work, undoing the scale. Each order runs in a folder of its own, so that no step is
/// done already.
fn makespan(plan: &Plan, a: &Arguments, folder: &str) -> Result<f64> {
    let outcome = sweep::run(
        plan,
        &a.scratch.join(folder),
        Path::new("sleep"),
        a.jobs,
        &mut |_| (),
    )?;
    ensure!(
        outcome.skipped.is_empty(),
        "expected an empty folder for --scratch, found finished steps"
    );
    ensure!(outcome.is_complete(), "{:?}", outcome.failed);
    Ok(outcome.seconds / a.scale)
}
