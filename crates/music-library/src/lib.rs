//! Music with moods: what there is to play, what it feels like, and which piece fits best.
//!
//! A library is a folder (searched through and through), or a playlist (M3U8, M3U, XSPF). A piece's mood comes from the
//! file beside it named `<file>.mood` where there is one (`song.flac.mood`, words separated by commas or lines), else
//! from its tags: ID3v2 `TMOO`, Vorbis and APE `MOOD`, MP4 `----:com.apple.iTunes:MOOD`, ASF `WM/Mood`. Words become a
//! point of the plane of valence and arousal by [`vocabulary`]. A piece without a known mood counts as neutral, and is
//! chosen only where nothing with a mood is near.
//!
//! The same folder gives the same library in the same order on every machine.

mod asf;
mod choose;
mod playlist;
mod scan;
mod tags;
pub mod vocabulary;

use std::path::PathBuf;

use mood_schema::{Affect, Emotion};

pub use choose::{Choice, Chooser, Query};

/// A piece of music.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Track {
    /// Where it is: `file://...`, or a network address.
    pub uri: String,
    /// Its title, or the file's name without its ending.
    pub title: String,
    /// Who made it; empty where unknown.
    pub artist: String,
    /// Its mood in its own words, in the order found.
    pub moods: Vec<String>,
    /// Where the known words lie on average; `None` where no word is known.
    pub affect: Option<Affect>,
    /// The emotions that its words name.
    pub emotions: Vec<Emotion>,
}

impl Track {
    fn set_moods(&mut self, moods: Vec<String>) {
        let meanings: Vec<_> = moods.iter().flat_map(|text| vocabulary::meanings(text)).collect();
        self.affect = (!meanings.is_empty()).then(|| {
            let mean = |of: fn(&Affect) -> f64| {
                meanings.iter().map(|meaning| of(&meaning.affect)).sum::<f64>() / meanings.len() as f64
            };
            Affect { valence: mean(|affect| affect.valence), arousal: mean(|affect| affect.arousal) }
        });
        self.emotions = meanings.iter().filter_map(|meaning| meaning.emotion).collect();
        self.emotions.sort();
        self.emotions.dedup();
        self.moods = moods;
    }
}

/// Something listed or found that cannot be part of the library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// As listed, or the path.
    pub what: String,
    /// Why, and what to do.
    pub why: String,
}

/// The music there is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Library {
    /// At least one, in an order that does not depend on the machine.
    pub tracks: Vec<Track>,
    /// What was left out.
    pub skipped: Vec<Skipped>,
}

/// No library could be opened.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum Error {
    #[error("no music library given: name a folder with music, or an M3U8 or XSPF playlist")]
    NotGiven,
    #[error("the music library is not a local path: {0}; name a folder or a playlist file on this machine")]
    NotLocal(String),
    #[error("music library {0} does not exist: check the path, or name a folder with music or a playlist")]
    Missing(PathBuf),
    #[error("cannot read music library {path}: {source}; check its permissions")]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("{0} is not a library: name a folder with music, or a playlist ending in .m3u8, .m3u or .xspf")]
    UnknownKind(PathBuf),
    #[error("playlist {path} is broken: {reason}; write it again with the player that made it")]
    BrokenPlaylist { path: PathBuf, reason: String },
    #[error(
        "no music in {path}{}; put audio files there (flac, ogg, opus, mp3, m4a, wav, ...) or name another library",
        first_reason(skipped)
    )]
    Empty { path: PathBuf, skipped: Vec<Skipped> },
}

fn first_reason(skipped: &[Skipped]) -> String {
    skipped.first().map_or_else(String::new, |first| {
        format!(" ({} left out, such as {}: {})", skipped.len(), first.what, first.why)
    })
}

impl Library {
    /// Opens a folder or a playlist, given as a path or as a `file://` address. Addresses of other machines in a playlist
    /// are left out unless `allow_network`. Reads the tags of every file: thousands take seconds.
    pub fn open(source: &str, allow_network: bool) -> Result<Self, Error> {
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
        let path = match std::path::absolute(&path) {
            Ok(absolute) if absolute.exists() => absolute,
            _ => return Err(Error::Missing(path)),
        };
        let library =
            if path.is_dir() { scan::folder(&path)? } else { playlist::open(&path, allow_network)? };
        if library.tracks.is_empty() {
            return Err(Error::Empty { path, skipped: library.skipped });
        }
        Ok(library)
    }
}
