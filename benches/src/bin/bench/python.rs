//! The interpreter of the peers: a virtual environment in the user's cache.

use anyhow::{Context, Result, bail};
use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const OR: &str = "or name an interpreter that has the packages: --python PATH";

/// An interpreter with the packages of `benches/peers/requirements.txt`; made where it is not
/// whole.
pub fn ensure(root: &Path) -> Result<PathBuf> {
    let list = root.join("benches/peers/requirements.txt");
    let text =
        fs::read_to_string(&list).with_context(|| format!("failed to read {}", list.display()))?;
    let folder = cache()?.join(format!("bench-python-{}", key(&text, &interpreter()?)));
    let python = folder.join("bin/python");
    // Written when everything is installed.
    let complete = folder.join("installed.txt");
    if complete.is_file() {
        return Ok(python);
    }
    let making = || format!("failed to make {}", folder.display());
    let tmp = folder.with_extension("tmp");
    fs::create_dir_all(&tmp).with_context(making)?;
    // Held to the end: another bench may be making the same environment.
    let lock = File::create(folder.with_extension("lock")).with_context(making)?;
    lock.lock().with_context(making)?;
    if complete.is_file() {
        return Ok(python);
    }
    eprintln!(
        "bench: making a virtual environment for the peers at {} (about 5 GB)",
        folder.display()
    );
    let run = |what: &str, command: &mut Command| -> Result<()> {
        // pip fills its temporary folder first, and the system's may be small.
        let status = command
            .env("TMPDIR", &tmp)
            .stdin(Stdio::null())
            .status()
            .with_context(|| format!("failed to start {what}"))?;
        if !status.success() {
            bail!("{what} failed ({status}); its message is above; fix that and try again, {OR}");
        }
        Ok(())
    };
    run(
        "python3 -m venv --clear",
        Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(&folder),
    )?;
    let mut pip = Command::new(&python);
    pip.args([
        "-m",
        "pip",
        "install",
        "--only-binary=:all:",
        "--no-input",
        "--disable-pip-version-check",
        "--no-cache-dir",
    ]);
    run(
        "pip install of the peers' packages",
        pip.arg("--requirement").arg(&list),
    )?;
    fs::write(&complete, &text).with_context(making)?;
    // Only temporary files are left in it.
    let _ = fs::remove_dir_all(&tmp);
    Ok(python)
}

/// The user's cache folder of this project.
fn cache() -> Result<PathBuf> {
    let absolute = |variable: &str| {
        env::var_os(variable)
            .map(PathBuf::from)
            .filter(|p| p.is_absolute())
    };
    let folder = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")));
    Ok(folder
        .with_context(|| {
            format!("no cache folder: neither XDG_CACHE_HOME nor HOME is an absolute path; {OR}")
        })?
        .join("mosei-ssl"))
}

/// The version of Python: each has its own environment.
fn interpreter() -> Result<String> {
    let output = Command::new("python3")
        .arg("-VV")
        .stdin(Stdio::null())
        .output();
    match output {
        Ok(output) if output.status.success() => {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        }
        _ => bail!(
            "no python3 on the PATH, for the peers in Python: install one with venv and pip, {OR}"
        ),
    }
}

fn key(requirements: &str, interpreter: &str) -> String {
    run_record::hash_bytes(format!("{interpreter}\n{requirements}").as_bytes())[..12].to_string()
}

#[cfg(test)]
mod tests {
    use super::key;

    #[test]
    fn another_list_or_interpreter_has_another_environment() {
        let one = key("torch==1\n", "Python 3.11");
        assert_ne!(one, key("torch==2\n", "Python 3.11"));
        assert_ne!(one, key("torch==1\n", "Python 3.12"));
        assert_eq!(one.len(), 12);
    }
}
