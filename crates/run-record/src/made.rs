//! Where a step was made: the machine and the libraries that its bits hang on.
//!
//! What lives here: the record, and its way from the step's own process, which alone knows, to the engine that started it. What does
//! not: asking a library what it chose; whoever is linked to it does that.

use crate::{RecordError, read_to_string, write_atomic};
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Name of the file in a step's folder by which its process hands over where it worked.
pub const MADE_FILE: &str = "made.json";

/// The variable that names a step's folder to its process.
pub const STEP_FOLDER: &str = "SWEEP_STEP_FOLDER";

/// One machine, and how a process worked there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Made {
    /// The processor's model, as the system names it.
    pub processor: String,
    /// Threads: those that OpenMP gave, counted; of a process without it, the cores that it may use.
    pub threads: usize,
    /// What else its bits hang on, where it computed with libtorch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub torch: Option<MadeByTorch>,
}

/// What a process that computes with libtorch chose at run time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MadeByTorch {
    /// Version of libtorch.
    pub version: String,
    /// The device, such as `cpu` or `cuda:0`.
    pub device: String,
    /// Instruction set of the kernels that this project has beside libtorch's.
    pub kernels: String,
    /// Instruction set of libtorch's own kernels.
    pub aten: String,
    /// Of the products in training, such as `fp32`.
    pub precision: String,
}

impl Made {
    /// By this process, without libtorch.
    pub fn here() -> Self {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        Made { processor: processor_model(), threads, torch: None }
    }

    /// In words, for a table.
    pub fn to_text(&self) -> String {
        let threads = format!("{} {}", self.threads, if self.threads == 1 { "thread" } else { "threads" });
        match &self.torch {
            None => format!("{}, {threads}", self.processor),
            Some(t) => format!(
                "{}, {} kernels (libtorch's own: {}), {threads}, libtorch {}, {} on {}",
                self.processor, t.kernels, t.aten, t.version, t.precision, t.device
            ),
        }
    }

    /// Hands over to the engine where a step was made: all machines that had a part in it. Does nothing where no engine started
    /// this process.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn hand_over(made: &[Made]) -> Result<(), RecordError> {
        match std::env::var_os(STEP_FOLDER) {
            None => Ok(()),
            Some(folder) => write(&PathBuf::from(folder).join(MADE_FILE), made),
        }
    }

    /// What a process has handed over in a step's folder; nothing where it does not do that.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn handed_over(folder: &Path) -> Result<Vec<Made>, RecordError> {
        let path = folder.join(MADE_FILE);
        match read_to_string(&path) {
            Ok(text) => serde_json::from_str(&text).map_err(|source| RecordError::Json { path, source }),
            Err(RecordError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(e) => Err(e),
        }
    }
}

fn write(path: &Path, made: &[Made]) -> Result<(), RecordError> {
    let text = serde_json::to_vec(made).map_err(|source| RecordError::Json { path: path.to_path_buf(), source })?;
    write_atomic(path, &text)
}

/// The variable and its value by which a step's process finds its folder.
pub fn step_folder_variable(folder: &Path) -> (&'static str, OsString) {
    let whole = std::path::absolute(folder).unwrap_or_else(|_| folder.to_path_buf());
    (STEP_FOLDER, whole.into_os_string())
}

/// The model of this machine's processor, as Linux names it; elsewhere, or where it has no name, its architecture.
pub fn processor_model() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = text.lines().find_map(|line| line.strip_prefix("model name")?.trim_start().strip_prefix(':'));
    match name.map(str::trim).filter(|name| !name.is_empty()) {
        Some(name) => name.to_string(),
        None => format!("a processor without a name ({})", std::env::consts::ARCH),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_handed_over_is_what_is_read_and_nothing_is_nothing() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Made::handed_over(dir.path()).unwrap(), []);
        let torch = MadeByTorch {
            version: "2.0".into(),
            device: "cpu".into(),
            kernels: "AVX2".into(),
            aten: "DEFAULT".into(),
            precision: "fp32".into(),
        };
        let made = [Made::here(), Made { processor: "P".into(), threads: 2, torch: Some(torch) }];
        write(&dir.path().join(MADE_FILE), &made).unwrap();
        assert_eq!(Made::handed_over(dir.path()).unwrap(), made);
        assert_eq!(
            made[1].to_text(),
            "P, AVX2 kernels (libtorch's own: DEFAULT), 2 threads, libtorch 2.0, fp32 on cpu"
        );
        std::fs::write(dir.path().join(MADE_FILE), "[{}]").unwrap();
        assert!(Made::handed_over(dir.path()).unwrap_err().to_string().contains(MADE_FILE));
    }
}
