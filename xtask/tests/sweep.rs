//! `cargo xtask sweep` from outside: what it says and does, with a program of a few lines in the place of the study's.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "these are tests")]

use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A folder with `xtask` as it was built ahead, and beside it a program that prints a plan and notes what it is asked to run;
/// `prepare` fails while there is a file `bad`.
struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    fn new(cells: usize) -> Self {
        let place = Place { dir: tempfile::tempdir().unwrap() };
        fs::create_dir_all(place.path("target/release")).unwrap();
        fs::copy(env!("CARGO_BIN_EXE_xtask"), place.path("target/release/xtask")).unwrap();
        let script = "#!/bin/sh\ncd \"$(dirname \"$0\")/../..\"\ncase $1 in\n\
                      plan) echo \"$*\" >> asked; cat plan.json;;\n\
                      prepare) echo prepare >> ran; echo 'reading' >&2; if [ -e bad ]; then echo 'error: labels.csd: no such file' >&2; exit 1; fi;;\n\
                      *) echo \"$1\" >> ran;;\nesac\n";
        let program = place.path("target/release/mosei-ssl");
        fs::write(&program, script).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(place.path("study.toml"), "").unwrap();
        fs::write(place.path("plan.json"), plan(cells).to_string()).unwrap();
        place
    }

    fn path(&self, inside: &str) -> PathBuf {
        self.dir.path().join("a study").join(inside)
    }

    /// The run folder.
    fn run(&self) -> PathBuf {
        self.path("my run's")
    }

    /// Exit code and standard output.
    fn xtask(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let mut command = Command::new(self.path("target/release/xtask"));
        // As one that was built ahead is started, by its own name and not through cargo.
        command.env_remove("CARGO").env_remove("CARGO_MANIFEST_DIR").args(arguments).current_dir(self.path(""));
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        (output.status.code(), said + &String::from_utf8_lossy(&output.stderr))
    }

    fn sweep(&self, more: &[&str]) -> (Option<i32>, String) {
        let run = self.run();
        self.xtask(&[&["sweep", "study.toml", "--jobs", "2", "--out", run.to_str().unwrap()], more].concat())
    }

    fn lines(&self, file: &str) -> Vec<String> {
        fs::read_to_string(self.path(file)).unwrap_or_default().lines().map(str::to_string).collect()
    }
}

/// Preparation, so many cells, and what collects them.
fn plan(cells: usize) -> Value {
    let step = |id: &str, kind: &str, cost: u64, needs: Vec<String>| json!({"id": id, "key": "k", "kind": kind, "cost": cost, "needs": needs, "command": [kind], "about": kind});
    let ids: Vec<String> = (0..cells).map(|i| format!("cells/{i}")).collect();
    let mut steps = vec![step("prepare", "prepare", 0, vec![])];
    steps.extend(ids.iter().map(|id| step(id, "cell", 10, vec!["prepare".into()])));
    let mut evaluate = step("evaluate", "evaluate", 0, ids);
    evaluate["tolerant"] = true.into();
    steps.push(evaluate);
    json!({"name": "study", "cost_ns": 1000, "steps": steps})
}

fn count(text: &str, part: &str) -> usize {
    text.matches(part).count()
}

#[test]
fn a_study_that_cannot_begin_ends_with_one_error() {
    let place = Place::new(30);
    fs::write(place.path("bad"), "").unwrap();
    let log = place.run().join("steps/prepare/log.txt");
    let (code, said) = place.sweep(&[]);
    assert_eq!(code, Some(1), "{said}");
    assert_eq!(count(&said, "error: labels.csd: no such file"), 1, "{said}");
    assert_eq!(count(&said, "31 steps wait for it"), 1, "{said}");
    assert_eq!(count(&said, "31 steps wait for prepare, which failed"), 1, "{said}");
    assert!(said.contains(&format!("log: {}", log.display())) && log.is_file(), "{said}");
    assert!(!said.contains("about ") && !said.contains("cells/"), "{said}");
    assert!(said.lines().count() < 15, "{said}");
    assert_eq!(place.lines("ran"), ["prepare"]);

    let (code, said) = place.xtask(&["status", place.run().to_str().unwrap()]);
    assert_eq!(code, Some(0));
    assert_eq!((count(&said, "failed: "), count(&said, "31 steps wait for it")), (1, 1), "{said}");
    assert!(!said.contains("left") && !said.contains("cells/"), "{said}");

    let (code, said) = place.sweep(&["--explain"]);
    assert_eq!(code, Some(0));
    assert!(said.contains("failed before: error: labels.csd: no such file"), "{said}");
    assert_eq!((count(&said, "31 steps wait for it"), said.lines().count()), (1, 3), "{said}");
    assert_eq!(place.lines("ran"), ["prepare"], "to explain is not to run");
}

#[test]
fn what_is_explained_is_not_run() {
    let place = Place::new(3);
    for arguments in
        [&["--explain"][..], &["--explain", "--dry-run"], &["--explain", "--engine", "slurm"], &["--dry-run"]]
    {
        let (code, said) = place.sweep(arguments);
        assert_eq!(code, Some(0), "{arguments:?}: {said}");
        assert_eq!(count(&said, "never ran"), if arguments.contains(&"--explain") { 5 } else { 0 }, "{said}");
        assert!(said.ends_with("study: 5 steps, 0 done, 5 to run\n"), "{said}");
        assert!(!place.run().exists() && place.lines("ran").is_empty(), "{arguments:?}");
    }
    assert!(place.lines("asked").iter().all(|asked| asked.ends_with("--dry-run")), "{:?}", place.lines("asked"));
}

#[test]
fn a_sweep_foretells_once_its_data_are_good_and_ends_with_a_command_to_copy() {
    let place = Place::new(3);
    let (code, said) = place.sweep(&[]);
    assert_eq!(code, Some(0), "{said}");
    let at = |part: &str| said.find(part).unwrap_or_else(|| panic!("no '{part}' in:\n{said}"));
    assert_eq!(count(&said, "about "), 1, "{said}");
    assert!(at("study: 5 steps (1 prepare, 3 cell, 1 evaluate), 2 at a time\n") < at("about "), "{said}");
    assert!(at(" done     prepare") < at("about ") && at("about ") < at(" done     cells/"), "{said}");
    assert!(said.contains("(1 evaluate not in it, as none was timed yet)"), "{said}");
    let command = said.lines().find_map(|line| line.strip_prefix("next:    ")).unwrap();
    let command = command.split("    (").next().unwrap().replace("target/release/mosei-ssl", "printf '%s\\n'");
    let words = Command::new("/bin/sh").args(["-c", &command]).output().unwrap();
    let words = String::from_utf8_lossy(&words.stdout).into_owned();
    assert_eq!(words.lines().collect::<Vec<_>>(), ["audit", place.run().to_str().unwrap()]);
    let (code, said) = place.sweep(&[]);
    assert!(code == Some(0) && said.contains("2 at a time; all of them done before"), "{said}");
    assert!(Path::new(&place.run()).join("plan.json").is_file());
}
