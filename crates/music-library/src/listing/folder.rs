//! The audio files below a folder.

use std::path::Path;

use walkdir::{DirEntry, WalkDir};

use super::{ListedTrack, Listing};
use crate::{Error, SkippedItem};

/// File name extensions of audio files.
const EXTENSIONS: [&str; 21] = [
    "aac", "ac3", "aif", "aifc", "aiff", "ape", "caf", "flac", "m4a", "m4b", "mka", "mp2", "mp3", "mpc",
    "oga", "ogg", "opus", "spx", "wav", "wma", "wv",
];

/// Lists the audio files below a folder in the order of their names. Hidden files and folders are left out,
/// links are followed.
///
/// # Errors
/// The folder itself cannot be read. Folders below it that cannot be read are skipped.
pub(super) fn list(path: &Path) -> Result<Listing, Error> {
    std::fs::read_dir(path).map_err(|source| Error::Unreadable { path: path.into(), source })?;
    let mut listing = Listing::default();
    let entries = WalkDir::new(path).follow_links(true).sort_by_file_name();
    for entry in entries.into_iter().filter_entry(|entry| entry.depth() == 0 || !is_hidden(entry)) {
        match entry {
            Ok(entry) if entry.file_type().is_file() && is_audio_file(entry.path()) => {
                listing.tracks.extend(ListedTrack::from_file(entry.into_path()));
            }
            Ok(_) => {}
            Err(error) => {
                let name = error.path().unwrap_or(path).display().to_string();
                listing.skipped.push(SkippedItem { name, reason: format!("cannot be read: {error}") });
            }
        }
    }
    Ok(listing)
}

/// Whether the name begins with a dot.
fn is_hidden(entry: &DirEntry) -> bool {
    entry.file_name().as_encoded_bytes().starts_with(b".")
}

/// Whether the name has the extension of an audio file, in upper or lower case.
fn is_audio_file(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    EXTENSIONS.iter().any(|known| extension.eq_ignore_ascii_case(known))
}
