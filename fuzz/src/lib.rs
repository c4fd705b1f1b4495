//! What the targets do with their bytes, which is also what the tests of `mosei-data`,
//! `mosei-import` and `train` do with the seeds in `corpus`.

#[path = "../../crates/mosei-data/tests/entries/mod.rs"]
pub mod entries;

#[path = "../../crates/mosei-import/tests/entries/mod.rs"]
pub mod import_entries;

#[path = "../../crates/mosei-ssl/tests/entries/mod.rs"]
pub mod run_entries;
