//! Errors, and items that are left out without one.

use std::path::PathBuf;

/// Something listed or found that cannot be part of the library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkippedItem {
    /// The location as the playlist or table has it, or the path or URI.
    pub name: String,
    /// Why it is left out and what to do about it, a text for the user.
    pub reason: String,
}

/// The reason for which an empty file is left out.
pub(crate) const EMPTY_FILE: &str = "is empty; copy it again from where it came";

/// The reason for which a file that cannot be read is left out.
pub(crate) fn describe_unreadable(error: &std::io::Error) -> String {
    format!("cannot be read: {error}; check the file and its permissions")
}

/// A library could not be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The source is an empty text.
    #[error(
        "no music library given: name a folder with music, an M3U8, PLS or XSPF playlist, or a library database"
    )]
    NotGiven,
    /// The source is a URI on another machine. Holds the URI.
    #[error(
        "the music library is not a local path: {0}; name a folder, a playlist or a database on this machine"
    )]
    NotLocal(String),
    /// Nothing exists at this path.
    #[error("music library {0} does not exist: check the path, or name a folder with music or a playlist")]
    Missing(PathBuf),
    /// The folder or playlist cannot be read.
    #[error("cannot read music library {path}: {source}; check its permissions")]
    Unreadable {
        /// The folder or playlist.
        path: PathBuf,
        /// The operating system's error.
        source: std::io::Error,
    },
    /// The file at this path is neither a playlist nor a database.
    #[error(
        "{0} is not a library: name a folder with music, a playlist ending in .m3u8, .m3u, .pls or .xspf, or a library database"
    )]
    UnknownKind(PathBuf),
    /// The playlist does not follow its format.
    #[error("playlist {path} is broken: {reason}; write it again with the player that made it")]
    BrokenPlaylist {
        /// The playlist.
        path: PathBuf,
        /// The first problem.
        reason: String,
    },
    /// There is no track that can be used.
    #[error(
        "no music in {path}{}; put audio files there (flac, ogg, opus, mp3, m4a, wav, ...) or name another library",
        describe_skipped(skipped)
    )]
    Empty {
        /// The folder, playlist or database.
        path: PathBuf,
        /// What was left out.
        skipped: Vec<SkippedItem>,
    },
    /// The file at this path is not a database, or one of another program.
    #[error("{0} is not a library database: name another file, or one that does not exist yet")]
    NotADatabase(PathBuf),
    /// The database was written by a newer version of this program.
    #[error(
        "library database {path} has version {found}, this program knows up to {known}: use a newer gst-mood"
    )]
    NewerDatabase {
        /// The database's file.
        path: PathBuf,
        /// Its schema version.
        found: i64,
        /// The newest schema version that is known here.
        known: i64,
    },
    /// Another program writes to the database at this path for longer than the timeout.
    #[error("library database {0} is locked by another program: wait until it is done, or end it")]
    Locked(PathBuf),
    /// The content of the database is inconsistent.
    #[error("library database {path} is damaged ({reason}): restore a copy, or remove it and scan again")]
    Damaged {
        /// The database's file.
        path: PathBuf,
        /// SQLite's error.
        reason: String,
    },
    /// Any other error of the database.
    #[error("library database {path}: {reason}; check the path, its permissions and the space on the disk")]
    Database {
        /// The database's file.
        path: PathBuf,
        /// The error of SQLite or of the operating system.
        reason: String,
    },
    /// The database has no track with this path or URI.
    #[error("{0} is not in the library: scan it first, and name it by its path or uri")]
    NoSuchTrack(String),
    /// A CSV table cannot be read or written.
    #[error("{0}")]
    Table(#[from] TableError),
}

/// A CSV table that cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The text is not CSV.
    #[error("the table is broken: {0}; export one to see how it should be")]
    Csv(#[from] csv::Error),
    /// The header has neither a column `uri` nor `path`.
    #[error("the table has no column 'uri': export one to see how it should be")]
    NoUri,
    /// The table cannot be read.
    #[error("the table cannot be read: {0}")]
    Read(#[source] std::io::Error),
    /// The table cannot be written.
    #[error("the table cannot be written: {0}")]
    Write(#[from] std::io::Error),
}

/// The number of skipped items and the first of them, in parentheses; empty where there is none.
fn describe_skipped(skipped: &[SkippedItem]) -> String {
    skipped.first().map_or_else(String::new, |first| {
        format!(" ({} left out, such as {}: {})", skipped.len(), first.name, first.reason)
    })
}
