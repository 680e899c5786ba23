//! Files that are not complete yet.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// What the names of temporary files begin with, followed by random characters.
const PREFIX: &str = ".gst-mood-";
/// What they end with.
const SUFFIX: &str = ".part";

/// A file beside the one that it is to replace, under another name. It is removed when it is dropped.
#[derive(Debug)]
pub struct TemporaryFile {
    file: NamedTempFile,
    target: PathBuf,
}

impl TemporaryFile {
    /// Creates an empty file that only its owner can read, to become the one at `path`, or the one that a symbolic link there
    /// leads to. Removes what killed processes have left in the folder.
    ///
    /// # Errors
    /// Where the file cannot be created.
    pub fn create_for(path: &Path) -> io::Result<Self> {
        let target = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
        let folder =
            target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        remove_leftovers(folder);
        loop {
            let file = tempfile::Builder::new().prefix(PREFIX).suffix(SUFFIX).tempfile_in(folder)?;
            // A file system without locks has no leftovers that can be told from others.
            let is_locked = file.as_file().lock().is_ok();
            // Another process may have taken it for a leftover before it was locked.
            if !is_locked || file.path().exists() {
                return Ok(Self { file, target });
            }
        }
    }

    /// The open file.
    pub fn as_file(&self) -> &File {
        self.file.as_file()
    }

    /// Where it is while it is not complete.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Replaces the final file.
    ///
    /// # Errors
    /// Where it cannot be renamed; it is then removed.
    pub fn persist(self) -> io::Result<()> {
        self.file.persist(&self.target).map(|_| ()).map_err(|error| error.error)
    }
}

/// Removes the temporary files in a folder that no process is writing. What cannot be removed stays.
pub fn remove_leftovers(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if !name.starts_with(PREFIX) || !name.ends_with(SUFFIX) {
            continue;
        }
        // It stays locked until it is removed, so that who has just created it sees that.
        if let Ok(file) = File::open(entry.path())
            && file.try_lock().is_ok()
        {
            let _ = fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use std::io::Write as _;
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::write;

    /// The sorted names in a folder.
    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_that_cannot_be_written_leaves_the_old_one_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        write(&path, |file| file.write_all(b"old")).unwrap();
        let failed = write(&path, |file| {
            file.write_all(b"new")?;
            Err(io::ErrorKind::StorageFull.into())
        });
        assert_eq!(failed.unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!((fs::read(&path).unwrap(), names(folder.path())), (b"old".to_vec(), vec!["a".into()]));
        assert!(write(&folder.path().join("none/a"), |_| Ok(())).is_err());
        symlink("a", folder.path().join("link")).unwrap();
        write(&folder.path().join("link"), |file| file.write_all(b"new")).unwrap();
        assert!(folder.path().join("link").is_symlink() && fs::read(&path).unwrap() == b"new");
        write(Path::new("/dev/null"), |file| file.write_all(b"nothing")).unwrap();
        assert!(write(folder.path(), |_| Ok(())).is_err(), "a folder is not replaced");
    }

    #[test]
    fn only_files_that_nobody_writes_are_leftovers() {
        let folder = tempfile::tempdir().unwrap();
        let temporary = TemporaryFile::create_for(&folder.path().join("a")).unwrap();
        let written = temporary.path().file_name().unwrap().to_str().unwrap().to_owned();
        // What a killed process leaves, and files of others.
        for name in [".gst-mood-killed.part", "a.part", ".gst-mood-x"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        write(&folder.path().join("b"), |_| Ok(())).unwrap();
        let mut expected = vec![".gst-mood-x".to_owned(), written, "a.part".into(), "b".into()];
        expected.sort();
        assert_eq!(names(folder.path()), expected);
        temporary.persist().unwrap();
        assert!(folder.path().join("a").exists());
    }

    #[test]
    fn many_writers_of_one_file_do_not_disturb_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::thread::scope(|scope| {
            for writer in 0..8u8 {
                let path = &path;
                scope.spawn(move || {
                    for _ in 0..40 {
                        write(path, |file| file.write_all(&vec![writer; 20_000])).unwrap();
                        let read = fs::read(path).unwrap();
                        assert!(read.len() == 20_000 && read.iter().all(|byte| *byte == read[0]));
                    }
                });
            }
        });
        assert_eq!(names(folder.path()), ["a"]);
    }
}
