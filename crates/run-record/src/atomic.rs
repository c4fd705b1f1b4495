//! Files and folders that are there whole or not at all: written beside their place, synced, then renamed.

use crate::RecordError;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Writes a whole file: to a temporary name in the same folder, synced, then renamed over `path`.
///
/// Missing parent folders are made.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<(), RecordError> {
    let mut staged = StagedFile::create(path)?;
    staged.file_mut().write_all(bytes).map_err(RecordError::io("write", path))?;
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

fn sync_folder(path: &Path) -> Result<(), RecordError> {
    // A rename is only durable once the folder that holds the name is.
    File::open(path).and_then(|f| f.sync_all()).map_err(RecordError::io("sync", path))
}

/// A file under construction; dropped without [`StagedFile::commit`] it leaves nothing behind.
#[derive(Debug)]
pub struct StagedFile {
    target: PathBuf,
    temporary: tempfile::NamedTempFile,
}

impl StagedFile {
    /// Starts a file that will stand at `path`; missing parent folders are made.
    pub fn create(path: &Path) -> Result<Self, RecordError> {
        let parent = parent_of(path);
        // A rename would put a file in the place of a device such as /dev/null.
        match fs::metadata(path) {
            Ok(found) if !found.is_file() => {
                let found = if found.is_dir() { "a folder" } else { "a device or the like" };
                return Err(RecordError::NoFile { path: path.to_path_buf(), found });
            }
            _ => {}
        }
        fs::create_dir_all(&parent).map_err(RecordError::io("make folder", &parent))?;
        let mut builder = tempfile::Builder::new();
        #[cfg(unix)]
        {
            // Temporary files are private by default; results are meant to be as readable as any other file.
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(fs::Permissions::from_mode(0o666));
        }
        let temporary =
            builder.prefix(".tmp-").tempfile_in(&parent).map_err(RecordError::io("make a file in", &parent))?;
        Ok(StagedFile { target: path.to_path_buf(), temporary })
    }

    /// Where the bytes go meanwhile.
    pub fn file_mut(&mut self) -> &mut File {
        self.temporary.as_file_mut()
    }

    /// A second handle on the file under construction.
    pub fn reopen(&self) -> Result<File, RecordError> {
        self.temporary.as_file().try_clone().map_err(RecordError::io("open", &self.target))
    }

    /// Syncs the bytes and moves the file to its place.
    pub fn commit(self) -> Result<(), RecordError> {
        let StagedFile { target, temporary } = self;
        temporary.as_file().sync_all().map_err(RecordError::io("sync", &target))?;
        temporary.persist(&target).map_err(|e| RecordError::Io {
            action: "rename",
            path: target.clone(),
            source: e.error,
        })?;
        sync_folder(&parent_of(&target))
    }
}

/// A folder under construction; dropped without [`StagedDir::commit`] it leaves nothing behind.
#[derive(Debug)]
pub struct StagedDir {
    target: PathBuf,
    temporary: tempfile::TempDir,
}

impl StagedDir {
    /// Starts a folder that will stand at `path`; missing parent folders are made.
    pub fn create(path: &Path) -> Result<Self, RecordError> {
        let parent = parent_of(path);
        fs::create_dir_all(&parent).map_err(RecordError::io("make folder", &parent))?;
        let mut builder = tempfile::Builder::new();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(fs::Permissions::from_mode(0o777));
        }
        let temporary =
            builder.prefix(".tmp-").tempdir_in(&parent).map_err(RecordError::io("make a folder in", &parent))?;
        Ok(StagedDir { target: path.to_path_buf(), temporary })
    }

    /// Where the files go meanwhile.
    pub fn path(&self) -> &Path {
        self.temporary.path()
    }

    /// Moves the folder to its place; a folder that stands there is replaced.
    pub fn commit(self) -> Result<(), RecordError> {
        let StagedDir { target, temporary } = self;
        sync_folder(temporary.path())?;
        if target.exists() {
            // Not atomic on any file system: a crash in between leaves no folder, which reads as "not done".
            fs::remove_dir_all(&target).map_err(RecordError::io("replace", &target))?;
        }
        // Where the rename fails, dropping `temporary` still removes what was built.
        fs::rename(temporary.path(), &target).map_err(RecordError::io("rename", &target))?;
        let _moved = temporary.keep();
        sync_folder(&parent_of(&target))
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
    fn only_a_file_is_replaced_by_a_file() {
        let dir = tempfile::tempdir().unwrap();
        let message = write_atomic(dir.path(), b"x").unwrap_err().to_string();
        assert!(message.ends_with("expected a file or nothing there, found a folder"), "{message}");
        #[cfg(unix)]
        {
            // A device in /dev is the case to guard against; a link to one is as good, and harmless to lose.
            let link = dir.path().join("null");
            std::os::unix::fs::symlink("/dev/null", &link).unwrap();
            let message = write_atomic(&link, b"x").unwrap_err().to_string();
            assert!(message.ends_with("found a device or the like"), "{message}");
        }
    }

    #[test]
    fn a_folder_that_cannot_be_moved_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("file"), "in the way").unwrap();
        let staged = StagedDir::create(&dir.path().join("file")).unwrap();
        assert!(staged.commit().is_err());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_committed_file_replaces_the_old_one_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.txt");
        write_atomic(&path, b"first, and longer").unwrap();
        write_atomic(&path, b"second").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
    }

    #[test]
    fn a_committed_folder_replaces_the_old_one_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("c");
        for name in ["one", "two"] {
            let staged = StagedDir::create(&path).unwrap();
            fs::write(staged.path().join(name), name).unwrap();
            staged.commit().unwrap();
        }
        let names: Vec<_> = fs::read_dir(&path).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(names, ["two"]);
    }
}
