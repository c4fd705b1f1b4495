//! Wheels of the Python package index: got with pip, checked by hash, and unpacked in part.

use super::cache::CacheLock;
use super::say;
use crate::progress::ByteProgress;
use anyhow::{Context, Result, bail};
use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// One wheel, pinned: any other file under its name is refused.
#[derive(Debug, Clone, Copy)]
pub struct Wheel {
    /// Package and version, as pip takes them.
    pub requirement: &'static str,
    /// The platform tag to ask for, so that the Python at hand does not matter.
    pub platform: &'static str,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: &'static str,
    /// Size of the file, rounded up.
    pub mib: u64,
    /// What of it is wanted, where that is worth getting alone.
    pub part: Option<Part>,
}

/// Members of a wheel that can be got without the others, from a server that answers range
/// requests.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    /// SHA-256 of the wheel's RECORD, which has the hashes of all members.
    pub record_sha256: &'static str,
    /// How the members' names begin.
    pub prefixes: &'static [&'static str],
    /// What that takes, compressed and rounded up.
    pub mib: u64,
}

const PARTIAL_WHEEL: &str = include_str!("partial_wheel.py");

/// `python3` with pip, or what to do about it.
fn check_pip() -> Result<()> {
    const OR: &str = "or export LIBTORCH=FOLDER (a libtorch 2.11.0) and have a cmake of 3.26 or later on the PATH";
    match Command::new("python3")
        .args(["-m", "pip", "--version"])
        .stdin(Stdio::null())
        .output()
    {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => bail!(
            "python3 is here, but without pip ({})\n  next: apt-get install python3-pip, or python3 -m ensurepip, {OR}; \
             then cargo xtask setup again",
            String::from_utf8_lossy(&output.stderr)
                .lines()
                .last()
                .unwrap_or("it says nothing")
                .trim()
        ),
        Err(e) if e.kind() == ErrorKind::NotFound => bail!(
            "no python3 on the PATH, whose pip gets libtorch and cmake\n  next: apt-get install python3 python3-pip \
             (or your system's like), {OR}; then cargo xtask setup again"
        ),
        Err(e) => Err(e).context("failed to start python3"),
    }
}

fn kept(lock: &CacheLock<'_>, name: &str, wheel: &Wheel) -> PathBuf {
    lock.downloads(name)
        .join(format!("{}.whl", wheel.requirement))
}

/// Whether the wheel lies in `downloads/NAME`, left by a set-up that was stopped later.
pub fn is_downloaded(lock: &CacheLock<'_>, name: &str, wheel: &Wheel) -> bool {
    kept(lock, name, wheel).is_file()
}

/// The wheel's file in `downloads/NAME`, got with pip where it is not there yet.
pub fn download(lock: &CacheLock<'_>, name: &str, wheel: &Wheel) -> Result<PathBuf> {
    let kept = kept(lock, name, wheel);
    if is_downloaded(lock, name, wheel) {
        say(&format!("{} was downloaded before", wheel.requirement));
        return Ok(kept);
    }
    check_pip()?;
    if let Some(part) = &wheel.part {
        say(&format!(
            "downloading the needed part of {} (about {} MiB)",
            wheel.requirement, part.mib
        ));
        match download_part(lock, wheel, part) {
            Ok(got) => {
                keep(&got, &kept)?;
                return Ok(kept);
            }
            Err(reason) => say(&format!(
                "that did not work ({reason:#}); getting all of it"
            )),
        }
    }
    say(&format!(
        "downloading {} with pip (about {} MiB)",
        wheel.requirement, wheel.mib
    ));
    let folder = lock.tmp().join("download");
    fs::create_dir_all(&folder).with_context(|| format!("failed to make {}", folder.display()))?;
    let list = lock.tmp().join("requirements.txt");
    fs::write(
        &list,
        format!("{} --hash=sha256:{}\n", wheel.requirement, wheel.sha256),
    )
    .with_context(|| format!("failed to write {}", list.display()))?;
    let status = Command::new("python3")
        .args([
            "-m",
            "pip",
            "download",
            "--no-deps",
            "--only-binary=:all:",
            "--require-hashes",
        ])
        // The wheel is in our hands until it is unpacked; a copy in pip's own cache would only fill
        // the disk.
        .args(PIP_QUIET)
        .args([
            "--python-version",
            "3.12",
            "--platform",
            wheel.platform,
            "--dest",
        ])
        .arg(&folder)
        .arg("--requirement")
        .arg(&list)
        // pip fills its temporary folder first, and the system's may be small.
        .env("TMPDIR", lock.tmp())
        .env("PIP_REQUIRE_VIRTUALENV", "0")
        .stdin(lock.share()?)
        .status()
        .context("failed to start python3")?;
    if !status.success() {
        bail!(
            "pip could not get {} for {} ({status}); its own words stand above\n  next: see whether the network and \
             pip's index are reachable (python3 -m pip config list shows its settings) and try again; what was done \
             is kept",
            wheel.requirement,
            wheel.platform
        );
    }
    let got: Vec<PathBuf> = fs::read_dir(&folder)
        .with_context(|| format!("failed to list {}", folder.display()))?
        .filter_map(|e| Some(e.ok()?.path()).filter(|p| p.extension().is_some_and(|x| x == "whl")))
        .collect();
    let [file] = got.as_slice() else {
        bail!(
            "pip left {} wheels of {} where one was expected",
            got.len(),
            wheel.requirement
        );
    };
    keep(file, &kept)?;
    Ok(kept)
}

/// Moves a whole download to where the next set-up would find it.
fn keep(file: &Path, kept: &Path) -> Result<()> {
    let folder = kept.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)
        .and_then(|()| fs::rename(file, kept))
        .with_context(|| format!("failed to move {} into place", kept.display()))
}

/// For all calls of pip.
const PIP_QUIET: [&str; 3] = [
    "--no-cache-dir",
    "--disable-pip-version-check",
    "--no-input",
];

/// A zip of the wanted members. pip finds the wheel, by its settings, and a script reads the
/// members from where it lies.
fn download_part(lock: &CacheLock<'_>, wheel: &Wheel, part: &Part) -> Result<PathBuf> {
    let (report, out) = (lock.tmp().join("report.json"), lock.tmp().join("part.zip"));
    let mut find = Command::new("python3");
    find.args([
        "-m",
        "pip",
        "install",
        "--dry-run",
        "--quiet",
        "--ignore-installed",
        "--no-deps",
        "--only-binary=:all:",
    ])
    .args(PIP_QUIET)
    // Where the index has no metadata beside the wheels, pip reads that by ranges, too.
    .args([
        "--use-feature=fast-deps",
        "--python-version",
        "3.12",
        "--platform",
        wheel.platform,
        "--target",
    ])
    .arg(lock.tmp().join("target"))
    .arg("--report")
    .arg(&report)
    .arg(wheel.requirement);
    run_quietly(lock, &mut find, "pip")?;
    let mut get = Command::new("python3");
    get.args(["-c", PARTIAL_WHEEL])
        .arg(&report)
        .args([wheel.sha256, part.record_sha256])
        .arg(&out)
        .args(part.prefixes);
    run_quietly(lock, &mut get, "the download")?;
    Ok(out)
}

fn run_quietly(lock: &CacheLock<'_>, command: &mut Command, what: &str) -> Result<()> {
    let output = command
        .env("TMPDIR", lock.tmp())
        .env("PIP_REQUIRE_VIRTUALENV", "0")
        .stdin(lock.share()?)
        // Progress, on a terminal.
        .stdout(Stdio::inherit())
        .output()
        .context("failed to start python3")?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        bail!(
            "{what}: {}",
            words.lines().last().unwrap_or("it gives no reason").trim()
        );
    }
    Ok(())
}

/// Unpacks the members that `wanted` picks into `folder`; the archive's checksums are compared on
/// the way. Returns how many members that were.
pub fn unpack(wheel: &Path, folder: &Path, wanted: &dyn Fn(&str) -> bool) -> Result<usize> {
    let broken = || {
        // Without the file the next set-up downloads it again.
        let _ = fs::remove_file(wheel);
        format!(
            "{} is broken and was removed\n  next: cargo xtask setup again",
            wheel.display()
        )
    };
    let file = File::open(wheel).with_context(|| format!("failed to open {}", wheel.display()))?;
    let mut archive = zip::ZipArchive::new(file).with_context(broken)?;
    let mut members = Vec::new();
    let mut total = 0;
    for i in 0..archive.len() {
        let member = archive.by_index(i).with_context(broken)?;
        if member.is_file() && wanted(&member.name().with_context(broken)?) {
            members.push(i);
            total += member.size();
        }
    }
    let name = wheel
        .file_stem()
        .map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    let mut progress = ByteProgress::new(&format!("setup: unpacking {name}"), total);
    let mut buffer = vec![0; 1 << 20];
    for &i in &members {
        let mut member = archive.by_index(i).with_context(broken)?;
        let Some(inside) = member.enclosed_name() else {
            bail!(
                "{}: member number {i} would leave the folder it is unpacked into",
                wheel.display()
            );
        };
        let path = folder.join(inside);
        let writing = || format!("failed to write {}", path.display());
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).with_context(writing)?;
        }
        let mut out = File::create(&path).with_context(writing)?;
        loop {
            let n = member.read(&mut buffer).with_context(broken)?;
            if n == 0 {
                break;
            }
            out.write_all(&buffer[..n]).with_context(writing)?;
            progress.add(n as u64);
        }
        if let Some(mode) = member.unix_mode().filter(|mode| mode & 0o111 != 0) {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode & 0o777))
                .with_context(writing)?;
        }
    }
    progress.finish();
    Ok(members.len())
}
