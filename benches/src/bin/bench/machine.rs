//! The machine and the software versions of a measurement.
//!
//! No names of hosts, users or folders: the page is public.

use crate::cargo;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// Processor flags that decide which kernels run.
const KERNEL_FLAGS: [&str; 9] = [
    "avx2",
    "fma",
    "avx512f",
    "avx512_vnni",
    "avx512_bf16",
    "avx512_fp16",
    "amx_tile",
    "amx_bf16",
    "asimd",
];

/// Packages whose versions the page names, as `importlib.metadata` knows them.
const PACKAGES: [&str; 8] = [
    "torch",
    "numpy",
    "scikit-learn",
    "h5py",
    "pandas",
    "pyarrow",
    "scipy",
    "safetensors",
];

/// When, on what and with what a table was measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Circumstances {
    /// Date, in UTC.
    pub date: String,
    /// The machine.
    pub machine: Machine,
    /// Load average over a minute before the first round.
    pub load: Option<f64>,
    /// Versions by name.
    pub versions: BTreeMap<String, String>,
}

/// A machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// The processor's name for itself.
    pub processor: String,
    /// Its flags that decide which kernels run.
    pub flags: Vec<String>,
    /// Processors that the system schedules on.
    pub cores: usize,
    /// Memory in GiB, rounded.
    pub memory_gib: u64,
    /// System and kernel.
    pub kernel: String,
    /// Graphics card and its driver, where there is one.
    pub gpu: Option<String>,
}

impl Circumstances {
    /// Those of now; `python` is the interpreter of the peers, where some are measured.
    pub fn now(root: &Path, python: Option<&Path>) -> Self {
        Circumstances {
            date: output_of("date", &["-u", "+%Y-%m-%d"]),
            machine: machine(),
            load: load(),
            versions: versions(root, python),
        }
    }
}

#[cfg(test)]
impl Circumstances {
    /// Arbitrary ones, for tests.
    pub fn unknown() -> Self {
        let machine = Machine {
            processor: "P".into(),
            flags: vec!["avx2".into()],
            cores: 2,
            memory_gib: 8,
            kernel: "Linux 6".into(),
            gpu: None,
        };
        let versions = [("rustc".to_string(), "1".to_string())].into();
        Circumstances {
            date: "2001-02-03".into(),
            machine,
            load: Some(0.5),
            versions,
        }
    }
}

fn machine() -> Machine {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        let line = cpu
            .lines()
            .find(|line| line.split(':').next().is_some_and(|key| key.trim() == name))?;
        Some(line.split_once(':')?.1.trim().to_string())
    };
    let flags = field("flags")
        .or_else(|| field("Features"))
        .unwrap_or_default();
    let flags: Vec<&str> = flags.split_whitespace().collect();
    let family = match (field("cpu family"), field("model")) {
        (Some(family), Some(model)) => format!(" (family {family}, model {model})"),
        _ => String::new(),
    };
    let name = field("model name")
        .unwrap_or_else(|| output_of("sysctl", &["-n", "machdep.cpu.brand_string"]));
    let memory_kib = fs::read_to_string("/proc/meminfo").ok().and_then(|text| {
        text.lines().find_map(|line| {
            line.strip_prefix("MemTotal:")?
                .split_whitespace()
                .next()?
                .parse::<u64>()
                .ok()
        })
    });
    let memory = memory_kib
        .map(|kib| kib << 10)
        .or_else(|| output_of("sysctl", &["-n", "hw.memsize"]).parse().ok());
    let gpu = output_of(
        "nvidia-smi",
        &["--query-gpu=name,driver_version", "--format=csv,noheader"],
    );
    Machine {
        processor: format!("{name}{family}"),
        flags: KERNEL_FLAGS
            .iter()
            .filter(|flag| flags.contains(flag))
            .map(|flag| flag.to_string())
            .collect(),
        cores: std::thread::available_parallelism().map_or(0, usize::from),
        memory_gib: (memory.unwrap_or(0) as f64 / (1u64 << 30) as f64).round() as u64,
        kernel: output_of("uname", &["-sr"]),
        gpu: gpu
            .lines()
            .next()
            .filter(|line| !line.is_empty())
            .map(str::to_string),
    }
}

fn load() -> Option<f64> {
    fs::read_to_string("/proc/loadavg")
        .ok()?
        .split_whitespace()
        .next()?
        .parse()
        .ok()
}

fn versions(root: &Path, python: Option<&Path>) -> BTreeMap<String, String> {
    let mut versions = BTreeMap::new();
    let mut rustc = cargo(root);
    rustc.args(["--version", "--verbose"]);
    let text = rustc
        .stderr(Stdio::null())
        .output()
        .map(|o| String::from_utf8_lossy(&o.stdout).into_owned());
    let release = text
        .unwrap_or_default()
        .lines()
        .find_map(|l| l.strip_prefix("release: ").map(str::to_string));
    versions.insert("rustc".into(), release.unwrap_or_default());
    let libtorch = fs::read_to_string(root.join(".libtorch/build-version")).unwrap_or_default();
    versions.insert("libtorch".into(), libtorch.trim().to_string());
    if let Some(python) = python {
        let program = format!(
            "import importlib.metadata as m, json, platform\nv = {{'Python': platform.python_version()}}\n\
             for p in {PACKAGES:?}:\n  try: v[p] = m.version(p)\n  except m.PackageNotFoundError: pass\nprint(json.dumps(v))"
        );
        let output = Command::new(python)
            .args(["-c", &program])
            .stdin(Stdio::null())
            .output();
        if let Ok(more) = output.map_or_else(
            |_| Ok(BTreeMap::new()),
            |o| serde_json::from_slice(&o.stdout),
        ) {
            versions.extend::<BTreeMap<String, String>>(more);
        }
    }
    versions.retain(|_, version| !version.is_empty());
    versions
}

/// The output of a program; empty where it fails.
fn output_of(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output();
    output
        .ok()
        .filter(|o| o.status.success())
        .map_or_else(String::new, |o| {
            String::from_utf8_lossy(&o.stdout).trim().to_string()
        })
}
