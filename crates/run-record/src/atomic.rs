//! Atomic files and folders: written under a temporary name next to the target, synced, then
//! renamed.
//!
//! The temporary name is `.tmp-NAME-` with a random suffix, and the writing process holds a lock on
//! it. If the process is killed, the unlocked rest is removed by the next process that writes
//! `NAME`.

use crate::{RecordError, sums};
use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Writes a file atomically: to a temporary name in the same folder, synced, then renamed to
/// `path`.
///
/// Missing parent folders are created.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<(), RecordError> {
    let mut staged = StagedFile::create(path)?;
    staged
        .file_mut()
        .write_all(bytes)
        .map_err(RecordError::io("write", path))?;
    staged.commit()
}

/// Reads a text file; the error names it.
pub fn read_to_string(path: &Path) -> Result<String, RecordError> {
    fs::read_to_string(path).map_err(RecordError::io("read", path))
}

fn parent_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(p) if !p.as_os_str().is_empty() => p.to_path_buf(),
        _ => PathBuf::from("."),
    }
}

/// Name of a replaced folder inside the temporary folder that it is moved into.
const REPLACED: &str = "replaced";

/// The temporary name for `target` without its random suffix.
fn prefix(target: &Path) -> OsString {
    let mut prefix = OsString::from(".tmp-");
    prefix.push(target.file_name().unwrap_or_default());
    prefix.push("-");
    prefix
}

/// Removes the temporary files and folders for `target` that killed processes left behind.
fn remove_leftovers(parent: &Path, target: &Path) {
    let prefix = prefix(target);
    // Best effort: a leftover that cannot be removed does no harm.
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name();
        if !name
            .as_encoded_bytes()
            .starts_with(prefix.as_encoded_bytes())
        {
            continue;
        }
        let path = entry.path();
        let in_use =
            File::open(&path).is_ok_and(|f| matches!(f.try_lock(), Err(TryLockError::WouldBlock)));
        if !in_use {
            let _ = if path.is_dir() {
                fs::remove_dir_all(&path)
            } else {
                fs::remove_file(&path)
            };
        }
    }
}

fn sync_folder(path: &Path) -> Result<(), RecordError> {
    // A rename is only durable once the folder that holds the name is.
    File::open(path)
        .and_then(|f| f.sync_all())
        .map_err(RecordError::io("sync", path))
}

/// A file being written. Dropped without [`StagedFile::commit`], it leaves nothing behind.
#[derive(Debug)]
pub struct StagedFile {
    target: PathBuf,
    temporary: tempfile::NamedTempFile,
}

impl StagedFile {
    /// Starts a file for `path`. Missing parent folders are created.
    pub fn create(path: &Path) -> Result<Self, RecordError> {
        let parent = parent_of(path);
        // The rename would replace a device such as /dev/null by a file.
        match fs::metadata(path) {
            Ok(found) if !found.is_file() => {
                let found = if found.is_dir() {
                    "a folder"
                } else {
                    "a device or other special file"
                };
                return Err(RecordError::NoFile {
                    path: path.to_path_buf(),
                    found,
                });
            }
            _ => {}
        }
        fs::create_dir_all(&parent).map_err(RecordError::io("create folder", &parent))?;
        let mut builder = tempfile::Builder::new();
        #[cfg(unix)]
        {
            // Temporary files are private by default; results get the usual permissions.
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(fs::Permissions::from_mode(0o666));
        }
        remove_leftovers(&parent, path);
        let prefix = prefix(path);
        let temporary = builder
            .prefix(&prefix)
            .tempfile_in(&parent)
            .map_err(RecordError::io("create a file in", &parent))?;
        // On a file system without locks this fails, and then leftovers are not removed either.
        let _ = temporary.as_file().try_lock();
        Ok(StagedFile {
            target: path.to_path_buf(),
            temporary,
        })
    }

    /// The temporary file to write to.
    pub fn file_mut(&mut self) -> &mut File {
        self.temporary.as_file_mut()
    }

    /// A second handle of the temporary file.
    pub fn reopen(&self) -> Result<File, RecordError> {
        self.temporary
            .as_file()
            .try_clone()
            .map_err(RecordError::io("open", &self.target))
    }

    /// Syncs the content and renames the file to its target.
    pub fn commit(self) -> Result<(), RecordError> {
        let StagedFile { target, temporary } = self;
        let (file, temporary) = temporary.into_parts();
        file.sync_all().map_err(RecordError::io("sync", &target))?;
        fs::rename(&temporary, &target).map_err(RecordError::io("rename", &target))?;
        // The temporary name no longer exists, so there is nothing to remove on drop.
        let _ = temporary.keep();
        sync_folder(&parent_of(&target))
    }
}

/// A folder being written. Dropped without [`StagedDir::commit`], it leaves nothing behind.
#[derive(Debug)]
pub struct StagedDir {
    target: PathBuf,
    temporary: tempfile::TempDir,
    /// The folder itself, locked while it is being written.
    _lock: Option<File>,
}

impl StagedDir {
    /// Starts a folder for `path`. Missing parent folders are created.
    pub fn create(path: &Path) -> Result<Self, RecordError> {
        let parent = parent_of(path);
        fs::create_dir_all(&parent).map_err(RecordError::io("create folder", &parent))?;
        let mut builder = tempfile::Builder::new();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(fs::Permissions::from_mode(0o777));
        }
        remove_leftovers(&parent, path);
        let prefix = prefix(path);
        let temporary = builder
            .prefix(&prefix)
            .tempdir_in(&parent)
            .map_err(RecordError::io("create a folder in", &parent))?;
        let _lock = File::open(temporary.path())
            .ok()
            .filter(|folder| folder.try_lock().is_ok());
        Ok(StagedDir {
            target: path.to_path_buf(),
            temporary,
            _lock,
        })
    }

    /// The temporary folder to write to.
    pub fn path(&self) -> &Path {
        self.temporary.path()
    }

    /// Writes the checksums of the files into the folder (see [`check_sums`](crate::check_sums)),
    /// syncs everything and renames the folder to its target. An existing folder is replaced.
    pub fn commit(self) -> Result<(), RecordError> {
        sums::write(self.path())?;
        self.commit_as_is()
    }

    /// As [`StagedDir::commit`] without checksums, for a folder with its own integrity data or
    /// without need of any.
    pub fn commit_as_is(self) -> Result<(), RecordError> {
        let StagedDir {
            target,
            temporary,
            _lock,
        } = self;
        sums::sync_all(temporary.path())?;
        let parent = parent_of(&target);
        // A folder cannot be replaced atomically. The old one is moved aside first, so that it
        // never exists in part: after a crash in between there is no folder, which counts as "not
        // done".
        let aside = match fs::metadata(&target) {
            Ok(found) if !found.is_dir() => return Err(RecordError::NoFolder { path: target }),
            Ok(_) => {
                let old = tempfile::Builder::new()
                    .prefix(&prefix(&target))
                    .tempdir_in(&parent)
                    .map_err(RecordError::io("create a folder in", &parent))?;
                fs::rename(&target, old.path().join(REPLACED))
                    .map_err(RecordError::io("replace", &target))?;
                Some(old)
            }
            Err(_) => None,
        };
        if let Err(source) = fs::rename(temporary.path(), &target) {
            // Dropping `temporary` removes the new folder; the old one is restored.
            if let Some(old) = &aside {
                let _ = fs::rename(old.path().join(REPLACED), &target);
            }
            return Err(RecordError::Io {
                action: "rename",
                path: target,
                source,
            });
        }
        let _moved = temporary.keep();
        sync_folder(&parent)?;
        aside.map_or(Ok(()), |old| {
            old.close()
                .map_err(RecordError::io("remove the old version of", &target))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_uncommitted_file_or_folder_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let mut file = StagedFile::create(&dir.path().join("a/b.txt")).unwrap();
        file.file_mut().write_all(b"half").unwrap();
        drop(file);
        let folder = StagedDir::create(&dir.path().join("a/c")).unwrap();
        fs::write(folder.path().join("x"), "half").unwrap();
        drop(folder);
        assert_eq!(fs::read_dir(dir.path().join("a")).unwrap().count(), 0);
    }

    #[test]
    fn what_a_killed_process_left_is_removed_and_what_lives_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let names = || {
            let names = fs::read_dir(dir.path())
                .unwrap()
                .map(|e| e.unwrap().file_name().into_string().unwrap());
            names.collect::<Vec<_>>()
        };
        fs::write(dir.path().join(".tmp-a.txt-killed"), "half").unwrap();
        fs::create_dir(dir.path().join(".tmp-a.txt-folder")).unwrap();
        fs::write(dir.path().join(".tmp-b.txt-other"), "of another target").unwrap();
        let first = StagedFile::create(&dir.path().join("a.txt")).unwrap();
        let second = StagedFile::create(&dir.path().join("a.txt")).unwrap();
        let (one, two) = (
            StagedDir::create(&dir.path().join("c")).unwrap(),
            dir.path().join("c"),
        );
        let other = StagedDir::create(&two).unwrap();
        assert_eq!(names().len(), 5, "{:?}", names());
        for file in [first, second] {
            file.commit().unwrap();
        }
        for folder in [one, other] {
            folder.commit().unwrap();
        }
        let mut left = names();
        left.sort();
        assert_eq!(left, [".tmp-b.txt-other", "a.txt", "c"]);
    }

    #[test]
    fn a_file_replaces_only_files() {
        let dir = tempfile::tempdir().unwrap();
        let message = write_atomic(dir.path(), b"x").unwrap_err().to_string();
        assert!(
            message.ends_with("expected a file or nothing there, found a folder"),
            "{message}"
        );
        #[cfg(unix)]
        {
            // The test uses a link to a device, so that a failure destroys nothing.
            let link = dir.path().join("null");
            std::os::unix::fs::symlink("/dev/null", &link).unwrap();
            let message = write_atomic(&link, b"x").unwrap_err().to_string();
            assert!(
                message.ends_with("found a device or other special file"),
                "{message}"
            );
        }
    }

    #[test]
    fn a_folder_that_cannot_be_renamed_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("file"), "in the way").unwrap();
        let staged = StagedDir::create(&dir.path().join("file")).unwrap();
        let message = staged.commit().unwrap_err().to_string();
        assert!(
            message.ends_with("file: expected a folder or nothing there, found a file"),
            "{message}"
        );
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_committed_file_replaces_the_old_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.txt");
        write_atomic(&path, b"first, and longer").unwrap();
        write_atomic(&path, b"second").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
    }

    #[test]
    fn a_committed_folder_replaces_the_old_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("c");
        for name in ["one", "two"] {
            let staged = StagedDir::create(&path).unwrap();
            fs::write(staged.path().join(name), name).unwrap();
            staged.commit().unwrap();
        }
        let mut names: Vec<_> = fs::read_dir(&path)
            .unwrap()
            .map(|e| e.unwrap().file_name())
            .collect();
        names.sort();
        assert_eq!(names, [sums::SUMS_FILE, "two"]);
    }
}
