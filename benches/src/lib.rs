//! What the measuring programs share: one line of JSON for each figure, on standard output.
//!
//! Each program in `src/bin` does one round of one measurement. Rounds, peers, ratios and the page that shows them are
//! the business of `cargo xtask bench`; how they fit together is told in `benches/README.md`.
#![allow(clippy::print_stdout, reason = "figures go to standard output")]

mod step_data;

pub use step_data::{StepBatch, StepData};

use serde_json::{Value, json};

/// Prints one figure: what was measured, how much of which unit, and whatever else a reader should know.
pub fn emit(name: &str, value: f64, unit: &str, more: Value) {
    println!("{}", json!({"name": name, "value": value, "unit": unit, "more": more}));
}

/// Prints that a figure cannot be measured on this machine, and why.
pub fn skip(name: &str, reason: &str) {
    println!("{}", json!({"name": name, "skipped": reason}));
}

/// The most memory that this process has held at a time, in MiB; nothing where the system does not tell.
pub fn peak_memory_mib() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.split_whitespace().next()?.parse::<f64>().ok()? / 1024.0)
}
