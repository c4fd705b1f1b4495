//! A fault at any call that changes the disk: what is there afterwards is absent or whole, and the
//! same command ends as if nothing had been.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Command;
use study_tests::{Bench, Fault, tiny, under_faults, with_fault};
use sweep::{Plan, Step};

/// Calls of a verb at which each kind of fault is tried, spread over all of them;
/// `FAULTS_TRIED=all` tries every one.
const TRIED: usize = 8;

/// Every file below a folder or file, by its path, with its content; journals, and the events
/// beside them, have times in them and do not count.
fn content(bench: &Bench, name: &str) -> BTreeMap<String, Vec<u8>> {
    fn walk(path: &Path, name: &str, found: &mut BTreeMap<String, Vec<u8>>) {
        if path.is_dir() {
            for entry in std::fs::read_dir(path).unwrap() {
                let entry = entry.unwrap();
                walk(
                    &entry.path(),
                    &format!("{name}/{}", entry.file_name().to_string_lossy()),
                    found,
                );
            }
        } else if path.exists() && !name.ends_with("journal.jsonl") && !name.contains(".tfevents.")
        {
            found.insert(name.to_string(), std::fs::read(path).unwrap());
        }
    }
    let mut found = BTreeMap::new();
    walk(&bench.path(name), name, &mut found);
    found
}

fn remove(bench: &Bench, name: &str) {
    let path = bench.path(name);
    if path.is_dir() {
        std::fs::remove_dir_all(path).unwrap();
    } else if path.exists() {
        std::fs::remove_file(path).unwrap();
    }
}

fn left_behind(bench: &Bench) -> Vec<String> {
    let files = content(bench, "");
    files
        .into_keys()
        .filter(|name| name.contains("/.tmp-"))
        .collect()
}

fn skipped() {
    let line = "-".repeat(78);
    let words = "SKIPPED: faults of the disk can be made on Linux with the GNU C library only";
    // Not with a macro, whose words the test harness keeps to itself.
    let _ = writeln!(std::io::stderr(), "{line}\n{words}\n{line}");
}

/// Tries faults in a verb that writes `output`, which must not be there.
///
/// Where `whole` says so, the output comes into its place in one go: nothing of it is ever there by
/// half.
fn try_faults(bench: &Bench, arguments: &str, output: &str, whole: bool) {
    let Some(calls) = bench.calls(arguments) else {
        return skipped();
    };
    let expected = content(bench, output);
    assert!(
        !expected.is_empty() && calls > 3,
        "{arguments}: {calls} calls"
    );
    let tried = if std::env::var("FAULTS_TRIED").is_ok_and(|v| v == "all") {
        calls
    } else {
        TRIED.min(calls)
    };
    for (k, fault) in Fault::ALL.into_iter().enumerate() {
        remove(bench, output);
        for i in 0..tried {
            // Kinds fall on different calls; the last call is always among them.
            let at = calls - (i * calls + k * calls / Fault::ALL.len()) / tried;
            let ran = bench.run_with(fault, at, arguments);
            let words = String::from_utf8_lossy(&ran.stderr);
            let what = format!("{arguments}: {fault:?} at call {at} of {calls}");
            assert!(!words.contains("panicked"), "{what}: {words}");
            let killed = ran.status.signal() == Some(9);
            match (ran.status.success(), fault.words()) {
                // A fault that is of no consequence, as in removing what was left behind, need not
                // be told.
                (true, _) => assert!(
                    content(bench, output) == expected,
                    "{what}: it ended well with another outcome"
                ),
                (false, Some(reason)) => {
                    assert_eq!(ran.status.code(), Some(1), "{what}: {words}");
                    assert!(
                        words.contains("error: ") && words.contains(reason),
                        "{what}: {words}"
                    );
                }
                (false, None) => assert!(killed, "{what}: {} {words}", ran.status),
            }
            let found = content(bench, output);
            let half = found.iter().find(|(name, bytes)| {
                let finished = !name.contains("/.tmp-") && !name.contains("/checkpoint/");
                finished && expected.get(*name) != Some(bytes)
            });
            assert!(
                half.is_none(),
                "{what}: found {:?}, which is not what belongs there",
                half.map(|(name, _)| name)
            );
            assert!(
                !whole || found.is_empty() || found.len() == expected.len(),
                "{what}: {:?}",
                found.keys()
            );
        }
        bench.succeed(arguments);
        assert!(
            content(bench, output) == expected,
            "{arguments}: another outcome after {fault:?}"
        );
        assert_eq!(
            left_behind(bench),
            Vec::<String>::new(),
            "{arguments}: after {fault:?}"
        );
    }
}

#[test]
fn data_and_labels() {
    let bench = Bench::new(&tiny(""));
    try_faults(&bench, "synth --config study.toml --out data", "data", true);
    try_faults(
        &bench,
        "prepare --config study.toml --data data --out prepared",
        "prepared",
        true,
    );
    let sample = "sample --config study.toml --prepared prepared --out subsets.parquet";
    try_faults(&bench, sample, "subsets.parquet", true);
}

#[test]
fn trainings() {
    let bench = Bench::new(&tiny(""));
    bench.prepare();
    let on = "--config study.toml --prepared prepared";
    try_faults(&bench, &format!("pretrain {on} --out pre"), "pre", false);
    let cell = format!(
        "finetune {on} --subsets subsets.parquet --start ssl --encoder pre/encoder --labels n20 --out cell"
    );
    try_faults(&bench, &cell, "cell", false);
    let encode =
        format!("encode {on} --start frozen --encoder pre/encoder --out shared.safetensors");
    try_faults(&bench, &encode, "shared.safetensors", true);
}

#[test]
fn results() {
    let bench = Bench::new(&tiny(
        "[grid]\nseeds = [0]\nstarts = [\"ssl\", \"scratch\"]\n",
    ));
    let plan: sweep::Plan =
        serde_json::from_str(&bench.succeed("plan study.toml --run run")).unwrap();
    let outcome = sweep::run(
        &plan,
        &bench.path("run"),
        study_tests::program(),
        2,
        &mut |_| (),
    )
    .unwrap();
    assert!(outcome.is_complete(), "{:?}", outcome.failed);
    // In the order in which each needs the one before.
    for (verb, output) in [
        ("evaluate", "run/predictions.parquet"),
        ("evaluate", "run/results.csv"),
        ("statistics", "run/statistics.json"),
        ("report", "run/report.html"),
    ] {
        let step = plan.steps.iter().find(|s| s.id == verb).unwrap();
        remove(&bench, output);
        try_faults(&bench, &step.command.join(" "), output, true);
    }
    assert!(bench.path("run/figures").is_dir());
}

/// A plan of shell scripts: two steps, and one that needs both.
fn scripts(run: &Path) -> Plan {
    let step = |id: &str, needs: &[&str], script: &str| Step {
        id: id.into(),
        key: format!("key of {id}"),
        command: vec!["-c".into(), format!("cd {}; {script}", run.display())],
        needs: needs.iter().map(|need| need.to_string()).collect(),
        outputs: vec![format!("{id}.txt")],
        ..Step::default()
    };
    let both = step(
        "both",
        &["a", "b"],
        "cat a.txt b.txt > part; mv part both.txt",
    );
    let steps = vec![
        step("a", &[], "echo a > a.txt"),
        step("b", &[], "echo b > b.txt"),
        both,
    ];
    Plan {
        name: "scripts".into(),
        threads: 1,
        steps,
        ..Plan::default()
    }
}

/// A test only by name: an engine in a process of its own, to be killed.
#[test]
fn engine_of_another_process() {
    let Some(run) = std::env::var_os("FAULTS_TEST_RUN") else {
        return;
    };
    let run = Path::new(&run);
    match sweep::run(&scripts(run), run, Path::new("/bin/sh"), 1, &mut |_| ()) {
        Ok(outcome) => {
            let _ = writeln!(std::io::stderr(), "{:?}", outcome.failed);
            std::process::exit(if outcome.is_complete() { 0 } else { 3 })
        }
        Err(error) => {
            let mut words = error.to_string();
            let mut next = std::error::Error::source(&error);
            while let Some(cause) = next {
                words = format!("{words}: {cause}");
                next = cause.source();
            }
            let _ = writeln!(std::io::stderr(), "error: {words}");
            std::process::exit(1)
        }
    }
}

#[test]
fn marks_of_the_engine() {
    let folder = tempfile::tempdir().unwrap();
    let engine = |run: &Path| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", "engine_of_another_process", "--nocapture"])
            .env("FAULTS_TEST_RUN", run);
        command
    };
    // Of what a script writes nothing is counted: it has a folder of its own.
    let counted = |run: &Path| {
        std::fs::create_dir_all(run.join("steps")).unwrap();
        // Of other settings: no cell may read them as its own.
        for name in ["a.txt", "b.txt", "both.txt"] {
            std::fs::write(run.join(name), "stale\n").unwrap();
        }
        under_faults(engine(run), &run.join("steps"))
    };
    let (first, log) = (folder.path().join("first"), folder.path().join("log"));
    let Some(mut whole) = counted(&first) else {
        return skipped();
    };
    assert!(whole.env("FAULTS_LOG", &log).status().unwrap().success());
    let calls = std::fs::read_to_string(&log).unwrap().lines().count();
    assert!(calls > 20, "{calls} calls");
    for (k, fault) in Fault::ALL.into_iter().enumerate() {
        for at in (1..=calls).filter(|at| at % 3 == k % 3) {
            let run = folder.path().join(format!("{}-{at}", k));
            let what = format!("{fault:?} at call {at} of {calls}");
            let ran = with_fault(counted(&run).unwrap(), fault, at)
                .output()
                .unwrap();
            let words = String::from_utf8_lossy(&ran.stderr);
            assert!(!words.contains("panicked"), "{what}: {words}");
            if let (false, Some(reason)) = (ran.status.success(), fault.words()) {
                assert!(words.contains(reason), "{what}: {words}");
            }
            let again = engine(&run).output().unwrap();
            assert!(
                again.status.success(),
                "{what}, then: {}",
                String::from_utf8_lossy(&again.stderr)
            );
            assert_eq!(
                std::fs::read_to_string(run.join("both.txt")).unwrap(),
                "a\nb\n",
                "{what}"
            );
            assert!(
                sweep::explain(&scripts(&run), &run)
                    .unwrap()
                    .iter()
                    .all(|e| !e.reason.runs()),
                "{what}"
            );
        }
    }
}
