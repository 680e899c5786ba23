//! What a folder or a playlist holds, before any of it is read.

use std::path::{Path, PathBuf};

use crate::{Access, Error, Skipped, Track, folder, playlist, store, tags};

/// A piece of music that was found or listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) uri: String,
    /// `None` on the network.
    pub(crate) path: Option<PathBuf>,
    /// In the words of the list's maker.
    pub(crate) title: Option<String>,
    /// In the words of the list's maker.
    pub(crate) artist: Option<String>,
}

/// Each uri once.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    pub(crate) files: Vec<Listed>,
    pub(crate) skipped: Vec<Skipped>,
}

impl Listing {
    /// Of a folder or a playlist. `holds`: whether the library holds a file in any case, given its path and its uri.
    pub(crate) fn of(
        path: &Path,
        access: Access,
        holds: &dyn Fn(&Path, &str) -> bool,
    ) -> Result<Self, Error> {
        let listing = if path.is_dir() { folder::list(path)? } else { playlist::list(path, access, holds)? };
        if listing.files.is_empty() {
            return Err(Error::Empty { path: path.into(), skipped: listing.skipped });
        }
        Ok(listing)
    }
}

impl Listed {
    /// A local file, or `None` where the path is not absolute.
    pub(crate) fn file(path: PathBuf) -> Option<Self> {
        Some(Self { uri: store::file_uri(&path)?, path: Some(path), ..Self::default() })
    }

    /// What stands where nobody gave a title.
    pub(crate) fn name(&self) -> String {
        match &self.path {
            Some(path) => folder::name(path),
            None => self.uri.rsplit('/').next().unwrap_or_default().into(),
        }
    }

    /// With its tags. A file whose tags cannot be read is still music: only playing it tells.
    pub(crate) fn track(self) -> Track {
        let tags = self.path.as_deref().map(|path| tags::read(path, false)).unwrap_or_default();
        let name = self.name();
        let mut track = Track {
            uri: self.uri,
            // The list's maker chose these words.
            title: self.title.or(tags.title).unwrap_or(name),
            artist: self.artist.or(tags.artist).unwrap_or_default(),
            album: tags.album.unwrap_or_default(),
            genre: tags.genre.unwrap_or_default(),
            doubt: tags.doubt,
            bpm: tags.bpm,
            key: tags.key,
            loudness: tags.loudness,
            duration: tags.duration,
            ..Track::default()
        };
        track.set_moods(tags.moods);
        track
    }
}
