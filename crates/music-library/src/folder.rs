//! Finds music in a folder.

use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use crate::listing::{Listed, Listing};
use crate::{Error, Skipped};

/// What endings of names music has.
const ENDINGS: [&str; 21] = [
    "aac", "ac3", "aif", "aifc", "aiff", "ape", "caf", "flac", "m4a", "m4b", "mka", "mp2", "mp3", "mpc",
    "oga", "ogg", "opus", "spx", "wav", "wma", "wv",
];

/// All music below a folder, hidden files left out, in the order of the names.
pub(crate) fn list(path: &Path) -> Result<Listing, Error> {
    // Only the folder itself must be readable; what is below may be left out.
    std::fs::read_dir(path).map_err(|source| Error::Unreadable { path: path.into(), source })?;
    let mut listing = Listing::default();
    let entries = WalkDir::new(path).follow_links(true).sort_by_file_name();
    for entry in entries.into_iter().filter_entry(|entry| entry.depth() == 0 || !is_hidden(entry)) {
        match entry {
            Ok(entry) if entry.file_type().is_file() && is_music(entry.path()) => {
                listing.files.extend(Listed::file(entry.into_path()));
            }
            Ok(_) => {}
            Err(error) => {
                let what = error.path().unwrap_or(path).display().to_string();
                listing.skipped.push(Skipped { what, why: format!("cannot be read: {error}") });
            }
        }
    }
    Ok(listing)
}

fn is_hidden(entry: &DirEntry) -> bool {
    entry.file_name().as_encoded_bytes().starts_with(b".")
}

fn is_music(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known))
}

/// A file's name without its ending: what stands where there is no title.
pub(crate) fn name(path: &Path) -> String {
    path.file_stem().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

/// The place of a library that is given as a path or as a `file://` address.
pub(crate) fn place(source: &str) -> Result<PathBuf, Error> {
    if source.is_empty() {
        return Err(Error::NotGiven);
    }
    let path = match url::Url::parse(source) {
        // A single letter is a drive, not a scheme.
        Ok(url) if url.scheme().len() > 1 => {
            url.to_file_path().map_err(|()| Error::NotLocal(source.into()))?
        }
        _ => PathBuf::from(source),
    };
    match std::path::absolute(&path) {
        Ok(absolute) if absolute.exists() => Ok(absolute),
        _ => Err(Error::Missing(path)),
    }
}
