//! The processes of the local engine: signals, a second sweep, an engine that is killed.
#![allow(clippy::unwrap_used, reason = "these are tests")]

mod plans;

use plans::{becomes_true, lines, logging, plan, process_lives, reason, step, try_run};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use sweep::{Event, Reason, status};

/// Waits for a condition that another process fulfils.
fn wait_for(what: &str, condition: impl Fn() -> bool) {
    assert!(becomes_true(condition), "timed out waiting for {what}");
}

#[test]
fn a_stop_terminates_the_processes_and_their_children() {
    let dir = tempfile::tempdir().unwrap();
    let d = dir.path();
    let p = plan(vec![
        step(d, "a", &[], &[], "sleep 60 & echo $! > {RUN}/pid; wait"),
        logging(d, "b", &["a"]),
    ]);
    let stop = AtomicBool::new(false);
    let begin = Instant::now();
    let outcome = std::thread::scope(|scope| {
        scope.spawn(|| {
            wait_for("the step", || !lines(d, "pid").is_empty());
            stop.store(true, Ordering::Relaxed);
        });
        sweep::run_until(&p, d, Path::new("/bin/sh"), 2, &stop, &mut |_| {}).unwrap()
    });
    assert!(outcome.interrupted && begin.elapsed() < Duration::from_secs(30));
    let pid = lines(d, "pid").remove(0);
    wait_for("the end of the step's child", || !process_lives(&pid));
    assert_eq!(reason(&p, d, "a"), Reason::Unfinished);
    assert_eq!(
        status(d)
            .unwrap()
            .kinds
            .iter()
            .map(|k| k.pending)
            .sum::<usize>(),
        2
    );
}

/// Not a test by itself: an engine in its own process, for the tests that signal or kill it.
#[test]
fn engine_in_another_process() {
    let Some(folder) = std::env::var_os("SWEEP_TEST_RUN") else {
        return;
    };
    let d = Path::new(&folder);
    let p = plan(vec![step(
        d,
        "slow",
        &[],
        &[],
        "echo $$ > {RUN}/pid; test -e {RUN}/quick || sleep 60",
    )]);
    let outcome = sweep::run(&p, d, Path::new("/bin/sh"), 1, &mut |_| {}).unwrap();
    std::process::exit(if outcome.interrupted { 130 } else { 0 });
}

fn start_engine(d: &Path) -> std::process::Child {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "engine_in_another_process"])
        .env("SWEEP_TEST_RUN", d)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_for("the other engine", || {
        !lines(d, "pid").is_empty() && !lines(d, "steps/slow/running.json").is_empty()
    });
    child
}

#[test]
fn a_second_sweep_is_refused_by_name_and_a_signal_ends_the_first() {
    let dir = tempfile::tempdir().unwrap();
    let d = dir.path();
    let mut engine = start_engine(d);
    let message = try_run(&plan(vec![logging(d, "a", &[])]), d, 1)
        .unwrap_err()
        .to_string();
    assert!(
        message.contains(&format!("process {}", engine.id())),
        "{message}"
    );
    assert_eq!(sweep::check_free(d).unwrap_err().to_string(), message);
    let seen = status(d).unwrap();
    assert_eq!(
        (seen.alive, seen.pid, seen.running.len()),
        (true, Some(engine.id()), 1)
    );

    Command::new("kill")
        .args(["-TERM", &engine.id().to_string()])
        .status()
        .unwrap();
    assert_eq!(engine.wait().unwrap().code(), Some(130));
    let pid = lines(d, "pid").remove(0);
    assert!(!process_lives(&pid));
    assert!(!status(d).unwrap().alive);
    sweep::check_free(d).unwrap();
}

#[test]
fn a_killed_engine_leaves_a_run_that_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let d = dir.path();
    let mut engine = start_engine(d);
    engine.kill().unwrap();
    engine.wait().unwrap();
    let pid = lines(d, "pid").remove(0);
    let seen = status(d).unwrap();
    assert_eq!(
        (seen.alive, seen.elapsed_s, seen.running.len()),
        (false, None, 1),
        "the step outlives its engine"
    );
    assert!(process_lives(&pid));

    let p = plan(vec![logging(d, "slow", &[])]);
    let mut orphans = Vec::new();
    let stop = AtomicBool::new(false);
    let outcome = sweep::run_until(&p, d, Path::new("/bin/sh"), 1, &stop, &mut |event| {
        if let Event::OrphanEnded { id } = event {
            orphans.push(id.to_string());
        }
    })
    .unwrap();
    assert_eq!(
        (orphans, outcome.done),
        (vec!["slow".to_string()], vec!["slow".to_string()])
    );
    wait_for("the end of the orphan", || !process_lives(&pid));
}
