//! cmake, which builds HDF5: an exported one, the system's, or that of the Python package index.

use super::cache::Cache;
use super::checks::find_program;
use super::wheel::{Wheel, download, unpack};
use super::{link, say};
use crate::workspace::CMAKE_LINK;
use anyhow::{Context, Result, bail};
use std::env;
use std::env::consts::{ARCH, OS};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What HDF5 2.2 asks for.
const LEAST: (u32, u32) = (3, 26);
const NAME: &str = "cmake-4.4.4";
/// What the wheel's `bin` and `share` take on disk, with some to spare.
const UNPACKED_MIB: u64 = 100;

/// Makes `.tools/cmake` in the checkout lead to a cmake that can build HDF5.
pub fn ensure(root: &Path, verbose: bool) -> Result<()> {
    let link = root.join(CMAKE_LINK);
    // `.cargo/config.toml` sets CMAKE to the link itself: that is not the user's export.
    let exported = env::var_os("CMAKE")
        .filter(|v| !v.is_empty())
        .map(PathBuf::from);
    if let Some(exported) = exported.filter(|path| !link::same_place(path, &link)) {
        // A bare name is looked up as the shell would.
        let program = if exported.components().count() == 1 {
            exported.to_str().and_then(find_program).unwrap_or(exported)
        } else {
            std::path::absolute(&exported).unwrap_or(exported)
        };
        check(&program).with_context(|| {
            format!(
                "CMAKE is exported as {}, which cannot be used\n  next: unset it, or correct it",
                program.display()
            )
        })?;
        if link::point(&link, &program)? || verbose {
            say(&format!(
                "cmake: {CMAKE_LINK} leads to the exported {}",
                program.display()
            ));
        }
        return Ok(());
    }
    if check(&link).is_ok() {
        if verbose {
            let target = link.canonicalize().unwrap_or(link);
            say(&format!(
                "cmake: {CMAKE_LINK} leads to {}, nothing to do",
                target.display()
            ));
        }
        return Ok(());
    }
    let program = match find_program("cmake").filter(|program| check(program).is_ok()) {
        Some(program) => program,
        None => install(&Cache::find()?)?,
    };
    link::point(&link, &program)?;
    check(&link)?;
    say(&format!(
        "cmake: {CMAKE_LINK} leads to {}",
        program.display()
    ));
    Ok(())
}

/// The cache's cmake, made where it is not whole.
fn install(cache: &Cache) -> Result<PathBuf> {
    let program = |place: PathBuf| place.join("cmake/data/bin/cmake");
    if let Some(place) = cache.complete(NAME) {
        return Ok(program(place));
    }
    let (platform, sha256) = match (OS, ARCH) {
        ("linux", "x86_64") => (
            "manylinux2014_x86_64",
            "f773a0544c66370408f451acd487c2c643b0dfebb48c5d64f3638bc1bb820238",
        ),
        ("linux", "aarch64") => (
            "manylinux2014_aarch64",
            "b3029f586853e01ddf2824c1ff124a1c5284f8ae897994758e9c4eeb45903b58",
        ),
        ("macos", _) => (
            "macosx_10_10_universal2",
            "883962a72b1b3a16ff445427f24c8caca9797dd9e563bbe208cbcd89e877f9d3",
        ),
        _ => bail!(
            "no cmake of {}.{} or later is on the PATH, and none is to be had for {OS} on {ARCH}\n  next: install one",
            LEAST.0,
            LEAST.1
        ),
    };
    let lock = cache.lock()?;
    // Another set-up may have made it while we waited.
    if let Some(place) = cache.complete(NAME) {
        return Ok(program(place));
    }
    say(&format!(
        "no cmake of {}.{} or later is on the PATH; one goes to {}",
        LEAST.0,
        LEAST.1,
        cache.place(NAME).display()
    ));
    let wheel = Wheel {
        requirement: "cmake==4.4.4",
        platform,
        sha256,
        mib: 55,
        part: None,
    };
    lock.check_space("cmake", wheel.mib + UNPACKED_MIB)?;
    let file = download(&lock, NAME, &wheel)?;
    let folder = lock.tmp().join(NAME);
    unpack(&file, &folder, &|name| {
        name == "cmake/data/bin/cmake" || name.starts_with("cmake/data/share/")
    })?;
    check(&program(folder.clone()))?;
    Ok(program(lock.commit(&folder, NAME)?))
}

/// Whether a program is a cmake that is new enough.
fn check(program: &Path) -> Result<()> {
    let output = Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("failed to start {}", program.display()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    match parse_version(&text) {
        Some(found) if found >= LEAST => check_modules(program),
        Some((major, minor)) => {
            bail!(
                "{}: expected cmake {}.{} or later, found {major}.{minor}",
                program.display(),
                LEAST.0,
                LEAST.1
            )
        }
        None => bail!("{}: is no cmake ({})", program.display(), output.status),
    }
}

/// A cmake that was moved or linked may no longer find the modules that it comes with; an empty
/// script shows it.
fn check_modules(program: &Path) -> Result<()> {
    let output = Command::new(program)
        .args(["-P", "/dev/null"])
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("failed to start {}", program.display()))?;
    if !output.status.success() {
        bail!(
            "{}: {}",
            program.display(),
            String::from_utf8_lossy(&output.stderr)
                .lines()
                .next()
                .unwrap_or("does not run")
        );
    }
    Ok(())
}

/// Major and minor number from what `cmake --version` prints.
fn parse_version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.strip_prefix("cmake version ")?.split('.');
    Some((
        numbers.next()?.parse().ok()?,
        numbers.next()?.trim().parse().ok()?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_numbers() {
        assert_eq!(
            parse_version("cmake version 3.25.1\n\nCMake suite"),
            Some((3, 25))
        );
        assert!(parse_version("cmake version 4.4.4").unwrap() >= LEAST && (3, 9) < LEAST);
        assert_eq!(parse_version("pyenv: cmake: command not found"), None);
    }
}
