//! Without Slurm: no program on the PATH, or scripts in the place of Slurm's commands.

use super::*;

/// On a machine without any program on the PATH.
pub(crate) fn without_slurm(run: &Path) {
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

pub(crate) fn another_cluster(run: &Path) {
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

pub(crate) fn a_job_is_known_by_its_number_or_its_name(folder: &Path) {
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
pub(crate) fn a_task_alone(run: &Path) {
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
