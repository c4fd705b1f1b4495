//! Seconds that processes take to start, and that the compiler takes after a change; all taken in
//! turns.

use clap::{Parser, Subcommand};
use serde_json::json;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Instant, SystemTime};
use study_benches::emit;

/// Times starts of processes, or a build after a change.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// `mosei-ssl --help`, `mosei-ssl plan`, a program that only links libtorch, and one that links
    /// nothing.
    Processes {
        /// The study's program.
        #[arg(long)]
        mosei_ssl: PathBuf,
        /// A configuration to plan.
        #[arg(long)]
        config: PathBuf,
        /// Starts of each; the median is reported.
        #[arg(long, default_value_t = 11)]
        times: usize,
    },
    /// `cargo build --release` of the study's program after its own crate has changed.
    Rebuild {
        /// The checkout. No file's content is changed, one file's time is.
        #[arg(long)]
        root: PathBuf,
    },
}

fn main() -> ExitCode {
    let done = match Arguments::parse().what {
        What::Processes {
            mosei_ssl,
            config,
            times,
        } => processes(&mosei_ssl, &config, times),
        What::Rebuild { root } => rebuild(&root),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn processes(mosei_ssl: &Path, config: &Path, times: usize) -> Result<(), Box<dyn Error>> {
    let floor = std::env::current_exe()?.with_file_name("startup_floor");
    let command = |program: &Path, arguments: &[&std::ffi::OsStr]| {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        command
    };
    let mut all = [
        ("help", command(mosei_ssl, &["--help".as_ref()]), Vec::new()),
        (
            "plan",
            command(
                mosei_ssl,
                &[
                    "plan".as_ref(),
                    "--run".as_ref(),
                    "run".as_ref(),
                    config.as_os_str(),
                ],
            ),
            Vec::new(),
        ),
        ("libtorch alone", command(&floor, &[]), Vec::new()),
        ("nothing", command(Path::new("true"), &[]), Vec::new()),
    ];
    for _ in 0..times.max(1) {
        for (name, command, seconds) in &mut all {
            let start = Instant::now();
            let status = command.status().map_err(|e| format!("{name}: {e}"))?;
            seconds.push(start.elapsed().as_secs_f64());
            if !status.success() {
                return Err(format!("{name}: {status}").into());
            }
        }
    }
    for (name, _, mut seconds) in all {
        seconds.sort_unstable_by(f64::total_cmp);
        emit(
            name,
            seconds[seconds.len() / 2],
            "s",
            json!({"starts": seconds.len(), "fastest": seconds[0]}),
        );
    }
    Ok(())
}

fn rebuild(root: &Path) -> Result<(), Box<dyn Error>> {
    let build = || {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args([
            "build",
            "--quiet",
            "--release",
            "--locked",
            "--package",
            "mosei-ssl",
        ]);
        cargo
            .current_dir(root)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .status()
    };
    // Whatever else has changed is built before the clock runs.
    let mut seconds = 0.0;
    for timed in [false, true] {
        if timed {
            std::fs::File::open(root.join("crates/mosei-ssl/src/lib.rs"))?
                .set_modified(SystemTime::now())?;
        }
        let start = Instant::now();
        let status = build()?;
        seconds = start.elapsed().as_secs_f64();
        if !status.success() {
            return Err(format!("cargo build: {status}").into());
        }
    }
    emit("rebuild", seconds, "s", json!({"profile": "release"}));
    Ok(())
}
