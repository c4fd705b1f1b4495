//! Runs one row: copies the valid corpus, corrupts it, uses it, and compares the error.

use crate::corpus;
use mosei_data::{Csd, DataConfig, DataError, Prepared, prepare};
use std::collections::BTreeSet;
use std::path::Path;

/// Memory that no row may take this process beyond, bytes: that of a few rows at a time.
pub const MOST_MEMORY: u64 = 512 << 20;

/// Makes a broken input of a folder with a good corpus, and uses it; the words of its refusal.
type Run = Box<dyn Fn(&Path) -> Result<(), String>>;

/// A broken input.
pub struct Case {
    /// What is wrong.
    pub name: String,
    run: Run,
    /// What must be said; folders of this machine are left out.
    said: String,
}

/// A row whose corpus or configuration is prepared.
pub fn prepared(name: &str, spoil: impl Fn(&Path, &mut DataConfig) + 'static, said: &str) -> Case {
    row(name, said, move |dir| {
        std::fs::remove_dir_all(dir.join("out")).unwrap();
        let mut config = corpus::config();
        spoil(dir, &mut config);
        let before = entries(dir);
        let result = prepare(&config, dir, &dir.join("out"), &mut |_, _| {});
        assert!(
            result.is_ok() || entries(dir) == before,
            "nothing stays of what was refused"
        );
        result.map(drop).map_err(|e| words(&e))
    })
}

/// A row whose features file is opened and read to the end.
pub fn read(name: &str, spoil: impl Fn(&Path) + 'static, said: &str) -> Case {
    row(name, said, move |dir| {
        let path = dir.join("f.csd");
        spoil(&path);
        let csd = Csd::open(&path).map_err(|e| words(&e))?;
        csd.videos()
            .iter()
            .try_for_each(|video| csd.read(&video.id).map(drop))
            .map_err(|e| words(&e))
    })
}

/// A row whose prepared folder is opened and its frames are checked.
pub fn opened(name: &str, spoil: impl Fn(&Path) + 'static, said: &str) -> Case {
    row(name, said, move |dir| {
        let folder = dir.join("out");
        spoil(&folder);
        Prepared::open(&folder)
            .and_then(|prepared| prepared.check_frames())
            .map_err(|e| words(&e))
    })
}

/// A row of a configuration's `[data]` table: where it can be read, it is checked.
pub fn configured(lines: &str, said: &str) -> Case {
    let text = lines.to_string();
    row(lines, said, move |_| {
        let config: DataConfig = toml::from_str(&text).map_err(|e| e.message().to_string())?;
        config.check().map_err(|e| e.to_string())
    })
}

fn row(name: &str, said: &str, run: impl Fn(&Path) -> Result<(), String> + 'static) -> Case {
    Case {
        name: name.into(),
        run: Box::new(run),
        said: said.into(),
    }
}

/// Runs the rows of a subject and reports all with another error.
pub fn check(cases: Vec<Case>) {
    let mut wrong = Vec::new();
    for Case { name, run, said } in &cases {
        let dir = tempfile::tempdir().unwrap();
        corpus::copy_to(dir.path());
        let found = match run(dir.path()) {
            Ok(()) => "accepted".to_string(),
            Err(words) => words.replace(&format!("{}/", dir.path().display()), ""),
        };
        if found != *said {
            wrong.push(format!("{name}\n  expected: {said}\n  found:    {found}\n"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {} rows:\n{}",
        wrong.len(),
        cases.len(),
        wrong.concat()
    );
    if let Some(most) = most_memory() {
        assert!(most <= MOST_MEMORY, "{most} bytes of memory");
    }
}

/// The error text, with the reason of a JSON error but not its line, and without the reasons of
/// other libraries. Hashes become `#`.
fn words(error: &DataError) -> String {
    let mut words = error.to_string();
    if let DataError::Json { source, .. } = error {
        let reason = source.to_string();
        words = format!("{words}: {}", reason.split(" at line ").next().unwrap());
    }
    let hashes: Vec<String> = words
        .split(|c: char| !c.is_ascii_hexdigit())
        .filter(|h| h.len() == 64)
        .map(String::from)
        .collect();
    hashes
        .iter()
        .fold(words, |words, hash| words.replace(hash, "#"))
}

fn entries(dir: &Path) -> BTreeSet<std::ffi::OsString> {
    std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect()
}

/// The most memory that this process has had, where the system says so.
fn most_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? << 10)
}
