//! The contents of a folder or a playlist, before any file is read.

mod folder;
mod location;
mod playlist;

use std::path::{Path, PathBuf};

use crate::{Error, SkippedItem, SourceAccess, uri};

/// A track that was found in a folder or listed in a playlist.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ListedTrack {
    /// URI: `file://`, `http://` or `https://`.
    pub(crate) uri: String,
    /// The local file; `None` for a track on the network.
    pub(crate) path: Option<PathBuf>,
    /// Title according to the playlist.
    pub(crate) title: Option<String>,
    /// Artist according to the playlist.
    pub(crate) artist: Option<String>,
}

/// The tracks of a folder or a playlist.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    /// Each URI occurs once.
    pub(crate) tracks: Vec<ListedTrack>,
    /// What cannot be part of the library.
    pub(crate) skipped: Vec<SkippedItem>,
    /// Entries that were taken for a file without certainty, with what was assumed.
    pub(crate) assumed: Vec<SkippedItem>,
}

impl Listing {
    /// Lists the tracks of a folder (in the order of their names) or of a playlist (in its order).
    /// `is_known`: whether a playlist may refer to a file outside its folder because the library has it
    /// anyway, given its path and URI.
    ///
    /// # Errors
    /// The source cannot be read, is no playlist, or has no track.
    pub(crate) fn read(
        path: &Path,
        access: SourceAccess,
        is_known: &dyn Fn(&Path, &str) -> bool,
    ) -> Result<Self, Error> {
        let listing =
            if path.is_dir() { folder::list(path)? } else { playlist::list(path, access, is_known)? };
        if listing.tracks.is_empty() {
            return Err(Error::Empty { path: path.into(), skipped: listing.skipped });
        }
        Ok(listing)
    }
}

impl ListedTrack {
    /// A local file; `None` where the path is not absolute.
    fn from_file(path: PathBuf) -> Option<Self> {
        Some(Self { uri: uri::from_path(&path)?, path: Some(path), ..Self::default() })
    }

    /// The title of the track where neither a playlist nor tags have one.
    pub(crate) fn default_title(&self) -> String {
        uri::default_title(&self.uri, self.path.as_deref())
    }

    /// The path, or the URI of a track on the network, for texts to the user.
    pub(crate) fn display_name(&self) -> String {
        self.path.as_deref().map_or_else(|| self.uri.clone(), |path| path.display().to_string())
    }
}
