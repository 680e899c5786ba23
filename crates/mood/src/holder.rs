//! The mood that is held: it changes on lasting evidence only.

use mood_schema::Mood;

use crate::Filter;

/// A new mood must be believed at least this much...
const ENTER: f64 = 0.6;
/// ...and the held one at most this much.
const LEAVE: f64 = 0.2;

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
    /// The mood that meets the thresholds, and since when.
    candidate: Option<(Mood, u64)>,
}

impl Default for Holder {
    fn default() -> Self {
        Self { mood: Mood::Absent, leading: None, candidate: None }
    }
}

impl Holder {
    pub(crate) fn mood(&self) -> Mood {
        self.mood
    }

    /// Sets the mood without evidence.
    pub(crate) fn set(&mut self, mood: Mood, now: u64) -> Option<MoodChange> {
        let from = std::mem::replace(&mut self.mood, mood);
        self.candidate = None;
        (from != mood).then_some(MoodChange { from, to: mood, confidence: 1.0, evidence: (now, now) })
    }

    /// Forgets what has been gathered for another mood, not the mood itself.
    pub(crate) fn forget(&mut self) {
        (self.leading, self.candidate) = (None, None);
    }

    /// Changes the mood where another has met the thresholds for the hold time and `allowed` agrees.
    pub(crate) fn step(
        &mut self,
        now: u64,
        filter: &Filter,
        hold_time: u64,
        allowed: impl FnOnce(Mood) -> bool,
    ) -> Option<MoodChange> {
        let (top, belief) = filter.top();
        let began = match self.leading {
            Some((leading, since)) if leading == top => since,
            _ => now,
        };
        self.leading = Some((top, began));

        if top == self.mood || belief < ENTER || filter.belief(self.mood) > LEAVE {
            self.candidate = None;
            return None;
        }
        let since = match self.candidate {
            Some((candidate, since)) if candidate == top => since,
            _ => now,
        };
        self.candidate = Some((top, since));
        if now.saturating_sub(since) < hold_time || !allowed(top) {
            return None;
        }
        self.candidate = None;
        let from = std::mem::replace(&mut self.mood, top);
        Some(MoodChange { from, to: top, confidence: belief, evidence: (began, now) })
    }
}
