//! Submits a plan as job arrays.

use super::arrays::{Array, arrays};
use super::cancel::cancel_jobs;
use super::queue::{call, cluster, job_number};
use super::records::{self, JobRecord, JobsRecord, PendingJob, TaskList, ranges};
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

/// The batch script of every job. The command is passed as arguments, so no shell interprets it.
const SCRIPT: &str = "#!/bin/sh\nexec \"$@\"\n";
const SCRIPT_FILE: &str = "task.sh";

/// What tasks run, the same on every node.
#[derive(Debug, Clone)]
pub struct Launch {
    /// The program of the plan's commands.
    pub program: PathBuf,
    /// A command that calls [`super::run_task`] with the run folder and the task list, which are
    /// appended to these arguments.
    pub task: Vec<OsString>,
    /// How long a task waits for the records of its needs, which a network file system may show
    /// late.
    pub patience: Duration,
}

impl Launch {
    /// With the default patience.
    pub fn new(program: &Path, task: Vec<OsString>) -> Self {
        Launch {
            program: program.to_path_buf(),
            task,
            patience: Duration::from_secs(30),
        }
    }
}

/// A submission.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Submitted {
    /// Numbers of the jobs.
    pub jobs: Vec<String>,
    /// Steps that the jobs run.
    pub steps: usize,
    /// Steps that were done already.
    pub skipped: usize,
}

/// Submits the steps of `plan` that are not done and returns. The jobs do not need this process any
/// more.
///
/// # Errors
/// An invalid plan or setting; a folder that is in use by a sweep or by jobs; a job that Slurm
/// rejects, in which case the jobs submitted before it are cancelled.
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
    Ok(Submitted {
        jobs: record.ids(),
        steps: runs.len(),
        skipped: plan.steps.len() - runs.len(),
    })
}

/// Validates the plan and locks the folder.
pub(crate) fn begin(plan: &Plan, run: &Path) -> Result<SweepLock, SweepError> {
    plan.check()?;
    plan.slurm
        .check()
        .map_err(|e| SweepError::Setting(e.within("slurm")))?;
    let lock = SweepLock::take(run)?;
    super::check_ended(run)?;
    write_json(&run.join(PLAN_FILE), plan)?;
    // That file describes a sweep on this machine.
    remove(&run.join(SWEEP_FILE))?;
    Ok(lock)
}

/// Indices of the steps that a sweep would run now.
pub(crate) fn to_run(plan: &Plan, run: &Path) -> Result<BTreeSet<usize>, SweepError> {
    let explanations = explain(plan, run)?;
    Ok(explanations
        .iter()
        .enumerate()
        .filter(|(_, e)| e.reason.runs())
        .map(|(i, _)| i)
        .collect())
}

/// Submits these steps. Call it with the folder's lock held.
pub(crate) fn submit_steps(
    plan: &Plan,
    run: &Path,
    launch: &Launch,
    runs: &BTreeSet<usize>,
    on_event: &mut dyn FnMut(Event<'_>),
) -> Result<JobsRecord, SweepError> {
    let cluster = cluster()?;
    if cluster.max_array_size == 0 {
        return Err(SweepError::NoArrays {
            cluster: cluster.name,
        });
    }
    // Tasks start in another folder, so every path must be absolute.
    let run = run.canonicalize().map_err(SweepError::io("find", run))?;
    records::clear(&run)?;
    let script = records::folder(&run).join(SCRIPT_FILE);
    write_atomic(&script, SCRIPT.as_bytes())?;
    let schedule = Schedule::new(plan)?;
    let arrays = arrays(plan, &schedule, runs, &plan.slurm, cluster.max_array_size)?;
    let user = rustix::process::getuid().as_raw();
    let submitted_unix_s = unix_s();
    let mut record = JobsRecord {
        cluster: cluster.name,
        user,
        submitted_unix_s,
        jobs: Vec::new(),
        pending: None,
    };
    let marks = Marks::new(&run);
    for &i in runs {
        // The error of an earlier attempt must not be reported for a step that has yet to start.
        marks.clear_error(&plan.steps[i].id)?;
    }
    for (n, array) in arrays.iter().enumerate() {
        let list = records::folder(&run).join(format!("{:.0}-{n}.json", submitted_unix_s * 1000.0));
        let submitted = prepare_array(plan, &run, launch, array, &record, &list, &script, n)
            .and_then(|(pending, arguments)| {
                submit_array(&mut record, &run, pending, &arguments, on_event)
            });
        if let Err(e) = submitted {
            // All or nothing. If the cancellation fails too, the record still lists the jobs and
            // the pending one.
            let _ = cancel_jobs(&record.ids());
            return Err(e);
        }
    }
    Ok(record)
}

/// Submits an array and adds its job to the record. The record holds the job's name before `sbatch`
/// is called: by that name an accepted job is found after any interruption, so that no array is
/// submitted twice.
fn submit_array(
    record: &mut JobsRecord,
    run: &Path,
    pending: PendingJob,
    arguments: &[OsString],
    on_event: &mut dyn FnMut(Event<'_>),
) -> Result<(), SweepError> {
    record.pending = Some(pending.clone());
    record.write(run)?;
    let output = call("sbatch", arguments);
    let id = match output.as_deref().map(job_number) {
        Ok(Some(id)) => id.to_string(),
        _ => {
            // Even after an error the job may exist: a busy controller may report a timeout and
            // queue the job anyway.
            let found = record.jobs_named(&pending.name);
            match (output, found) {
                (Ok(output), Ok(ids)) if ids.len() == 1 => {
                    let (job, output) = (&ids[0], output.trim());
                    on_event(Event::FoundByName {
                        job,
                        name: &pending.name,
                        output,
                    });
                    job.clone()
                }
                (Ok(output), found) => {
                    add_jobs(record, &pending, found.as_deref().unwrap_or_default());
                    record.write(run)?;
                    return Err(unknown_job_id(&pending, &output, found));
                }
                (Err(e), Ok(ids)) => {
                    add_jobs(record, &pending, &ids);
                    // A job that was rejected and that Slurm does not list does not exist.
                    record.pending = None;
                    record.write(run)?;
                    return Err(e);
                }
                (Err(e), Err(_)) => return Err(e),
            }
        }
    };
    add_jobs(record, &pending, std::slice::from_ref(&id));
    record.pending = None;
    record.write(run)?;
    on_event(Event::Submitted {
        job: &id,
        kind: &pending.kind,
        tasks: pending.tasks.len(),
    });
    Ok(())
}

/// Adds jobs with these numbers to the record.
fn add_jobs(record: &mut JobsRecord, pending: &PendingJob, ids: &[String]) {
    let job = |id: &String| JobRecord {
        id: id.clone(),
        kind: pending.kind.clone(),
        tasks: pending.tasks.clone(),
    };
    record.jobs.extend(ids.iter().map(job));
}

/// The error for an array that `sbatch` accepted without a known number.
fn unknown_job_id(
    pending: &PendingJob,
    output: &str,
    found: Result<Vec<String>, SweepError>,
) -> SweepError {
    let found = match found {
        Ok(ids) if ids.is_empty() => "squeue lists no job of that name".to_string(),
        Ok(ids) => format!("squeue lists jobs {} of that name", ranges(&ids)),
        Err(e) => format!("squeue cannot be queried for it ({e})"),
    };
    SweepError::UnknownJobId {
        name: pending.name.clone(),
        output: output.trim().to_string(),
        found,
    }
}

/// Writes the task list of an array and returns the pending job with the arguments of `sbatch`.
#[allow(
    clippy::too_many_arguments,
    reason = "an array with the context of its submission"
)]
fn prepare_array(
    plan: &Plan,
    run: &Path,
    launch: &Launch,
    array: &Array,
    before: &JobsRecord,
    list: &Path,
    script: &Path,
    n: usize,
) -> Result<(PendingJob, Vec<OsString>), SweepError> {
    if records::is_cancelled(run) {
        return Err(SweepError::Cancelled {
            run: run.to_path_buf(),
        });
    }
    let folder = env::current_dir().map_err(SweepError::io("find", Path::new(".")))?;
    let program = launch
        .program
        .canonicalize()
        .map_err(SweepError::io("find", &launch.program))?;
    let ids = |steps: &Vec<usize>| steps.iter().map(|&i| plan.steps[i].id.clone()).collect();
    let tasks: Vec<Vec<String>> = array.tasks.iter().map(ids).collect();
    let patience_s = launch.patience.as_secs_f64();
    write_json(
        list,
        &TaskList {
            program,
            folder: folder.clone(),
            patience_s,
            tasks: tasks.clone(),
        },
    )?;

    let name = records::job_name(&plan.name, &array.kind, run, before.submitted_unix_s, n);
    let settings = plan.slurm.for_kind(&array.kind);
    let limit = settings
        .at_most
        .map(|n| format!("%{n}"))
        .unwrap_or_default();
    let mut arguments: Vec<OsString> = [
        "--parsable".to_string(),
        "--export=ALL".to_string(),
        "--open-mode=append".to_string(),
        format!("--job-name={name}"),
        format!("--array=0-{}{limit}", tasks.len() - 1),
    ]
    .map(OsString::from)
    .to_vec();
    arguments.push(flag(
        "--output=",
        &literal(&records::folder(run).join("%A_%a.txt")),
    ));
    arguments.push(flag("--chdir=", &folder));
    arguments.extend(dependency(&array.after, &before.jobs).map(OsString::from));
    arguments.extend(settings.flags(plan.threads).into_iter().map(OsString::from));
    arguments.push(script.into());
    arguments.extend(launch.task.iter().cloned());
    arguments.extend([run.into(), list.into()]);
    Ok((
        PendingJob {
            name,
            kind: array.kind.clone(),
            tasks,
        },
        arguments,
    ))
}

fn flag(name: &str, path: &Path) -> OsString {
    let mut flag = OsString::from(name);
    flag.push(path);
    flag
}

/// A path to a file in `RUN/slurm` of which only the file name is a Slurm pattern.
fn literal(path: &Path) -> PathBuf {
    let (Some(folder), Some(pattern)) = (path.parent(), path.file_name()) else {
        return path.to_path_buf();
    };
    // A path that is not UTF-8 would be altered, but the plan's commands could not name such a run
    // folder either.
    PathBuf::from(folder.to_string_lossy().replace('%', "%%")).join(pattern)
}

/// The flag that makes a job wait until others have ended in any way: its tasks check the outcome
/// themselves.
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
    fn a_dependency_lists_jobs_and_single_tasks() {
        let job = |id: &str| JobRecord {
            id: id.into(),
            kind: String::new(),
            tasks: Vec::new(),
        };
        let jobs = ["7", "8", "9"].map(job);
        let flag = dependency(&[(0, None), (2, Some(vec![1, 3]))], &jobs).unwrap();
        assert_eq!(flag, "--dependency=afterany:7:9_1:9_3");
        assert_eq!(dependency(&[], &jobs), None);
    }

    #[test]
    fn the_folder_of_an_output_path_is_escaped() {
        assert_eq!(
            literal(Path::new("/a%j/slurm/%A_%a.txt")),
            Path::new("/a%%j/slurm/%A_%a.txt")
        );
    }
}
