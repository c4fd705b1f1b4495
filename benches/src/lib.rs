//! What the measuring programs share: one line of JSON for each figure, on standard output.
//!
//! Each program in `src/bin` does one round of one measurement. Rounds, peers, ratios and the page that shows them are
//! the business of `cargo xtask bench`.
#![allow(clippy::print_stdout, reason = "figures go to standard output")]

use serde_json::{Value, json};

/// Prints one figure: what was measured, how much of which unit, and whatever else a reader should know.
pub fn emit(name: &str, value: f64, unit: &str, more: Value) {
    println!("{}", json!({"name": name, "value": value, "unit": unit, "more": more}));
}
