//! Kills at random moments, again and again, until the work is done all the same: every byte as if
//! nothing had been.
//!
//! The moments are random in earnest, as a machine's speed is; what must come of them is not.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on fails, and one that counts says what"
)]

use rand::RngExt;
use run_record::seed::{Stream, rng};
use rustix::process::{Pid, Signal, kill_process};
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use study_tests::{Bench, program, tiny};
use sweep::Plan;

/// What takes a process down.
const SIGNALS: [Signal; 3] = [Signal::KILL, Signal::TERM, Signal::INT];

/// Waits for the end of a process for some time; whether it ended, and well.
fn ends_within(child: &mut Child, time: Duration) -> Option<bool> {
    let begin = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status.success());
        }
        if begin.elapsed() >= time {
            return None;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Starts a command and takes it down with one of [`SIGNALS`] after a random part of `most`, until
/// it has ended well; it is given more time the more often it was taken down. Returns how often it
/// was.
fn until_done(mut start: impl FnMut() -> Command, most: Duration, seed: u64) -> usize {
    let mut random = rng(seed, Stream::Order, 0);
    for kills in 0..2000 {
        let mut child = start()
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let time = most.mul_f64(random.random_range(0.0..1.0) * (1.0 + kills as f64 / 30.0));
        if let Some(well) = ends_within(&mut child, time) {
            let output = child.wait_with_output().unwrap();
            assert!(
                well,
                "after {kills} kills: {}",
                String::from_utf8_lossy(&output.stderr)
            );
            return kills;
        }
        let pid = Pid::from_child(&child);
        kill_process(pid, SIGNALS[random.random_range(0..SIGNALS.len())]).unwrap();
        // What is asked to end may take its time over it.
        child.wait().unwrap();
    }
    panic!("it came to no end");
}

fn same(a: &Path, b: &Path) {
    assert!(
        std::fs::read(a).unwrap() == std::fs::read(b).unwrap(),
        "{} and {} differ",
        a.display(),
        b.display()
    );
}

/// Names of what is under construction below a folder.
fn under_construction(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap());
    let mut found = Vec::new();
    for entry in entries {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with(".tmp-") {
            found.push(name);
        } else if entry.path().is_dir() {
            found.extend(under_construction(&entry.path()));
        }
    }
    found
}

/// Starts with nothing and is taken down until it is done, and again, until `wanted` kills have
/// been survived; `fresh` clears what was done, `check` looks at what came of it. `whole` is how
/// long it takes when it is left alone.
fn survive(
    what: &str,
    wanted: usize,
    whole: Duration,
    mut start: impl FnMut() -> Command,
    mut check: impl FnMut(u64),
) {
    let mut kills = 0;
    for round in 0.. {
        // Moments by the time it takes here and now: a fast machine shall not come through between
        // two of them.
        kills += until_done(&mut start, whole.mul_f64(0.6), round);
        check(round);
        if kills >= wanted {
            println!("{what}: {kills} kills, {} times to the end", round + 1);
            return;
        }
    }
}

/// How long a command takes when it is left alone.
fn time_of(run: impl FnOnce()) -> Duration {
    let begin = Instant::now();
    run();
    begin.elapsed()
}

#[test]
fn data_that_are_killed_while_they_are_prepared() {
    let bench = Bench::new(&tiny("").replace("segments = 100", "segments = 400"));
    bench.prepare();
    let prepare = |out: &str| format!("prepare --config study.toml --data data --out {out}");
    let whole = time_of(|| drop(bench.succeed(&prepare("prepared"))));
    let check = |round: u64| {
        for file in [
            "manifest.json",
            "frames.safetensors",
            "segments.safetensors",
        ] {
            same(
                &bench.path("killed").join(file),
                &bench.path("prepared").join(file),
            );
        }
        assert_eq!(under_construction(&bench.path("")), Vec::<String>::new());
        // Over what is there every other time.
        if round.is_multiple_of(2) {
            std::fs::remove_dir_all(bench.path("killed")).unwrap();
        }
    };
    survive(
        "prepare",
        30,
        whole,
        || bench.command(&prepare("killed")),
        check,
    );
}

/// Takes a training down until it has survived 25 kills; the outcome is that of `whole`.
fn trained(bench: &Bench, arguments: &dyn Fn(&str) -> String, files: &[&str]) {
    let whole = time_of(|| drop(bench.succeed(&arguments("whole"))));
    let check = |_| {
        for file in files {
            same(
                &bench.path("killed").join(file),
                &bench.path("whole").join(file),
            );
        }
        assert_eq!(
            under_construction(&bench.path("killed")),
            Vec::<String>::new()
        );
        assert!(!bench.path("killed/checkpoint").exists());
        std::fs::remove_dir_all(bench.path("killed")).unwrap();
    };
    survive(
        &arguments("")[..8],
        25,
        whole,
        || bench.command(&arguments("killed")),
        check,
    );
}

#[test]
fn trainings_that_are_killed_again_and_again() {
    let bench = Bench::new(
        &tiny("")
            .replace("steps = 12", "steps = 300")
            .replace("keep = 1000", "keep = 2"),
    );
    bench.prepare();
    let on = "--config study.toml --prepared prepared";
    let encoder = [
        "encoder/model.safetensors",
        "encoder/config.json",
        "reconstruction.parquet",
        "pretraining.parquet",
    ];
    trained(
        &bench,
        &|out| format!("pretrain {on} --out {out}"),
        &encoder,
    );
    bench.succeed(&format!("pretrain {on} --out pre"));
    let more = "--subsets subsets.parquet --start ssl --encoder pre/encoder --labels n20 --key k";
    let cell = [
        "predictions.parquet",
        "model/heads.safetensors",
        "model/encoder/model.safetensors",
    ];
    // Nothing of the pre-training's.
    std::fs::remove_dir_all(bench.path("whole")).unwrap();
    trained(
        &bench,
        &|out| format!("finetune {on} {more} --out {out}"),
        &cell,
    );
}

/// A test only by name: an engine in a process of its own, to be killed.
#[test]
fn engine_of_another_process() {
    let Some(run) = std::env::var_os("CRASH_TEST_RUN") else {
        return;
    };
    let (run, program) = (
        Path::new(&run),
        std::env::var_os("CRASH_TEST_PROGRAM").unwrap(),
    );
    let plan: Plan =
        serde_json::from_slice(&std::fs::read(run.with_extension("plan.json")).unwrap()).unwrap();
    let outcome = sweep::run(&plan, run, Path::new(&program), 2, &mut |_| ()).unwrap();
    let problems: Vec<_> = outcome
        .failed
        .iter()
        .map(|(id, error)| format!("{id}: {error}"))
        .collect();
    let _ = writeln!(std::io::stderr(), "{}", problems.join("\n"));
    // What was stopped has not failed, and is started again by the test.
    std::process::exit(if outcome.is_complete() { 0 } else { 1 });
}

/// A study whose plan lies beside its run folder, `NAME.plan.json`, and the command that sweeps it.
fn planned(bench: &Bench, name: &str) -> impl Fn() -> Command {
    let plan = bench.succeed(&format!(
        "plan study.toml --run {}",
        bench.path(name).display()
    ));
    bench.write(&format!("{name}.plan.json"), &plan);
    let run = bench.path(name);
    move || {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "engine_of_another_process", "--nocapture"]);
        command
            .env("CRASH_TEST_RUN", &run)
            .env("CRASH_TEST_PROGRAM", program());
        command
    }
}

fn same_studies(bench: &Bench, a: &str, b: &str) {
    for file in [
        "predictions.parquet",
        "results.csv",
        "statistics.json",
        "subsets.parquet",
        "pretraining.parquet",
    ] {
        same(&bench.path(a).join(file), &bench.path(b).join(file));
    }
    bench.succeed(&format!("audit {b}"));
}

#[test]
fn a_sweep_that_is_killed_again_and_again() {
    let grid = "[grid]\nseeds = [0]\n";
    let bench = Bench::new(
        &tiny(grid)
            .replace("steps = 12", "steps = 60")
            .replace("keep = 1000", "keep = 2"),
    );
    let mut sweep = planned(&bench, "whole")();
    let whole = time_of(|| assert!(sweep.stdout(Stdio::null()).status().unwrap().success()));
    let start = planned(&bench, "killed");
    survive("sweep", 20, whole, start, |_| {
        same_studies(&bench, "whole", "killed");
        assert_eq!(
            under_construction(&bench.path("killed")),
            Vec::<String>::new()
        );
        std::fs::remove_dir_all(bench.path("killed")).unwrap();
        // The configuration lies in the run folder too.
        drop(planned(&bench, "killed"));
    });
}

/// Kills every few seconds for as long as `SOAK_MINUTES` says, in the study of `SOAK_CONFIG`.
#[test]
#[ignore = "takes as long as it is told to: cargo xtask test --soak MINUTES"]
fn soak() {
    let minutes: f64 = std::env::var("SOAK_MINUTES").map_or(60.0, |v| v.parse().unwrap());
    let config = std::env::var("SOAK_CONFIG")
        .map(|path| std::fs::read_to_string(path).unwrap())
        .unwrap();
    // Kills come faster here than the demo's own checkpoints: without more of them it would mostly
    // do the same again.
    let bench = Bench::new(&format!("{config}\n[checkpoints]\nevery_steps = 25\n"));
    let began = Instant::now();
    assert!(
        planned(&bench, "whole")()
            .stdout(Stdio::null())
            .status()
            .unwrap()
            .success()
    );
    println!("the study alone: {:.0} s", began.elapsed().as_secs_f64());
    let (began, mut studies, mut kills) = (Instant::now(), 0, 0);
    while began.elapsed().as_secs_f64() < minutes * 60.0 {
        kills += until_done(
            planned(&bench, "killed"),
            Duration::from_secs(10),
            100 + studies,
        );
        same_studies(&bench, "whole", "killed");
        assert_eq!(
            under_construction(&bench.path("killed")),
            Vec::<String>::new()
        );
        std::fs::remove_dir_all(bench.path("killed")).unwrap();
        studies += 1;
        println!(
            "{:.0} min: {studies} studies, {kills} kills",
            began.elapsed().as_secs_f64() / 60.0
        );
    }
}
