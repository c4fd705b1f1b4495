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
            without_slurm(Path::new(run));
            another_cluster(&Path::new(run).with_file_name("other"));
            a_task_alone(&Path::new(run).with_file_name("alone"));
            a_job_is_known_by_its_number_or_its_name(Path::new(run).parent().unwrap());
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
            a_plan_runs_in_order_over_several_nodes,
        ),
        (
            "done_steps_are_not_submitted_again",
            done_steps_are_not_submitted_again,
        ),
        (
            "a_failure_is_listed_with_its_logs",
            a_failure_is_listed_with_its_logs,
        ),
        (
            "jobs_in_the_queue_keep_others_out_until_cancelled",
            jobs_in_the_queue_keep_others_out_until_cancelled,
        ),
        (
            "a_killed_step_is_submitted_again",
            a_killed_step_is_submitted_again,
        ),
        (
            "a_cancelled_task_is_reported_and_goes_on",
            a_cancelled_task_is_reported_and_goes_on,
        ),
        (
            "a_cancelled_sweep_is_waited_for_no_longer",
            a_cancelled_sweep_is_waited_for_no_longer,
        ),
        ("a_requeued_task_begins_again", a_requeued_task_begins_again),
        (
            "what_sbatch_refuses_leaves_nothing_behind",
            what_sbatch_refuses_leaves_nothing_behind,
        ),
        (
            "a_job_without_a_number_is_found_by_its_name",
            a_job_without_a_number_is_found_by_its_name,
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

/// What `xtask` does on a node.
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

fn a_plan_runs_in_order_over_several_nodes(run: &Path) {
    let cells: Vec<String> = (0..6).map(|i| format!("cell/a{i}")).collect();
    let mut steps = vec![
        step(run, "prepare", &[], ""),
        step(run, "train/a", &["prepare"], OVERLAP),
        step(run, "train/b", &["prepare"], OVERLAP),
        step(
            run,
            "probe",
            &["train/b"],
            "echo $CUDA_VISIBLE_DEVICES > \"$1/gpu\"",
        ),
    ];
    // More than the largest array of this cluster.
    steps.extend(
        cells
            .iter()
            .map(|id| step(run, id, &["prepare", "train/a"], "")),
    );
    let needs: Vec<&str> = cells
        .iter()
        .map(String::as_str)
        .chain(["probe", "train/a", "train/b"])
        .collect();
    steps.push(Step {
        tolerant: true,
        ..step(run, "end", &needs, "")
    });
    let mut plan = plan(steps);
    // Whole nodes, so that two parallel steps are on two nodes.
    plan.slurm.kind.insert(
        "train".into(),
        Slurm {
            cpus: Some(2),
            ..Slurm::default()
        },
    );
    plan.slurm.kind.insert(
        "probe".into(),
        Slurm {
            gpus: Some(1),
            ..Slurm::default()
        },
    );
    plan.slurm.kind.insert(
        "cell".into(),
        Slurm {
            at_most: Some(2),
            steps_per_task: Some(1),
            ..Slurm::default()
        },
    );
    let (outcome, retried) = wait(&plan, run);
    assert!(outcome.is_complete() && retried.is_empty(), "{outcome:?}");
    assert_eq!(outcome.done.len(), plan.steps.len());
    let order = lines(run, "order.txt");
    let position = |id: &str| order.iter().position(|o| o == id).unwrap();
    for step in &plan.steps {
        assert!(
            step.needs
                .iter()
                .all(|need| position(need) < position(&step.id)),
            "{order:?}"
        );
    }
    assert_ne!(lines(run, "node-a"), lines(run, "node-b"));
    assert_eq!(lines(run, "gpu"), ["0"]);
    let seen = status(run).unwrap();
    assert!(
        !seen.alive
            && seen
                .kinds
                .iter()
                .all(|k| k.failed + k.running + k.queued + k.pending == 0)
    );
}

fn done_steps_are_not_submitted_again(run: &Path) {
    let cells = ["cell/b", "cell/c"].map(|id| step(run, id, &["a"], ""));
    let mut plan = plan([step(run, "a", &[], "")].into_iter().chain(cells).collect());
    // One task runs both.
    plan.slurm.steps_per_task = Some(2);
    let done_here = local(
        &Plan {
            steps: plan.steps[..1].to_vec(),
            ..plan.clone()
        },
        run,
    )
    .unwrap();
    assert_eq!(done_here.done, ["a"]);
    let (first, _) = wait(&plan, run);
    assert_eq!(
        (first.done, first.skipped),
        (
            vec!["cell/b".into(), "cell/c".into()],
            vec!["a".to_string()]
        )
    );
    assert_eq!(job_of(run, "cell/b"), job_of(run, "cell/c"));
    let second = submit(&plan, run);
    assert_eq!((second.jobs.len(), second.steps, second.skipped), (0, 0, 3));
    plan.steps[2].key = "another".into();
    assert_eq!(wait(&plan, run).0.done, ["cell/c"]);
    assert_eq!(
        local(&plan, run).unwrap().skipped.len(),
        3,
        "the steps are done for the local engine too"
    );
    assert_eq!(lines(run, "order.txt").len(), 4);
}

fn a_failure_is_listed_with_its_logs(run: &Path) {
    let mut plan = plan(vec![
        step(run, "cell/bad", &[], "echo 'out of luck'; exit 3"),
        step(run, "cell/good", &[], ""),
        step(run, "after/bad", &["cell/bad"], ""),
        Step {
            tolerant: true,
            ..step(run, "end", &["cell/bad", "cell/good"], "")
        },
    ]);
    let (outcome, _) = wait(&plan, run);
    assert_eq!(outcome.failed.len(), 1);
    assert!(outcome.failed[0].1.ends_with("out of luck"), "{outcome:?}");
    assert_eq!(
        outcome.blocked,
        [("after/bad".to_string(), "cell/bad".to_string())]
    );
    assert_eq!(outcome.done, ["cell/good", "end"]);
    let seen = status(run).unwrap();
    assert_eq!(seen.failures.len(), 1);
    let slurm_log = format!("slurm/{}.txt", job_of(run, "cell/bad"));
    assert_eq!(
        seen.failures[0].logs,
        ["steps/cell/bad/log.txt".to_string(), slurm_log.clone()]
    );
    assert!(
        lines(run, &slurm_log)
            .iter()
            .any(|line| line.starts_with("Failed"))
    );

    plan.steps[0].command[1] = "true".into();
    let fixed = wait(&plan, run).0;
    assert_eq!(
        (fixed.done.len(), fixed.done[0].as_str()),
        (3, "cell/bad"),
        "{fixed:?}"
    );
}

fn jobs_in_the_queue_keep_others_out_until_cancelled(run: &Path) {
    let waiting = "while ! [ -e \"$1/go\" ]; do sleep 0.1; done";
    let plan = plan(vec![
        step(run, "a", &[], waiting),
        step(run, "b", &["a"], ""),
        step(run, "c", &["b"], ""),
    ]);
    let jobs = submit(&plan, run).jobs;
    assert_eq!(jobs.len(), 3);
    wait_for("the first step", run, || {
        status(run).unwrap().running.len() == 1
    });
    let seen = status(run).unwrap();
    assert!(
        seen.alive
            && seen.running[0]
                .location
                .as_ref()
                .unwrap()
                .contains(&format!("job {}_0", jobs[0])),
        "{seen:?}"
    );
    assert_eq!(seen.kinds.iter().map(|k| k.queued).sum::<usize>(), 2);
    let reasons = || status(run).unwrap().slurm.unwrap().reasons;
    wait_for("Slurm's reasons", run, || {
        reasons() == BTreeMap::from([("Dependency".to_string(), 2)])
    });

    let refusals = [
        local(&plan, run).unwrap_err(),
        slurm::submit(&plan, run, &launch(), &mut |_| {}).unwrap_err(),
        sweep::check_free(run).unwrap_err(),
    ];
    for refusal in refusals {
        assert!(
            refusal.to_string().contains(&format!(
                "jobs {} of this folder are in",
                slurm::ranges(&jobs)
            )),
            "{refusal}"
        );
    }
    assert_eq!(slurm::cancel(run).unwrap(), jobs);
    wait_for("the end of the jobs", run, || !status(run).unwrap().alive);
    assert_eq!(slurm::cancel(run).unwrap(), Vec::<String>::new());
    fs::write(run.join("go"), "").unwrap();
    assert_eq!(submit(&plan, run).steps, 3);
    wait_for("all steps", run, || {
        status(run).unwrap().kinds.iter().all(|k| k.done == 1)
    });
    wait_for("the end of the jobs", run, || {
        sweep::check_free(run).is_ok()
    });
    assert_eq!(local(&plan, run).unwrap().skipped.len(), 3);
}

/// Uses more memory than the job may, in its first run.
const GREEDY: &str = "if [ -e \"$1/greedy\" ]; then exit 0; fi; touch \"$1/greedy\"
    x=$(head -c 300000000 /dev/zero | tr '\\0' x); sleep 60";

fn a_killed_step_is_submitted_again(run: &Path) {
    let steps = vec![
        step(run, "a", &[], GREEDY),
        step(run, "b", &["a"], ""),
        step(run, "c", &[], ""),
        Step {
            tolerant: true,
            ..step(run, "end", &["b", "c"], "")
        },
    ];
    let mut plan = plan(steps);
    plan.retries = Retries {
        killed: 0,
        failed: 0,
    };
    let (first, retried) = wait(&plan, run);
    assert!(retried.is_empty());
    let (id, error) = &first.failed[0];
    assert!(
        id == "a"
            && error.contains("\nSlurm ended it (")
            && error.contains("exceeded memory limit"),
        "{first:?}"
    );
    assert_eq!(first.blocked, [("b".to_string(), "a".to_string())]);
    assert_eq!(status(run).unwrap().failures[0].id, "a");

    fs::remove_file(run.join("greedy")).unwrap();
    fs::remove_file(run.join("order.txt")).unwrap();
    plan.retries = Retries {
        killed: 1,
        failed: 0,
    };
    let (second, retried) = wait(&plan, run);
    assert_eq!(retried, ["a"]);
    assert!(second.is_complete(), "{second:?}");
    assert_eq!(
        lines(run, "order.txt").last().unwrap(),
        "end",
        "the collecting step runs again"
    );
    assert!(
        lines(run, "order.txt")
            .iter()
            .filter(|id| *id == "c")
            .count()
            == 0
    );
}

fn a_cancelled_task_is_reported_and_goes_on(run: &Path) {
    let waiting = "while ! [ -e \"$1/go\" ]; do sleep 0.1; done";
    let plan = plan(vec![
        step(run, "cell/a", &[], waiting),
        step(run, "cell/b", &[], waiting),
    ]);
    submit(&plan, run);
    wait_for("both", run, || lines(run, "order.txt").len() == 2);
    assert!(
        Command::new("scancel")
            .arg(job_of(run, "cell/b"))
            .status()
            .unwrap()
            .success()
    );
    wait_for("the end of the one", run, || {
        !status(run).unwrap().failures.is_empty()
    });
    let seen = status(run).unwrap();
    assert!(seen.alive && seen.running.len() == 1, "{seen:?}");
    assert_eq!(seen.failures[0].id, "cell/b");
    assert!(
        seen.failures[0]
            .error
            .ends_with("Slurm ended it (CANCELLED)"),
        "{seen:?}"
    );
    fs::write(run.join("go"), "").unwrap();
    wait_for("the other", run, || sweep::check_free(run).is_ok());
    assert_eq!(wait(&plan, run).0.done, ["cell/b"]);
}

fn a_cancelled_sweep_is_waited_for_no_longer(run: &Path) {
    let plan = plan(vec![
        step(run, "a", &[], "sleep 60"),
        step(run, "b", &["a"], ""),
    ]);
    let (outcome, retried) = std::thread::scope(|scope| {
        scope.spawn(|| {
            wait_for("the step", run, || lines(run, "order.txt").len() == 1);
            slurm::cancel(run).unwrap();
        });
        wait(&plan, run)
    });
    assert!(outcome.interrupted && retried.is_empty(), "{outcome:?}");
    sweep::check_free(run).unwrap();
    assert_eq!(lines(run, "order.txt"), ["a"]);
}

fn a_requeued_task_begins_again(run: &Path) {
    let waiting = "while ! [ -e \"$1/go\" ]; do sleep 0.1; done";
    let plan = plan(vec![
        step(run, "a", &[], waiting),
        step(run, "b", &["a"], ""),
    ]);
    submit(&plan, run);
    wait_for("the step", run, || lines(run, "order.txt").len() == 1);
    let job = job_of(run, "a");
    assert!(
        Command::new("scontrol")
            .args(["requeue", &job])
            .status()
            .unwrap()
            .success()
    );
    wait_for("its first end", run, || {
        status(run).unwrap().running.is_empty()
    });
    // By itself Slurm would wait for two minutes.
    let _ = Command::new("scontrol")
        .args(["update", &format!("JobId={job}"), "StartTime=now"])
        .status();
    fs::write(run.join("go"), "").unwrap();
    // On a busy machine a requeued job can seem to have ended for a moment: the records of the
    // steps show when it has.
    wait_for("both steps", run, || {
        status(run).unwrap().kinds.iter().all(|k| k.done == 1)
    });
    wait_for("the end", run, || sweep::check_free(run).is_ok());
    assert_eq!(lines(run, "order.txt"), ["a", "a", "b"]);
    assert!(status(run).unwrap().kinds.iter().all(|k| k.done == 1));
}

fn what_sbatch_refuses_leaves_nothing_behind(run: &Path) {
    let mut plan = plan(vec![
        step(run, "a", &[], "sleep 600"),
        step(run, "b", &["a"], ""),
    ]);
    let nowhere = Slurm {
        partition: Some("nowhere".into()),
        ..Slurm::default()
    };
    plan.slurm.kind.insert("b".into(), nowhere);
    let (stop, mut jobs) = (AtomicBool::new(false), Vec::new());
    let error = slurm::run_until(
        &plan,
        run,
        &launch(),
        Polling::default(),
        &stop,
        &mut |event| {
            if let Event::Submitted { job, .. } = event {
                jobs.push(job.to_string());
            }
        },
    );
    let error = error.unwrap_err().to_string();
    assert!(
        error.starts_with("sbatch failed: ") && error.contains("nvalid partition"),
        "{error}"
    );
    assert_eq!(jobs.len(), 1);
    wait_for("the end of the first job", run, || {
        sweep::check_free(run).is_ok()
    });
    stop.store(true, Ordering::Relaxed);
    plan.slurm.kind.clear();
    plan.slurm.extra = vec!["--no-such-flag".into()];
    let error = slurm::submit(&plan, run, &launch(), &mut |_| {})
        .unwrap_err()
        .to_string();
    assert!(error.contains("no-such-flag"), "{error}");
}

/// Runs until the file `go` exists.
const UNTIL_GO: &str = "while ! [ -e \"$1/go\" ]; do sleep 0.1; done";

fn a_job_without_a_number_is_found_by_its_name(run: &Path) {
    let path = std::env::var_os("PATH").unwrap();
    let sbatch = std::env::split_paths(&path)
        .map(|folder| folder.join("sbatch"))
        .find(|file| file.is_file())
        .unwrap();
    let bin = run.with_file_name("bin");
    fs::create_dir(&bin).unwrap();
    let submit_with = |end: &str| {
        executable(
            &bin.join("sbatch"),
            &format!("{} \"$@\" > /dev/null && {{ {end}; }}", sbatch.display()),
        );
        let path =
            std::env::join_paths(std::iter::once(bin.clone()).chain(std::env::split_paths(&path)))
                .unwrap();
        let exe = std::env::current_exe().unwrap();
        Command::new(exe)
            .arg("submit")
            .arg(run)
            .env("PATH", path)
            .status()
            .unwrap()
    };
    assert!(submit_with("echo 'it is done'").success());
    let job = job_of(run, "a").split('_').next().unwrap().to_string();
    assert!(job.parse::<u32>().is_ok(), "{job}");
    assert_eq!(slurm::cancel(run).unwrap(), [job.as_str()]);
    wait_for("the end of the job", run, || sweep::check_free(run).is_ok());

    assert!(!submit_with("kill -9 $PPID").success());
    let refusal = sweep::check_free(run).unwrap_err().to_string();
    let next = (job.parse::<u32>().unwrap() + 1).to_string();
    assert!(
        refusal.contains(&format!("jobs {next} of this folder are in Slurm's queue")),
        "{refusal}"
    );
    assert_eq!(status(run).unwrap().slurm.unwrap().jobs, [next.as_str()]);
    fs::write(run.join("go"), "").unwrap();
    wait_for("the step", run, || status(run).unwrap().kinds[0].done == 1);
    wait_for("the end of the job", run, || sweep::check_free(run).is_ok());
}

/// On a machine without any program on the PATH.
fn without_slurm(run: &Path) {
    let plan = plan(vec![step(run, "a", &[], "")]);
    assert!(
        slurm::available()
            .unwrap_err()
            .to_string()
            .starts_with("no 'sbatch' on the PATH")
    );
    let error = slurm::submit(&plan, run, &launch(), &mut |_| {}).unwrap_err();
    assert!(
        error.to_string().starts_with("no 'scontrol' on the PATH"),
        "{error}"
    );
    assert!(
        slurm::cancel(run)
            .unwrap_err()
            .to_string()
            .ends_with("no jobs of this folder were submitted to Slurm")
    );

    // A folder that was copied from a cluster.
    let record: PathBuf = run.join("slurm/jobs.json");
    fs::create_dir_all(run.join("slurm")).unwrap();
    let jobs = r#"{"cluster": "c", "user": 0, "submitted_unix_s": 0.0, "jobs": [{"id": "7", "kind": "a", "tasks": [["a"]]}]}"#;
    fs::write(&record, jobs).unwrap();
    for error in [
        local(&plan, run).unwrap_err(),
        sweep::check_free(run).unwrap_err(),
    ] {
        let error = error.to_string();
        assert!(
            error.contains("jobs 7 were submitted")
                && error.contains(&format!("remove {}", record.display()))
        );
    }
    let seen = status(run).unwrap();
    assert!(
        seen.slurm
            .unwrap()
            .problem
            .unwrap()
            .starts_with("no 'scontrol'")
    );
    assert!(!seen.alive && seen.kinds[0].pending == 1);
    fs::remove_file(&record).unwrap();
    assert_eq!(local(&plan, run).unwrap().done, ["a"]);
}

/// Replaces one of Slurm's commands by a shell script, in the only folder of the PATH.
fn fake(program: &str, text: &str) {
    executable(
        &Path::new(&std::env::var_os("PATH").unwrap()).join(program),
        text,
    );
}

/// Writes an executable shell script.
fn executable(file: &Path, text: &str) {
    fs::write(file, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(file, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
}

fn another_cluster(run: &Path) {
    fs::create_dir_all(run.join("slurm")).unwrap();
    let jobs = r#"{"cluster": "c", "user": 0, "submitted_unix_s": 0.0, "jobs": [{"id": "7", "kind": "a", "tasks": [["a"]]}]}"#;
    fs::write(run.join("slurm/jobs.json"), jobs).unwrap();
    let refusal = || sweep::check_free(run).unwrap_err().to_string();
    fake("scontrol", "echo 'ClusterName = other'");
    assert!(
        refusal().contains("submitted to cluster 'c', and this machine belongs to 'other'"),
        "{}",
        refusal()
    );
    fake("scontrol", "echo 'ClusterName             = c'");
    fake("squeue", "echo 'not now' >&2; exit 1");
    assert!(
        refusal().contains("still active is unknown: squeue failed: not now"),
        "{}",
        refusal()
    );
    fake("squeue", "echo '7|0|SUSPENDED|n1|None'");
    assert!(
        refusal().contains("jobs 7 of this folder are in Slurm's queue"),
        "{}",
        refusal()
    );
    fake(
        "squeue",
        "echo '7|0|NODE_FAIL|n1|None'; echo '8|0|RUNNING|n1|None'",
    );
    sweep::check_free(run).unwrap();
    fake(
        "scontrol",
        "echo 'ClusterName = c'; echo 'MaxArraySize = 0'",
    );
    let error = slurm::submit(
        &plan(vec![step(run, "a", &[], "")]),
        run,
        &launch(),
        &mut |_| {},
    )
    .unwrap_err();
    assert_eq!(
        error.to_string(),
        "cluster 'c' does not allow job arrays (its MaxArraySize is 0)"
    );
    fake(
        "scontrol",
        "echo 'ClusterName = c'; echo 'MaxArraySize = 9'",
    );
    fake("sbatch", "echo 'Submitted, perhaps'");
    let error = slurm::submit(
        &plan(vec![step(run, "a", &[], "")]),
        run,
        &launch(),
        &mut |_| {},
    )
    .unwrap_err();
    let error = error.to_string();
    assert!(
        error.starts_with("sbatch accepted the job test.a.")
            && error.contains("found \"Submitted, perhaps\";"),
        "{error}"
    );
    assert!(
        error.contains("squeue lists no job of that name"),
        "{error}"
    );
}

/// Fake commands of a cluster that has only a queue. `STATE/queue` holds one job per line, its
/// number and its name; `STATE/n` the last number; `squeue` fails while `STATE/deaf` exists.
/// `sbatch` runs the script `end` after it has queued job `$n`.
fn fake_queue(state: &Path, end: &str) {
    fs::create_dir_all(state).unwrap();
    let state = state.display();
    fake(
        "scontrol",
        "echo 'ClusterName = c'; echo 'MaxArraySize = 9'",
    );
    let sbatch = format!(
        "PATH=/bin:/usr/bin; cd '{state}'
for a in \"$@\"; do case \"$a\" in --job-name=*) name=${{a#--job-name=}};; esac; done
n=$(( $(cat n 2>/dev/null || echo 100) + 1 )); echo $n > n; echo \"$n $name\" >> queue
{end}"
    );
    fake("sbatch", &sbatch);
    let squeue = format!(
        "PATH=/bin:/usr/bin; cd '{state}'; [ -e deaf ] && {{ echo 'not now' >&2; exit 1; }}
form=all; for a in \"$@\"; do case \"$a\" in --name=*) wanted=${{a#--name=}}; form=name;; esac; done
touch queue; while read -r job name; do
if [ $form = all ]; then echo \"$job|0|PENDING||Priority\"; elif [ \"$name\" = \"$wanted\" ]; then echo \"$job|$name\"; fi
done < queue"
    );
    fake("squeue", &squeue);
    fake(
        "scancel",
        &format!("PATH=/bin:/usr/bin; cd '{state}'; for a; do sed -i \"/^$a /d\" queue; done"),
    );
}

fn a_job_is_known_by_its_number_or_its_name(folder: &Path) {
    let (state, mut runs) = (
        folder.join("state"),
        (0..).map(|n| folder.join(format!("queued{n}"))),
    );
    let queue = || {
        lines(&state, "queue")
            .iter()
            .map(|l| l.split(' ').next().unwrap().to_string())
            .collect::<Vec<_>>()
    };
    let two = |run: &Path| plan(vec![step(run, "a", &[], ""), step(run, "b", &["a"], "")]);
    let mut fresh = |end: &str| {
        let _ = fs::remove_dir_all(&state);
        fake_queue(&state, end);
        let run = runs.next().unwrap();
        fs::create_dir_all(&run).unwrap();
        run
    };

    // A cluster whose `sbatch` prints a greeting before the number, and the cluster's name after
    // it.
    let run = fresh(
        "echo ------; echo '  Welcome to 3 machines'; echo '--> 1 allocation ... OK'; echo \"$n;alpha\"",
    );
    assert_eq!(submit(&two(&run), &run).jobs, ["101", "102"]);
    assert!(
        sweep::check_free(&run)
            .unwrap_err()
            .to_string()
            .contains("jobs 101-102 of this folder are in")
    );

    // One that prints no number: the job is found by its name.
    let run = fresh("echo 'it is done'");
    let mut events = Vec::new();
    let submitted = slurm::submit(&two(&run), &run, &launch(), &mut |event| {
        if let Event::FoundByName { job, name, output } = event {
            events.push((
                job.to_string(),
                name.starts_with("test."),
                output.to_string(),
            ));
        }
    });
    assert_eq!(submitted.unwrap().jobs, ["101", "102"]);
    let found = |job: &str| (job.to_string(), true, "it is done".to_string());
    assert_eq!(events, [found("101"), found("102")]);
    assert_eq!(slurm::cancel(&run).unwrap(), ["101", "102"]);
    assert!(queue().is_empty());

    // One that prints none while its queue cannot be queried: the first job is cancelled, the
    // second may exist.
    let run = fresh("if [ $n = 102 ]; then touch deaf; else echo $n; fi");
    let error = slurm::submit(&two(&run), &run, &launch(), &mut |_| {})
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("sbatch accepted the job test.b.") && error.contains("not now"),
        "{error}"
    );
    assert_eq!(queue(), ["102"]);
    let again = || {
        slurm::submit(&two(&run), &run, &launch(), &mut |_| {})
            .unwrap_err()
            .to_string()
    };
    assert!(
        again().contains("jobs 101, and perhaps one named test.b."),
        "{}",
        again()
    );
    fs::remove_file(state.join("deaf")).unwrap();
    assert!(
        again().contains("jobs 102 of this folder are in Slurm's queue"),
        "{}",
        again()
    );
    assert!(
        local(&two(&run), &run)
            .unwrap_err()
            .to_string()
            .contains("jobs 102 of this folder")
    );
    assert_eq!(lines(&state, "n"), ["102"], "nothing was submitted twice");
    assert_eq!(slurm::cancel(&run).unwrap(), ["102"]);
    assert_eq!(local(&two(&run), &run).unwrap().done, ["a", "b"]);

    // One that reports an error and queues the job anyway: it is cancelled with the one before it.
    let run = fresh("if [ $n = 102 ]; then echo 'timed out' >&2; exit 1; fi; echo $n");
    let error = slurm::submit(&two(&run), &run, &launch(), &mut |_| {})
        .unwrap_err()
        .to_string();
    assert_eq!(error, "sbatch failed: timed out");
    assert!(queue().is_empty(), "{:?}", queue());

    // A submission that is killed while `sbatch` runs.
    let run = fresh("kill -9 $PPID");
    let exe = std::env::current_exe().unwrap();
    let killed = Command::new(exe).arg("submit").arg(&run).status().unwrap();
    assert!(!killed.success());
    assert_eq!(queue(), ["101"]);
    assert!(
        submit_error(&run).contains("jobs 101 of this folder are in Slurm's queue"),
        "{}",
        submit_error(&run)
    );
    assert_eq!(lines(&state, "n"), ["101"], "nothing was submitted twice");
}

fn submit_error(run: &Path) -> String {
    let plan = plan(vec![step(run, "a", &[], "")]);
    slurm::submit(&plan, run, &launch(), &mut |_| {})
        .unwrap_err()
        .to_string()
}

/// A task that Slurm starts although it must not run.
fn a_task_alone(run: &Path) {
    let plan = plan(vec![step(run, "a", &[], ""), step(run, "b", &["a"], "")]);
    fs::create_dir_all(run.join("steps/a")).unwrap();
    fs::write(run.join("plan.json"), serde_json::to_vec(&plan).unwrap()).unwrap();
    let list = run.join("list.json");
    let tasks = r#"{"program": "/bin/sh", "folder": "/", "patience_s": 0.0, "tasks": [["a"], ["b"], ["c"]]}"#;
    fs::write(&list, tasks).unwrap();
    let task = |task: usize| slurm::run_task(run, &list, task, &mut |_| {});
    assert_eq!(
        task(1).unwrap().blocked,
        [("b".to_string(), "a".to_string())]
    );
    for unknown in [2, 3] {
        let error = task(unknown).unwrap_err().to_string();
        assert!(
            error.ends_with(&format!("list.json: has no task {unknown} of this plan")),
            "{error}"
        );
    }
    let lock = fs::File::create(run.join("steps/a/task.lock")).unwrap();
    lock.lock().unwrap();
    let error = task(0).unwrap_err().to_string();
    assert!(
        error.starts_with("step 'a' is already run by another task, which holds"),
        "{error}"
    );
    drop(lock);
    assert_eq!(task(0).unwrap().done, ["a"]);
    assert_eq!(task(0).unwrap().skipped, ["a"]);
    assert_eq!(task(1).unwrap().done, ["b"]);
    assert_eq!(lines(run, "order.txt"), ["a", "b"]);
}
