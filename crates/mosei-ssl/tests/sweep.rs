//! `mosei-ssl sweep` from outside: what it prints, what it does, and what it leaves alone.
#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A study of seconds: a corpus of its own, one start with one label budget, three steps of
/// training.
const STUDY: &str = "
[synth]
videos = 12
segments = 40
median_segment_s = 1.0
[data]
pool_frames = 20
max_frames = 10
[labels]
counts = [8]
min_positives = 0
[encoder]
model_dim = 4
heads = 1
layers = 1
feedforward_dim = 4
[finetune.training]
steps = 3
warmup_steps = 1
[grid]
seeds = [0]
starts = [\"scratch\"]
[report]
";

/// A folder with a space in its name, a study in it, and a run folder with a quote in its name.
struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    fn new(study: &str) -> Self {
        let place = Place {
            dir: tempfile::tempdir().unwrap(),
        };
        fs::create_dir_all(place.path("")).unwrap();
        fs::write(place.path("study.toml"), study).unwrap();
        place
    }

    fn path(&self, inside: &str) -> PathBuf {
        self.dir.path().join("a study").join(inside)
    }

    fn run(&self) -> PathBuf {
        self.path("my run's")
    }

    /// Exit code and output.
    fn mosei_ssl(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mosei-ssl"));
        for variable in ["MOSEI_SSL_CONFIG", "MOSEI_SSL_RUNS", "RUST_LOG"] {
            command.env_remove(variable);
        }
        let output = command
            .args(arguments)
            .current_dir(self.path(""))
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        (
            output.status.code(),
            text + &String::from_utf8_lossy(&output.stderr),
        )
    }

    fn sweep(&self, more: &[&str]) -> (Option<i32>, String) {
        let run = self.run();
        self.mosei_ssl(
            &[
                &[
                    "sweep",
                    "study.toml",
                    "--jobs",
                    "2",
                    "--out",
                    run.to_str().unwrap(),
                ],
                more,
            ]
            .concat(),
        )
    }
}

fn count(text: &str, part: &str) -> usize {
    text.matches(part).count()
}

#[test]
fn a_study_that_cannot_begin_ends_with_one_error() {
    // 1 sample, 2 pre-trainings, 2 starts × 2 budgets × 2 seeds, 3 steps that read the others.
    let study = STUDY
        .replace("[8]", "[4, 8]")
        .replace("[0]", "[0, 1]")
        .replace("[\"scratch\"]", "[\"ssl\", \"scratch\"]");
    let place = Place::new(&study);
    fs::create_dir(place.path("data")).unwrap();
    for file in ["CMU_MOSEI_COVAREP.csd", "CMU_MOSEI_Labels.csd"] {
        fs::write(place.path("data").join(file), "no HDF5").unwrap();
    }
    let log = place.run().join("steps/prepare/log.txt");
    let (code, text) = place.sweep(&["--data", "data"]);
    assert_eq!(code, Some(1), "{text}");
    assert_eq!(count(&text, "CMU_MOSEI_Labels.csd: expected"), 1, "{text}");
    assert_eq!(count(&text, "14 steps wait for it"), 1, "{text}");
    assert_eq!(
        count(&text, "14 steps wait for prepare, which failed"),
        1,
        "{text}"
    );
    assert!(
        text.contains(&format!("log: {}", log.display())) && log.is_file(),
        "{text}"
    );
    assert!(
        !text.contains("about ") && !text.contains("cells/"),
        "{text}"
    );
    assert!(text.lines().count() < 15, "{text}");

    let (code, text) = place.mosei_ssl(&["status", place.run().to_str().unwrap()]);
    assert_eq!(code, Some(0));
    assert_eq!(
        (
            count(&text, "failed: "),
            count(&text, "14 steps wait for it")
        ),
        (1, 1),
        "{text}"
    );
    assert!(!text.contains("left") && !text.contains("cells/"), "{text}");

    let before = fs::metadata(&log).unwrap().modified().unwrap();
    let (code, text) = place.sweep(&["--data", "data", "--explain"]);
    assert_eq!(code, Some(0));
    assert!(
        text.contains("failed before: error: ") && text.contains("CMU_MOSEI_Labels.csd"),
        "{text}"
    );
    assert_eq!(
        (count(&text, "14 steps wait for it"), text.lines().count()),
        (1, 3),
        "{text}"
    );
    assert_eq!(
        fs::metadata(&log).unwrap().modified().unwrap(),
        before,
        "explaining runs nothing"
    );
}

#[test]
fn what_is_explained_is_not_run() {
    let place = Place::new(STUDY);
    for arguments in [
        &["--explain"][..],
        &["--explain", "--dry-run"],
        &["--explain", "--engine", "slurm"],
        &["--dry-run"],
    ] {
        let (code, text) = place.sweep(arguments);
        assert_eq!(code, Some(0), "{arguments:?}: {text}");
        assert_eq!(
            count(&text, "never ran"),
            if arguments.contains(&"--explain") {
                7
            } else {
                0
            },
            "{text}"
        );
        assert!(
            text.contains("study: 7 steps, 0 done, 7 to run\n"),
            "{text}"
        );
        assert!(!place.run().exists(), "{arguments:?}");
    }
}

#[test]
fn a_sweep_gives_a_forecast_once_its_data_are_prepared_and_ends_with_a_command_to_copy() {
    let place = Place::new(STUDY);
    let (code, text) = place.sweep(&[]);
    assert_eq!(code, Some(0), "{text}");
    let at = |part: &str| {
        text.find(part)
            .unwrap_or_else(|| panic!("no '{part}' in:\n{text}"))
    };
    assert_eq!(count(&text, "about "), 1, "{text}");
    let counted = "study: 7 steps (1 synth, 1 prepare, 1 sample, 1 cell, 1 evaluate, 1 statistics, 1 report), 2 at a time\n";
    assert!(at(counted) < at("about "), "{text}");
    assert!(
        at(" done     prepare") < at("about ") && at("about ") < at(" done     cells/"),
        "{text}"
    );
    assert!(text.contains("not in it, as none was timed yet)"), "{text}");
    // The command is one that a shell understands, whatever the names of folders.
    let command = text
        .lines()
        .find_map(|line| line.strip_prefix("next:    "))
        .unwrap();
    let command = command.split("    (").next().unwrap();
    let output = Command::new("/bin/sh")
        .args(["-c", command])
        .current_dir(place.path(""))
        .output()
        .unwrap();
    let audit = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && audit.lines().count() > 20,
        "{command}: {audit}"
    );
    let (code, text) = place.sweep(&[]);
    assert!(
        code == Some(0) && text.contains("2 at a time; all of them done before"),
        "{text}"
    );
    assert!(Path::new(&place.run()).join("plan.json").is_file());
}

#[test]
fn wrong_usage_is_refused_before_anything_is_written() {
    let place = Place::new(&STUDY.replace("[\"scratch\"]", "[\"scracth\"]"));
    let run = place.run();
    for (arguments, words) in [
        (
            &["sweep", "study.tml"][..],
            "study.tml: no such configuration",
        ),
        (&["sweep", "study.toml"], "did you mean"),
        (
            &["sweep", "study.toml", "--device", "gpu"],
            "study.toml: key 'grid.starts[0]'",
        ),
        (
            &["sweep", "study.toml", "--wait"],
            "--wait belongs to --engine slurm",
        ),
        (&["sweep", "study.toml", "--jobs", "0"], "--jobs"),
        (&["sweep"], "CONFIG"),
    ] {
        let (code, text) = place.mosei_ssl(arguments);
        assert!(
            code == Some(2) && text.contains(words),
            "{arguments:?}: {code:?}: {text}"
        );
        assert!(!run.exists() && !place.path("runs").exists());
    }
    fs::write(place.path("study.toml"), STUDY).unwrap();
    let (code, text) = place.mosei_ssl(&["sweep", "study.toml", "--device", "gpu"]);
    assert!(
        code == Some(2) && text.contains("--device: expected \"cpu\", \"cuda\""),
        "{text}"
    );
}
