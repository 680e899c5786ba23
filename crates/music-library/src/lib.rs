//! Music with moods: what there is to play, what it feels like, and which piece fits best.
//!
//! A library is a folder (searched through and through), a playlist (M3U8, M3U, XSPF), or a [`Database`] that a [`Scan`]
//! of those filled. All open through [`Library::open`], and [`Chooser`] picks from any. In a folder or a playlist, a
//! piece's mood comes from the file beside it named `<file>.mood` where there is one (`song.flac.mood`, words separated
//! by commas or lines), else from its tags: ID3v2 `TMOO`, Vorbis and APE `MOOD`, MP4 `----:com.apple.iTunes:MOOD`, ASF
//! `WM/Mood`, or the `mood_happy`, `mood_sad`, ... that beets and AcousticBrainz write. Words become a point of the plane
//! of valence and arousal by [`vocabulary`]. A piece without a known mood counts as neutral, and is chosen only where
//! nothing with a mood is near.
//!
//! A database knows more: loudness, tempo, key, energy and a guessed mood from the sound, corrections by persons, their
//! ratings and what they heard. Each value has a [`Provenance`] and a confidence, and a person's word beats a tag beats an
//! estimate.
//!
//! The same folder gives the same library in the same order on every machine.

mod analysis;
mod asf;
mod choose;
mod database;
mod decode;
mod folder;
mod index;
mod key;
mod listing;
mod person;
mod playlist;
mod retag;
mod scan;
mod signal;
mod store;
pub mod table;
mod tags;
mod value;
pub mod vocabulary;

use std::path::PathBuf;

use mood_schema::{Affect, Emotion};

pub use choose::{Choice, Chooser, Query, Ranked};
pub use database::Database;
pub use decode::{Block, Decode};
pub use key::{Key, UnknownKey};
pub use person::{HISTORY, Play, called};
pub use scan::{Progress, Report, Scan};
pub use store::Entry;
pub use value::{BadValue, Field, Provenance, Stated, Value};

use listing::{Listed, Listing};

/// How long a file of music is by its container, seconds; `None` where it does not say, or for what is no local file.
///
/// [`Library::open`] leaves it out of what it reads of folders and playlists, as finding it out may take longer than all
/// the rest.
pub fn length(uri: &str) -> Option<f64> {
    tags::read(&store::path_of(uri)?, true).duration
}

/// Where a playlist may lead, which anybody may have written: by default only to files below its own folder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// To other machines.
    pub network: bool,
    /// To files of this machine outside its folder.
    pub outside: bool,
}

/// A piece of music.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Track {
    /// Where it is: `file://...`, or a network address.
    pub uri: String,
    /// Its title, or the file's name without its ending.
    pub title: String,
    /// Who made it; empty where unknown.
    pub artist: String,
    /// What it was published on; empty where unknown.
    pub album: String,
    /// Its kind; empty where unknown.
    pub genre: String,
    /// Its mood in its own words, in the order found.
    pub moods: Vec<String>,
    /// Where it lies in the plane: by a person's numbers, else where the known words lie on average, else by the guess
    /// from its sound; `None` where nothing is known.
    pub affect: Option<Affect>,
    /// How unsure the place is, 0 to 1.
    pub doubt: f64,
    /// The emotions that its words name.
    pub emotions: Vec<Emotion>,
    /// Beats a minute.
    pub bpm: Option<f64>,
    /// Its key.
    pub key: Option<Key>,
    /// Soft and dull 0 to loud and bright 1.
    pub energy: Option<f64>,
    /// Integrated loudness, LUFS.
    pub loudness: Option<f64>,
    /// Highest true peak, dBTP.
    pub true_peak: Option<f64>,
    /// Length, seconds.
    pub duration: Option<f64>,
    /// A person's word, -2 (never while anything else fits) to 2 (a favourite).
    pub rating: i32,
    /// Never to be played.
    pub excluded: bool,
}

impl Track {
    fn set_moods(&mut self, moods: Vec<String>) {
        (self.affect, self.emotions) = placed(&moods);
        self.moods = moods;
    }

    /// What is believed of an entry of a database.
    pub fn of(entry: &Entry) -> Self {
        let text = |field| entry.text(field).unwrap_or_default().to_owned();
        let name = || Listed { uri: entry.uri.clone(), path: entry.path(), ..Listed::default() }.name();
        let mut track = Self {
            title: entry.text(Field::Title).map_or_else(name, String::from),
            artist: text(Field::Artist),
            album: text(Field::Album),
            genre: text(Field::Genre),
            bpm: entry.number(Field::Bpm),
            key: entry.text(Field::Key).and_then(|text| text.parse().ok()),
            energy: entry.number(Field::Energy),
            loudness: entry.number(Field::Loudness),
            true_peak: entry.number(Field::TruePeak),
            duration: entry.number(Field::Duration),
            rating: entry.rating,
            excluded: entry.excluded,
            uri: entry.uri.clone(),
            ..Self::default()
        };
        track.moods = entry.text(Field::Mood).map(value::words).unwrap_or_default();
        // The best sayer of a place; at equal standing numbers say more than words, and words name the emotion.
        for provenance in Provenance::ALL.iter().rev().copied() {
            let said = |field| entry.said(field, provenance);
            let words =
                said(Field::Mood).and_then(|said| Some((placed(&value::words(said.value.text()?)), said)));
            if let Some(((affect, emotions), said)) = words {
                (track.affect, track.emotions, track.doubt) = (affect, emotions, 1.0 - said.confidence);
            }
            if let (Some(valence), Some(arousal)) = (said(Field::Valence), said(Field::Arousal))
                && let (Some(v), Some(a)) = (valence.value.number(), arousal.value.number())
            {
                track.affect = Some(Affect { valence: v, arousal: a });
                track.doubt = 1.0 - (valence.confidence + arousal.confidence) / 2.0;
            }
            if track.affect.is_some() {
                break;
            }
        }
        track
    }
}

/// Where the known words lie on average, and the emotions they name.
fn placed(moods: &[String]) -> (Option<Affect>, Vec<Emotion>) {
    let meanings: Vec<_> = moods.iter().flat_map(|text| vocabulary::meanings(text)).collect();
    let affect = (!meanings.is_empty()).then(|| {
        let mean = |of: fn(&Affect) -> f64| {
            meanings.iter().map(|meaning| of(&meaning.affect)).sum::<f64>() / meanings.len() as f64
        };
        Affect { valence: mean(|affect| affect.valence), arousal: mean(|affect| affect.arousal) }
    });
    let mut emotions: Vec<Emotion> = meanings.iter().filter_map(|meaning| meaning.emotion).collect();
    emotions.sort();
    emotions.dedup();
    (affect, emotions)
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

/// A library could not be opened, read or written.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum Error {
    #[error(
        "no music library given: name a folder with music, an M3U8 or XSPF playlist, or a library database"
    )]
    NotGiven,
    #[error(
        "the music library is not a local path: {0}; name a folder, a playlist or a database on this machine"
    )]
    NotLocal(String),
    #[error("music library {0} does not exist: check the path, or name a folder with music or a playlist")]
    Missing(PathBuf),
    #[error("cannot read music library {path}: {source}; check its permissions")]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error(
        "{0} is not a library: name a folder with music, a playlist ending in .m3u8, .m3u or .xspf, or a library database"
    )]
    UnknownKind(PathBuf),
    #[error("playlist {path} is broken: {reason}; write it again with the player that made it")]
    BrokenPlaylist { path: PathBuf, reason: String },
    #[error(
        "no music in {path}{}; put audio files there (flac, ogg, opus, mp3, m4a, wav, ...) or name another library",
        first_reason(skipped)
    )]
    Empty { path: PathBuf, skipped: Vec<Skipped> },
    #[error("{0} is not a library database: name another file, or one that does not exist yet")]
    NotADatabase(PathBuf),
    #[error(
        "library database {path} has version {found}, this program knows up to {known}: use a newer gst-mood"
    )]
    NewerDatabase { path: PathBuf, found: i64, known: i64 },
    #[error("library database {0} is locked by another program: wait until it is done, or end it")]
    Locked(PathBuf),
    #[error("library database {path} is damaged ({reason}): restore a copy, or remove it and scan again")]
    Damaged { path: PathBuf, reason: String },
    #[error("library database {path}: {reason}; check the path, its permissions and the space on the disk")]
    Database { path: PathBuf, reason: String },
    #[error("{0} is not in the library: scan it first, and name it by its path or uri")]
    NoSuchTrack(String),
    #[error("{0}")]
    Table(#[from] table::Broken),
}

fn first_reason(skipped: &[Skipped]) -> String {
    skipped.first().map_or_else(String::new, |first| {
        format!(" ({} left out, such as {}: {})", skipped.len(), first.what, first.why)
    })
}

impl Library {
    /// Opens a folder, a playlist or a database, given as a path or as a `file://` address. What `access` does not allow
    /// is left out. Reads the tags of every file of a folder or playlist: thousands take seconds; a database is read as
    /// it is.
    pub fn open(source: &str, access: Access) -> Result<Self, Error> {
        Self::open_for(source, "", access)
    }

    /// As [`Self::open`], with a database's ratings and exclusions as `client` has them. For a folder or a playlist the
    /// client makes no difference.
    pub fn open_for(source: &str, client: &str, access: Access) -> Result<Self, Error> {
        Self::open_with_database(source, client, access).map(|(library, _)| library)
    }

    /// As [`Self::open_for`], along with the database where it is one: it also knows what the client has heard.
    pub fn open_with_database(
        source: &str,
        client: &str,
        access: Access,
    ) -> Result<(Self, Option<Database>), Error> {
        if let Some(database) = Database::behind(source)? {
            return Ok((Self::of(&database, client, access)?, Some(database)));
        }
        let Listing { files, skipped } = Listing::of(&folder::place(source)?, access, &|_, _| false)?;
        Ok((Self { tracks: files.into_iter().map(Listed::track).collect(), skipped }, None))
    }

    /// What a database offers to a client. Tracks that are missing or cannot be played are left out, and those on the
    /// network unless `access` allows them; files of this machine were allowed when they were scanned.
    pub fn of(database: &Database, client: &str, access: Access) -> Result<Self, Error> {
        let mut library = Self::default();
        database.each(client, |entry| {
            let why = if entry.missing {
                Some("not there when last looked for; scan again once it is back".into())
            } else if !access.network && !entry.uri.starts_with("file://") {
                Some("on the network; set allow-network to play it".into())
            } else {
                entry.problem.clone()
            };
            match why {
                Some(why) => library.skipped.push(Skipped { what: entry.uri, why }),
                None => library.tracks.push(Track::of(&entry)),
            }
        })?;
        if library.tracks.is_empty() {
            return Err(Error::Empty { path: database.path().into(), skipped: library.skipped });
        }
        Ok(library)
    }
}
