//! The audio files below a folder.

use std::collections::HashMap;
use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use super::{ListedTrack, Listing};
use crate::error::{EMPTY_FILE, describe_unreadable};
use crate::{Error, SkippedItem};

/// File name extensions of files whose audio is played. `mp4`, `mkv` and `webm` may be films: their sound is played.
const EXTENSIONS: [&str; 30] = [
    "3gp", "aac", "ac3", "aif", "aifc", "aiff", "amr", "ape", "au", "caf", "dsf", "flac", "m4a", "m4b",
    "mka", "mkv", "mp2", "mp3", "mp4", "mpc", "oga", "ogg", "opus", "spx", "tta", "w64", "wav", "webm",
    "wma", "wv",
];
/// File name extensions of music that cannot be played, each with the reason, for the user.
const UNPLAYABLE_EXTENSIONS: [(&str, &str); 11] = [
    ("aa", PROTECTED),
    ("aax", PROTECTED),
    ("m4p", PROTECTED),
    ("cda", "a link to a track of a CD: copy the CD's sound with a ripping program"),
    ("dff", "DSDIFF, which GStreamer does not read: convert it to FLAC"),
    ("kar", NOTES),
    ("mid", NOTES),
    ("midi", NOTES),
    ("ra", REAL),
    ("ram", REAL),
    ("rm", REAL),
];
/// Why files with copy protection are left out.
const PROTECTED: &str = "copy protected: get it without protection from the shop that sold it";
/// Why MIDI files are left out.
const NOTES: &str = "notes without sound: render it to an audio file";
/// Why RealAudio files are left out.
const REAL: &str = "RealAudio, which is not supported: convert it to FLAC";

/// Lists the audio files below a folder in the order of their names. Hidden files and folders are left out,
/// links are followed. A file that has several names, by symbolic or hard links, is listed once: by a name that is no link,
/// or else by the first one.
///
/// # Errors
/// The folder itself cannot be read. Folders below it that cannot be read, empty files, files that cannot be read and music in
/// a format that cannot be played are skipped.
pub(super) fn list(path: &Path) -> Result<Listing, Error> {
    std::fs::read_dir(path).map_err(|source| Error::Unreadable { path: path.into(), source })?;
    let mut listing = Listing::default();
    let mut files: Vec<PathBuf> = Vec::new();
    // Device and inode of each file, with its index in `files` and whether that name is a link.
    let mut inodes: HashMap<(u64, u64), (usize, bool)> = HashMap::new();
    let entries = WalkDir::new(path).follow_links(true).sort_by_file_name();
    for entry in entries.into_iter().filter_entry(|entry| entry.depth() == 0 || !is_hidden(entry)) {
        let entry = match entry {
            Ok(entry) => entry,
            // A link to a folder that is listed anyway.
            Err(error) if error.loop_ancestor().is_some() => continue,
            Err(error) => {
                let name = error.path().unwrap_or(path).display().to_string();
                listing.skipped.push(SkippedItem { name, reason: format!("cannot be read: {error}") });
                continue;
            }
        };
        if !entry.file_type().is_file() {
            continue;
        }
        let checked = match classify(entry.path()) {
            Kind::Audio => check_readable(entry.path()),
            Kind::Unplayable(reason) => Err(reason.into()),
            Kind::Other => continue,
        };
        let inode = match checked {
            Ok(inode) => inode,
            Err(reason) => {
                listing.skipped.push(SkippedItem { name: entry.path().display().to_string(), reason });
                continue;
            }
        };
        let is_link = entry.path_is_symlink() || is_below_link(entry.path(), path);
        match inodes.get_mut(&inode) {
            Some((index, was_link)) if *was_link && !is_link => {
                files[*index] = entry.into_path();
                *was_link = false;
            }
            Some(_) => {}
            None => {
                inodes.insert(inode, (files.len(), is_link));
                files.push(entry.into_path());
            }
        }
    }
    files.sort();
    listing.tracks.extend(files.into_iter().filter_map(ListedTrack::from_file));
    Ok(listing)
}

/// What a file is by its name.
enum Kind {
    /// Audio, or a film whose sound is played.
    Audio,
    /// Music that cannot be played, for this reason.
    Unplayable(&'static str),
    /// No music.
    Other,
}

/// Whether the name begins with a dot.
fn is_hidden(entry: &DirEntry) -> bool {
    entry.file_name().as_encoded_bytes().starts_with(b".")
}

/// What a file is by the extension of its name, in upper or lower case.
fn classify(path: &Path) -> Kind {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    let is_extension = |known: &str| extension.eq_ignore_ascii_case(known);
    if EXTENSIONS.iter().any(|known| is_extension(known)) {
        return Kind::Audio;
    }
    let unplayable = UNPLAYABLE_EXTENSIONS.iter().find(|(known, _)| is_extension(known));
    unplayable.map_or(Kind::Other, |(_, reason)| Kind::Unplayable(reason))
}

/// Device and inode of a file. An error, for the user, where it is empty or cannot be read.
fn check_readable(path: &Path) -> Result<(u64, u64), String> {
    let metadata = File::open(path).and_then(|file| file.metadata());
    let metadata = metadata.map_err(|error| describe_unreadable(&error))?;
    if metadata.len() == 0 {
        return Err(EMPTY_FILE.into());
    }
    Ok((metadata.dev(), metadata.ino()))
}

/// Whether a folder between `root` and the file is a symbolic link.
fn is_below_link(path: &Path, root: &Path) -> bool {
    path.ancestors().skip(1).take_while(|folder| *folder != root).any(Path::is_symlink)
}
