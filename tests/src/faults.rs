//! Disk faults: a program that is killed, or told that the disk is full, at the very call that a
//! test names.
//!
//! The faults are made by `tests/faults/faults.cpp`, a library that Linux puts between a program
//! and its C library, so they reach every write, also those of HDF5, and the program has no part in
//! it.

use crate::Bench;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The program is killed before it.
    Kill,
    /// The program is killed in it: half of a write is stored.
    Torn,
    /// It fails: no space is left.
    NoSpace,
    /// It fails: the device does not answer as it should.
    Broken,
    /// It fails, and so do all after it: the file system can only be read from now on.
    ReadOnly,
    /// Half of a write is stored, and the program is told so.
    Short,
}

impl Fault {
    /// All kinds.
    pub const ALL: [Fault; 6] = [
        Fault::Kill,
        Fault::Torn,
        Fault::NoSpace,
        Fault::Broken,
        Fault::ReadOnly,
        Fault::Short,
    ];

    fn name(self) -> &'static str {
        match self {
            Fault::Kill => "kill",
            Fault::Torn => "torn",
            Fault::NoSpace => "enospc",
            Fault::Broken => "eio",
            Fault::ReadOnly => "erofs",
            Fault::Short => "short",
        }
    }

    /// What the program must say of it, where it can say anything.
    pub fn words(self) -> Option<&'static str> {
        match self {
            Fault::NoSpace => Some("No space left on device"),
            Fault::Broken => Some("Input/output error"),
            Fault::ReadOnly => Some("Read-only file system"),
            Fault::Kill | Fault::Torn | Fault::Short => None,
        }
    }
}

/// The library that makes faults; `None` where the system is none that it is for.
///
/// # Panics
/// Where it cannot be built.
fn library() -> Option<&'static Path> {
    static LIBRARY: OnceLock<Option<PathBuf>> = OnceLock::new();
    let build = || {
        if !cfg!(all(target_os = "linux", target_env = "gnu")) {
            return None;
        }
        let out = tempfile::Builder::new()
            .prefix("faults-")
            .suffix(".so")
            .tempfile()
            .expect("a temporary file");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("faults/faults.cpp");
        let compiler = std::env::var_os("CXX").unwrap_or_else(|| "c++".into());
        let status = Command::new(compiler)
            .args(["-std=c++17", "-O1", "-fPIC", "-shared", "-o"])
            .args([out.path(), &source])
            .arg("-ldl")
            .status()
            .expect("a C++ compiler runs");
        assert!(status.success(), "the library of faults cannot be built");
        // Other tests of this process use it until its end.
        Some(out.into_temp_path().keep().expect("it can be kept"))
    };
    LIBRARY.get_or_init(build).as_deref()
}

/// A command whose calls below `folder`, which must be there, are counted; `None` where that cannot
/// be done on this system.
///
/// # Panics
/// Where the folder is not there.
pub fn under_faults(mut command: Command, folder: &Path) -> Option<Command> {
    let folder = folder.canonicalize().expect("the folder is there");
    command
        .env("LD_PRELOAD", library()?)
        .env("FAULTS_BELOW", folder);
    Some(command)
}

/// The same command with a fault at call number `at`, from 1.
pub fn with_fault(mut command: Command, fault: Fault, at: usize) -> Command {
    command
        .env("FAULTS_KIND", fault.name())
        .env("FAULTS_AT", at.to_string());
    command
}

impl Bench {
    /// How many calls of a command change something in the folder; `None` where faults cannot be
    /// made on this system.
    ///
    /// # Panics
    /// Where the command fails.
    pub fn calls(&self, arguments: &str) -> Option<usize> {
        let log = tempfile::NamedTempFile::new().expect("a temporary file");
        let output = self
            .under_faults(arguments)?
            .env("FAULTS_LOG", log.path())
            .output()
            .expect("it starts");
        assert!(
            output.status.success(),
            "mosei-ssl {arguments}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        Some(
            std::fs::read_to_string(log.path())
                .expect("the calls were written down")
                .lines()
                .count(),
        )
    }

    /// Runs a command whose call number `at`, from 1, meets a fault.
    ///
    /// # Panics
    /// Where faults cannot be made on this system, or the program does not start.
    pub fn run_with(&self, fault: Fault, at: usize, arguments: &str) -> Output {
        let command = self
            .under_faults(arguments)
            .expect("faults can be made, as calls were counted");
        with_fault(command, fault, at).output().expect("it starts")
    }

    /// Runs a command whose forks do at their first read in the folder what a library does that a
    /// damaged file harms: `loop`, `abort` or `greedy`. `None` where that cannot be done on this
    /// system.
    ///
    /// # Panics
    /// Where the program does not start.
    pub fn run_with_harmed_forks(&self, how: &str, arguments: &str) -> Option<Output> {
        let mut command = self.under_faults(arguments)?;
        Some(
            command
                .env("FAULTS_CHILD", how)
                .output()
                .expect("it starts"),
        )
    }

    fn under_faults(&self, arguments: &str) -> Option<Command> {
        under_faults(self.command(arguments), &self.path(""))
    }
}
