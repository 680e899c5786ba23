//! The stepwise way through the plane of affect from a start to a target, as the iso principle asks for.

use mood_schema::Affect;

use crate::SECOND;

/// Length of one step of [`Strategy::Iso`](crate::Strategy::Iso) in the plane of valence and arousal, whose sides are 2
/// long: about the distance between the music of two neighbouring moods.
pub const STEP_LENGTH: f64 = 0.25;
/// Shortest duration of a step, ns, for dwell times that are shorter or zero.
const MIN_STEP_DURATION: u64 = SECOND;

/// A position on the way to a target.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AffectTrajectory {
    position: Affect,
    /// When the position was reached, ns; `None` where the next step is due at once.
    reached_at: Option<u64>,
    /// Whether a track has started since the last step.
    track_started: bool,
}

impl AffectTrajectory {
    /// Starts at `start` and stays there as long as at every later position.
    pub(crate) fn starting_at(start: Affect, now: u64) -> Self {
        Self { position: start, reached_at: Some(now), track_started: false }
    }

    /// Starts at `start` and takes the first step at the next [`advance`](Self::advance).
    pub(crate) fn leaving(start: Affect) -> Self {
        Self { position: start, reached_at: None, track_started: true }
    }

    /// The present position.
    pub(crate) fn position(&self) -> Affect {
        self.position
    }

    /// Makes the current step begin at `now`, for a time that has jumped.
    pub(crate) fn restart_step(&mut self, now: u64) {
        self.reached_at = Some(now);
    }

    /// Records that a track has started, which a step limited by tracks waits for.
    pub(crate) fn record_track_start(&mut self) {
        self.track_started = true;
    }

    /// Moves one step towards the target once `dwell` ns have passed since the last step and, with
    /// `once_per_track`, a track has started since then.
    pub(crate) fn advance(&mut self, now: u64, target: Affect, dwell: u64, once_per_track: bool) {
        let dwell = dwell.max(MIN_STEP_DURATION);
        let dwell_over = self.reached_at.is_none_or(|reached_at| now.saturating_sub(reached_at) >= dwell);
        if !dwell_over || (once_per_track && !self.track_started) || self.position == target {
            return;
        }
        (self.reached_at, self.track_started) = (Some(now), false);
        let distance = self.position.distance(target);
        self.position = if distance <= STEP_LENGTH {
            target
        } else {
            let share = STEP_LENGTH / distance;
            Affect {
                valence: self.position.valence + (target.valence - self.position.valence) * share,
                arousal: self.position.arousal + (target.arousal - self.position.arousal) * share,
            }
        };
    }
}
