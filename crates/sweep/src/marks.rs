//! The files of a step in `RUN/steps/ID`, and whether it is done.

use crate::{Plan, Step, SweepError};
use run_record::{
    MADE_FILE, Made, RecordError, STEP_FILE, StepRecord, hash_file, read_to_string, write_atomic,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

pub(crate) const LOG_FILE: &str = "log.txt";
pub(crate) const ERROR_FILE: &str = "error.txt";
pub(crate) const RUNNING_FILE: &str = "running.json";
pub(crate) const TASK_LOCK_FILE: &str = "task.lock";
pub(crate) const PLAN_FILE: &str = "plan.json";
pub(crate) const SWEEP_FILE: &str = "sweep.json";

/// File names that no part of a step's id may equal.
pub(crate) const RESERVED: [&str; 6] = [
    STEP_FILE,
    LOG_FILE,
    ERROR_FILE,
    RUNNING_FILE,
    TASK_LOCK_FILE,
    MADE_FILE,
];

/// `RUN/sweep.json`: the last sweep of the folder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct SweepRecord {
    pub pid: u32,
    pub jobs: usize,
    /// Seconds since 1970.
    pub started_unix_s: f64,
    /// Seconds since 1970; none while the sweep runs, and if it was killed.
    pub finished_unix_s: Option<f64>,
}

/// Seconds since 1970.
pub(crate) fn unix_s() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0.0, |d| d.as_secs_f64())
}

pub(crate) fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<(), SweepError> {
    let text = serde_json::to_vec_pretty(value).map_err(|source| SweepError::Json {
        path: path.to_path_buf(),
        source,
    })?;
    Ok(write_atomic(path, &text)?)
}

pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Option<T> {
    serde_json::from_str(&read_to_string(path).ok()?).ok()
}

/// The plan of the last sweep in `run`.
pub(crate) fn read_plan(run: &Path) -> Result<Plan, SweepError> {
    let path = run.join(PLAN_FILE);
    let text = match read_to_string(&path) {
        Ok(text) => text,
        Err(RecordError::Io { source, .. }) if source.kind() == ErrorKind::NotFound => {
            return Err(SweepError::NoPlan { path });
        }
        Err(e) => return Err(e.into()),
    };
    serde_json::from_str(&text).map_err(|source| SweepError::Json { path, source })
}

/// The step records of one run folder.
#[derive(Debug, Clone)]
pub(crate) struct Marks {
    pub run: PathBuf,
}

impl Marks {
    pub fn new(run: &Path) -> Self {
        Marks {
            run: run.to_path_buf(),
        }
    }

    /// `RUN/steps`.
    pub fn steps(&self) -> PathBuf {
        self.run.join("steps")
    }

    /// `RUN/steps/ID`.
    pub fn folder(&self, id: &str) -> PathBuf {
        self.steps().join(id)
    }

    /// The first declared output that does not exist.
    pub fn missing_output<'a>(&self, step: &'a Step) -> Option<&'a str> {
        step.outputs
            .iter()
            .map(String::as_str)
            .find(|o| !self.run.join(o).exists())
    }

    pub fn record(&self, id: &str) -> Option<StepRecord> {
        StepRecord::read(&self.folder(id))
    }

    /// Whether the step is done for its current key and all its outputs exist.
    pub fn is_done(&self, step: &Step) -> bool {
        self.record(&step.id).is_some_and(|r| r.key == step.key)
            && self.missing_output(step).is_none()
    }

    /// Marks the step as not done.
    pub fn clear_done(&self, id: &str) -> Result<(), SweepError> {
        remove(&self.folder(id).join(STEP_FILE))
    }

    /// Removes the records of an earlier attempt, so that a step that is killed does not seem to
    /// have ended that way.
    pub fn reset(&self, id: &str) -> Result<(), SweepError> {
        self.clear_done(id)?;
        remove(&self.folder(id).join(MADE_FILE))?;
        self.clear_error(id)
    }

    /// Removes the error of an earlier attempt.
    pub fn clear_error(&self, id: &str) -> Result<(), SweepError> {
        remove(&self.folder(id).join(ERROR_FILE))
    }

    /// The error of the last attempt, if it failed.
    pub fn error(&self, id: &str) -> Option<String> {
        read_to_string(&self.folder(id).join(ERROR_FILE))
            .ok()
            .map(|t| t.trim_end().to_string())
    }

    pub fn write_error(&self, id: &str, text: &str) -> Result<(), SweepError> {
        Ok(write_atomic(
            &self.folder(id).join(ERROR_FILE),
            format!("{text}\n").as_bytes(),
        )?)
    }

    /// Marks the step as done, with the provenance that its process reported and the hash of each
    /// output file. The record is written last, so that after a crash before it the step is not
    /// done.
    pub fn write_done(&self, step: &Step, seconds: f64) -> Result<(), SweepError> {
        let folder = self.folder(&step.id);
        self.clear_error(&step.id)?;
        let mut outputs = BTreeMap::new();
        for output in step.outputs.iter().filter(|o| self.run.join(o).is_file()) {
            outputs.insert(output.clone(), hash_file(&self.run.join(output))?);
        }
        let made = Made::handed_over(&folder)?;
        StepRecord {
            format: run_record::RUN_FORMAT,
            key: step.key.clone(),
            seconds,
            outputs,
            made,
        }
        .write(&folder)?;
        remove(&folder.join(MADE_FILE))
    }

    /// The last lines of the log, where programs usually print their error.
    pub fn log_tail(&self, id: &str) -> Vec<String> {
        const BYTES: u64 = 8192;
        const LINES: usize = 12;
        let mut bytes = Vec::new();
        if let Ok(mut file) = fs::File::open(self.folder(id).join(LOG_FILE)) {
            let length = file.metadata().map_or(0, |m| m.len());
            if file
                .seek(SeekFrom::Start(length.saturating_sub(BYTES)))
                .is_ok()
            {
                let _ = file.read_to_end(&mut bytes);
            }
        }
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<&str> = text.lines().filter(|l| !l.trim().is_empty()).collect();
        lines[lines.len().saturating_sub(LINES)..]
            .iter()
            .map(|l| l.trim_end().to_string())
            .collect()
    }
}

/// Removes a file if it exists.
pub(crate) fn remove(path: &Path) -> Result<(), SweepError> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != ErrorKind::NotFound => Err(SweepError::io("remove", path)(e)),
        _ => Ok(()),
    }
}
