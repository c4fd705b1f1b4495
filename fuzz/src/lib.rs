//! What the targets do with their bytes, which is also what the tests of `mosei-data` and `train` do with the seeds in `corpus`.

#[path = "../../crates/mosei-data/tests/entries/mod.rs"]
pub mod entries;

#[path = "../../crates/mosei-ssl/tests/entries/mod.rs"]
pub mod run_entries;
