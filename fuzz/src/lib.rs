//! What the targets do with their bytes, which is also what the tests of `mosei-data` do with the seeds in `corpus`.

#[path = "../../crates/mosei-data/tests/entries/mod.rs"]
pub mod entries;
