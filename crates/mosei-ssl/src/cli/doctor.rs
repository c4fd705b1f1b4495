use anyhow::Result;
use std::path::PathBuf;
use torch_ext::Processor;

/// Print what a report of a problem needs: versions, machine, devices, and what is wrong with a
/// run.
///
/// Nothing of your data is in it but names of files and steps; read it before you pass it on.
///
/// Example: mosei-ssl doctor runs/demo > doctor.txt
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// A run folder: its failed steps are listed too.
    run: Option<PathBuf>,
}

/// What is loaded, how fast it is, or whether it is refused, may depend on these.
const VARIABLES: [&str; 12] = [
    "ATEN_CPU_CAPABILITY",
    "LIBTORCH",
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
    "OMP_NUM_THREADS",
    "OMP_THREAD_LIMIT",
    "OMP_DYNAMIC",
    "MKL_NUM_THREADS",
    "HDF5_USE_FILE_LOCKING",
    "CUDA_VISIBLE_DEVICES",
    "RUST_LOG",
    "XDG_CACHE_HOME",
];

pub(crate) fn run(a: Arguments) -> Result<()> {
    let cores =
        std::thread::available_parallelism().map_or_else(|e| e.to_string(), |n| n.to_string());
    let build = if cfg!(debug_assertions) {
        "debug"
    } else {
        "release"
    };
    let mut lines = vec![
        (
            "mosei-ssl",
            format!("{} ({build})", env!("CARGO_PKG_VERSION")),
        ),
        ("program", path(std::env::current_exe())),
        ("working folder", path(std::env::current_dir())),
        (
            "system",
            format!("{} on {}", system(), std::env::consts::ARCH),
        ),
        ("processor", run_record::processor_model()),
        ("instructions", instructions()),
        (
            "kernels",
            format!(
                "{} (mosei-ssl), {} (libtorch)",
                Processor::best().name(),
                torch_ext::cpu_capability().unwrap_or_else(|e| e.to_string())
            ),
        ),
        ("faster precision", precision().into()),
        ("cores for this process", cores),
        (
            "memory",
            format!(
                "{}, available {}",
                first("/proc/meminfo", "MemTotal"),
                first("/proc/meminfo", "MemAvailable")
            ),
        ),
        ("libtorch", torch_ext::version()),
        ("HDF5", mosei_data::hdf5_version()),
    ];
    for (what, device) in [("device cpu", "cpu"), ("device cuda", "cuda")] {
        lines.push((
            what,
            torch_ext::open_device(device).map_or_else(|e| e.to_string(), |_| "can be used".into()),
        ));
    }
    let set =
        |name| std::env::var_os(name).map(|value| (name, value.to_string_lossy().into_owned()));
    lines.extend(VARIABLES.into_iter().filter_map(set));
    if let Some(run) = &a.run {
        let status = sweep::status(run)?;
        lines.push(("run", format!("{} ({})", run.display(), status.name)));
        for kind in &status.kinds {
            let (all, failed) = (kind.all(), kind.failed);
            lines.push((
                "steps",
                format!(
                    "{}: {} of {all} done, {failed} failed",
                    kind.kind, kind.done
                ),
            ));
        }
        let failure = |f: &sweep::Failure| ("failed", format!("{}\n{}", f.id, f.error));
        lines.extend(status.failures.iter().map(failure));
    }
    let text: String = lines
        .iter()
        .map(|(what, found)| format!("{what:<24}{found}\n"))
        .collect();
    super::say(&text)
}

/// Those of the processor's instructions that decide how fast it trains.
fn instructions() -> String {
    const DECISIVE: [&str; 7] = [
        "avx2",
        "fma",
        "avx512f",
        "avx512_vnni",
        "avx512_bf16",
        "amx_tile",
        "amx_bf16",
    ];
    let flags = first("/proc/cpuinfo", "flags");
    let found: Vec<&str> = DECISIVE
        .into_iter()
        .filter(|name| flags.split_whitespace().any(|flag| flag == *name))
        .collect();
    if found.is_empty() {
        "none of note, or unknown".into()
    } else {
        found.join(", ")
    }
}

/// The precision of training steps that suits the kernels; a sweep times both.
fn precision() -> &'static str {
    if Processor::best().has_bf16_products() {
        "bf16, which has products of its own here"
    } else {
        "fp32: there are no products of bfloat16"
    }
}

fn path(found: std::io::Result<PathBuf>) -> String {
    found.map_or_else(|e| e.to_string(), |path| path.display().to_string())
}

/// The value of the first line `KEY : VALUE` in one of Linux's files about itself.
fn first(file: &str, key: &str) -> String {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(key)?.trim_start().strip_prefix(':'));
    line.map_or("unknown".into(), |value| value.trim().to_string())
}

fn system() -> String {
    let text = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    let name = text
        .lines()
        .find_map(|line| line.strip_prefix("PRETTY_NAME="));
    name.map_or(std::env::consts::OS.to_string(), |name| {
        name.trim_matches('"').to_string()
    })
}
