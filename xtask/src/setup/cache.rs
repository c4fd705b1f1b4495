//! The cache folder: what is whole in it, what is being made, and who may write.
//!
//! Layout: `NAME/` holds a thing that is whole, with `complete.json` listing its files;
//! `downloads/NAME/` wheels that are whole but not yet unpacked; `tmp/` whatever is under way,
//! emptied by the next set-up; `setup.lock` the lock.

use super::say;
use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use std::env;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

const MARKER: &str = "complete.json";
const MIB: u64 = 1 << 20;

/// The files of a thing in the cache with their sizes in bytes; written when all are there.
#[derive(Serialize, Deserialize)]
struct Marker {
    files: Vec<(PathBuf, u64)>,
}

/// The user's cache folder for this program.
pub struct Cache {
    folder: PathBuf,
}

impl Cache {
    /// Finds the folder; makes nothing.
    pub fn find() -> Result<Self> {
        let absolute = |variable: &str| {
            env::var_os(variable)
                .map(PathBuf::from)
                .filter(|p| p.is_absolute())
        };
        let base = match (absolute("XDG_CACHE_HOME"), absolute("HOME")) {
            (Some(cache), _) => cache,
            (None, Some(home)) if cfg!(target_os = "macos") => home.join("Library/Caches"),
            (None, Some(home)) => home.join(".cache"),
            (None, None) => bail!(
                "no cache folder: neither XDG_CACHE_HOME nor HOME is an absolute path\n  next: export XDG_CACHE_HOME=FOLDER"
            ),
        };
        Ok(Cache {
            folder: base.join("mosei-ssl"),
        })
    }

    /// Where the thing of that name stands, or will.
    pub fn place(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The thing of that name, if it is there with all its files at their sizes.
    pub fn complete(&self, name: &str) -> Option<PathBuf> {
        let place = self.place(name);
        let marker: Marker = serde_json::from_slice(&fs::read(place.join(MARKER)).ok()?).ok()?;
        let whole = marker
            .files
            .iter()
            .all(|(file, size)| fs::metadata(place.join(file)).is_ok_and(|m| m.len() == *size));
        whole.then_some(place)
    }

    /// Waits until no other set-up writes, and empties `tmp`, where a killed one may have left
    /// things.
    pub fn lock(&self) -> Result<CacheLock<'_>> {
        let folder = &self.folder;
        fs::create_dir_all(folder).with_context(|| {
            format!(
                "failed to make the cache folder {}\n  next: make it writable, or export XDG_CACHE_HOME=FOLDER",
                folder.display()
            )
        })?;
        let path = folder.join("setup.lock");
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .read(true)
            .open(&path)
            .with_context(|| format!("failed to open {}", path.display()))?;
        if let Err(TryLockError::WouldBlock) = file.try_lock() {
            say(&format!(
                "another set-up, or a download that a stopped one left, holds {}; waiting",
                path.display()
            ));
        }
        file.lock()
            .with_context(|| format!("failed to lock {}", path.display()))?;
        let lock = CacheLock { cache: self, file };
        let tmp = lock.tmp();
        if tmp.exists() {
            fs::remove_dir_all(&tmp)
                .with_context(|| format!("failed to empty {}", tmp.display()))?;
        }
        fs::create_dir_all(&tmp).with_context(|| format!("failed to make {}", tmp.display()))?;
        Ok(lock)
    }
}

impl Drop for CacheLock<'_> {
    fn drop(&mut self) {
        // What is left of a set-up that failed is of no use to the next, but for whole downloads.
        let _ = fs::remove_dir_all(self.tmp());
        // Removed only when empty.
        let _ = fs::remove_dir(self.cache.folder.join("downloads"));
    }
}

/// The right to write into the cache.
pub struct CacheLock<'a> {
    cache: &'a Cache,
    file: File,
}

impl CacheLock<'_> {
    /// Where things are made; on the file system of their later place.
    pub fn tmp(&self) -> PathBuf {
        self.cache.folder.join("tmp")
    }

    /// Where the whole wheels of the thing of that name are kept until it is unpacked.
    pub fn downloads(&self, name: &str) -> PathBuf {
        self.cache.folder.join("downloads").join(name)
    }

    /// A handle for a process that we start: while it lives, the lock holds, even if we are killed.
    pub fn share(&self) -> Result<File> {
        self.file
            .try_clone()
            .context("failed to share the lock of the cache")
    }

    /// Moves a folder of `tmp` to its place as the thing of that name, with the list of its files,
    /// and drops its wheels.
    pub fn commit(&self, built: &Path, name: &str) -> Result<PathBuf> {
        let marker = Marker {
            files: files_below(built)?,
        };
        fs::write(built.join(MARKER), serde_json::to_vec(&marker)?)
            .with_context(|| format!("failed to write {}", built.join(MARKER).display()))?;
        let place = self.cache.place(name);
        if place.exists() {
            fs::remove_dir_all(&place)
                .with_context(|| format!("failed to remove {}", place.display()))?;
        }
        fs::rename(built, &place)
            .with_context(|| format!("failed to move {} into place", place.display()))?;
        let downloads = self.downloads(name);
        if downloads.exists() {
            fs::remove_dir_all(&downloads)
                .with_context(|| format!("failed to remove {}", downloads.display()))?;
        }
        match self.cache.complete(name) {
            Some(place) => Ok(place),
            None => bail!(
                "{} lost files while it was made\n  next: try again",
                place.display()
            ),
        }
    }

    /// Refuses to begin what would fill the disk.
    pub fn check_space(&self, what: &str, needed_mib: u64) -> Result<()> {
        let folder = &self.cache.folder;
        let disk = rustix::fs::statvfs(folder)
            .with_context(|| format!("failed to ask for the space in {}", folder.display()))?;
        let free_mib = disk.f_bavail.saturating_mul(disk.f_frsize) / MIB;
        if free_mib < needed_mib {
            bail!(
                "too little space in {}: {what} needs {needed_mib} MiB for a while, {free_mib} MiB are free\n  \
                 next: make room there, or export XDG_CACHE_HOME=FOLDER on a larger disk",
                folder.display()
            );
        }
        Ok(())
    }
}

/// Every file below a folder, links followed, with its size; in a fixed order.
fn files_below(top: &Path) -> Result<Vec<(PathBuf, u64)>> {
    let (mut files, mut open) = (Vec::new(), vec![PathBuf::new()]);
    while let Some(folder) = open.pop() {
        let list = fs::read_dir(top.join(&folder))
            .with_context(|| format!("failed to list {}", top.join(&folder).display()))?;
        for entry in list {
            let entry =
                entry.with_context(|| format!("failed to list {}", top.join(&folder).display()))?;
            let path = folder.join(entry.file_name());
            let data = fs::metadata(top.join(&path))
                .with_context(|| format!("failed to look at {}", path.display()))?;
            if data.is_dir() {
                open.push(path)
            } else {
                files.push((path, data.len()))
            }
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_committed_thing_with_all_its_files_is_complete() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache {
            folder: dir.path().to_path_buf(),
        };
        let lock = cache.lock().unwrap();
        let built = lock.tmp().join("thing");
        fs::create_dir_all(built.join("lib")).unwrap();
        fs::write(built.join("lib/a.so"), "12345").unwrap();
        assert!(cache.complete("thing").is_none());
        let place = lock.commit(&built, "thing").unwrap();
        assert_eq!(cache.complete("thing"), Some(place.clone()));
        fs::write(place.join("lib/a.so"), "123").unwrap();
        assert!(cache.complete("thing").is_none(), "a file cut short");
        fs::remove_file(place.join("lib/a.so")).unwrap();
        assert!(cache.complete("thing").is_none(), "a file gone");
    }

    #[test]
    fn the_lock_empties_what_a_killed_setup_left() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache {
            folder: dir.path().to_path_buf(),
        };
        fs::create_dir_all(dir.path().join("tmp/half")).unwrap();
        let lock = cache.lock().unwrap();
        assert_eq!(fs::read_dir(lock.tmp()).unwrap().count(), 0);
    }

    #[test]
    fn too_little_space_is_said_before_the_download() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache {
            folder: dir.path().to_path_buf(),
        };
        let lock = cache.lock().unwrap();
        lock.check_space("a pebble", 0).unwrap();
        let message = lock
            .check_space("the moon", u64::MAX)
            .unwrap_err()
            .to_string();
        assert!(
            message.contains("the moon needs") && message.contains("next: make room"),
            "{message}"
        );
    }
}
