//! Files of the user: written completely or not at all, and readable by their owner only.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use rustix::fs::Mode;
use serde::Serialize;

use crate::error::CommandError;

/// Removes the rights of group and others from every file that this process creates from now on, whichever
/// library creates it.
pub fn restrict_permissions() {
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
}

/// Writes a file completely or not at all, see [`atomic_file::write`].
pub fn write_atomically(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> Result<(), CommandError> {
    atomic_file::write(path, write).map_err(|error| CommandError::io(path, &error))
}

/// Writes a value as indented JSON with a final line break, [atomically](write_atomically).
pub fn write_json(path: &Path, value: &impl Serialize) -> Result<(), CommandError> {
    write_atomically(path, |file| {
        serde_json::to_writer_pretty(&mut *file, value)?;
        writeln!(file)
    })
}

/// Reads a file; `None` if there is none.
pub fn read_if_present(path: &Path) -> Result<Option<Vec<u8>>, CommandError> {
    match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        read => read.map(Some).map_err(|error| CommandError::io(path, &error)),
    }
}

/// Removes a file; it is no error if there is none.
pub fn remove_if_present(path: &Path) -> Result<(), CommandError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(CommandError::io(path, &error)),
        _ => Ok(()),
    }
}

/// Where a pipeline writes a file of a session until it is complete: beside `path`, with `.part` appended to the name. Whoever
/// writes it has the exclusive use of the folder.
pub fn partial_path(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".part");
    path.with_file_name(name)
}

/// The path as text, as a GObject string property needs it; an error for a path that is not UTF-8.
pub fn path_to_str(path: &Path) -> Result<&str, CommandError> {
    let not_utf8 = || CommandError::Failed(format!("{} is not UTF-8: choose another path", path.display()));
    path.to_str().ok_or_else(not_utf8)
}

/// The current time as ISO 8601 in UTC, to the second.
pub fn utc_now() -> String {
    let now = gst::glib::DateTime::now_utc().and_then(|now| now.format("%Y-%m-%dT%H:%M:%SZ"));
    now.map_or_else(|_| "1970-01-01T00:00:00Z".into(), |text| text.to_string())
}
