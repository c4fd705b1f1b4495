//! The provenance of a step: the machine and the libraries that its exact bits depend on.
//!
//! Here: the record, and how a step's process, which alone knows it, passes it to the engine.
//! Querying a library for its choices is left to the crates that are linked to it.

use crate::{RecordError, read_to_string, write_atomic};
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Name of the file in a step's folder in which its process passes its provenance to the engine.
pub const MADE_FILE: &str = "made.json";

/// The environment variable that holds a step's folder for its process.
pub const STEP_FOLDER: &str = "SWEEP_STEP_FOLDER";

/// One machine, and how a process ran there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Made {
    /// The processor's model, as the system reports it.
    pub processor: String,
    /// The number of OpenMP threads; without OpenMP, the number of available cores.
    pub threads: usize,
    /// The choices of libtorch, if the process computed with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub torch: Option<MadeByTorch>,
}

/// What a process with libtorch chose at run time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MadeByTorch {
    /// Version of libtorch.
    pub version: String,
    /// The device, such as `cpu` or `cuda:0`.
    pub device: String,
    /// Instruction set of this project's own kernels.
    pub kernels: String,
    /// Instruction set of libtorch's own kernels.
    pub aten: String,
    /// Precision of the matrix products in training, such as `fp32`.
    pub precision: String,
}

impl Made {
    /// The provenance of this process, without libtorch.
    pub fn here() -> Self {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        Made {
            processor: processor_model(),
            threads,
            torch: None,
        }
    }

    /// A description for tables.
    pub fn to_text(&self) -> String {
        let threads = format!(
            "{} {}",
            self.threads,
            if self.threads == 1 {
                "thread"
            } else {
                "threads"
            }
        );
        match &self.torch {
            None => format!("{}, {threads}", self.processor),
            Some(t) => format!(
                "{}, {} kernels (libtorch's own: {}), {threads}, libtorch {}, {} on {}",
                self.processor, t.kernels, t.aten, t.version, t.precision, t.device
            ),
        }
    }

    /// Passes a step's provenance to the engine: every machine that took part in it. Does nothing
    /// if no engine started this process.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn hand_over(made: &[Made]) -> Result<(), RecordError> {
        match std::env::var_os(STEP_FOLDER) {
            None => Ok(()),
            Some(folder) => write(&PathBuf::from(folder).join(MADE_FILE), made),
        }
    }

    /// The provenance that a process has passed in a step's folder; empty if it has not.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn handed_over(folder: &Path) -> Result<Vec<Made>, RecordError> {
        let path = folder.join(MADE_FILE);
        match read_to_string(&path) {
            Ok(text) => {
                serde_json::from_str(&text).map_err(|source| RecordError::Json { path, source })
            }
            Err(RecordError::Io { source, .. })
                if source.kind() == std::io::ErrorKind::NotFound =>
            {
                Ok(Vec::new())
            }
            Err(e) => Err(e),
        }
    }
}

fn write(path: &Path, made: &[Made]) -> Result<(), RecordError> {
    let text = serde_json::to_vec(made).map_err(|source| RecordError::Json {
        path: path.to_path_buf(),
        source,
    })?;
    write_atomic(path, &text)
}

/// The environment variable, with its value, from which a step's process reads its folder.
pub fn step_folder_variable(folder: &Path) -> (&'static str, OsString) {
    let whole = std::path::absolute(folder).unwrap_or_else(|_| folder.to_path_buf());
    (STEP_FOLDER, whole.into_os_string())
}

/// The processor model as Linux reports it; elsewhere, or without a model name, the architecture.
pub fn processor_model() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = text.lines().find_map(|line| {
        line.strip_prefix("model name")?
            .trim_start()
            .strip_prefix(':')
    });
    match name.map(str::trim).filter(|name| !name.is_empty()) {
        Some(name) => name.to_string(),
        None => format!("unknown processor ({})", std::env::consts::ARCH),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn provenance_round_trips_and_a_missing_file_is_empty() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Made::handed_over(dir.path()).unwrap(), []);
        let torch = MadeByTorch {
            version: "2.0".into(),
            device: "cpu".into(),
            kernels: "AVX2".into(),
            aten: "DEFAULT".into(),
            precision: "fp32".into(),
        };
        let made = [
            Made::here(),
            Made {
                processor: "P".into(),
                threads: 2,
                torch: Some(torch),
            },
        ];
        write(&dir.path().join(MADE_FILE), &made).unwrap();
        assert_eq!(Made::handed_over(dir.path()).unwrap(), made);
        assert_eq!(
            made[1].to_text(),
            "P, AVX2 kernels (libtorch's own: DEFAULT), 2 threads, libtorch 2.0, fp32 on cpu"
        );
        std::fs::write(dir.path().join(MADE_FILE), "[{}]").unwrap();
        assert!(
            Made::handed_over(dir.path())
                .unwrap_err()
                .to_string()
                .contains(MADE_FILE)
        );
    }
}
