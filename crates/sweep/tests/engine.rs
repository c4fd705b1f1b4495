//! The guarantees of the local engine, tested with small shell scripts.
#![allow(clippy::unwrap_used, reason = "these are tests")]

mod plans;

use plans::{lines, logging, plan, reason, run, step, tolerant};
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use sweep::{Event, Plan, Reason, SweepError, explain, status};

fn failed_ids(outcome: &sweep::Outcome) -> Vec<&str> {
    outcome.failed.iter().map(|(id, _)| id.as_str()).collect()
}

#[test]
fn one_job_at_a_time_runs_in_plan_order_after_needs() {
    let dir = tempfile::tempdir().unwrap();
    let d = dir.path();
    let p = plan(vec![
        logging(d, "report", &["b", "a"]),
        logging(d, "a", &[]),
        logging(d, "b", &["c"]),
        logging(d, "c", &[]),
    ]);
    let outcome = run(&p, d, 1);
    assert!(outcome.is_complete());
    assert_eq!(lines(d, "order.txt"), ["a", "c", "b", "report"]);
    assert_eq!(outcome.done, ["a", "c", "b", "report"]);
}

#[test]
fn no_more_than_jobs_processes_run_in_parallel() {
    let dir = tempfile::tempdir().unwrap();
    let d = dir.path();
    let steps = (0..6)
        .map(|i| step(d, &format!("s{i}"), &[], &[], "sleep 0.2"))
        .collect();
    let (mut running, mut peak) = (0, 0);
    let stop = AtomicBool::new(false);
    sweep::run_until(
        &plan(steps),
        d,
        Path::new("/bin/sh"),
        3,
        &stop,
        &mut |event| {
            match event {
                Event::Started { .. } => running += 1,
                Event::Done { .. } => running -= 1,
                _ => {}
            }
            peak = peak.max(running);
        },
    )
    .unwrap();
    assert_eq!((running, peak), (0, 3));
}

#[test]
fn the_provenance_a_process_reports_is_in_the_record_of_its_step() {
    let dir = tempfile::tempdir().unwrap();
    let d = dir.path();
    let report = |processor: &str| {
        format!(
            "echo '[{{\"processor\":\"{processor}\",\"threads\":3}}]' > \"$SWEEP_STEP_FOLDER/made.json\""
        )
    };
    // The first attempt reports one processor and is killed; the second reports another.
    let script = format!(
        "if test -e {{RUN}}/once; then {}; else {}; touch {{RUN}}/once; kill -KILL $$; fi",
        report("second"),
        report("first")
    );
    let wrong = "echo '{}' > \"$SWEEP_STEP_FOLDER/made.json\"";
    let p = plan(vec![
        step(d, "cells/reports", &[], &[], &script),
        step(d, "silent", &[], &[], "true"),
        step(d, "wrong", &[], &[], wrong),
    ]);
    let outcome = run(&p, d, 1);
    assert_eq!(outcome.done, ["cells/reports", "silent"]);
    assert!(
        outcome.failed[0].1.contains("made.json"),
        "{:?}",
        outcome.failed
    );
    let record = |id: &str| run_record::StepRecord::read(&d.join("steps").join(id)).unwrap();
    let made = record("cells/reports").made;
    assert_eq!(
        made,
        [run_record::Made {
            processor: "second".into(),
            threads: 3,
            torch: None
        }]
    );
    assert_eq!(record("silent").made, []);
    assert!(!d.join("steps/cells/reports/made.json").exists());
}

#[test]
fn done_steps_are_skipped_and_a_new_key_runs_only_its_step() {
    let dir = tempfile::tempdir().unwrap();
    let d = dir.path();
    let mut p = plan(vec![
        logging(d, "data", &[]),
        logging(d, "cells/a", &["data"]),
        logging(d, "cells/b", &["data"]),
    ]);
    run(&p, d, 2);
    let again = run(&p, d, 2);
    assert_eq!((again.done.len(), again.skipped.len()), (0, 3));
    p.steps[1].key = "another".into();
    assert_eq!(
        reason(&p, d, "cells/a").to_string(),
        "settings or inputs changed (key of c to another)"
    );
    let changed = run(&p, d, 2);
    assert_eq!(changed.done, ["cells/a"]);
    assert_eq!(lines(d, "order.txt").len(), 4);
    assert!(explain(&p, d).unwrap().iter().all(|e| !e.reason.runs()));
}

#[test]
fn a_missing_output_makes_its_step_run_again() {
    let dir = tempfile::tempdir().unwrap();
    let d = dir.path();
    let p = plan(vec![
        step(
            d,
            "a",
            &[],
            &["out/x"],
            "mkdir -p {RUN}/out; echo . >> {RUN}/out/x",
        ),
        logging(d, "b", &["a"]),
    ]);
    run(&p, d, 1);
    fs::remove_file(d.join("out/x")).unwrap();
    assert_eq!(
        reason(&p, d, "a"),
        Reason::OutputMissing {
            output: "out/x".into()
        }
    );
    let again = run(&p, d, 1);
    assert_eq!(
        (again.done.as_slice(), again.skipped.as_slice()),
        (&["a".to_string()][..], &["b".to_string()][..])
    );
}

#[test]
fn a_failed_step_is_not_done_even_if_its_output_and_old_record_would_match() {
    let dir = tempfile::tempdir().unwrap();
    let d = dir.path();
    let mut p = plan(vec![step(d, "a", &[], &["x"], "touch {RUN}/x")]);
    run(&p, d, 1);
    fs::remove_file(d.join("x")).unwrap();
    p.steps[0].command[1].push_str(" && false");
    assert_eq!(failed_ids(&run(&p, d, 1)), ["a"]);
    assert_eq!(
        failed_ids(&run(&p, d, 1)),
        ["a"],
        "the output of a failed run must not count"
    );
}

#[test]
fn a_step_that_leaves_no_output_has_failed_though_it_ended_well() {
    let dir = tempfile::tempdir().unwrap();
    let d = dir.path();
    let outcome = run(
        &plan(vec![step(d, "a", &[], &["x"], "echo all is well")]),
        d,
        1,
    );
    assert!(
        outcome.failed[0]
            .1
            .starts_with("exited with success but did not write 'x'"),
        "{:?}",
        outcome.failed
    );
    assert!(!d.join("steps/a/step.json").exists());
}

#[test]
fn a_failure_stops_only_what_needs_it_and_says_its_last_words() {
    let dir = tempfile::tempdir().unwrap();
    let d = dir.path();
    let mut p = plan(vec![
        step(
            d,
            "bad",
            &[],
            &[],
            "echo begin; echo 'out of luck' >&2; exit 3",
        ),
        logging(d, "after-bad", &["bad"]),
        logging(d, "after-that", &["after-bad"]),
        logging(d, "good", &[]),
    ]);
    let outcome = run(&p, d, 1);
    assert_eq!(failed_ids(&outcome), ["bad"]);
    assert!(
        outcome.failed[0].1.contains("exit status: 3")
            && outcome.failed[0].1.ends_with("begin\nout of luck")
    );
    assert_eq!(
        outcome.blocked,
        [
            ("after-bad".into(), "bad".into()),
            ("after-that".into(), "bad".into())
        ]
    );
    assert_eq!(
        (outcome.blocked_by("bad"), outcome.blocked_by("after-bad")),
        (2, 0)
    );
    assert_eq!(lines(d, "order.txt"), ["good"]);
    assert_eq!(
        reason(&p, d, "bad").to_string(),
        "failed before: out of luck"
    );
    assert_eq!(
        reason(&p, d, "after-that"),
        Reason::Blocked { by: "bad".into() }
    );
    let seen = status(d).unwrap();
    assert_eq!((seen.failures.len(), seen.failures[0].blocked), (1, 2));
    assert!(!seen.alive && seen.left.is_none());

    p.steps[0].command[1] = "true".into();
    let fixed = run(&p, d, 1);
    assert_eq!(fixed.done, ["bad", "after-bad", "after-that"]);
    assert!(!d.join("steps/bad/error.txt").exists());
    assert!(status(d).unwrap().kinds.iter().all(|k| k.done == k.all()));
}

#[test]
fn a_study_whose_first_step_fails_says_so_once() {
    let dir = tempfile::tempdir().unwrap();
    let d = dir.path();
    let cells: Vec<String> = (0..40).map(|i| format!("cells/{i}")).collect();
    let mut steps = vec![step(
        d,
        "prepare",
        &[],
        &[],
        "echo 'error: labels.csd: no such file'; exit 1",
    )];
    steps.extend(cells.iter().map(|id| logging(d, id, &["prepare"])));
    steps.push(tolerant(logging(
        d,
        "evaluate",
        &cells.iter().map(String::as_str).collect::<Vec<_>>(),
    )));
    let p = plan(steps);
    let (mut events, stop) = (Vec::new(), AtomicBool::new(false));
    let outcome = sweep::run_until(
        &p,
        d,
        Path::new("/bin/sh"),
        2,
        &stop,
        &mut |event| match event {
            Event::Started { step } => events.push(format!("started {}", step.id)),
            Event::Failed { step, .. } => events.push(format!("failed {}", step.id)),
            Event::Blocked { by, steps } => {
                events.push(format!("{} blocked by {}", steps.len(), by.id))
            }
            _ => events.push(format!("{event:?}")),
        },
    )
    .unwrap();
    assert_eq!(
        events,
        ["started prepare", "failed prepare", "41 blocked by prepare"]
    );
    assert_eq!(
        (
            outcome.failed.len(),
            outcome.blocked_by("prepare"),
            outcome.is_complete()
        ),
        (1, 41, false)
    );
    assert_eq!(sweep::forecast(&p, d, 2).unwrap(), None);
    let is_blocked = |e: &sweep::Explanation<'_>| {
        e.reason
            == Reason::Blocked {
                by: "prepare".into(),
            }
    };
    assert_eq!(
        explain(&p, d)
            .unwrap()
            .iter()
            .filter(|e| is_blocked(e))
            .count(),
        41
    );
}

#[test]
fn a_step_that_will_run_again_does_not_count_as_failed() {
    let dir = tempfile::tempdir().unwrap();
    let d = dir.path();
    let p = plan(vec![
        logging(d, "good", &[]),
        step(d, "bad", &[], &[], "exit 1"),
        logging(d, "after", &["bad"]),
    ]);
    run(&p, d, 1);
    fs::remove_dir_all(d.join("steps/good")).unwrap();
    let (mut seen, stop) = (None, AtomicBool::new(false));
    sweep::run_until(&p, d, Path::new("/bin/sh"), 1, &stop, &mut |event| {
        if let Event::Started { step } = event
            && step.id == "good"
        {
            seen = Some(status(d).unwrap());
        }
    })
    .unwrap();
    let seen = seen.unwrap();
    assert!(seen.alive && seen.failures.is_empty(), "{seen:?}");
    assert_eq!(status(d).unwrap().failures[0].blocked, 1);
}

#[test]
fn a_step_that_ended_badly_is_run_again_as_often_as_the_plan_says() {
    // Records each run, and fails in the first ones.
    let script = |how: &str, failures: usize| {
        format!(
            "echo . >> {{RUN}}/runs; if [ $(wc -l < {{RUN}}/runs) -le {failures} ]; then echo too bad; {how}; fi"
        )
    };
    let retries = |killed, failed| sweep::Retries { killed, failed };
    let cases = [
        ("kill -9 $$", 2, retries(2, 0), 3, None),
        (
            "kill -9 $$",
            3,
            retries(2, 9),
            3,
            Some("failed 3 times; the last error: signal: 9"),
        ),
        ("exit 1", 1, retries(9, 0), 1, Some("exit status: 1")),
        ("exit 1", 1, retries(0, 1), 2, None),
    ];
    for (how, failures, retries, runs, error) in cases {
        let dir = tempfile::tempdir().unwrap();
        let d = dir.path();
        let p = Plan {
            retries,
            ..plan(vec![
                step(d, "a", &[], &[], &script(how, failures)),
                logging(d, "b", &["a"]),
            ])
        };
        let (mut retried, stop) = (Vec::new(), AtomicBool::new(false));
        let outcome = sweep::run_until(&p, d, Path::new("/bin/sh"), 1, &stop, &mut |event| {
            if let Event::Retrying { runs, error, .. } = event {
                assert!(error.ends_with("too bad"), "{error}");
                retried.push(runs);
            }
        })
        .unwrap();
        assert_eq!(lines(d, "runs").len(), runs, "{how} {failures}");
        assert_eq!(retried, (1..runs as u32).collect::<Vec<_>>());
        assert_eq!(
            lines(d, "order.txt").len(),
            usize::from(error.is_none()),
            "its dependent runs only after it"
        );
        assert_eq!(outcome.failed.len(), usize::from(error.is_some()));
        if let Some(error) = error {
            assert!(
                outcome.failed[0].1.starts_with(error),
                "{}",
                outcome.failed[0].1
            );
        }
    }
}

#[test]
fn a_program_that_cannot_start_fails_the_step() {
    let dir = tempfile::tempdir().unwrap();
    let stop = AtomicBool::new(false);
    let p = plan(vec![logging(dir.path(), "a", &[])]);
    let outcome = sweep::run_until(
        &p,
        dir.path(),
        Path::new("/no/such/program"),
        1,
        &stop,
        &mut |_| {},
    )
    .unwrap();
    assert!(
        outcome.failed[0]
            .1
            .contains("failed to start /no/such/program"),
        "{:?}",
        outcome.failed
    );
}

/// Two cells, one of which fails while `RUN/bad` exists; a tolerant collecting step; a report that
/// needs it.
fn study(d: &Path) -> Plan {
    plan(vec![
        logging(d, "cells/a", &[]),
        step(
            d,
            "cells/b",
            &[],
            &[],
            "test ! -e {RUN}/bad && echo cells/b >> {RUN}/order.txt",
        ),
        tolerant(logging(d, "evaluate", &["cells/a", "cells/b"])),
        logging(d, "report", &["evaluate"]),
    ])
}

#[test]
fn a_tolerant_step_collects_existing_results_and_runs_again_when_they_change() {
    let dir = tempfile::tempdir().unwrap();
    let d = dir.path();
    let p = study(d);
    fs::write(d.join("bad"), "").unwrap();
    let first = run(&p, d, 2);
    assert_eq!(
        (failed_ids(&first), first.blocked.len()),
        (vec!["cells/b"], 0)
    );
    assert_eq!(lines(d, "order.txt"), ["cells/a", "evaluate", "report"]);

    // The failed cell runs and fails again, so the collecting steps run again.
    let second = run(&p, d, 2);
    assert_eq!(second.done, ["evaluate", "report"]);

    fs::remove_file(d.join("bad")).unwrap();
    assert_eq!(
        reason(&p, d, "evaluate"),
        Reason::NeedRuns {
            need: "cells/b".into()
        }
    );
    let third = run(&p, d, 2);
    assert_eq!(third.done, ["cells/b", "evaluate", "report"]);
    let fourth = run(&p, d, 2);
    assert_eq!(fourth.skipped.len(), 4, "nothing has changed: {fourth:?}");
}

#[test]
fn a_tolerant_step_whose_needs_all_failed_is_blocked() {
    let dir = tempfile::tempdir().unwrap();
    let d = dir.path();
    let p = plan(vec![
        step(d, "a", &[], &[], "false"),
        logging(d, "b", &["a"]),
        tolerant(logging(d, "c", &["a", "b"])),
    ]);
    let outcome = run(&p, d, 2);
    let blocked: Vec<&str> = outcome.blocked.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(blocked, ["b", "c"]);
}

#[test]
fn a_collecting_step_is_invalidated_when_a_need_starts() {
    // The sweep is stopped between the cell and the collecting step: the next sweep must collect.
    let dir = tempfile::tempdir().unwrap();
    let d = dir.path();
    let mut p = study(d);
    run(&p, d, 1);
    p.steps[0].outputs = vec!["x".into()];
    p.steps[0].command[1] = format!("touch {}/x", d.display());
    let stop = AtomicBool::new(false);
    sweep::run_until(&p, d, Path::new("/bin/sh"), 1, &stop, &mut |event| {
        if matches!(event, Event::Done { .. }) {
            stop.store(true, Ordering::Relaxed);
        }
    })
    .unwrap();
    assert_eq!(run(&p, d, 1).done, ["evaluate", "report"]);
}

#[test]
fn explain_and_status_write_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let d = dir.path().join("none");
    let p = plan(vec![logging(&d, "a", &[])]);
    assert_eq!(reason(&p, &d, "a"), Reason::NeverRan);
    assert!(matches!(status(&d), Err(SweepError::NoPlan { .. })));
    assert!(!d.exists());
}

#[test]
fn a_clock_that_jumps_makes_no_negative_times() {
    let dir = tempfile::tempdir().unwrap();
    let d = dir.path();
    run(&plan(vec![logging(d, "a", &[])]), d, 1);
    let path = d.join("sweep.json");
    let mut record: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    record["started_unix_s"] = 1e12.into();
    fs::write(&path, record.to_string()).unwrap();
    assert_eq!(status(d).unwrap().elapsed_s, Some(0.0));
    let record: serde_json::Value =
        serde_json::from_slice(&fs::read(d.join("steps/a/step.json")).unwrap()).unwrap();
    assert!(record["seconds"].as_f64().unwrap() >= 0.0);
}
