//! Locks between processes.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The name of the file that is locked, in the folder that it stands for.
const NAME: &str = ".gst-mood.lock";

/// How often a file is locked that others remove just then. Each time it is another process that had the lock.
const ATTEMPTS: usize = 100;

/// The exclusive use of a folder among the processes of this program, and among the holders of a process. It ends when it is
/// dropped, or with the process. On a file system without locks everybody gets one.
#[derive(Debug)]
pub struct FileLock {
    path: PathBuf,
    /// Whose lock it is.
    _file: File,
}

impl FileLock {
    /// The use of a folder, which is created where there is none; `None` while another has it.
    ///
    /// # Errors
    /// Where the folder or the file that is locked cannot be created.
    pub fn try_acquire(folder: &Path) -> io::Result<Option<Self>> {
        let path = folder.join(NAME);
        for _ in 0..ATTEMPTS {
            fs::create_dir_all(folder)?;
            let file = match OpenOptions::new().create(true).append(true).mode(0o600).open(&path) {
                // The folder was removed meanwhile.
                Err(_) if !folder.exists() => continue,
                file => file?,
            };
            match file.try_lock() {
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(_)) | Ok(()) => {}
            }
            // Whoever had it has removed the file, and the next comer would lock another one.
            let [locked, named] = [file.metadata().ok(), fs::metadata(&path).ok()]
                .map(|metadata| metadata.map(|metadata| (metadata.dev(), metadata.ino())));
            if locked == named {
                return Ok(Some(Self { path, _file: file }));
            }
        }
        Ok(None)
    }
}

impl Drop for FileLock {
    fn drop(&mut self) {
        // While it is locked. What stays is locked again the next time.
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_has_a_folder_and_nothing_is_left_in_it() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("a/b");
        let first = FileLock::try_acquire(&folder).unwrap().unwrap();
        assert!(FileLock::try_acquire(&folder).unwrap().is_none());
        assert!(FileLock::try_acquire(root.path()).unwrap().is_some(), "another folder");
        drop(first);
        fs::remove_dir(&folder).unwrap();
        // What a killed process leaves is no lock.
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join(NAME), "").unwrap();
        assert!(FileLock::try_acquire(&folder).unwrap().is_some());
        let file = root.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(FileLock::try_acquire(&file).is_err());
    }

    #[test]
    fn what_is_read_changed_and_written_under_a_lock_loses_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("count");
        fs::write(&path, "0").unwrap();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..25 {
                        let lock = loop {
                            match FileLock::try_acquire(folder.path()).unwrap() {
                                Some(lock) => break lock,
                                None => std::thread::yield_now(),
                            }
                        };
                        let count: u32 = fs::read_to_string(&path).unwrap().parse().unwrap();
                        fs::write(&path, (count + 1).to_string()).unwrap();
                        drop(lock);
                    }
                });
            }
        });
        assert_eq!(fs::read_to_string(&path).unwrap(), "200");
    }
}
