//! Response to music: the subject's valence and arousal before and after the start of each track.

use serde::{Deserialize, Serialize};

use crate::estimate::Estimate;
use crate::people::{Dimension, Observation};
use crate::track_play::Piece;

/// Time compared on either side of a track's start, ns: 30 s, or less where another track starts sooner.
const WINDOW: u64 = 30_000_000_000;
/// Duration of the blocks that a window is cut into, ns: 2 s, longer than a misclassified blink and short enough for some
/// fifteen blocks a window.
const BLOCK: u64 = 2_000_000_000;

/// The means of a dimension before and after the start of a track.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BeforeAfter {
    /// Mean before, -1 to 1.
    pub before: Estimate,
    /// Mean after, -1 to 1.
    pub after: Estimate,
    /// Mean after minus mean before, -2 to 2.
    pub change: Estimate,
}

/// What followed the start of one track. That it followed does not show that the music caused it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MusicResponse {
    /// Start of the new track, stream time, ns.
    #[serde(rename = "at")]
    pub start: u64,
    /// Title of the track before; `None` where there was silence.
    pub from: Option<String>,
    /// Title of the new track.
    pub to: String,
    /// The subject's valence before and after.
    pub valence: BeforeAfter,
    /// The subject's arousal before and after.
    pub arousal: BeforeAfter,
}

/// Computes a person's response to each of `pieces`, which are in order of their starts. One without classified time on
/// both sides of its start is left out.
pub(crate) fn compute_responses(observations: &[Observation], pieces: &[Piece]) -> Vec<MusicResponse> {
    let piece_at = |index: usize| pieces.get(index).map(|piece| &piece.play);
    let response = |(index, Piece { play, .. }): (usize, &Piece)| {
        let previous = index.checked_sub(1).and_then(piece_at);
        let next_start = piece_at(index + 1).map_or(u64::MAX, |next| next.start);
        let from = play.start.saturating_sub(WINDOW).max(previous.map_or(0, |previous| previous.start));
        let to = play.start.saturating_add(WINDOW).min(next_start);
        let before = select_range(observations, from, play.start);
        let after = select_range(observations, play.start, to);
        let compare = |dimension| {
            let before = Estimate::from_blocks(before, dimension, BLOCK)?;
            let after = Estimate::from_blocks(after, dimension, BLOCK)?;
            Some(BeforeAfter { before, after, change: after.subtract(&before) })
        };
        let audible = previous.filter(|previous| previous.end.saturating_add(BLOCK) >= play.start);
        Some(MusicResponse {
            start: play.start,
            from: audible.map(|previous| previous.title.clone()),
            to: play.title.clone(),
            valence: compare(Dimension::Valence)?,
            arousal: compare(Dimension::Arousal)?,
        })
    };
    pieces.iter().enumerate().filter_map(response).collect()
}

/// The observations whose frames start in `start..end`, stream time, ns.
fn select_range<'s, 'a>(observations: &'s [Observation<'a>], start: u64, end: u64) -> &'s [Observation<'a>] {
    let from = observations.partition_point(|observation| observation.start < start);
    let to = observations.partition_point(|observation| observation.start < end);
    observations.get(from..to.max(from)).unwrap_or_default()
}
