//! From a plan to job arrays in the queue.

use super::arrays::{Array, arrays};
use super::cancel::cancel_jobs;
use super::queue::{call, cluster, job_number};
use super::records::{self, Asked, JobRecord, JobsRecord, TaskList, ranges};
use crate::lock::SweepLock;
use crate::marks::{Marks, PLAN_FILE, SWEEP_FILE, remove, unix_s, write_json};
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
    let mut record = JobsRecord { cluster: cluster.name, user, submitted_unix_s, jobs: Vec::new(), asked: None };
    let marks = Marks::new(&run);
    for &i in runs {
        // Why an earlier attempt failed is not why this one has not begun.
        marks.forget_error(&plan.steps[i].id)?;
    }
    for (n, array) in arrays.iter().enumerate() {
        let list = records::folder(&run).join(format!("{:.0}-{n}.json", submitted_unix_s * 1000.0));
        let submitted = prepare_array(plan, &run, launch, array, &record, &list, &script, n)
            .and_then(|(asked, arguments)| ask(&mut record, &run, asked, &arguments, on_event));
        if let Err(e) = submitted {
            // All or nothing. Where even that fails, the record says which jobs there are, and what else there may be.
            let _ = cancel_jobs(&record.ids());
            return Err(e);
        }
    }
    Ok(record)
}

/// Asks `sbatch` for an array, and notes its job in the record. Before it is asked the record holds the name, by which a job that
/// was accepted is found whatever comes between: so it is never submitted twice.
fn ask(
    record: &mut JobsRecord,
    run: &Path,
    asked: Asked,
    arguments: &[OsString],
    on_event: &mut dyn FnMut(Event<'_>),
) -> Result<(), SweepError> {
    record.asked = Some(asked.clone());
    record.write(run)?;
    let said = call("sbatch", arguments);
    let id = match said.as_deref().map(job_number) {
        Ok(Some(id)) => id.to_string(),
        _ => {
            // Refused, or so it seems: a controller that is busy may say so and queue the job all the same.
            let found = record.of_name(&asked.name);
            match (said, found) {
                (Ok(said), Ok(ids)) if ids.len() == 1 => {
                    let (job, said) = (&ids[0], said.trim());
                    on_event(Event::FoundByName { job, name: &asked.name, said });
                    job.clone()
                }
                (Ok(said), found) => {
                    note(record, &asked, found.as_deref().unwrap_or_default());
                    record.write(run)?;
                    return Err(not_understood(&asked, &said, found));
                }
                (Err(e), Ok(ids)) => {
                    note(record, &asked, &ids);
                    // What Slurm has refused and does not know of is not there.
                    record.asked = None;
                    record.write(run)?;
                    return Err(e);
                }
                (Err(e), Err(_)) => return Err(e),
            }
        }
    };
    note(record, &asked, std::slice::from_ref(&id));
    record.asked = None;
    record.write(run)?;
    on_event(Event::Submitted { job: &id, kind: &asked.kind, tasks: asked.tasks.len() });
    Ok(())
}

/// Puts these jobs of what was asked for into the record.
fn note(record: &mut JobsRecord, asked: &Asked, ids: &[String]) {
    let job = |id: &String| JobRecord { id: id.clone(), kind: asked.kind.clone(), tasks: asked.tasks.clone() };
    record.jobs.extend(ids.iter().map(job));
}

/// That `sbatch` has taken an array whose number is not known.
fn not_understood(asked: &Asked, said: &str, found: Result<Vec<String>, SweepError>) -> SweepError {
    let found = match found {
        Ok(ids) if ids.is_empty() => "squeue knows no job of that name".to_string(),
        Ok(ids) => format!("squeue knows jobs {} of that name", ranges(&ids)),
        Err(e) => format!("squeue cannot be asked for it ({e})"),
    };
    SweepError::NotUnderstood { name: asked.name.clone(), said: said.trim().to_string(), found }
}

/// Writes the list of an array's tasks; what is asked for, and the arguments of `sbatch`.
#[allow(clippy::too_many_arguments, reason = "an array, and all that its job is to know")]
fn prepare_array(
    plan: &Plan,
    run: &Path,
    launch: &Launch,
    array: &Array,
    before: &JobsRecord,
    list: &Path,
    script: &Path,
    n: usize,
) -> Result<(Asked, Vec<OsString>), SweepError> {
    if records::is_cancelled(run) {
        return Err(SweepError::Cancelled { run: run.to_path_buf() });
    }
    let folder = env::current_dir().map_err(SweepError::io("find", Path::new(".")))?;
    let program = launch.program.canonicalize().map_err(SweepError::io("find", &launch.program))?;
    let ids = |steps: &Vec<usize>| steps.iter().map(|&i| plan.steps[i].id.clone()).collect();
    let tasks: Vec<Vec<String>> = array.tasks.iter().map(ids).collect();
    let patience_s = launch.patience.as_secs_f64();
    write_json(list, &TaskList { program, folder: folder.clone(), patience_s, tasks: tasks.clone() })?;

    let name = records::job_name(&plan.name, &array.kind, run, before.submitted_unix_s, n);
    let settings = plan.slurm.of(&array.kind);
    let most = settings.at_most.map(|n| format!("%{n}")).unwrap_or_default();
    let mut arguments: Vec<OsString> = [
        "--parsable".to_string(),
        "--export=ALL".to_string(),
        "--open-mode=append".to_string(),
        format!("--job-name={name}"),
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
    Ok((Asked { name, kind: array.kind.clone(), tasks }, arguments))
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
