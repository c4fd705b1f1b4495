//! Data files are only read: without locks, wherever the program is started from.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs::File;
use std::process::Output;
use study_tests::{Bench, tiny};

const FEATURES: &str = "data/CMU_MOSEI_COVAREP.csd";

/// Runs a verb with HDF5's variable as given, or without it: cargo sets it for tests.
fn run(bench: &Bench, arguments: &str, locking: Option<&str>) -> Output {
    let mut command = bench.command(arguments);
    command.env_remove("HDF5_USE_FILE_LOCKING");
    if let Some(value) = locking {
        command.env("HDF5_USE_FILE_LOCKING", value);
    }
    command.output().unwrap()
}

#[test]
fn a_file_that_another_program_has_locked_is_read() {
    let bench = Bench::new(&tiny(""));
    bench.succeed("synth --config study.toml --out data");
    // As HDF5 locks a file that it has open for writing.
    let file = File::options()
        .read(true)
        .write(true)
        .open(bench.path(FEATURES))
        .unwrap();
    file.lock().unwrap();
    for verb in [
        "prepare --config study.toml --data data --out prepared",
        &format!("inspect {FEATURES}"),
    ] {
        let read = run(&bench, verb, None);
        assert!(
            read.status.success(),
            "{verb}: {}",
            String::from_utf8_lossy(&read.stderr)
        );
    }
    assert!(bench.path("prepared/manifest.json").exists());

    // Who tells HDF5 to lock all the same is told that it is a lock that stands in the way.
    let refused = run(&bench, &format!("inspect {FEATURES}"), Some("TRUE"));
    let words = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(
        (refused.status.code(), words.lines().count()),
        (Some(1), 1),
        "{words}"
    );
    let expected = "expected an HDF5 file that can be read without a lock, found that HDF5 requires one (HDF5_USE_FILE_LOCKING=TRUE) and cannot";
    assert!(
        words.contains(FEATURES) && words.contains(expected),
        "{words}"
    );
    assert!(
        words.contains("HDF5_USE_FILE_LOCKING=TRUE") && !words.contains("damaged"),
        "{words}"
    );
    drop(file);
    assert!(
        run(&bench, &format!("inspect {FEATURES}"), Some("TRUE"))
            .status
            .success()
    );
}
