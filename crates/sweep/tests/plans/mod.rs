//! Small plans whose program is the shell.
#![allow(dead_code, reason = "each test file uses a part of this one")]
#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use sweep::{Event, Outcome, Plan, Step, SweepError};

/// A step that runs a shell script, in which `{RUN}` is replaced by the run folder.
pub fn step(run: &Path, id: &str, needs: &[&str], outputs: &[&str], script: &str) -> Step {
    Step {
        id: id.into(),
        key: format!("key of {id}"),
        command: vec!["-c".into(), script.replace("{RUN}", run.to_str().unwrap())],
        needs: needs.iter().map(|s| s.to_string()).collect(),
        outputs: outputs.iter().map(|s| s.to_string()).collect(),
        about: format!("about {id}"),
        kind: id.split(['/', '-']).next().unwrap().into(),
        ..Step::default()
    }
}

/// A step that appends its id to `order.txt`.
pub fn logging(run: &Path, id: &str, needs: &[&str]) -> Step {
    step(
        run,
        id,
        needs,
        &[],
        &format!("echo {id} >> {{RUN}}/order.txt"),
    )
}

pub fn tolerant(step: Step) -> Step {
    Step {
        tolerant: true,
        ..step
    }
}

pub fn plan(steps: Vec<Step>) -> Plan {
    Plan {
        name: "test".into(),
        threads: 1,
        steps,
        ..Plan::default()
    }
}

pub fn try_run(plan: &Plan, run: &Path, jobs: usize) -> Result<Outcome, SweepError> {
    let stop = std::sync::atomic::AtomicBool::new(false);
    sweep::run_until(
        plan,
        run,
        Path::new("/bin/sh"),
        jobs,
        &stop,
        &mut |_: Event<'_>| {},
    )
}

pub fn run(plan: &Plan, run: &Path, jobs: usize) -> Outcome {
    try_run(plan, run, jobs).unwrap()
}

/// The lines of a file of the run folder, empty if it is missing.
pub fn lines(run: &Path, file: &str) -> Vec<String> {
    std::fs::read_to_string(run.join(file))
        .unwrap_or_default()
        .lines()
        .map(str::to_string)
        .collect()
}

/// Why a step would run, or that it is done.
pub fn reason(plan: &Plan, run: &Path, id: &str) -> sweep::Reason {
    sweep::explain(plan, run)
        .unwrap()
        .into_iter()
        .find(|e| e.step.id == id)
        .unwrap()
        .reason
}

/// Whether a condition that another process fulfils becomes true in time.
pub fn becomes_true(condition: impl Fn() -> bool) -> bool {
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(20) {
        if condition() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    false
}

/// Whether a process runs.
pub fn process_lives(pid: &str) -> bool {
    // A zombie still has a folder under /proc until it is waited for; `ps` works on every system.
    let output = Command::new("ps")
        .args(["-o", "stat=", "-p", pid])
        .output()
        .unwrap();
    let stat = String::from_utf8_lossy(&output.stdout).trim().to_string();
    !stat.is_empty() && !stat.starts_with('Z')
}
