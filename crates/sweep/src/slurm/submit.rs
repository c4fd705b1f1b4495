//! From a plan to job arrays in the queue.

use super::arrays::{Array, arrays};
use super::cancel::cancel_jobs;
use super::queue::{call, cluster};
use super::records::{self, JobRecord, JobsRecord, TaskList};
use crate::lock::SweepLock;
use crate::marks::{ERROR_FILE, Marks, PLAN_FILE, SWEEP_FILE, remove, unix_s, write_json};
use crate::schedule::Schedule;
use crate::{Event, Plan, SweepError, explain};
use run_record::write_atomic;
use std::collections::BTreeSet;
use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The batch script of every job. What it runs comes as arguments, which no shell reads.
const SCRIPT: &str = "#!/bin/sh\nexec \"$@\"\n";
const SCRIPT_FILE: &str = "task.sh";

/// What tasks run, the same on every node.
#[derive(Debug, Clone)]
pub struct Launch {
    /// The program of the plan's commands.
    pub program: PathBuf,
    /// A command that calls [`super::run_task`] with the run folder and the list, which are put behind these arguments.
    pub task: Vec<OsString>,
    /// How long a task looks for the marks of what it needs, which a network's file system may show late.
    pub patience: Duration,
}

impl Launch {
    /// With the usual patience.
    pub fn new(program: &Path, task: Vec<OsString>) -> Self {
        Launch { program: program.to_path_buf(), task, patience: Duration::from_secs(30) }
    }
}

/// What was submitted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Submitted {
    /// Numbers of the jobs.
    pub jobs: Vec<String>,
    /// Steps that the jobs run.
    pub steps: usize,
    /// Steps that were done before.
    pub skipped: usize,
}

/// Submits what is not done of `plan` and returns at once. Nothing of this process is needed from then on.
///
/// # Errors
/// Where the plan or its settings are no good, the folder is in use by a sweep or by jobs, or Slurm refuses a job; what was
/// submitted up to then is cancelled.
pub fn submit(
    plan: &Plan,
    run: &Path,
    launch: &Launch,
    on_event: &mut dyn FnMut(Event<'_>),
) -> Result<Submitted, SweepError> {
    let _lock = begin(plan, run)?;
    let runs: BTreeSet<usize> = to_run(plan, run)?;
    for (i, step) in plan.steps.iter().enumerate() {
        if !runs.contains(&i) {
            on_event(Event::Skipped { step });
        }
    }
    let record = submit_steps(plan, run, launch, &runs, on_event)?;
    Ok(Submitted { jobs: record.ids(), steps: runs.len(), skipped: plan.steps.len() - runs.len() })
}

/// Checks all there is to check, and takes the folder.
pub(crate) fn begin(plan: &Plan, run: &Path) -> Result<SweepLock, SweepError> {
    plan.check()?;
    plan.slurm.check()?;
    let lock = SweepLock::take(run)?;
    super::check_ended(run)?;
    write_json(&run.join(PLAN_FILE), plan)?;
    // Of a sweep on this machine; this one is another.
    remove(&run.join(SWEEP_FILE))?;
    Ok(lock)
}

/// Places of the steps that a sweep would run now.
pub(crate) fn to_run(plan: &Plan, run: &Path) -> Result<BTreeSet<usize>, SweepError> {
    let explanations = explain(plan, run)?;
    Ok(explanations.iter().enumerate().filter(|(_, e)| e.reason.runs()).map(|(i, _)| i).collect())
}

/// Submits these steps; call it with the folder's lock held.
pub(crate) fn submit_steps(
    plan: &Plan,
    run: &Path,
    launch: &Launch,
    runs: &BTreeSet<usize>,
    on_event: &mut dyn FnMut(Event<'_>),
) -> Result<JobsRecord, SweepError> {
    let cluster = cluster()?;
    if cluster.most_tasks == 0 {
        return Err(SweepError::NoArrays { cluster: cluster.name });
    }
    // Nodes begin elsewhere, so that every path must be whole.
    let run = run.canonicalize().map_err(SweepError::io("find", run))?;
    records::clear(&run)?;
    let script = records::folder(&run).join(SCRIPT_FILE);
    write_atomic(&script, SCRIPT.as_bytes())?;
    let schedule = Schedule::new(plan)?;
    let arrays = arrays(plan, &schedule, runs, &plan.slurm, cluster.most_tasks)?;
    let user = rustix::process::getuid().as_raw();
    let submitted_unix_s = unix_s();
    let mut record = JobsRecord { cluster: cluster.name, user, submitted_unix_s, jobs: Vec::new() };
    let marks = Marks::new(&run);
    for &i in runs {
        // Why an earlier attempt failed is not why this one has not begun.
        remove(&marks.folder(&plan.steps[i].id).join(ERROR_FILE))?;
    }
    for (n, array) in arrays.iter().enumerate() {
        let list = records::folder(&run).join(format!("{:.0}-{n}.json", submitted_unix_s * 1000.0));
        match submit_array(plan, &run, launch, array, &record, &list, &script) {
            Ok(job) => {
                on_event(Event::Submitted { job: &job.id, kind: &job.kind, tasks: job.tasks.len() });
                record.jobs.push(job);
                record.write(&run)?;
            }
            Err(e) => {
                // All or nothing. Where even that fails, the record says which jobs there are.
                let _ = cancel_jobs(&record.ids());
                return Err(e);
            }
        }
    }
    Ok(record)
}

fn submit_array(
    plan: &Plan,
    run: &Path,
    launch: &Launch,
    array: &Array,
    before: &JobsRecord,
    list: &Path,
    script: &Path,
) -> Result<JobRecord, SweepError> {
    if records::is_cancelled(run) {
        return Err(SweepError::Cancelled { run: run.to_path_buf() });
    }
    let folder = env::current_dir().map_err(SweepError::io("find", Path::new(".")))?;
    let program = launch.program.canonicalize().map_err(SweepError::io("find", &launch.program))?;
    let ids = |steps: &Vec<usize>| steps.iter().map(|&i| plan.steps[i].id.clone()).collect();
    let tasks: Vec<Vec<String>> = array.tasks.iter().map(ids).collect();
    let patience_s = launch.patience.as_secs_f64();
    write_json(list, &TaskList { program, folder: folder.clone(), patience_s, tasks: tasks.clone() })?;

    let settings = plan.slurm.of(&array.kind);
    let most = settings.at_most.map(|n| format!("%{n}")).unwrap_or_default();
    let mut arguments: Vec<OsString> = [
        "--parsable".to_string(),
        "--export=ALL".to_string(),
        "--open-mode=append".to_string(),
        format!("--job-name={}.{}", plan.name, array.kind),
        format!("--array=0-{}{most}", tasks.len() - 1),
    ]
    .map(OsString::from)
    .to_vec();
    arguments.push(flag("--output=", &literal(&records::folder(run).join("%A_%a.txt"))));
    arguments.push(flag("--chdir=", &folder));
    arguments.extend(dependency(&array.after, &before.jobs).map(OsString::from));
    arguments.extend(settings.flags(plan.threads).into_iter().map(OsString::from));
    arguments.push(script.into());
    arguments.extend(launch.task.iter().cloned());
    arguments.extend([run.into(), list.into()]);
    let said = call("sbatch", &arguments)?;
    // The number, and on some clusters their name behind it.
    let id = said.trim().split(';').next().unwrap_or_default().to_string();
    if id.is_empty() || !id.bytes().all(|b| b.is_ascii_digit()) {
        return Err(SweepError::Slurm { tool: "sbatch", words: format!("expected a job's number, found {said:?}") });
    }
    Ok(JobRecord { id, kind: array.kind.clone(), tasks })
}

fn flag(name: &str, path: &Path) -> OsString {
    let mut flag = OsString::from(name);
    flag.push(path);
    flag
}

/// A path to a file of `RUN/slurm` in which only the last part is a pattern of Slurm's.
fn literal(path: &Path) -> PathBuf {
    let (Some(folder), Some(pattern)) = (path.parent(), path.file_name()) else { return path.to_path_buf() };
    // Bytes that are no text would be lost, and such a run folder is refused by the plan, whose commands are text.
    PathBuf::from(folder.to_string_lossy().replace('%', "%%")).join(pattern)
}

/// The flag that makes a job wait until others have ended, well or not: its tasks look themselves which of the two.
fn dependency(after: &[(usize, Option<Vec<usize>>)], jobs: &[JobRecord]) -> Option<String> {
    let names = after.iter().flat_map(|(array, tasks)| {
        let id = &jobs[*array].id;
        match tasks {
            None => vec![id.clone()],
            Some(tasks) => tasks.iter().map(|task| format!("{id}_{task}")).collect(),
        }
    });
    let names: Vec<String> = names.collect();
    (!names.is_empty()).then(|| format!("--dependency=afterany:{}", names.join(":")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dependency_names_jobs_and_single_tasks() {
        let job = |id: &str| JobRecord { id: id.into(), kind: String::new(), tasks: Vec::new() };
        let jobs = ["7", "8", "9"].map(job);
        let flag = dependency(&[(0, None), (2, Some(vec![1, 3]))], &jobs).unwrap();
        assert_eq!(flag, "--dependency=afterany:7:9_1:9_3");
        assert_eq!(dependency(&[], &jobs), None);
    }

    #[test]
    fn a_folder_is_no_pattern() {
        assert_eq!(literal(Path::new("/a%j/slurm/%A_%a.txt")), Path::new("/a%%j/slurm/%A_%a.txt"));
    }
}
