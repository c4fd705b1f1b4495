//! Where the checkout is, and cargo as this program starts it.

use anyhow::{Context, Result, bail};
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Link to the libtorch that the workspace builds against, in the checkout's root.
pub const LIBTORCH_LINK: &str = ".libtorch";
/// Link to the cmake that HDF5 is built with, in the checkout's root.
pub const CMAKE_LINK: &str = ".tools/cmake";

/// The study's program.
const PROGRAM: &str = "mosei-ssl";

/// The flags of `.cargo/config.toml` by which a built program finds libtorch.
pub fn rpath_flags() -> Vec<String> {
    let origin = if cfg!(target_os = "macos") {
        "@loader_path"
    } else {
        "$ORIGIN"
    };
    ["../..", "../../.."]
        .iter()
        .map(|up| format!("-Clink-arg=-Wl,-rpath,{origin}/{up}/{LIBTORCH_LINK}/lib"))
        .collect()
}

/// The root of the checkout.
pub fn root() -> Result<PathBuf> {
    // cargo says where this crate stands now; the path it was compiled at may have moved.
    let here = env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    let root = here.parent().unwrap_or(&here);
    root.canonicalize()
        .with_context(|| format!("failed to find the checkout at {}", root.display()))
}

/// A command of cargo in the root of the checkout, building against what the set-up linked there.
pub fn cargo(root: &Path) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    command
        .env("LIBTORCH", root.join(LIBTORCH_LINK))
        .env("CMAKE", root.join(CMAKE_LINK));
    // The user's own flags replace those of .cargo/config.toml, without which no program finds
    // libtorch.
    if let Ok(flags) = env::var("CARGO_ENCODED_RUSTFLAGS") {
        command.env("CARGO_ENCODED_RUSTFLAGS", with_rpath(&flags, '\u{1f}'));
    } else if let Ok(flags) = env::var("RUSTFLAGS") {
        command.env("RUSTFLAGS", with_rpath(&flags, ' '));
    }
    command
}

fn with_rpath(flags: &str, separator: char) -> String {
    let mut all: Vec<String> = flags
        .split(separator)
        .filter(|f| !f.is_empty())
        .map(str::to_string)
        .collect();
    for flag in rpath_flags() {
        if !all.contains(&flag) {
            all.push(flag);
        }
    }
    all.join(&separator.to_string())
}

/// Runs a command to its end; `what` names it where it fails.
pub fn run(what: &str, command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("failed to start {what}"))?;
    if !status.success() {
        bail!("{what} failed ({status})");
    }
    Ok(())
}

/// Where cargo puts what it builds.
pub fn target(root: &Path) -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |dir| root.join(dir))
}

/// The study's program, built or not.
pub fn program(root: &Path) -> PathBuf {
    target(root).join("release").join(PROGRAM)
}

/// Builds the study's program and returns its path.
pub fn build_program(root: &Path) -> Result<PathBuf> {
    eprintln!("building mosei-ssl (cargo build --release --package mosei-ssl)");
    run(
        "the build of mosei-ssl",
        cargo(root).args(["build", "--release", "--locked", "--package", PROGRAM]),
    )?;
    let program = program(root);
    if !program.is_file() {
        bail!("the build left no {}", program.display());
    }
    Ok(program)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_flags_keep_the_way_to_libtorch() {
        let added = with_rpath("-D warnings", ' ');
        assert!(added.starts_with("-D warnings -Clink-arg="), "{added}");
        assert_eq!(with_rpath(&added, ' '), added, "adding twice adds once");
    }

    #[test]
    fn the_flags_are_those_of_the_config_file() {
        let text = std::fs::read_to_string(root().unwrap().join(".cargo/config.toml")).unwrap();
        for flag in rpath_flags() {
            assert!(
                text.contains(&format!("\"{flag}\"")),
                "{flag} is not in .cargo/config.toml"
            );
        }
    }
}
