//! A way through the plane of affect, from where somebody is to where the music should lead.

use mood_schema::Affect;

use crate::SECOND;

/// How far one step goes in the plane: about the distance between two neighbouring moods' music.
const STEP: f64 = 0.25;
/// No step is shorter, whatever the dwell.
const SHORTEST: u64 = SECOND;

/// A point on the way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Path {
    at: Affect,
    /// When it was reached; `None` where the first step is due.
    since: Option<u64>,
    /// A track has begun since the last step.
    heard: bool,
}

impl Path {
    /// A way whose first step is as long as every other.
    pub(crate) fn from(at: Affect, now: u64) -> Self {
        Self { at, since: Some(now), heard: false }
    }

    /// A way whose first step is due.
    pub(crate) fn leaving(at: Affect) -> Self {
        Self { at, since: None, heard: true }
    }

    pub(crate) fn at(&self) -> Affect {
        self.at
    }

    /// Starts the present step anew.
    pub(crate) fn rest(&mut self, now: u64) {
        self.since = Some(now);
    }

    /// A track begins.
    pub(crate) fn track_began(&mut self) {
        self.heard = true;
    }

    /// Takes one step towards the target once `dwell` has passed since the last and, with `by_track`, a track has begun.
    pub(crate) fn step(&mut self, now: u64, target: Affect, dwell: u64, by_track: bool) {
        let rested = self.since.is_none_or(|since| now.saturating_sub(since) >= dwell.max(SHORTEST));
        if !rested || (by_track && !self.heard) || self.at == target {
            return;
        }
        (self.since, self.heard) = (Some(now), false);
        let left = self.at.distance(target);
        self.at = if left <= STEP {
            target
        } else {
            let share = STEP / left;
            Affect {
                valence: self.at.valence + (target.valence - self.at.valence) * share,
                arousal: self.at.arousal + (target.arousal - self.at.arousal) * share,
            }
        };
    }
}
