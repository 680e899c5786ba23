//! What a person's face is like at rest: people's neutral faces differ, so changes say more than levels.

use serde::{Deserialize, Serialize};

use crate::estimate::Estimate;
use crate::person::{Dimension, Sample};

/// A person's usual expression, measured over the beginning of a session or taken from an earlier one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// Classified time it rests on, seconds.
    pub seconds: f64,
    /// Mean probabilities, in the order of the emotions.
    pub probabilities: [f64; 7],
    /// Mean valence.
    pub valence: Estimate,
    /// Mean arousal.
    pub arousal: Estimate,
}

impl Baseline {
    /// Measures the first `seconds` of classified time; also gives what comes after. `None` where a person was
    /// classified for less than half of that.
    pub fn split<'s, 'a>(samples: &'s [Sample<'a>], seconds: f64) -> Option<(Self, &'s [Sample<'a>])> {
        let wanted = seconds * 1e9;
        let mut time = 0.0;
        let mut sums = [0.0; 7];
        let mut used = 0;
        for sample in samples {
            if time >= wanted {
                break;
            }
            used += 1;
            if let Some(classification) = sample.classification() {
                let length = sample.length() as f64;
                time += length;
                for (sum, probability) in sums.iter_mut().zip(classification.probabilities) {
                    *sum += probability * length;
                }
            }
        }
        if time <= 0.0 || time < wanted / 2.0 {
            return None;
        }
        let (first, rest) = samples.split_at_checked(used)?;
        let baseline = Self {
            seconds: time / 1e9,
            probabilities: sums.map(|sum| sum / time),
            valence: Estimate::of(first, Dimension::Valence)?,
            arousal: Estimate::of(first, Dimension::Arousal)?,
        };
        Some((baseline, rest))
    }
}

/// A session against a baseline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AboveBaseline {
    /// Mean valence less the baseline's.
    pub valence: Estimate,
    /// Mean arousal less the baseline's.
    pub arousal: Estimate,
}

impl AboveBaseline {
    /// By how much `samples` are above it; `None` without classified time.
    pub fn of(samples: &[Sample], baseline: &Baseline) -> Option<Self> {
        Some(Self {
            valence: Estimate::of(samples, Dimension::Valence)?.minus(&baseline.valence),
            arousal: Estimate::of(samples, Dimension::Arousal)?.minus(&baseline.arousal),
        })
    }
}
