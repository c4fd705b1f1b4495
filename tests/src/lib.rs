//! What the tests of `tests/tests` share: the program, a tiny study, and a folder to run it in.
//!
//! Each run of the program is a process of its own, so that libtorch's global generator and its
//! threads are too.
#![allow(clippy::expect_used, reason = "a test that cannot be set up fails")]

mod faults;

pub use faults::{Fault, under_faults, with_fault};

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The program `mosei-ssl`, built in the profile of the tests.
///
/// # Panics
/// Where it cannot be built.
pub fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        // target/PROFILE/deps/TEST → target/PROFILE/mosei-ssl
        let test = std::env::current_exe().expect("a test has a path");
        let folder = test
            .ancestors()
            .nth(2)
            .expect("a test lies in target/PROFILE/deps");
        // The folder of the profile `dev` has another name.
        let profile = folder
            .file_name()
            .filter(|name| *name != "debug")
            .unwrap_or("dev".as_ref());
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let status = Command::new(cargo)
            .args([
                "build",
                "--quiet",
                "--locked",
                "-p",
                "mosei-ssl",
                "--profile",
            ])
            .arg(profile)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status()
            .expect("cargo runs");
        assert!(status.success(), "mosei-ssl cannot be built");
        folder.join("mosei-ssl")
    })
}

/// A study that takes seconds, with `more` tables appended.
pub fn tiny(more: &str) -> String {
    format!(
        r#"
name = "tiny"
[synth]
videos = 20
segments = 100
median_segment_s = 1.5
videos_without_labels = 1
[data]
pool_frames = 10
max_frames = 40
[labels]
counts = [20]
fractions = [1.0]
min_positives = 0
[encoder]
model_dim = 16
heads = 2
layers = 1
feedforward_dim = 32
[pretrain]
steps = 12
batch_segments = 8
warmup_steps = 2
validate_every = 5
[finetune.training]
steps = 12
batch_segments = 8
warmup_steps = 2
validate_every = 5
[checkpoints]
every_steps = 4
keep = 1000
{more}
"#
    )
}

/// As [`tiny`], of a corpus in which nothing is regular, over three folds and two label draws:
/// folds differ in videos and segments, videos in segments, segments in length; no segment has
/// fear, and one video alone has disgust, so that two folds test it without a positive.
pub fn irregular(more: &str) -> String {
    let corpus =
        "segments_spread = 1.5\nlength_spread = 1.0\nvideos_with = { fear = 0, disgust = 1 }\n";
    let config = tiny(more).replace(
        "[data]",
        &format!("{corpus}[data]\nsplit = {{ k_folds = 3 }}"),
    );
    config.replace("[encoder]", "draws = 2\n[encoder]")
}

/// A Python that can import these modules: the one that MOSEI_SSL_PYTHON names, or `python3`.
/// Without one it says, past what cargo keeps back of a test that passes, that `what` was skipped.
///
/// # Panics
/// Where standard error is closed.
pub fn python(what: &str, modules: &str) -> Option<PathBuf> {
    let named =
        std::env::var_os("MOSEI_SSL_PYTHON").map_or_else(|| "python3".into(), PathBuf::from);
    let output = python_command(&named)
        .args(["-c", &format!("import {modules}")])
        .output();
    if output.is_ok_and(|output| output.status.success()) {
        return Some(named);
    }
    let words = format!(
        "\nSKIPPED: {what}, for want of a Python that imports {modules}; MOSEI_SSL_PYTHON names one\n"
    );
    std::io::stderr()
        .write_all(words.as_bytes())
        .expect("standard error is open");
    None
}

/// A command of a Python, to which libtorch's own folder says nothing, and which writes nothing
/// beside its scripts.
pub fn python_command(python: &Path) -> Command {
    let mut command = Command::new(python);
    command
        .env_remove("LD_LIBRARY_PATH")
        .env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

/// A temporary folder with a configuration in it.
pub struct Bench {
    folder: TempDir,
}

impl Bench {
    /// A folder with `study.toml`.
    ///
    /// # Panics
    /// Where no folder can be made.
    pub fn new(config: &str) -> Self {
        let bench = Bench {
            folder: tempfile::tempdir().expect("a temporary folder"),
        };
        bench.write("study.toml", config);
        bench
    }

    /// A path in the folder.
    pub fn path(&self, inside: &str) -> PathBuf {
        self.folder.path().join(inside)
    }

    /// Writes a file.
    ///
    /// # Panics
    /// Where it cannot be written.
    pub fn write(&self, inside: &str, text: &str) {
        std::fs::write(self.path(inside), text).expect("a file can be written");
    }

    /// Runs the program in the folder; arguments are divided by spaces.
    ///
    /// # Panics
    /// Where it does not start.
    pub fn run(&self, arguments: &str) -> Output {
        self.command(arguments).output().expect("mosei-ssl starts")
    }

    /// The command that [`Bench::run`] runs.
    pub fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(program());
        command
            .args(arguments.split_whitespace())
            .current_dir(self.folder.path());
        command
    }

    /// Runs the program and wants it to succeed; its standard output.
    ///
    /// # Panics
    /// Where it fails, with its words.
    pub fn succeed(&self, arguments: &str) -> String {
        let output = self.run(arguments);
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert!(
            output.status.success(),
            "mosei-ssl {arguments}: {}\n{out}{err}",
            output.status
        );
        out
    }

    /// Runs the program and wants it to fail with a code; its words.
    ///
    /// # Panics
    /// Where it ends otherwise.
    pub fn fail(&self, arguments: &str, code: i32) -> String {
        let output = self.run(arguments);
        let err = text(&output.stderr);
        assert_eq!(
            output.status.code(),
            Some(code),
            "mosei-ssl {arguments}: {err}"
        );
        err
    }

    /// Starts the program and kills it as soon as a file is there.
    ///
    /// # Panics
    /// Where it ends before, or the file does not come.
    pub fn killed_at(&self, arguments: &str, file: &str) {
        let mut child = self.command(arguments).spawn().expect("it starts");
        let begin = Instant::now();
        while !self.path(file).exists() {
            assert!(
                child.try_wait().expect("it can be asked").is_none(),
                "it ended before it could be killed"
            );
            assert!(begin.elapsed() < Duration::from_secs(120), "no {file}");
            std::thread::sleep(Duration::from_millis(2));
        }
        child.kill().expect("it can be killed");
        child.wait().expect("it ends");
    }

    /// Makes the corpus, the prepared folder and the subsets of the study.
    pub fn prepare(&self) {
        self.succeed("synth --config study.toml --out data");
        self.succeed("prepare --config study.toml --data data --out prepared");
        self.succeed("sample --config study.toml --prepared prepared --out subsets.parquet");
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
