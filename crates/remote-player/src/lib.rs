//! Lets another music player play what a session chooses, without GStreamer.
//!
//! A [`Mirror`] decides what the other player is told and what its user has done there; it is pure. [`Mpd`] is such a player.
//! Others implement [`RemotePlayer`].

mod address;
mod mirror;
mod mpd;

use std::time::Duration;

pub use address::{AddressError, PASSWORD_VARIABLE, PlayerAddress};
pub use mirror::{Mirror, Outcome, Step, TrackStart, UserAction, Wish};
pub use mpd::{Mpd, MpdDatabase};

/// Whether a player plays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Playback {
    /// It plays.
    Playing,
    /// It is halted and goes on where it was.
    Paused,
    /// It plays nothing.
    #[default]
    Stopped,
}

/// What a player says about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Whether it plays.
    pub playback: Playback,
    /// What identifies the song that plays, in this player.
    pub song: Option<String>,
    /// How the song is called, for users.
    pub title: String,
    /// How much of the song is left; `None` where that is not known.
    pub remaining: Option<Duration>,
    /// Why it could not play something, in its own words.
    pub error: Option<String>,
}

/// Why a player did not do what it was told. The text says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlayerError {
    /// It cannot be reached. It is tried again.
    #[error("{0}")]
    Gone(String),
    /// It does not have the track, or may not play it.
    #[error("{0}")]
    Refused(String),
}

/// Another music player.
pub trait RemotePlayer {
    /// What it does now.
    ///
    /// # Errors
    /// [`PlayerError::Gone`] where it cannot be reached; a later call tries again.
    fn report(&mut self) -> Result<Report, PlayerError>;

    /// Plays a track at once, or with `queue` behind the song that plays; returns what identifies it as in [`Report::song`].
    ///
    /// # Errors
    /// Both kinds.
    fn play(&mut self, uri: &str, queue: bool) -> Result<String, PlayerError>;

    /// Halts, goes on, or stops.
    ///
    /// # Errors
    /// [`PlayerError::Gone`].
    fn set_playback(&mut self, playback: Playback) -> Result<(), PlayerError>;
}
