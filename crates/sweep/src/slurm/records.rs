//! The files of a submission in `RUN/slurm`: the jobs, and the steps of each task.

use crate::marks::{read_json, write_json};
use crate::{SweepError, marks, process};
use run_record::RecordError;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

const JOBS_FILE: &str = "jobs.json";
const CANCELLED_FILE: &str = "cancelled";

/// `RUN/slurm`.
pub(crate) fn folder(run: &Path) -> PathBuf {
    run.join("slurm")
}

/// `RUN/slurm/jobs.json`.
pub(crate) fn path(run: &Path) -> PathBuf {
    folder(run).join(JOBS_FILE)
}

/// The output file of task number `task` of `job`, relative to the run folder.
pub(crate) fn output(job: &str, task: u32) -> String {
    format!("slurm/{job}_{task}.txt")
}

/// `RUN/slurm/jobs.json`: the last submission.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct JobsRecord {
    /// The cluster's name: job numbers are valid on one cluster only.
    pub cluster: String,
    /// The user id of the submitter.
    pub user: u32,
    /// Seconds since 1970.
    pub submitted_unix_s: f64,
    pub jobs: Vec<JobRecord>,
    /// A job requested from `sbatch` whose number is not known yet: it may or may not exist.
    #[serde(default, rename = "asked", skip_serializing_if = "Option::is_none")]
    pub pending: Option<PendingJob>,
}

/// A job array whose number is not known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PendingJob {
    /// The job's unique name.
    pub name: String,
    /// The kind of its steps.
    pub kind: String,
    /// Ids of the steps of each task.
    pub tasks: Vec<Vec<String>>,
}

/// The unique name of array number `n` of a submission from the folder `run`. Its beginning is
/// readable, and `squeue` finds the job by the whole name. It has no characters with a meaning in
/// Slurm's lists and patterns.
pub(crate) fn job_name(
    plan: &str,
    kind: &str,
    run: &Path,
    submitted_unix_s: f64,
    n: usize,
) -> String {
    let plain = |text: &str| -> String {
        text.chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() || "-_".contains(c) {
                    c
                } else {
                    '_'
                }
            })
            .take(40)
            .collect()
    };
    let unique = format!(
        "{}\n{submitted_unix_s}\n{}\n{}",
        run.display(),
        process::host(),
        std::process::id()
    );
    format!(
        "{}.{}.{}-{n}",
        plain(plan),
        plain(kind),
        &run_record::hash_bytes(unique.as_bytes())[..16]
    )
}

/// One job array.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct JobRecord {
    /// Its number.
    pub id: String,
    /// The kind of its steps.
    pub kind: String,
    /// Ids of the steps of each task.
    pub tasks: Vec<Vec<String>>,
}

/// `RUN/slurm/STAMP-N.json`: the tasks of one array. A file of its own, because it must exist
/// before the job has a number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TaskList {
    /// The program of the plan.
    pub program: PathBuf,
    /// The working directory of the steps.
    pub folder: PathBuf,
    /// Seconds that a task waits for the records of its needs, which a network file system may show
    /// late.
    pub patience_s: f64,
    /// Ids of the steps of each task.
    pub tasks: Vec<Vec<String>>,
}

impl JobsRecord {
    /// The last submission, if there is one.
    pub fn read(run: &Path) -> Result<Option<Self>, SweepError> {
        let path = path(run);
        match run_record::read_to_string(&path) {
            Ok(text) => Ok(Some(
                serde_json::from_str(&text).map_err(|source| SweepError::Json { path, source })?,
            )),
            Err(RecordError::Io { source, .. }) if source.kind() == ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e.into()),
        }
    }

    pub fn write(&self, run: &Path) -> Result<(), SweepError> {
        write_json(&path(run), self)
    }

    /// Adds the pending job if Slurm lists a job of its name.
    pub fn resolve_pending(mut self) -> Result<Self, SweepError> {
        if let Some(pending) = &self.pending {
            let known = self.ids();
            for id in self
                .jobs_named(&pending.name)?
                .into_iter()
                .filter(|id| !known.contains(id))
            {
                let (kind, tasks) = (pending.kind.clone(), pending.tasks.clone());
                self.jobs.push(JobRecord { id, kind, tasks });
            }
        }
        Ok(self)
    }

    pub fn ids(&self) -> Vec<String> {
        self.jobs.iter().map(|job| job.id.clone()).collect()
    }

    /// Each step with its job and task.
    pub fn steps(&self) -> impl Iterator<Item = (&str, (&str, u32))> {
        self.jobs.iter().flat_map(|job| {
            (0..).zip(&job.tasks).flat_map(move |(task, ids)| {
                ids.iter().map(move |id| (&id[..], (&job.id[..], task)))
            })
        })
    }
}

/// Job numbers in compact form: `5-8, 11`.
pub fn ranges(jobs: &[String]) -> String {
    let mut spans: Vec<(&str, &str)> = Vec::new();
    let next = |id: &str| {
        id.parse::<u64>()
            .ok()?
            .checked_add(1)
            .map(|n| n.to_string())
    };
    for job in jobs {
        match spans.last_mut() {
            Some((_, last)) if next(last).as_ref() == Some(job) => *last = job,
            _ => spans.push((job, job)),
        }
    }
    let text = |(first, last): (&str, &str)| {
        if first == last {
            first.into()
        } else {
            format!("{first}-{last}")
        }
    };
    spans
        .into_iter()
        .map(text)
        .collect::<Vec<String>>()
        .join(", ")
}

impl TaskList {
    pub fn read(path: &Path) -> Result<Self, SweepError> {
        let text = run_record::read_to_string(path)?;
        serde_json::from_str(&text).map_err(|source| SweepError::Json {
            path: path.to_path_buf(),
            source,
        })
    }
}

/// Prepares `RUN/slurm` for a new submission: removes the task lists of earlier ones and keeps the
/// output of their tasks.
pub(crate) fn clear(run: &Path) -> Result<(), SweepError> {
    let folder = folder(run);
    fs::create_dir_all(&folder).map_err(SweepError::io("create folder", &folder))?;
    marks::remove(&folder.join(CANCELLED_FILE))?;
    for entry in fs::read_dir(&folder)
        .map_err(SweepError::io("read folder", &folder))?
        .flatten()
    {
        if entry.path().extension().is_some_and(|e| e == "json") {
            marks::remove(&entry.path())?;
        }
    }
    Ok(())
}

/// Signals to a submitting or waiting process that the jobs were cancelled.
pub(crate) fn mark_cancelled(run: &Path) -> Result<(), SweepError> {
    write_json(&folder(run).join(CANCELLED_FILE), &true)
}

pub(crate) fn is_cancelled(run: &Path) -> bool {
    read_json::<bool>(&folder(run).join(CANCELLED_FILE)).is_some()
}

#[cfg(test)]
mod tests {
    use super::{job_name, ranges};
    use std::path::Path;

    #[test]
    fn a_job_name_is_unique_to_its_submission_and_array() {
        let name = |run: &str, second: f64, n: usize| {
            job_name("my study, 5%", "cell", Path::new(run), second, n)
        };
        let first = name("/runs/a", 1.5, 0);
        assert!(
            first.starts_with("my_study__5_.cell.") && first.ends_with("-0"),
            "{first}"
        );
        assert_eq!(first, name("/runs/a", 1.5, 0));
        for other in [
            name("/runs/b", 1.5, 0),
            name("/runs/a", 1.6, 0),
            name("/runs/a", 1.5, 1),
        ] {
            assert_ne!(first, other);
        }
    }

    #[test]
    fn consecutive_numbers_form_a_range() {
        let text = |ids: &[&str]| ranges(&ids.iter().map(|id| id.to_string()).collect::<Vec<_>>());
        assert_eq!(text(&["8", "9", "10", "12", "14", "15"]), "8-10, 12, 14-15");
        assert_eq!(text(&[]), "");
        assert_eq!(
            text(&["18446744073709551615", "x"]),
            "18446744073709551615, x"
        );
    }
}
