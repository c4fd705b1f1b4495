//! Invalid inputs, each with its exact error: file, place, expected, found.
//!
//! What lives here: one table per subject, one row per input. None may be accepted, panic, end the
//! process, need more memory than [`check::MOST_MEMORY`], or leave any output.
#![allow(clippy::unwrap_used, reason = "a failing test panics")]

/// What is said of an id that is none, at a place.
macro_rules! no_id {
    ($place:literal, $found:literal) => {
        concat!(
            $place,
            ": expected a video id (1 to 200 bytes; no '/' or '\\', no control or invisible characters, no space at an end; \
             not '.' or '..'), found ",
            $found
        )
    };
}

/// What is said of folds that are no such JSON.
macro_rules! no_folds {
    ($reason:literal) => {
        concat!(
            "folds.json: expected {\"train\": [ids], \"valid\": [ids], \"test\": [ids]}, each id a string: ",
            $reason
        )
    };
}

/// What is said of a file that is not the one that was written.
macro_rules! altered {
    ($difference:literal) => {
        concat!(
            $difference,
            ": altered or damaged since it was written, prepare the data again"
        )
    };
}

mod check;
mod config;
mod corpus;
mod csd_damaged;
mod csd_ids;
mod csd_odd;
mod csd_parts;
mod folds;
mod prepared_manifest;
mod prepared_tensors;
#[path = "../entries/seal.rs"]
mod seal;
mod splits;
mod values;

use check::{Case, check};
use std::collections::BTreeSet;

/// A subject: its name, and its rows.
type Subject = (&'static str, fn() -> Vec<Case>);

const SUBJECTS: [Subject; 10] = [
    ("config", config::cases),
    ("csd, damaged", csd_damaged::cases),
    ("csd, ids", csd_ids::cases),
    ("csd, odd", csd_odd::cases),
    ("csd, parts", csd_parts::cases),
    ("folds", folds::cases),
    ("manifest of a prepared folder", prepared_manifest::cases),
    ("tensors of a prepared folder", prepared_tensors::cases),
    ("splits", splits::cases),
    ("values", values::cases),
];

/// Checks one subject, in a test of its own.
macro_rules! subject {
    ($name:ident) => {
        #[test]
        fn $name() {
            check($name::cases());
        }
    };
}

subject!(config);
subject!(csd_damaged);
subject!(csd_ids);
subject!(csd_odd);
subject!(csd_parts);
subject!(folds);
subject!(prepared_manifest);
subject!(prepared_tensors);
subject!(splits);
subject!(values);

#[test]
fn the_catalogue_is_as_long_as_it_says() {
    let names: Vec<String> = SUBJECTS
        .iter()
        .flat_map(|(s, cases)| cases().into_iter().map(move |c| format!("{s}: {}", c.name)))
        .collect();
    let different: BTreeSet<&String> = names.iter().collect();
    assert_eq!(
        different.len(),
        names.len(),
        "every row has a name of its own"
    );
    assert!(names.len() >= 500, "{} rows", names.len());
}
