//! Response to music: valence and arousal before and after each change of track.

use serde::{Deserialize, Serialize};

use crate::estimate::Estimate;
use crate::person::{Dimension, Sample};
use crate::summary::TrackPlay;

/// Time looked at on either side of a change, ns; less where another change or the end is nearer.
pub const WINDOW: u64 = 30_000_000_000;
/// Blocks within it, ns: longer than a blink of the classifier, short enough for a dozen.
const BLOCK: u64 = 2_000_000_000;

/// Before and after.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shift {
    /// Mean before.
    pub before: Estimate,
    /// Mean after.
    pub after: Estimate,
    /// After less before.
    pub change: Estimate,
}

/// What followed one change of track. That it followed does not say that the music caused it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Response {
    /// When the new track began, stream time, ns.
    pub at: u64,
    /// Title of the track before; `None` where there was silence.
    pub from: Option<String>,
    /// Title of the new track.
    pub to: String,
    /// Of the person's valence.
    pub valence: Shift,
    /// Of the person's arousal.
    pub arousal: Shift,
}

/// The responses of a person to tracks that are in order; a change without classified time on both sides is left out.
pub fn responses(samples: &[Sample], tracks: &[TrackPlay]) -> Vec<Response> {
    let response = |(index, play): (usize, &TrackPlay)| {
        let previous = index.checked_sub(1).and_then(|index| tracks.get(index));
        let next = tracks.get(index + 1).map_or(u64::MAX, |next| next.start);
        let from = play.start.saturating_sub(WINDOW).max(previous.map_or(0, |previous| previous.start));
        let to = play.start.saturating_add(WINDOW).min(next);
        let before = within(samples, from, play.start);
        let after = within(samples, play.start, to);
        let shift = |dimension| {
            let before = Estimate::with_blocks(before, dimension, BLOCK)?;
            let after = Estimate::with_blocks(after, dimension, BLOCK)?;
            Some(Shift { before, after, change: after.minus(&before) })
        };
        let sounded = previous.filter(|previous| previous.end.saturating_add(BLOCK) >= play.start);
        Some(Response {
            at: play.start,
            from: sounded.map(|previous| previous.title.clone()),
            to: play.title.clone(),
            valence: shift(Dimension::Valence)?,
            arousal: shift(Dimension::Arousal)?,
        })
    };
    tracks.iter().enumerate().filter_map(response).collect()
}

/// The samples that begin from `start` to before `end`.
fn within<'s, 'a>(samples: &'s [Sample<'a>], start: u64, end: u64) -> &'s [Sample<'a>] {
    let from = samples.partition_point(|sample| sample.start < start);
    let to = samples.partition_point(|sample| sample.start < end);
    samples.get(from..to.max(from)).unwrap_or_default()
}
