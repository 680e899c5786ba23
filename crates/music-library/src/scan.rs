//! Finds music in a folder.

use std::path::Path;

use walkdir::{DirEntry, WalkDir};

use crate::{Error, Library, Skipped, Track, tags};

/// What endings of names music has.
const ENDINGS: [&str; 21] = [
    "aac", "ac3", "aif", "aifc", "aiff", "ape", "caf", "flac", "m4a", "m4b", "mka", "mp2", "mp3", "mpc",
    "oga", "ogg", "opus", "spx", "wav", "wma", "wv",
];

/// All music below a folder, hidden files left out, in the order of the names.
pub(crate) fn folder(path: &Path) -> Result<Library, Error> {
    // Only the folder itself must be readable; what is below may be left out.
    std::fs::read_dir(path).map_err(|source| Error::Unreadable { path: path.into(), source })?;
    let mut library = Library::default();
    let entries = WalkDir::new(path).follow_links(true).sort_by_file_name();
    for entry in entries.into_iter().filter_entry(|entry| entry.depth() == 0 || !is_hidden(entry)) {
        match entry {
            Ok(entry) if entry.file_type().is_file() && is_music(entry.path()) => {
                library.tracks.extend(track(entry.path()));
            }
            Ok(_) => {}
            Err(error) => {
                let what = error.path().unwrap_or(path).display().to_string();
                library.skipped.push(Skipped { what, why: format!("cannot be read: {error}") });
            }
        }
    }
    Ok(library)
}

fn is_hidden(entry: &DirEntry) -> bool {
    entry.file_name().as_encoded_bytes().starts_with(b".")
}

fn is_music(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known))
}

/// A local file with its mood, or `None` where the path is not absolute. A file whose tags cannot be read is still
/// music: only playing it tells.
pub(crate) fn track(path: &Path) -> Option<Track> {
    let mut track = Track { uri: url::Url::from_file_path(path).ok()?.into(), ..Track::default() };
    let tags = tags::read(path);
    track.title = tags.title.unwrap_or_else(|| name(path));
    track.artist = tags.artist.unwrap_or_default();
    track.set_moods(tags::sidecar(path).unwrap_or(tags.moods));
    Some(track)
}

fn name(path: &Path) -> String {
    path.file_stem().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}
