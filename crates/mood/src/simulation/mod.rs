//! A simulated person with changing moods, a simulated classifier with correlated errors, and how well a
//! method follows the mood.
//!
//! The person has one of the seven emotions for a random time (exponentially distributed, 90 s on average: 40
//! changes an hour). The classifier gives the same distribution for 0.5 to 2 s (uniformly distributed); after
//! that, and at each change of the person's mood, its label is drawn anew from the mood's row of the
//! [`ConfusionMatrix`]. Its confidence is always that of the built-in model on average, 69 %, whether the
//! label is right or wrong.
//!
//! [`Policy`] is compared with the label of each frame ([`Argmax`]), the most frequent label of the last ten
//! frames and of the last ten seconds ([`MajorityVote`]), and an exponential moving average with hysteresis
//! and dwell time ([`MovingAverage`]). `cargo run --release -p mood --example simulate` prints the
//! comparison; `benches/RESULTS.md` has it under "The mood policy and simpler ways".

mod baselines;

use mood_schema::{Affect, Classification, Emotion, Face, Frame, Mood, Rect};

pub use baselines::{Argmax, MajorityVote, MovingAverage};

use crate::{ConfusionMatrix, InputId, Policy, SECOND};

/// Mean confidence of the built-in model, 0 to 1: its accuracy plus its calibration error on PublicTest
/// (`models/README.md`).
const CONFIDENCE: f64 = 0.69;

/// A method that estimates the mood from the classifier's output, frame by frame.
pub trait MoodEstimator {
    /// Processes a frame at `time` (ns) with the probabilities of the seven emotions, in the order of
    /// [`Emotion`]; the mood after that frame.
    fn estimate(&mut self, time: u64, probabilities: &[f64; 7]) -> Mood;
}

impl MoodEstimator for Policy {
    fn estimate(&mut self, time: u64, probabilities: &[f64; 7]) -> Mood {
        self.observe(InputId(0), time, &Frame { faces: vec![face(probabilities)], shot: 0 });
        self.update(time);
        self.mood()
    }
}

/// A face in the middle of the frame with these probabilities.
fn face(probabilities: &[f64; 7]) -> Face {
    let (label, confidence) = most_probable(probabilities);
    Face {
        id: 1,
        bbox: Rect { x: 0.3, y: 0.3, w: 0.4, h: 0.4 },
        classification: Some(Classification {
            label: label.into(),
            confidence,
            probabilities: *probabilities,
            raw: None,
            affect: Affect::from_distribution(probabilities),
        }),
        quality: 1.0,
        roll: 0.0,
        source: Default::default(),
        resembles: None,
        quality_limit: None,
    }
}

/// The emotion with the largest value, the first of equals, and that value.
fn most_probable(values: &[f64; 7]) -> (Emotion, f64) {
    Emotion::ALL
        .into_iter()
        .zip(*values)
        .fold((Emotion::Neutral, f64::NEG_INFINITY), |best, next| if next.1 > best.1 { next } else { best })
}

/// The parameters of a simulation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scenario {
    /// How often the classifier gives each label to each emotion.
    pub confusion: ConfusionMatrix,
    /// Simulated time, ns.
    pub duration: u64,
    /// Time between two frames, ns.
    pub frame_period: u64,
    /// Mean duration of the person's moods, ns.
    pub mean_mood_duration: u64,
    /// Minimum and maximum duration of the same output of the classifier, ns.
    pub label_duration: (u64, u64),
}

impl Default for Scenario {
    /// Four hours at ten frames a second, 40 changes an hour, labels that last 0.5 to 2 s.
    fn default() -> Self {
        Self {
            confusion: ConfusionMatrix::default(),
            duration: 4 * 3600 * SECOND,
            frame_period: SECOND / 10,
            mean_mood_duration: 90 * SECOND,
            label_duration: (SECOND / 2, 2 * SECOND),
        }
    }
}

/// How well an estimator followed the person's mood.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    /// Number of changes of the person's mood.
    pub true_changes: u32,
    /// Number of changes of the estimated mood.
    pub switches: u32,
    /// Share of the time in which the estimated mood was the person's, 0 to 1.
    pub accuracy: f64,
    /// Median time from a change to the first frame with the right estimate, seconds. Changes that were never
    /// followed do not count; infinite where none was.
    pub median_delay: f64,
}

impl Outcome {
    /// Number of switches per change of the person's mood; 1 would be ideal.
    pub fn switches_per_change(&self) -> f64 {
        f64::from(self.switches) / f64::from(self.true_changes.max(1))
    }
}

/// Runs an estimator on a simulated classifier. The same scenario and seed give every estimator the
/// same input.
pub fn simulate(scenario: &Scenario, seed: u64, estimator: &mut dyn MoodEstimator) -> Outcome {
    let mut rng = SplitMix64(seed);
    let (mut true_emotion, mut emotion_end, mut true_changes) = (Emotion::Neutral, 0.0, 0u32);
    let (mut probabilities, mut label_end) = ([0.0; 7], 0.0);
    let (mut estimate, mut switches, mut correct_frames) = (None, 0u32, 0u64);
    let (mut unfollowed_change, mut delays) = (None, Vec::new());
    let frames = scenario.duration / scenario.frame_period.max(1);
    for frame in 0..frames {
        let time = frame * scenario.frame_period;
        let now = time as f64;
        if now >= emotion_end {
            true_emotion = rng.other_emotion(true_emotion);
            emotion_end = now + rng.exponential(scenario.mean_mood_duration as f64);
            (label_end, true_changes, unfollowed_change) = (now, true_changes + 1, Some(now));
        }
        if now >= label_end {
            let label = rng.weighted_index(&scenario.confusion.label_probabilities(true_emotion.index()));
            probabilities = [(1.0 - CONFIDENCE) / 6.0; 7];
            probabilities[label] = CONFIDENCE;
            let (min, max) = (scenario.label_duration.0 as f64, scenario.label_duration.1 as f64);
            label_end = now + min + (max - min) * rng.uniform();
        }
        let mood = estimator.estimate(time, &probabilities);
        switches += u32::from(estimate.replace(mood).is_some_and(|previous| previous != mood));
        if mood == Mood::Known(true_emotion) {
            correct_frames += 1;
            delays.extend(unfollowed_change.take().map(|change| (now - change) / SECOND as f64));
        }
    }
    delays.sort_by(f64::total_cmp);
    Outcome {
        true_changes,
        switches,
        accuracy: correct_frames as f64 / frames.max(1) as f64,
        median_delay: delays.get(delays.len() / 2).copied().unwrap_or(f64::INFINITY),
    }
}

/// The pseudo-random number generator SplitMix64 (Steele, Lea and Flood 2014, doi:10.1145/2660193.2660195).
struct SplitMix64(u64);

impl SplitMix64 {
    /// Uniformly distributed in 0 (inclusive) to 1 (exclusive).
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Exponentially distributed with this mean.
    fn exponential(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.uniform()).ln()
    }

    /// An index drawn with these probabilities.
    fn weighted_index(&mut self, probabilities: &[f64; 7]) -> usize {
        let mut remaining = self.uniform();
        let index = probabilities.iter().position(|probability| {
            remaining -= probability;
            remaining < 0.0
        });
        index.unwrap_or(6)
    }

    /// One of the six other emotions, equally likely.
    fn other_emotion(&mut self, current: Emotion) -> Emotion {
        let step = 1 + (self.uniform() * 6.0) as usize;
        Emotion::from_index((current.index() + step) % 7).unwrap_or(current)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PolicySettings;

    /// Switches per change, accuracy and median delay: means over eight seeds.
    fn mean(make: impl Fn() -> Box<dyn MoodEstimator>) -> (f64, f64, f64) {
        let outcomes = (1..=8).map(|seed| simulate(&Scenario::default(), seed, make().as_mut()));
        outcomes.fold((0.0, 0.0, 0.0), |sum, o| {
            (sum.0 + o.switches_per_change() / 8.0, sum.1 + o.accuracy / 8.0, sum.2 + o.median_delay / 8.0)
        })
    }

    #[test]
    fn the_policy_is_mostly_right_with_few_switches() {
        let (switches, accuracy, delay) = mean(|| Box::new(Policy::new(PolicySettings::default())));
        assert!(switches <= 1.25, "{switches} switches per change");
        assert!(accuracy >= 0.85, "accuracy {accuracy}");
        assert!(delay <= 8.0, "median delay {delay} s");
    }

    #[test]
    fn simpler_estimators_do_worse() {
        let others: [fn() -> Box<dyn MoodEstimator>; 4] = [
            || Box::new(Argmax),
            || Box::new(MajorityVote::over_frames(10)),
            || Box::new(MajorityVote::over_time(10 * SECOND)),
            || Box::new(MovingAverage::default()),
        ];
        for other in others {
            let (switches, accuracy, _) = mean(other);
            assert!(switches > 1.4 || accuracy < 0.8, "{switches} switches, accuracy {accuracy}");
        }
    }

    #[test]
    fn labels_without_errors_are_followed_exactly() {
        let mut counts = [[0; 7]; 7];
        (0..7).for_each(|index| counts[index][index] = 1);
        let confusion = ConfusionMatrix::from_counts(&counts).unwrap();
        let scenario = Scenario { confusion, ..Scenario::default() };
        let outcome = simulate(&scenario, 1, &mut Argmax);
        assert_eq!((outcome.accuracy, outcome.median_delay), (1.0, 0.0));
        assert_eq!(outcome.switches + 1, outcome.true_changes);
        assert!((120..200).contains(&outcome.true_changes), "{outcome:?}");
    }
}
