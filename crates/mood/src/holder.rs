//! The mood that is held: it changes on lasting evidence only.

use mood_schema::Mood;

use crate::Filter;

/// A new mood must be believed at least this much...
const ENTER: f64 = 0.7;
/// ...and the held one at most this much.
const LEAVE: f64 = 0.05;

/// The held mood changed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MoodChange {
    /// Before.
    pub from: Mood,
    /// From now on.
    pub to: Mood,
    /// The filter's belief in the new mood, 0-1.
    pub confidence: f64,
    /// From when the new mood was the one believed most, to now.
    pub evidence: (u64, u64),
}

/// Holds a mood against what the filter believes.
#[derive(Clone, Debug)]
pub(crate) struct Holder {
    mood: Mood,
    /// The mood believed most, and since when.
    leading: Option<(Mood, u64)>,
}

impl Default for Holder {
    fn default() -> Self {
        Self { mood: Mood::Absent, leading: None }
    }
}

impl Holder {
    pub(crate) fn mood(&self) -> Mood {
        self.mood
    }

    /// Sets the mood without evidence.
    pub(crate) fn set(&mut self, mood: Mood, now: u64) -> Option<MoodChange> {
        let from = std::mem::replace(&mut self.mood, mood);
        self.leading = None;
        (from != mood).then_some(MoodChange { from, to: mood, confidence: 1.0, evidence: (now, now) })
    }

    /// Forgets what has been gathered for another mood, not the mood itself.
    pub(crate) fn forget(&mut self) {
        self.leading = None;
    }

    /// Changes the mood where another has been believed most for the hold time, is believed enough, and `allowed` agrees.
    pub(crate) fn step(
        &mut self,
        now: u64,
        filter: &Filter,
        hold_time: u64,
        allowed: impl FnOnce(Mood) -> bool,
    ) -> Option<MoodChange> {
        let (top, belief) = filter.top();
        let since = match self.leading {
            Some((leading, since)) if leading == top => since,
            _ => now,
        };
        self.leading = Some((top, since));
        let lasting = now.saturating_sub(since) >= hold_time;
        let believed = belief >= ENTER && filter.belief(self.mood) <= LEAVE;
        if top == self.mood || !lasting || !believed || !allowed(top) {
            return None;
        }
        let from = std::mem::replace(&mut self.mood, top);
        Some(MoodChange { from, to: top, confidence: belief, evidence: (since, now) })
    }
}
