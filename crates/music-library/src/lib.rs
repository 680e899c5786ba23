//! Music libraries with moods: scanning, metadata, audio analysis, a database, and the selection of the track
//! that fits a mood.
//!
//! A [`Library`] is opened from a folder (with all folders below it), a playlist (M3U, M3U8, XSPF) or a
//! [`Database`] that a [`Scan`] of those has filled; a [`TrackSelector`] selects from it. The same folder
//! gives the same library in the same order on every machine.
//!
//! # Where a mood comes from
//!
//! In a folder or playlist, a track's mood words are those of its sidecar file `<file>.mood`
//! (`song.flac.mood`, words separated by commas, semicolons or line breaks), else those of its tags: ID3v2.4
//! `TMOO`, Vorbis comment and APE `MOOD`, MP4 `----:com.apple.iTunes:MOOD`, ASF `WM/Mood`, or the
//! probabilities `mood_happy`, `mood_sad` and so on that beets and AcousticBrainz write. [`vocabulary`] maps
//! words to points in the plane of valence and arousal. A track with an unknown mood counts as neutral and is
//! selected only where no track with a known mood is near.
//!
//! A database also has loudness, tempo, key, energy and an estimated mood from the audio, values set by
//! users, and the clients' ratings and history. Each value has a [`Provenance`] and a confidence; a value set
//! by a user takes precedence over an imported one, that over a tag, and that over an estimate.
//!
//! # Units
//!
//! Loudness is the integrated loudness after EBU R 128 in LUFS, peaks are true peaks after ITU-R BS.1770-4 in
//! dBTP, durations are in seconds, tempos in beats per minute. Valence and arousal are -1 to 1, confidences
//! and uncertainties 0 to 1.

mod analysis;
pub mod csv_table;
mod database;
mod decimator;
mod decoder;
mod error;
mod library;
mod listing;
mod metadata;
mod musical_key;
mod scan;
mod selection;
mod tags;
mod text;
mod track;
mod uri;
pub mod vocabulary;

pub use database::{Database, HISTORY_LENGTH, PlayRecord, TrackRecord, normalize_client_name};
pub use decoder::{AudioDecoder, DecodedAudio};
pub use error::{Error, SkippedItem, TableError};
pub use library::Library;
pub use metadata::{Field, ParseValueError, Provenance, SourcedValue, Value};
pub use musical_key::{MusicalKey, ParseKeyError};
pub use scan::{Scan, ScanProgress, ScanReport};
pub use selection::{RankedTrack, Selection, SelectionQuery, TrackSelector};
pub use tags::Cover;
pub use track::{Track, read_cover, read_duration};

/// What a library may refer to besides local files of its own folder. Playlists are untrusted input, so the
/// default is nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SourceAccess {
    /// Whether tracks on other machines (`http`, `https`) are allowed.
    pub network: bool,
    /// Whether a playlist may refer to local files outside its own folder.
    pub outside_folder: bool,
}
