//! Locks between the processes of this program.

use std::path::Path;
use std::thread;
use std::time::Duration;

use atomic_file::FileLock;

use crate::error::CommandError;
use crate::interruption;

/// How often it is looked whether another process has let go of a folder.
const INTERVAL: Duration = Duration::from_millis(20);

/// The exclusive use of a folder, which is created where there is none. While another process has it, waits, after a call of
/// `announce`. Fails if that is interrupted.
pub fn lock_folder(folder: &Path, announce: impl FnOnce()) -> Result<FileLock, CommandError> {
    let mut announce = Some(announce);
    loop {
        if let Some(lock) = try_lock_folder(folder)? {
            return Ok(lock);
        }
        if let Some(announce) = announce.take() {
            announce();
        }
        if interruption::is_interrupted() {
            return Err(CommandError::Interrupted);
        }
        thread::sleep(INTERVAL);
    }
}

/// The exclusive use of a folder, which is created where there is none; `None` while another process has it.
pub fn try_lock_folder(folder: &Path) -> Result<Option<FileLock>, CommandError> {
    FileLock::try_acquire(folder).map_err(|error| CommandError::io(folder, &error))
}
