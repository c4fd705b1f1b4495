//! What the build needs from the system, and what in the user's environment works against it.

use crate::workspace::rpath_flags;
use anyhow::{Result, bail};
use std::env;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The first file of that name on the `PATH` that may be run.
pub fn find_program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| is_program(file))
}

/// Whether a file may be run.
pub fn is_program(file: &Path) -> bool {
    file.metadata()
        .is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
}

/// A C++ compiler for the shim over libtorch, a C compiler and make for HDF5.
pub fn compilers() -> Result<()> {
    let own = |variable: &str| env::var(variable).is_ok_and(|v| !v.trim().is_empty());
    let mut missing = Vec::new();
    if !own("CXX") && find_program("c++").is_none() {
        missing.push(
            match ["g++", "clang++"]
                .into_iter()
                .find(|name| find_program(name).is_some())
            {
                Some(name) => {
                    format!("a C++ compiler under the name c++ (export CXX={name} to use yours)")
                }
                None => "a C++ compiler (c++, g++ or clang++)".to_string(),
            },
        );
    }
    if !own("CC") && find_program("cc").is_none() {
        missing.push("a C compiler (cc)".to_string());
    }
    if !own("CMAKE_GENERATOR") && find_program("make").is_none() {
        missing.push(match find_program("ninja") {
            Some(_) => "make (or export CMAKE_GENERATOR=Ninja to use yours)".to_string(),
            None => "make".to_string(),
        });
    }
    if missing.is_empty() {
        return Ok(());
    }
    let how = if cfg!(target_os = "macos") {
        "xcode-select --install"
    } else {
        "apt-get install build-essential, dnf install gcc-c++ make, or your system's like"
    };
    bail!(
        "not found on the PATH: {}\n  next: {how}; then cargo xtask setup again",
        missing.join("; ")
    )
}

/// Flags of the user's that take the place of those in `.cargo/config.toml`.
pub fn rustflags_notes() -> Vec<String> {
    // The encoded variable wins over the plain one; a variable that is set but empty replaces the
    // file's flags too. CARGO_BUILD_RUSTFLAGS does not: the file's flags stand under [target],
    // which comes before [build].
    let Some((variable, separator)) = [("CARGO_ENCODED_RUSTFLAGS", "\u{1f}"), ("RUSTFLAGS", " ")]
        .into_iter()
        .find(|(variable, _)| env::var_os(variable).is_some())
    else {
        return Vec::new();
    };
    let flags = env::var(variable).unwrap_or_default();
    if rpath_flags()
        .iter()
        .all(|flag| flags.split(separator).any(|f| f == flag))
    {
        return Vec::new();
    }
    vec![format!(
        "{variable} is set and replaces the flags of .cargo/config.toml, by which built programs find libtorch. \
         `cargo xtask` adds them to what it starts; for your own cargo calls unset it or add (in single quotes): {}",
        rpath_flags().join(" ")
    )]
}
