//! The options of a player.

use std::time::Duration;

use mood::{Resume, SwitchAt};

/// Options of a [`Player`](crate::Player).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PlayoutOptions {
    /// How long two tracks overlap. Where 0, tracks follow each other without a gap, and a switch in the
    /// middle of a track still takes 5 ms.
    pub crossfade: Duration,
    /// When a changed mood changes the music.
    pub switch_at: SwitchAt,
    /// What plays when a mood returns.
    pub resume: Resume,
    /// The loudness that every track is brought to, LUFS. A change applies from the next track on.
    pub target_lufs: f64,
    /// Number of other tracks played before a track may be repeated. Where fewer tracks fit, one is repeated
    /// earlier.
    pub no_repeat: u32,
    /// Whether tracks that fit equally well are chosen between at random, and not in the library's order.
    pub shuffle: bool,
    /// Seed of the random choice between tracks that fit equally well. Read only when a player is made.
    pub seed: u64,
}

impl Default for PlayoutOptions {
    fn default() -> Self {
        Self {
            crossfade: Duration::from_secs(4),
            switch_at: SwitchAt::default(),
            resume: Resume::default(),
            target_lufs: -16.0,
            no_repeat: 3,
            shuffle: true,
            seed: 0,
        }
    }
}
