//! `mosei-ssl status`: the state of a sweep, also while it runs elsewhere.

use super::outcome::{duration, failure, indent, left_out};
use anyhow::Result;
use std::path::{Path, PathBuf};
use sweep::slurm::ranges;

/// Print the state of a sweep: counts, failures, what runs, time elapsed and left. For jobs of a
/// cluster, from any of its machines that sees the folder.
///
/// Examples: mosei-ssl status runs/demo;
/// mosei-ssl status runs/demo --nodes 1,16,256 --per-node 4
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The run folder.
    run: PathBuf,
    /// Instead: what the whole study takes on so many nodes, by the times of the steps that are
    /// done.
    #[arg(long, value_name = "N,…", value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..))]
    nodes: Vec<u32>,
    /// Steps that a node runs at a time, for --nodes.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=4096), requires = "nodes")]
    per_node: u32,
}

impl Arguments {
    pub(crate) fn run(self) -> Result<()> {
        if self.nodes.is_empty() {
            show(&sweep::status(&self.run)?, &self.run);
            return Ok(());
        }
        self.show_cost()
    }

    fn show_cost(&self) -> Result<()> {
        let at_a_time: Vec<usize> = self
            .nodes
            .iter()
            .map(|&n| n as usize * self.per_node as usize)
            .collect();
        let cost = sweep::cost(&self.run, &at_a_time)?;
        let unknown = match cost.estimated {
            0 => String::new(),
            n => format!(", {n} more by those of their kind"),
        };
        let untimed = left_out(&cost.untimed);
        say!(
            "{}: {} steps as measured here{unknown}{untimed}",
            cost.name,
            cost.measured
        );
        say!(
            "  {} of work, the longest chain of it {}",
            duration(cost.work_s),
            duration(cost.critical_path_s)
        );
        say!(
            "  {:>7} {:>16} {:>14} {:>6}",
            "nodes",
            "steps at a time",
            "time",
            "busy"
        );
        for (nodes, (workers, span)) in self.nodes.iter().zip(cost.makespans) {
            let busy = 100.0 * cost.work_s / (span * workers as f64).max(f64::MIN_POSITIVE);
            say!(
                "  {nodes:>7} {workers:>16} {:>14} {busy:>4.0} %",
                duration(span)
            );
        }
        Ok(())
    }
}

fn show(status: &sweep::Status, run: &Path) {
    let state = match (&status.slurm, status.alive, status.pid) {
        (Some(slurm), ..) if slurm.problem.is_some() => "submitted to Slurm".to_string(),
        (Some(slurm), true, _) if slurm.jobs.is_empty() => "a sweep waits for its jobs".to_string(),
        (Some(slurm), true, _) => {
            format!("jobs {} of cluster {}", ranges(&slurm.jobs), slurm.cluster)
        }
        (Some(_), false, _) => "its jobs have ended".to_string(),
        (None, true, Some(pid)) => format!("running (process {pid}, {} at a time)", status.jobs),
        (None, true, None) => "running".to_string(),
        (None, false, _) if status.elapsed_s.is_some() => "not running".to_string(),
        (None, false, _) => "not running; the last sweep was killed".to_string(),
    };
    say!("{}: {state}", status.name);
    if let Some(problem) = status.slurm.as_ref().and_then(|s| s.problem.as_ref()) {
        say!(
            "  by the files of the run folder alone, as Slurm does not answer: {}",
            indent(problem).trim_start()
        );
    }
    let queued = |count: usize| {
        status
            .slurm
            .as_ref()
            .map_or(String::new(), |_| format!(" {count:>8}"))
    };
    let heading = if status.slurm.is_some() {
        format!(" {:>8}", "queued")
    } else {
        String::new()
    };
    let heads = ["kind", "done", "running", "failed", "blocked", "pending"];
    say!(
        "  {:<14} {:>7} {:>8}{heading} {:>8} {:>8} {:>8}",
        heads[0],
        heads[1],
        heads[2],
        heads[3],
        heads[4],
        heads[5]
    );
    for k in &status.kinds {
        let queued = queued(k.queued);
        let after = format!("{:>8} {:>8} {:>8}", k.failed, k.blocked, k.pending);
        say!(
            "  {:<14} {:>7} {:>8}{queued} {after}",
            k.kind,
            k.done,
            k.running
        );
    }
    for step in &status.running {
        let place = step
            .location
            .as_ref()
            .map_or(String::new(), |place| format!(" on {place}"));
        say!(
            "  running for {}{place}: {}",
            duration(step.seconds),
            step.id
        );
    }
    for (reason, steps) in status.slurm.iter().flat_map(|s| &s.reasons) {
        say!("  queued ({reason}): {steps}");
    }
    for f in &status.failures {
        say!(
            "{}",
            failure(run, &f.id, &f.error, &f.logs, f.blocked).trim_end()
        );
    }
    if let Some(elapsed) = status.elapsed_s {
        say!("  elapsed {}", duration(elapsed));
    }
    if let Some(left) = &status.left {
        say!(
            "  about {} left{}",
            duration(left.seconds),
            left_out(&left.untimed)
        );
    }
}
