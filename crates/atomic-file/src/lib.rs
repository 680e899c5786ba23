//! Files that are written completely or not at all, also where several processes write the same file, and locks between
//! processes.
//!
//! A [`TemporaryFile`] has a name of its own and replaces the final file once it is complete. It is locked (`flock(2)`) for as
//! long as it is written, and the system ends a lock with the process that holds it: so the temporary files of killed processes
//! can be told from those that are being written, and the next file that is written in the same folder removes them. On a
//! file system without locks they stay.
//!
//! A [`FileLock`] keeps other processes away while something is read, changed and written back.

mod lock;
mod temporary;

pub use lock::FileLock;
pub use temporary::{TemporaryFile, remove_leftovers};

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// Writes a file as a [`TemporaryFile`], so that nothing remains of a file that could not be written. The target of a symbolic
/// link is replaced, not the link. What is no regular file, such as a pipe or `/dev/null`, is written to directly.
///
/// # Errors
/// Those of `write`, and where the file cannot be created or renamed.
pub fn write(path: &Path, write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) -> io::Result<()> {
    let is_special = path.metadata().is_ok_and(|found| !found.is_file() && !found.is_dir());
    let temporary = if is_special { None } else { Some(TemporaryFile::create_for(path)?) };
    let file = match &temporary {
        Some(temporary) => temporary.as_file().try_clone()?,
        None => File::create(path)?,
    };
    let mut file = BufWriter::new(file);
    write(&mut file)?;
    file.flush()?;
    temporary.map_or(Ok(()), TemporaryFile::persist)
}
