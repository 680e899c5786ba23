//! A person's resting expression, and a session measured against it. Neutral faces differ between people, so a difference
//! from one's own baseline says more than an absolute level.

use serde::{Deserialize, Serialize};

use crate::estimate::Estimate;
use crate::people::{Dimension, Observation};

/// A person's usual expression, measured at the start of a session or taken from an earlier one; the content of
/// `baseline.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// Classified time it was measured over, seconds.
    pub seconds: f64,
    /// Mean probability of each emotion, in the order of `mood_schema::Emotion::ALL`; they sum to 1.
    pub probabilities: [f64; 7],
    /// Mean valence, -1 to 1.
    pub valence: Estimate,
    /// Mean arousal, -1 to 1.
    pub arousal: Estimate,
}

/// Where the subject's baseline comes from.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum BaselineSource {
    /// No baseline is used.
    #[default]
    None,
    /// Measured over this many seconds of the subject's classified time at the start of the session.
    SessionStart(f64),
    /// Measured in an earlier session.
    Existing(Baseline),
}

impl Baseline {
    /// Measures the first `seconds` of classified time. Also returns the observations after it. `None` where there is less
    /// than half as much classified time.
    pub fn measure<'s, 'a>(
        observations: &'s [Observation<'a>],
        seconds: f64,
    ) -> Option<(Self, &'s [Observation<'a>])> {
        let wanted = seconds * 1e9;
        let mut time = 0.0;
        let mut sums = [0.0; 7];
        let mut used = 0;
        for observation in observations {
            if time >= wanted {
                break;
            }
            used += 1;
            if let Some(classification) = observation.classification() {
                let duration = observation.duration() as f64;
                time += duration;
                for (sum, probability) in sums.iter_mut().zip(classification.probabilities) {
                    *sum += probability * duration;
                }
            }
        }
        if time <= 0.0 || time < wanted / 2.0 {
            return None;
        }
        let (first, rest) = observations.split_at_checked(used)?;
        let baseline = Self {
            seconds: time / 1e9,
            probabilities: sums.map(|sum| sum / time),
            valence: Estimate::from_observations(first, Dimension::Valence)?,
            arousal: Estimate::from_observations(first, Dimension::Arousal)?,
        };
        Some((baseline, rest))
    }
}

/// Difference of a session's means from a baseline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BaselineDifference {
    /// Mean valence minus the baseline's, -2 to 2.
    pub valence: Estimate,
    /// Mean arousal minus the baseline's, -2 to 2.
    pub arousal: Estimate,
}

impl BaselineDifference {
    /// Computes by how much the means of `observations` exceed the baseline's; `None` without classified time.
    pub fn compute(observations: &[Observation], baseline: &Baseline) -> Option<Self> {
        Some(Self {
            valence: Estimate::from_observations(observations, Dimension::Valence)?
                .subtract(&baseline.valence),
            arousal: Estimate::from_observations(observations, Dimension::Arousal)?
                .subtract(&baseline.arousal),
        })
    }
}

/// The subject's baseline and the session's difference from it. A baseline measured in this session is compared with the
/// observations after it only.
pub(crate) fn apply_baseline(
    observations: &[Observation],
    source: &BaselineSource,
) -> (Option<Baseline>, Option<BaselineDifference>) {
    match source {
        BaselineSource::None => (None, None),
        BaselineSource::SessionStart(seconds) => match Baseline::measure(observations, *seconds) {
            Some((baseline, rest)) => {
                let difference = BaselineDifference::compute(rest, &baseline);
                (Some(baseline), difference)
            }
            None => (None, None),
        },
        BaselineSource::Existing(baseline) => {
            (Some(baseline.clone()), BaselineDifference::compute(observations, baseline))
        }
    }
}
