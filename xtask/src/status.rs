//! `cargo xtask status`: where a sweep stands, also while it runs elsewhere.

use anyhow::Result;
use std::path::PathBuf;
use std::process::ExitCode;

/// Says where the sweep of a run folder stands: counts, failures, what runs, time gone and left.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  cargo xtask status runs/demo")]
pub struct Status {
    /// The run's folder.
    run: PathBuf,
}

impl Status {
    /// Runs the verb.
    pub fn run(self) -> Result<ExitCode> {
        let status = sweep::status(&self.run)?;
        let state = match (status.alive, status.pid, status.elapsed_s) {
            (true, Some(pid), _) => format!("running (process {pid}, {} at a time)", status.jobs),
            (true, None, _) => "running".to_string(),
            (false, _, Some(_)) => "not running".to_string(),
            (false, _, None) => "not running; the last sweep was killed".to_string(),
        };
        println!("{}: {state}", status.name);
        println!("  {:<14} {:>7} {:>8} {:>8} {:>8}", "kind", "done", "running", "failed", "pending");
        for k in &status.kinds {
            println!("  {:<14} {:>7} {:>8} {:>8} {:>8}", k.kind, k.done, k.running, k.failed, k.pending);
        }
        for step in &status.running {
            println!("  running for {}: {}", duration(step.seconds), step.id);
        }
        for failure in &status.failures {
            println!("  failed: {}\n{}", failure.id, indent(&failure.error));
        }
        if let Some(elapsed) = status.elapsed_s {
            println!("  elapsed {}", duration(elapsed));
        }
        if let Some(left) = status.left_s {
            println!("  about {} left", duration(left));
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Seconds as people say them.
pub fn duration(seconds: f64) -> String {
    let whole = seconds.max(0.0).round() as u64;
    match (whole / 3600, whole % 3600 / 60, whole % 60) {
        (0, 0, _) => format!("{seconds:.1} s"),
        (0, minutes, s) => format!("{minutes} min {s:02} s"),
        (hours, minutes, _) => format!("{hours} h {minutes:02} min"),
    }
}

/// Several lines, set below the one that introduces them.
pub fn indent(text: &str) -> String {
    text.lines().map(|line| format!("      {line}")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_well() {
        assert_eq!(duration(0.25), "0.2 s");
        assert_eq!(duration(59.7), "1 min 00 s");
        assert_eq!(duration(3_661.0), "1 h 01 min");
    }
}
