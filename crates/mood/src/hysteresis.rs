//! The held mood: it follows the filter with hysteresis and only after a hold time.

use mood_schema::Mood;

use crate::MoodFilter;

/// A mood becomes the held one only when the filter gives it at least this probability. Chosen together with
/// [`LEAVE_THRESHOLD`] and the constants of the filter in [`crate::simulation`].
const ENTER_THRESHOLD: f64 = 0.7;
/// The held mood is left when the filter gives it at most this probability.
const LEAVE_THRESHOLD: f64 = 0.05;

/// A change of the held mood.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MoodChange {
    /// The mood held until now.
    pub from: Mood,
    /// The mood held from now on.
    pub to: Mood,
    /// The filter's probability of the new mood, 0 to 1; 1 for a mood that was set by hand.
    pub confidence: f64,
    /// The span of time in which the new mood was the most probable one without interruption, `(start, end)`
    /// in ns. It ends at the change.
    pub evidence: (u64, u64),
}

/// The held mood and the mood that may replace it.
#[derive(Clone, Debug)]
pub(crate) struct HeldMood {
    mood: Mood,
    /// The most probable mood, and since when (ns) it has been the most probable without interruption.
    candidate: Option<(Mood, u64)>,
}

impl Default for HeldMood {
    fn default() -> Self {
        Self { mood: Mood::Absent, candidate: None }
    }
}

impl HeldMood {
    /// The mood that is held.
    pub(crate) fn mood(&self) -> Mood {
        self.mood
    }

    /// Sets the mood without evidence; the change, unless the mood was held already.
    pub(crate) fn set(&mut self, mood: Mood, now: u64) -> Option<MoodChange> {
        let from = std::mem::replace(&mut self.mood, mood);
        self.candidate = None;
        (from != mood).then_some(MoodChange { from, to: mood, confidence: 1.0, evidence: (now, now) })
    }

    /// Discards the evidence for another mood; the held mood stays.
    pub(crate) fn reset_evidence(&mut self) {
        self.candidate = None;
    }

    /// Whether the most probable mood has been so for `hold_time` ns, as far as [`Self::update`] has seen.
    pub(crate) fn is_lasting(&self, now: u64, hold_time: u64) -> bool {
        self.candidate.is_some_and(|(_, since)| now.saturating_sub(since) >= hold_time)
    }

    /// Whether the probabilities of the most probable mood and of the held one pass both thresholds.
    pub(crate) fn is_believed(&self, filter: &MoodFilter) -> bool {
        let (_, probability) = filter.most_probable();
        probability >= ENTER_THRESHOLD && filter.probability(self.mood) <= LEAVE_THRESHOLD
    }

    /// Changes the mood to the most probable one where that has been so for `hold_time` ns, both thresholds
    /// are passed, and `is_allowed` agrees.
    pub(crate) fn update(
        &mut self,
        now: u64,
        filter: &MoodFilter,
        hold_time: u64,
        is_allowed: impl FnOnce(Mood) -> bool,
    ) -> Option<MoodChange> {
        let (candidate, probability) = filter.most_probable();
        let since = match self.candidate {
            Some((previous, since)) if previous == candidate => since,
            _ => now,
        };
        self.candidate = Some((candidate, since));
        let is_ready = self.is_lasting(now, hold_time) && self.is_believed(filter);
        if candidate == self.mood || !is_ready || !is_allowed(candidate) {
            return None;
        }
        let from = std::mem::replace(&mut self.mood, candidate);
        Some(MoodChange { from, to: candidate, confidence: probability, evidence: (since, now) })
    }
}
