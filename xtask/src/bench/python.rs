//! The interpreter of the peers: one that is named, or a virtual environment in the user's cache.

use crate::setup::cache::Cache;
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What the peers' packages take on disk while they are installed, most of it PyTorch's libraries for graphics cards.
const NEEDED_MIB: u64 = 9000;
const PREFIX: &str = "bench-python-";
const OR: &str = "or name an interpreter that has the packages: cargo xtask bench --python PATH";

/// An interpreter with the packages of `benches/peers/requirements.txt`; made where it is not whole.
pub fn ensure(root: &Path) -> Result<PathBuf> {
    let list = root.join("benches/peers/requirements.txt");
    let text = fs::read_to_string(&list).with_context(|| format!("failed to read {}", list.display()))?;
    let cache = Cache::find()?;
    let name = format!("{PREFIX}{}", key(&text, &interpreter()?));
    let python = |place: PathBuf| place.join("bin/python");
    if let Some(place) = cache.complete(&name) {
        return Ok(python(place));
    }
    let lock = cache.lock()?;
    // Another bench may have made it while we waited.
    if let Some(place) = cache.complete(&name) {
        return Ok(python(place));
    }
    say!("bench: a virtual environment for the peers goes to {} (about 5 GB)", cache.place(&name).display());
    lock.check_space("the peers' virtual environment", NEEDED_MIB)?;
    let folder = lock.tmp().join(&name);
    let run = |what: &str, command: &mut Command| -> Result<()> {
        // pip fills its temporary folder first, and the system's may be small.
        command.env("TMPDIR", lock.tmp()).stdin(lock.share()?);
        let status = command.status().with_context(|| format!("failed to start {what}"))?;
        if !status.success() {
            bail!("{what} failed ({status}); its own words stand above\n  next: mend that and try again, {OR}");
        }
        Ok(())
    };
    run("python3 -m venv", Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
    let mut pip = Command::new(folder.join("bin/python"));
    pip.args([
        "-m",
        "pip",
        "install",
        "--only-binary=:all:",
        "--no-input",
        "--disable-pip-version-check",
        "--no-cache-dir",
    ]);
    run("pip install of the peers' packages", pip.arg("--requirement").arg(&list))?;
    Ok(python(lock.commit(&folder, &name)?))
}

/// What Python says of itself: another one gets another environment.
fn interpreter() -> Result<String> {
    let output = Command::new("python3").arg("-VV").stdin(Stdio::null()).output();
    match output {
        Ok(output) if output.status.success() => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        _ => bail!("no python3 on the PATH, for the peers in Python\n  next: install one with venv and pip, {OR}"),
    }
}

fn key(requirements: &str, interpreter: &str) -> String {
    let hash = blake3::hash(format!("{interpreter}\n{requirements}").as_bytes());
    hash.to_hex()[..12].to_string()
}

#[cfg(test)]
mod tests {
    use super::key;

    #[test]
    fn another_list_or_interpreter_has_another_place() {
        let one = key("torch==1\n", "Python 3.11");
        assert_ne!(one, key("torch==2\n", "Python 3.11"));
        assert_ne!(one, key("torch==1\n", "Python 3.12"));
        assert_eq!(one.len(), 12);
    }
}
