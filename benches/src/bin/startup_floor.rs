//! A program that is linked to libtorch and asks it for its version: what no program of the study
//! can start faster than.

use serde_json::json;
use study_benches::{emit, peak_memory_mib, skip};

fn main() {
    let more = json!({"libtorch": torch_ext::version()});
    match peak_memory_mib() {
        Some(mib) => emit("peak memory", mib, "MiB", more),
        None => skip("peak memory", "this system does not tell"),
    }
}
