//! A way through the plane of affect, from where somebody is to where the music should lead.

use mood_schema::Affect;

use crate::SECOND;

/// How far one step goes in the plane: about the distance between two neighbouring moods' music.
const STEP: f64 = 0.25;
/// No step is shorter, whatever the dwell.
const SHORTEST: u64 = SECOND;

/// A point on the way, and since when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Path {
    at: Affect,
    since: u64,
}

impl Path {
    pub(crate) fn from(at: Affect, now: u64) -> Self {
        Self { at, since: now }
    }

    pub(crate) fn at(&self) -> Affect {
        self.at
    }

    /// Starts the present step anew.
    pub(crate) fn rest(&mut self, now: u64) {
        self.since = now;
    }

    /// Takes one step towards the target once `dwell` has passed since the last.
    pub(crate) fn step(&mut self, now: u64, target: Affect, dwell: u64) {
        if now.saturating_sub(self.since) < dwell.max(SHORTEST) {
            return;
        }
        self.since = now;
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
