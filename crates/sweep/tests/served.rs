//! Steps whose processes a server forks. The program of the plans is this file's own: `serve`, or `act SCRIPT`.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "these are tests, without a harness")]

mod plans;

use plans::{lines, step};
use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use sweep::{Event, Outcome, Plan, Served, Step};

fn main() -> ExitCode {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments == ["serve"] {
        match sweep::serve().unwrap() {
            Served::Ended => return ExitCode::SUCCESS,
            Served::Step(asked) => arguments = asked,
        }
    }
    if let [act, script] = &arguments[..]
        && act == "act"
    {
        return act_out(script);
    }
    if arguments == ["no-server"] {
        return ExitCode::FAILURE;
    }
    type Test = (&'static str, fn(&Path));
    let tests: [Test; 5] = [
        ("steps_are_forked_by_one_server_and_end_as_others_do", steps_are_forked_by_one_server_and_end_as_others_do),
        ("each_process_holds_its_own_running_file_alone", each_process_holds_its_own_running_file_alone),
        (
            "a_program_that_cannot_serve_is_started_anew_each_time",
            a_program_that_cannot_serve_is_started_anew_each_time,
        ),
        ("a_stop_ends_forked_processes_and_what_they_started", a_stop_ends_forked_processes_and_what_they_started),
        ("a_server_that_dies_takes_its_steps_and_no_others", a_server_that_dies_takes_its_steps_and_no_others),
    ];
    // As the harness has it: a word is a part of the names of the tests that are wanted.
    let wanted = arguments.iter().find(|word| !word.starts_with('-'));
    for (name, test) in tests.into_iter().filter(|(name, _)| wanted.is_none_or(|word| name.contains(word.as_str()))) {
        let dir = tempfile::tempdir().unwrap();
        test(dir.path());
        println!("test {name} ... ok");
    }
    ExitCode::SUCCESS
}

/// Runs a script of the shell as a child, with the id of this process' parent in `PARENT`.
fn act_out(script: &str) -> ExitCode {
    let parent = std::os::unix::process::parent_id().to_string();
    let status = Command::new("sh").args(["-c", script]).env("PARENT", parent).status().unwrap();
    ExitCode::from(u8::try_from(status.code().unwrap_or(99)).unwrap())
}

/// A plan whose program is this file's, served by `server`.
fn served(steps: Vec<Step>, server: &str) -> Plan {
    let acting = |mut step: Step| {
        step.command[0] = "act".into();
        step
    };
    let steps = steps.into_iter().map(acting).collect();
    Plan { name: "test".into(), threads: 1, server: vec![server.into()], steps, ..Plan::default() }
}

fn run(plan: &Plan, run: &Path, jobs: usize, stop: &AtomicBool) -> Outcome {
    sweep::run_until(plan, run, &std::env::current_exe().unwrap(), jobs, stop, &mut |_: Event<'_>| {}).unwrap()
}

/// Whether a condition that another process brings about comes true in time.
fn comes(condition: impl Fn() -> bool) -> bool {
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(20) {
        if condition() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    false
}

fn process_lives(pid: &str) -> bool {
    let output = Command::new("ps").args(["-o", "stat=", "-p", pid]).output().unwrap();
    let stat = String::from_utf8_lossy(&output.stdout).trim().to_string();
    !stat.is_empty() && !stat.starts_with('Z')
}

fn steps_are_forked_by_one_server_and_end_as_others_do(d: &Path) {
    // The engine writes the mark when it knows the process that holds it.
    let note = "echo $PARENT >> {RUN}/parents.txt; echo said; \
                echo '[{\"processor\":\"P\",\"threads\":1}]' > \"$SWEEP_STEP_FOLDER/made.json\"; \
                until grep -q pid /dev/stdin; do sleep 0.01; done; cat /dev/stdin > {RUN}/stdin.json";
    let p = served(
        vec![
            step(d, "a", &[], &["parents.txt"], note),
            step(d, "b", &["a"], &[], note),
            step(d, "fails", &[], &[], "echo last words >&2; exit 3"),
            step(d, "killed", &[], &[], "kill -KILL $PPID"),
        ],
        "serve",
    );
    let outcome = run(&p, d, 2, &AtomicBool::new(false));
    assert_eq!(outcome.done, ["a", "b"], "{:?}", outcome.failed);
    let error = |id: &str| outcome.failed.iter().find(|(of, _)| of == id).unwrap().1.clone();
    assert!(error("fails").starts_with("exit status: 3") && error("fails").ends_with("last words"));
    assert!(error("killed").starts_with("ran 3 times; the last time: signal: 9"), "{}", error("killed"));
    assert_eq!(std::fs::read_to_string(d.join("steps/b/log.txt")).unwrap(), "said\n");
    for id in ["a", "b"] {
        let record = std::fs::read_to_string(d.join("steps").join(id).join("step.json")).unwrap();
        assert!(record.contains("\"made\":[{\"processor\":\"P\",\"threads\":1}]"), "{record}");
    }
    let parents = lines(d, "parents.txt");
    assert_eq!(parents.len(), 2);
    assert!(parents[0] == parents[1] && parents[0] != std::process::id().to_string(), "{parents:?}");
    assert!(std::fs::read_to_string(d.join("stdin.json")).unwrap().contains("\"pid\""), "standard input is the mark");
    assert!(!process_lives(&parents[0]), "the server ends with the sweep");
    assert_eq!(run(&p, d, 2, &AtomicBool::new(false)).skipped, ["a", "b"]);
}

/// A process that held another's file would make that one look alive when it has ended.
fn each_process_holds_its_own_running_file_alone(d: &Path) {
    let long = "while test ! -e {RUN}/over; do sleep 0.02; done";
    let p = served(vec![step(d, "short", &[], &[], "sleep 0.2"), step(d, "long", &[], &[], long)], "serve");
    std::thread::scope(|scope| {
        let sweep = scope.spawn(|| run(&p, d, 2, &AtomicBool::new(false)));
        let running = || -> Vec<String> {
            sweep::status(d).map(|s| s.running.into_iter().map(|r| r.id).collect()).unwrap_or_default()
        };
        let both = comes(|| running() == ["short", "long"]);
        let file = std::fs::File::open(d.join("steps/short/running.json"));
        let one = comes(|| running() == ["long"]);
        let free = file.is_ok_and(|file| file.try_lock_shared().is_ok());
        // Whatever was found, the sweep can end.
        std::fs::write(d.join("over"), "").unwrap();
        assert!(sweep.join().unwrap().is_complete());
        assert!(both && one);
        assert!(free, "the server or the other step holds the file of the one that ended");
    });
}

fn a_program_that_cannot_serve_is_started_anew_each_time(d: &Path) {
    let note = "echo $PARENT >> {RUN}/parents.txt";
    let p = served(vec![step(d, "a", &[], &[], note), step(d, "b", &[], &[], note)], "no-server");
    assert!(run(&p, d, 1, &AtomicBool::new(false)).is_complete());
    let own = std::process::id().to_string();
    assert_eq!(lines(d, "parents.txt"), [own.clone(), own]);
}

fn a_stop_ends_forked_processes_and_what_they_started(d: &Path) {
    let script = "sleep 60 & echo $! > {RUN}/pid.part; mv {RUN}/pid.part {RUN}/pid; wait";
    let p = served(vec![step(d, "slow", &[], &[], script)], "serve");
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let sweep = scope.spawn(|| run(&p, d, 1, &stop));
        let started = comes(|| d.join("pid").exists());
        stop.store(true, Ordering::Relaxed);
        assert!(sweep.join().unwrap().interrupted && started);
    });
    assert!(comes(|| !process_lives(&lines(d, "pid")[0])), "what the process started lives on");
    assert!(!d.join("steps/slow/running.json").exists());
}

fn a_server_that_dies_takes_its_steps_and_no_others(d: &Path) {
    let mut p = served(
        vec![
            step(d, "kills", &[], &[], "echo $$ > {RUN}/pid; kill -KILL $PARENT; exec sleep 60"),
            step(d, "next", &[], &[], "echo $PARENT > {RUN}/parent.txt"),
        ],
        "serve",
    );
    // Run again it would be a child of this process, and kill it.
    p.retries.killed = 0;
    let outcome = run(&p, d, 1, &AtomicBool::new(false));
    assert_eq!(outcome.done, ["next"]);
    assert!(outcome.failed[0].1.contains("its process was lost"), "{}", outcome.failed[0].1);
    assert!(comes(|| !process_lives(&lines(d, "pid")[0])), "the step that was lost lives on");
    assert_eq!(lines(d, "parent.txt"), [std::process::id().to_string()]);
}
