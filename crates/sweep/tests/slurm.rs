//! The Slurm engine on a real Slurm, which this test starts: several nodes on one host, without
//! privileges.
//!
//! The program of the plans is the shell; tasks run this test itself as `step RUN LIST`.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "these are tests, without a harness"
)]

mod cluster;
#[path = "slurm/on_slurm.rs"]
mod on_slurm;
#[path = "slurm/stand_ins.rs"]
mod stand_ins;

use cluster::Cluster;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use sweep::slurm::{self, Launch, Polling};
use sweep::{Event, Outcome, Plan, Retries, Slurm, Step, SweepError, status};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["step", run, list] => return task(Path::new(run), Path::new(list)),
        ["submit", run] => {
            let run = Path::new(run);
            submit(&plan(vec![step(run, "a", &[], UNTIL_GO)]), run);
            return ExitCode::SUCCESS;
        }
        ["without-slurm", run] => {
            stand_ins::without_slurm(Path::new(run));
            stand_ins::another_cluster(&Path::new(run).with_file_name("other"));
            stand_ins::a_task_alone(&Path::new(run).with_file_name("alone"));
            stand_ins::a_job_is_known_by_its_number_or_its_name(Path::new(run).parent().unwrap());
            return ExitCode::SUCCESS;
        }
        ["with-slurm", rest @ ..] => return with_slurm(rest.first().copied().unwrap_or_default()),
        _ => {}
    }
    // Like the standard harness: a word selects the tests whose names contain it.
    let wanted = arguments
        .iter()
        .find(|word| !word.starts_with('-'))
        .cloned()
        .unwrap_or_default();
    let exe = std::env::current_exe().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let nowhere = dir.path().join("no-programs");
    fs::create_dir(&nowhere).unwrap();
    let alone = Command::new(&exe)
        .arg("without-slurm")
        .arg(dir.path().join("run"))
        .env("PATH", &nowhere)
        .status();
    assert!(
        alone.unwrap().success(),
        "the tests of a machine without Slurm failed"
    );
    println!("test without_slurm ... ok");

    let cluster = match Cluster::start(&dir.path().join("cluster")) {
        Ok(cluster) => cluster,
        Err(reason) => {
            let line = "-".repeat(78);
            eprintln!("{line}\nSKIPPED: no plan was run on a real Slurm: {reason}\n{line}");
            return ExitCode::SUCCESS;
        }
    };
    // In its own process, which finds the cluster by its environment, and whose panic does not stop
    // the clean-up.
    let status = Command::new(&exe)
        .args(["with-slurm", &wanted])
        .env("SLURM_CONF", cluster.config())
        .status();
    if !status.unwrap().success() {
        eprintln!("{}", cluster.logs());
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// Runs the tests that need a cluster.
fn with_slurm(wanted: &str) -> ExitCode {
    type Test = (&'static str, fn(&Path));
    let tests: [Test; 10] = [
        (
            "a_plan_runs_in_order_over_several_nodes",
            on_slurm::a_plan_runs_in_order_over_several_nodes,
        ),
        (
            "done_steps_are_not_submitted_again",
            on_slurm::done_steps_are_not_submitted_again,
        ),
        (
            "a_failure_is_listed_with_its_logs",
            on_slurm::a_failure_is_listed_with_its_logs,
        ),
        (
            "jobs_in_the_queue_keep_others_out_until_cancelled",
            on_slurm::jobs_in_the_queue_keep_others_out_until_cancelled,
        ),
        (
            "a_killed_step_is_submitted_again",
            on_slurm::a_killed_step_is_submitted_again,
        ),
        (
            "a_cancelled_task_is_reported_and_goes_on",
            on_slurm::a_cancelled_task_is_reported_and_goes_on,
        ),
        (
            "a_cancelled_sweep_is_waited_for_no_longer",
            on_slurm::a_cancelled_sweep_is_waited_for_no_longer,
        ),
        (
            "a_requeued_task_begins_again",
            on_slurm::a_requeued_task_begins_again,
        ),
        (
            "what_sbatch_refuses_leaves_nothing_behind",
            on_slurm::what_sbatch_refuses_leaves_nothing_behind,
        ),
        (
            "a_job_without_a_number_is_found_by_its_name",
            on_slurm::a_job_without_a_number_is_found_by_its_name,
        ),
    ];
    for (name, test) in tests.into_iter().filter(|(name, _)| name.contains(wanted)) {
        let dir = tempfile::tempdir().unwrap();
        // A name with characters that a shell would interpret.
        let run = dir.path().join("it's \"a\" $(run) 100%A; no");
        fs::create_dir(&run).unwrap();
        test(&run);
        println!("test {name} ... ok");
    }
    ExitCode::SUCCESS
}

/// What a task of a job array does on a node.
fn task(run: &Path, list: &Path) -> ExitCode {
    let task = std::env::var("SLURM_ARRAY_TASK_ID")
        .unwrap()
        .parse()
        .unwrap();
    match slurm::run_task(run, list, task, &mut |event| println!("{event:?}")) {
        Ok(outcome) if outcome.is_complete() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(e) => {
            println!("error: {e}");
            ExitCode::FAILURE
        }
    }
}

/// A step that runs a shell script, in which `$1` is the run folder and `$2` the step. It appends
/// its id to `order.txt` first.
fn step(run: &Path, id: &str, needs: &[&str], script: &str) -> Step {
    let script = format!("echo \"$2\" >> \"$1/order.txt\"\n{script}");
    let command = ["-c", &script, "sh", run.to_str().unwrap(), id];
    Step {
        id: id.into(),
        key: format!("key of {id}"),
        command: command.map(String::from).to_vec(),
        needs: needs.iter().map(|s| s.to_string()).collect(),
        kind: id.split('/').next().unwrap().into(),
        ..Step::default()
    }
}

fn plan(steps: Vec<Step>) -> Plan {
    let slurm = Slurm {
        memory: Some("100".into()),
        time: Some("10".into()),
        ..Slurm::default()
    };
    Plan {
        name: "test".into(),
        threads: 1,
        slurm,
        steps,
        ..Plan::default()
    }
}

fn launch() -> Launch {
    let task = vec![
        std::env::current_exe().unwrap().into_os_string(),
        OsString::from("step"),
    ];
    Launch {
        patience: Duration::from_secs(1),
        ..Launch::new(Path::new("/bin/sh"), task)
    }
}

fn wait(plan: &Plan, run: &Path) -> (Outcome, Vec<String>) {
    let (stop, mut retried) = (AtomicBool::new(false), Vec::new());
    let polling = Polling {
        interval: Duration::from_millis(200),
        patience: Duration::from_secs(2),
    };
    let outcome = slurm::run_until(plan, run, &launch(), polling, &stop, &mut |event| {
        if let Event::Retrying { step, .. } = event {
            retried.push(step.id.clone());
        }
    });
    (outcome.unwrap(), retried)
}

fn submit(plan: &Plan, run: &Path) -> slurm::Submitted {
    slurm::submit(plan, run, &launch(), &mut |_| {}).unwrap()
}

fn local(plan: &Plan, run: &Path) -> Result<Outcome, SweepError> {
    sweep::run_until(
        plan,
        run,
        Path::new("/bin/sh"),
        1,
        &AtomicBool::new(false),
        &mut |_| {},
    )
}

fn lines(run: &Path, file: &str) -> Vec<String> {
    fs::read_to_string(run.join(file))
        .unwrap_or_default()
        .lines()
        .map(str::to_string)
        .collect()
}

fn wait_for(what: &str, run: &Path, condition: impl Fn() -> bool) {
    let begin = Instant::now();
    while !condition() {
        assert!(
            begin.elapsed() < Duration::from_secs(90),
            "timed out waiting for {what}: {:#?}",
            status(run)
        );
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn job_of(run: &Path, step: &str) -> String {
    let record: serde_json::Value =
        serde_json::from_slice(&fs::read(run.join("slurm/jobs.json")).unwrap()).unwrap();
    for job in record["jobs"].as_array().unwrap() {
        for (task, ids) in job["tasks"].as_array().unwrap().iter().enumerate() {
            if ids.as_array().unwrap().iter().any(|id| id == step) {
                return format!("{}_{task}", job["id"].as_str().unwrap());
            }
        }
    }
    panic!("no task runs {step}: {record}");
}

/// Two steps with this script overlap: neither ends before both have started.
const OVERLAP: &str = "touch \"$1/$(basename \"$2\")\"
    n=0; while ! [ -e \"$1/a\" -a -e \"$1/b\" ] && [ $n -lt 600 ]; do sleep 0.1; n=$((n + 1)); done
    echo $SLURMD_NODENAME > \"$1/node-$(basename \"$2\")\"; [ -e \"$1/a\" -a -e \"$1/b\" ]";

/// Runs until the file `go` exists.
const UNTIL_GO: &str = "while ! [ -e \"$1/go\" ]; do sleep 0.1; done";

/// Writes an executable shell script.
fn executable(file: &Path, text: &str) {
    fs::write(file, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(file, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
}
