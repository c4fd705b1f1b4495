//! Plans on a real Slurm.

use super::*;

pub(crate) fn a_plan_runs_in_order_over_several_nodes(run: &Path) {
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

pub(crate) fn done_steps_are_not_submitted_again(run: &Path) {
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

pub(crate) fn a_failure_is_listed_with_its_logs(run: &Path) {
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

pub(crate) fn jobs_in_the_queue_keep_others_out_until_cancelled(run: &Path) {
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

pub(crate) fn a_killed_step_is_submitted_again(run: &Path) {
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

pub(crate) fn a_cancelled_task_is_reported_and_goes_on(run: &Path) {
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

pub(crate) fn a_cancelled_sweep_is_waited_for_no_longer(run: &Path) {
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

pub(crate) fn a_requeued_task_begins_again(run: &Path) {
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

pub(crate) fn what_sbatch_refuses_leaves_nothing_behind(run: &Path) {
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

pub(crate) fn a_job_without_a_number_is_found_by_its_name(run: &Path) {
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
