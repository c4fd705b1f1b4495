//! What a submission leaves in `RUN/slurm`: which jobs there are, and which steps each of their tasks runs.

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

/// Where task number `task` of `job` says what it does, relative to the run folder.
pub(crate) fn output(job: &str, task: u32) -> String {
    format!("slurm/{job}_{task}.txt")
}

/// `RUN/slurm/jobs.json`: the last submission.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct JobsRecord {
    /// The cluster as it calls itself: job numbers mean nothing on another.
    pub cluster: String,
    /// The user id of whoever submitted.
    pub user: u32,
    /// Seconds since 1970.
    pub submitted_unix_s: f64,
    pub jobs: Vec<JobRecord>,
    /// What `sbatch` was asked for and has not said the number of: there may be such a job, and there may be none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Asked>,
}

/// A job array without a number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    /// The job's name, which no other has.
    pub name: String,
    /// The kind of its steps.
    pub kind: String,
    /// Ids of the steps of each task.
    pub tasks: Vec<Vec<String>>,
}

/// A name for array number `n` of a submission from the folder `run`, which no other submission has: people read its beginning, and
/// `squeue` finds it by the whole. In it are no characters that stand for anything in Slurm's lists and patterns.
pub(crate) fn job_name(plan: &str, kind: &str, run: &Path, submitted_unix_s: f64, n: usize) -> String {
    let plain = |text: &str| -> String {
        text.chars().map(|c| if c.is_ascii_alphanumeric() || "-_".contains(c) { c } else { '_' }).take(40).collect()
    };
    let once = format!("{}\n{submitted_unix_s}\n{}\n{}", run.display(), process::host(), std::process::id());
    format!("{}.{}.{}-{n}", plain(plan), plain(kind), &run_record::hash_bytes(once.as_bytes())[..16])
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

/// `RUN/slurm/STAMP-N.json`: what the tasks of one array read. Not in the other record, as it must be there before the job
/// has a number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TaskList {
    /// The program of the plan.
    pub program: PathBuf,
    /// Where steps are run: relative paths in their commands begin here.
    pub folder: PathBuf,
    /// How long a task looks for the marks of what it needs, which a network's file system may show late, in seconds.
    pub patience_s: f64,
    /// Ids of the steps of each task.
    pub tasks: Vec<Vec<String>>,
}

impl JobsRecord {
    /// The last submission; `None` where there is none.
    pub fn read(run: &Path) -> Result<Option<Self>, SweepError> {
        let path = path(run);
        match run_record::read_to_string(&path) {
            Ok(text) => Ok(Some(serde_json::from_str(&text).map_err(|source| SweepError::Json { path, source })?)),
            Err(RecordError::Io { source, .. }) if source.kind() == ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e.into()),
        }
    }

    pub fn write(&self, run: &Path) -> Result<(), SweepError> {
        write_json(&path(run), self)
    }

    /// With the jobs that `sbatch` was asked for and said no number of, where Slurm knows any of that name.
    pub fn with_asked(mut self) -> Result<Self, SweepError> {
        if let Some(asked) = &self.asked {
            let known = self.ids();
            for id in self.of_name(&asked.name)?.into_iter().filter(|id| !known.contains(id)) {
                let (kind, tasks) = (asked.kind.clone(), asked.tasks.clone());
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
            (0..).zip(&job.tasks).flat_map(move |(task, ids)| ids.iter().map(move |id| (&id[..], (&job.id[..], task))))
        })
    }
}

/// Numbers of jobs as people read them: `5-8, 11`.
pub fn ranges(jobs: &[String]) -> String {
    let mut spans: Vec<(&str, &str)> = Vec::new();
    let next = |id: &str| id.parse::<u64>().ok()?.checked_add(1).map(|n| n.to_string());
    for job in jobs {
        match spans.last_mut() {
            Some((_, last)) if next(last).as_ref() == Some(job) => *last = job,
            _ => spans.push((job, job)),
        }
    }
    let word = |(first, last): (&str, &str)| if first == last { first.into() } else { format!("{first}-{last}") };
    spans.into_iter().map(word).collect::<Vec<String>>().join(", ")
}

impl TaskList {
    pub fn read(path: &Path) -> Result<Self, SweepError> {
        let text = run_record::read_to_string(path)?;
        serde_json::from_str(&text).map_err(|source| SweepError::Json { path: path.to_path_buf(), source })
    }
}

/// Makes `RUN/slurm` ready for a new submission: what tasks of earlier ones would read is gone, what they said is not.
pub(crate) fn clear(run: &Path) -> Result<(), SweepError> {
    let folder = folder(run);
    fs::create_dir_all(&folder).map_err(SweepError::io("make folder", &folder))?;
    marks::remove(&folder.join(CANCELLED_FILE))?;
    for entry in fs::read_dir(&folder).map_err(SweepError::io("read folder", &folder))?.flatten() {
        if entry.path().extension().is_some_and(|e| e == "json") {
            marks::remove(&entry.path())?;
        }
    }
    Ok(())
}

/// Says to whoever submits or waits that it is over.
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
    fn a_name_is_one_submission_and_one_array() {
        let name = |run: &str, second: f64, n: usize| job_name("my study, 5%", "cell", Path::new(run), second, n);
        let first = name("/runs/a", 1.5, 0);
        assert!(first.starts_with("my_study__5_.cell.") && first.ends_with("-0"), "{first}");
        assert_eq!(first, name("/runs/a", 1.5, 0));
        for other in [name("/runs/b", 1.5, 0), name("/runs/a", 1.6, 0), name("/runs/a", 1.5, 1)] {
            assert_ne!(first, other);
        }
    }

    #[test]
    fn numbers_in_a_row_are_a_range() {
        let words = |ids: &[&str]| ranges(&ids.iter().map(|id| id.to_string()).collect::<Vec<_>>());
        assert_eq!(words(&["8", "9", "10", "12", "14", "15"]), "8-10, 12, 14-15");
        assert_eq!(words(&[]), "");
        assert_eq!(words(&["18446744073709551615", "x"]), "18446744073709551615, x");
    }
}
