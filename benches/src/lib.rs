//! Shared code of the measuring programs: one line of JSON for each figure, on standard output.
//!
//! Each program in `src/bin` does one round of one measurement; `bench` runs them in rounds beside
//! their peers and writes the page. `benches/README.md` describes how they fit together.
#![allow(clippy::print_stdout, reason = "figures go to standard output")]

mod step_data;

pub use step_data::{StepBatch, StepData};

use serde_json::{Value, json};

/// Prints one figure: its name, value and unit, and further facts for readers of the rounds.
pub fn emit(name: &str, value: f64, unit: &str, more: Value) {
    println!(
        "{}",
        json!({"name": name, "value": value, "unit": unit, "more": more})
    );
}

/// Prints that a figure cannot be measured on this machine, and why.
pub fn skip(name: &str, reason: &str) {
    println!("{}", json!({"name": name, "skipped": reason}));
}

/// The most memory that this process has held at a time, in MiB; `None` where the system does not
/// report it.
pub fn peak_memory_mib() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.split_whitespace().next()?.parse::<f64>().ok()? / 1024.0)
}
