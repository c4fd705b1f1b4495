//! Kills at random moments, again and again, until the work is done all the same: every byte as if nothing had been.
//!
//! The moments are random in earnest, as a machine's speed is; what must come of them is not.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

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

/// Starts a command and takes it down with one of [`SIGNALS`] after a random part of `most`, until it has ended well; it is
/// given more time the more often it was taken down. Returns how often it was.
fn until_done(mut start: impl FnMut() -> Command, most: Duration, seed: u64) -> usize {
    let mut random = rng(seed, Stream::Order, 0);
    for kills in 0..2000 {
        let mut child = start().stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let time = most.mul_f64(random.random_range(0.0..1.0) * (1.0 + kills as f64 / 30.0));
        if let Some(well) = ends_within(&mut child, time) {
            let output = child.wait_with_output().unwrap();
            assert!(well, "after {kills} kills: {}", String::from_utf8_lossy(&output.stderr));
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
    assert!(std::fs::read(a).unwrap() == std::fs::read(b).unwrap(), "{} and {} differ", a.display(), b.display());
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

#[test]
fn data_that_are_killed_while_they_are_prepared() {
    let bench = Bench::new(&tiny("").replace("segments = 100", "segments = 400"));
    bench.prepare();
    let arguments = "prepare --config study.toml --data data --out killed";
    let mut kills = 0;
    for seed in 0..6 {
        kills += until_done(|| bench.command(arguments), Duration::from_millis(600), seed);
        for file in ["manifest.json", "frames.safetensors", "segments.safetensors"] {
            same(&bench.path("killed").join(file), &bench.path("prepared").join(file));
        }
        // Over what is there every other time.
        if seed % 2 == 0 {
            std::fs::remove_dir_all(bench.path("killed")).unwrap();
        }
    }
    assert_eq!(under_construction(&bench.path("")), Vec::<String>::new());
    println!("prepare: {kills} kills");
    assert!(kills >= 10, "{kills} kills are too few to say anything");
}

#[test]
fn trainings_that_are_killed_again_and_again() {
    let bench = Bench::new(&tiny("").replace("steps = 12", "steps = 300").replace("keep = 1000", "keep = 2"));
    bench.prepare();
    let pretrain = |out: &str| format!("pretrain --config study.toml --prepared prepared --out {out}");
    bench.succeed(&pretrain("whole"));
    let first = until_done(|| bench.command(&pretrain("killed")), Duration::from_millis(500), 1);
    for file in ["encoder/model.safetensors", "encoder/config.json", "reconstruction.parquet", "pretraining.parquet"] {
        same(&bench.path("killed").join(file), &bench.path("whole").join(file));
    }
    let cell = |out: &str| {
        format!(
            "finetune --config study.toml --prepared prepared --subsets subsets.parquet --start ssl --encoder \
             whole/encoder --labels n20 --key k --out {out}"
        )
    };
    bench.succeed(&cell("whole-cell"));
    let second = until_done(|| bench.command(&cell("killed-cell")), Duration::from_millis(500), 2);
    for file in ["predictions.parquet", "model/heads.safetensors", "model/encoder/model.safetensors"] {
        same(&bench.path("killed-cell").join(file), &bench.path("whole-cell").join(file));
    }
    for place in ["killed", "killed-cell"] {
        assert_eq!(under_construction(&bench.path(place)), Vec::<String>::new());
        assert!(!bench.path(place).join("checkpoint").exists());
    }
    println!("pretrain: {first} kills, finetune: {second} kills");
    assert!(first >= 15 && second >= 15, "{first} and {second} kills are too few to say anything");
}

/// A test only by name: an engine in a process of its own, to be killed.
#[test]
fn engine_of_another_process() {
    let Some(run) = std::env::var_os("CRASH_TEST_RUN") else { return };
    let (run, program) = (Path::new(&run), std::env::var_os("CRASH_TEST_PROGRAM").unwrap());
    let plan: Plan = serde_json::from_slice(&std::fs::read(run.with_extension("plan.json")).unwrap()).unwrap();
    let outcome = sweep::run(&plan, run, Path::new(&program), 2, &mut |_| ()).unwrap();
    let problems: Vec<_> = outcome.failed.iter().map(|(id, error)| format!("{id}: {error}")).collect();
    let _ = writeln!(std::io::stderr(), "{}", problems.join("\n"));
    // What was stopped has not failed, and is started again by the test.
    std::process::exit(if outcome.is_complete() { 0 } else { 1 });
}

/// A study whose plan lies beside its run folder, `NAME.plan.json`, and the command that sweeps it.
fn planned(bench: &Bench, name: &str) -> impl Fn() -> Command {
    let plan = bench.succeed(&format!("plan study.toml --run {}", bench.path(name).display()));
    bench.write(&format!("{name}.plan.json"), &plan);
    let run = bench.path(name);
    move || {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "engine_of_another_process", "--nocapture"]);
        command.env("CRASH_TEST_RUN", &run).env("CRASH_TEST_PROGRAM", program());
        command
    }
}

fn same_studies(bench: &Bench, a: &str, b: &str) {
    for file in ["predictions.parquet", "results.csv", "statistics.json", "subsets.parquet", "pretraining.parquet"] {
        same(&bench.path(a).join(file), &bench.path(b).join(file));
    }
    bench.succeed(&format!("audit {b}"));
}

#[test]
fn a_sweep_that_is_killed_again_and_again() {
    let grid = "[grid]\nseeds = [0]\n";
    let bench = Bench::new(&tiny(grid).replace("steps = 12", "steps = 60").replace("keep = 1000", "keep = 2"));
    assert!(planned(&bench, "whole")().stdout(Stdio::null()).status().unwrap().success());
    let mut kills = 0;
    for (name, seed) in [("first", 3), ("second", 4), ("third", 5)] {
        kills += until_done(planned(&bench, name), Duration::from_millis(1500), seed);
        same_studies(&bench, "whole", name);
        assert_eq!(under_construction(&bench.path(name)), Vec::<String>::new());
    }
    println!("sweep: {kills} kills");
    assert!(kills >= 20, "{kills} kills are too few to say anything");
}

/// Kills every few seconds for as long as `SOAK_MINUTES` says, in the study of `SOAK_CONFIG`.
#[test]
#[ignore = "takes as long as it is told to: cargo xtask test --soak MINUTES"]
fn soak() {
    let minutes: f64 = std::env::var("SOAK_MINUTES").map_or(60.0, |v| v.parse().unwrap());
    let config = std::env::var("SOAK_CONFIG").map(|path| std::fs::read_to_string(path).unwrap()).unwrap();
    let bench = Bench::new(&config);
    let began = Instant::now();
    assert!(planned(&bench, "whole")().stdout(Stdio::null()).status().unwrap().success());
    println!("the study alone: {:.0} s", began.elapsed().as_secs_f64());
    let (began, mut studies, mut kills) = (Instant::now(), 0, 0);
    while began.elapsed().as_secs_f64() < minutes * 60.0 {
        kills += until_done(planned(&bench, "killed"), Duration::from_secs(10), 100 + studies);
        same_studies(&bench, "whole", "killed");
        assert_eq!(under_construction(&bench.path("killed")), Vec::<String>::new());
        std::fs::remove_dir_all(bench.path("killed")).unwrap();
        studies += 1;
        println!("{:.0} min: {studies} studies, {kills} kills", began.elapsed().as_secs_f64() / 60.0);
    }
}
