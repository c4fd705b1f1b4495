//! Steps whose processes are forked by a server. The program of the plans is this test itself:
//! `serve`, or `act SCRIPT`.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "these are tests, without a harness"
)]

mod plans;

use plans::{becomes_true, lines, process_lives, step};
use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicBool, Ordering};
use sweep::{Event, Outcome, Plan, Served, Step};

fn main() -> ExitCode {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments == ["serve"] {
        match sweep::serve().unwrap() {
            Served::Ended => return ExitCode::SUCCESS,
            Served::Step(requested) => arguments = requested,
        }
    }
    if let [act, script] = &arguments[..]
        && act == "act"
    {
        return run_script(script);
    }
    if arguments == ["no-server"] {
        return ExitCode::FAILURE;
    }
    type Test = (&'static str, fn(&Path));
    let tests: [Test; 5] = [
        (
            "steps_are_forked_by_one_server_and_end_like_other_steps",
            steps_are_forked_by_one_server_and_end_like_other_steps,
        ),
        (
            "each_process_holds_only_its_own_running_file",
            each_process_holds_only_its_own_running_file,
        ),
        (
            "a_program_that_cannot_serve_is_started_for_each_step",
            a_program_that_cannot_serve_is_started_for_each_step,
        ),
        (
            "a_stop_terminates_forked_processes_and_their_children",
            a_stop_terminates_forked_processes_and_their_children,
        ),
        (
            "a_server_that_dies_takes_its_steps_and_no_others",
            a_server_that_dies_takes_its_steps_and_no_others,
        ),
    ];
    // Like the standard harness: a word selects the tests whose names contain it.
    let filter = arguments.iter().find(|word| !word.starts_with('-'));
    for (name, test) in tests
        .into_iter()
        .filter(|(name, _)| filter.is_none_or(|word| name.contains(word.as_str())))
    {
        let dir = tempfile::tempdir().unwrap();
        test(dir.path());
        println!("test {name} ... ok");
    }
    ExitCode::SUCCESS
}

/// Runs a shell script as a child, with the id of this process's parent in `PARENT`.
fn run_script(script: &str) -> ExitCode {
    let parent = std::os::unix::process::parent_id().to_string();
    let status = Command::new("sh")
        .args(["-c", script])
        .env("PARENT", parent)
        .status()
        .unwrap();
    ExitCode::from(u8::try_from(status.code().unwrap_or(99)).unwrap())
}

/// A plan whose program is this test, with `server` as its server mode.
fn served(steps: Vec<Step>, server: &str) -> Plan {
    let acting = |mut step: Step| {
        step.command[0] = "act".into();
        step
    };
    let steps = steps.into_iter().map(acting).collect();
    Plan {
        name: "test".into(),
        threads: 1,
        server: vec![server.into()],
        steps,
        ..Plan::default()
    }
}

fn run(plan: &Plan, run: &Path, jobs: usize, stop: &AtomicBool) -> Outcome {
    sweep::run_until(
        plan,
        run,
        &std::env::current_exe().unwrap(),
        jobs,
        stop,
        &mut |_: Event<'_>| {},
    )
    .unwrap()
}

fn steps_are_forked_by_one_server_and_end_like_other_steps(d: &Path) {
    // The engine writes the running record once it knows the process id.
    let script = "echo $PARENT >> {RUN}/parents.txt; echo said; \
                echo '[{\"processor\":\"P\",\"threads\":1}]' > \"$SWEEP_STEP_FOLDER/made.json\"; \
                until grep -q pid /dev/stdin; do sleep 0.01; done; cat /dev/stdin > {RUN}/stdin.json";
    let p = served(
        vec![
            step(d, "a", &[], &["parents.txt"], script),
            step(d, "b", &["a"], &[], script),
            step(d, "fails", &[], &[], "echo last words >&2; exit 3"),
            step(d, "killed", &[], &[], "kill -KILL $PPID"),
        ],
        "serve",
    );
    let outcome = run(&p, d, 2, &AtomicBool::new(false));
    assert_eq!(outcome.done, ["a", "b"], "{:?}", outcome.failed);
    let error = |id: &str| {
        outcome
            .failed
            .iter()
            .find(|(of, _)| of == id)
            .unwrap()
            .1
            .clone()
    };
    assert!(error("fails").starts_with("exit status: 3") && error("fails").ends_with("last words"));
    assert!(
        error("killed").starts_with("failed 3 times; the last error: signal: 9"),
        "{}",
        error("killed")
    );
    assert_eq!(
        std::fs::read_to_string(d.join("steps/b/log.txt")).unwrap(),
        "said\n"
    );
    for id in ["a", "b"] {
        let record = std::fs::read_to_string(d.join("steps").join(id).join("step.json")).unwrap();
        assert!(
            record.contains("\"made\":[{\"processor\":\"P\",\"threads\":1}]"),
            "{record}"
        );
    }
    let parents = lines(d, "parents.txt");
    assert_eq!(parents.len(), 2);
    assert!(
        parents[0] == parents[1] && parents[0] != std::process::id().to_string(),
        "{parents:?}"
    );
    assert!(
        std::fs::read_to_string(d.join("stdin.json"))
            .unwrap()
            .contains("\"pid\""),
        "standard input is the running record"
    );
    assert!(
        !process_lives(&parents[0]),
        "the server ends with the sweep"
    );
    assert_eq!(run(&p, d, 2, &AtomicBool::new(false)).skipped, ["a", "b"]);
}

/// If a process held the file of another one, that one would seem to run after its end.
fn each_process_holds_only_its_own_running_file(d: &Path) {
    let long = "while test ! -e {RUN}/over; do sleep 0.02; done";
    let p = served(
        vec![
            step(d, "short", &[], &[], "sleep 0.2"),
            step(d, "long", &[], &[], long),
        ],
        "serve",
    );
    std::thread::scope(|scope| {
        let sweep = scope.spawn(|| run(&p, d, 2, &AtomicBool::new(false)));
        let running = || -> Vec<String> {
            sweep::status(d)
                .map(|s| s.running.into_iter().map(|r| r.id).collect())
                .unwrap_or_default()
        };
        let both = becomes_true(|| running() == ["short", "long"]);
        let file = std::fs::File::open(d.join("steps/short/running.json"));
        let one = becomes_true(|| running() == ["long"]);
        let free = file.is_ok_and(|file| file.try_lock_shared().is_ok());
        // Let the sweep end before the assertions.
        std::fs::write(d.join("over"), "").unwrap();
        assert!(sweep.join().unwrap().is_complete());
        assert!(both && one);
        assert!(
            free,
            "the server or the other step holds the file of the one that ended"
        );
    });
}

fn a_program_that_cannot_serve_is_started_for_each_step(d: &Path) {
    let script = "echo $PARENT >> {RUN}/parents.txt";
    let p = served(
        vec![
            step(d, "a", &[], &[], script),
            step(d, "b", &[], &[], script),
        ],
        "no-server",
    );
    assert!(run(&p, d, 1, &AtomicBool::new(false)).is_complete());
    let own = std::process::id().to_string();
    assert_eq!(lines(d, "parents.txt"), [own.clone(), own]);
}

fn a_stop_terminates_forked_processes_and_their_children(d: &Path) {
    let script = "sleep 60 & echo $! > {RUN}/pid.part; mv {RUN}/pid.part {RUN}/pid; wait";
    let p = served(vec![step(d, "slow", &[], &[], script)], "serve");
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let sweep = scope.spawn(|| run(&p, d, 1, &stop));
        let started = becomes_true(|| d.join("pid").exists());
        stop.store(true, Ordering::Relaxed);
        assert!(sweep.join().unwrap().interrupted && started);
    });
    assert!(
        becomes_true(|| !process_lives(&lines(d, "pid")[0])),
        "the child of the process is still running"
    );
    assert!(!d.join("steps/slow/running.json").exists());
}

fn a_server_that_dies_takes_its_steps_and_no_others(d: &Path) {
    let mut p = served(
        vec![
            step(
                d,
                "kills",
                &[],
                &[],
                "echo $$ > {RUN}/pid; kill -KILL $PARENT; exec sleep 60",
            ),
            step(d, "next", &[], &[], "echo $PARENT > {RUN}/parent.txt"),
        ],
        "serve",
    );
    // A retry would be a child of this process, and kill it.
    p.retries.killed = 0;
    let outcome = run(&p, d, 1, &AtomicBool::new(false));
    assert_eq!(outcome.done, ["next"]);
    assert!(
        outcome.failed[0].1.contains("lost its process"),
        "{}",
        outcome.failed[0].1
    );
    assert!(
        becomes_true(|| !process_lives(&lines(d, "pid")[0])),
        "the lost process is still running"
    );
    assert_eq!(lines(d, "parent.txt"), [std::process::id().to_string()]);
}
