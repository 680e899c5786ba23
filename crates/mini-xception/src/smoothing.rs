//! Smoothing of each face's distribution over time, and the label that follows from it.
//!
//! A face classified at times t(0) < t(1) < ... with distributions p(0), p(1), ... has the smoothed distribution
//!
//! ```text
//! s(0) = p(0)
//! s(k) = s(k-1) + w (p(k) - s(k-1)),   w = 1 - exp(-(t(k) - t(k-1)) / time constant)
//! ```
//!
//! an exponential moving average by elapsed time. The weight depends on timestamps and not on the number of frames,
//! so that dropped frames and a variable frame rate smooth as a steady rate does. A weight of 1, no smoothing,
//! applies where the time constant is 0, where a timestamp is missing and where time does not advance.
//!
//! The label is the likeliest emotion of the smoothed distribution, from which the person's resting face is taken off
//! ([`crate::resting_face`]), or `uncertain` below one of [`LabelThresholds`].
//!
//! Times and durations are nanoseconds; times count from any origin that stays the same until [`FaceSmoother::clear`].

use std::collections::HashMap;

use mood_schema::{Affect, Classification, Emotion, Label};

use crate::quality::Quality;
use crate::resting_face::LogitShift;

/// How long a face is kept after its last frame, ns. Ids are never reused, so this only bounds the memory.
const RETENTION: u64 = 10_000_000_000;

/// Below either of these a face's label is `uncertain`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LabelThresholds {
    /// Lowest probability of the likeliest emotion, 0-1.
    pub min_confidence: f64,
    /// Lowest quality of the face's image as [`crate::quality::assess`] gives it, 0-1.
    pub min_quality: f64,
}

impl LabelThresholds {
    /// The classification by the network's distribution, from which `shift` is taken off; `quality` (0-1) is that of the
    /// face's image.
    pub fn classify(&self, raw: &[f64; 7], shift: &LogitShift, quality: f64) -> Classification {
        let probabilities = shift.apply(raw);
        let first = (Emotion::Angry, probabilities[Emotion::Angry.index()]);
        let (emotion, confidence) = Emotion::ALL
            .into_iter()
            .zip(probabilities)
            .fold(first, |best, next| if next.1 > best.1 { next } else { best });
        let is_confident = confidence >= self.min_confidence && quality >= self.min_quality;
        Classification {
            label: if is_confident { emotion.into() } else { Label::Uncertain },
            confidence,
            probabilities,
            raw: (!shift.is_zero()).then_some(*raw),
            affect: Affect::from_distribution(&probabilities),
        }
    }
}

/// The smoothed distributions of all faces of a stream, by face id.
#[derive(Default)]
pub struct FaceSmoother {
    faces: HashMap<u32, SmoothedFace>,
}

/// What is kept of one face between frames.
struct SmoothedFace {
    probabilities: [f64; 7],
    /// Of the image classified last.
    quality: Quality,
    last_classified: Option<u64>,
    last_frame: Option<u64>,
    last_label: Option<Label>,
}

impl FaceSmoother {
    /// Removes all faces, as is due when the stream's time jumps.
    pub fn clear(&mut self) {
        self.faces.clear();
    }

    /// Whether face `id` has to be classified in the frame at `now` when each face is classified at most once per
    /// `interval`.
    pub fn is_due(&self, id: u32, now: Option<u64>, interval: u64) -> bool {
        let last = self.faces.get(&id).and_then(|face| face.last_classified);
        match (last, now) {
            (Some(last), Some(now)) if now >= last => now - last >= interval,
            _ => true,
        }
    }

    /// Adds the network's distribution of face `id` in the frame at `now`, with the quality of the image that was
    /// classified. `probabilities` are in [`Emotion`]'s order and sum to 1.
    pub fn update(
        &mut self,
        id: u32,
        probabilities: [f64; 7],
        quality: impl Into<Quality>,
        now: Option<u64>,
        time_constant: u64,
    ) {
        let quality = quality.into();
        let face = self.faces.entry(id).or_insert(SmoothedFace {
            probabilities,
            quality,
            last_classified: None,
            last_frame: None,
            last_label: None,
        });
        let weight = match (face.last_classified, now) {
            (Some(last), Some(now)) if now > last && time_constant > 0 => {
                1.0 - (-((now - last) as f64) / time_constant as f64).exp()
            }
            _ => 1.0,
        };
        for (smoothed, value) in face.probabilities.iter_mut().zip(probabilities) {
            *smoothed += weight * (value - *smoothed);
        }
        face.quality = quality;
        face.last_classified = now;
        face.last_frame = now;
    }

    /// The classification of face `id` by its smoothed distribution, from which `shift` is taken off, and the quality
    /// of the image classified last. `None` for a face that was never classified.
    pub fn classification(
        &self,
        id: u32,
        shift: &LogitShift,
        thresholds: LabelThresholds,
    ) -> Option<(Classification, Quality)> {
        let face = self.faces.get(&id)?;
        Some((thresholds.classify(&face.probabilities, shift, face.quality.score), face.quality))
    }

    /// Records that face `id` is in the frame at `now` with `label`. Returns whether the label differs from the one
    /// recorded before, which the first one does; `false` for a face that was never classified.
    pub fn record_label(&mut self, id: u32, label: Label, now: Option<u64>) -> bool {
        let Some(face) = self.faces.get_mut(&id) else { return false };
        face.last_frame = now;
        face.last_label.replace(label) != Some(label)
    }

    /// Removes the faces that have been in no frame for 10 s.
    pub fn remove_stale(&mut self, now: Option<u64>) {
        let Some(now) = now else { return };
        self.faces.retain(|_, face| face.last_frame.is_none_or(|last| now.saturating_sub(last) < RETENTION));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;
    const TIME_CONSTANT: u64 = 300 * MS;
    const NO_THRESHOLDS: LabelThresholds = LabelThresholds { min_confidence: 0.0, min_quality: 0.0 };
    const THRESHOLDS: LabelThresholds = LabelThresholds { min_confidence: 0.4, min_quality: 0.3 };

    const NO_SHIFT: LogitShift = LogitShift::ZERO;

    fn ms(milliseconds: u64) -> Option<u64> {
        Some(milliseconds * MS)
    }

    fn certain(emotion: Emotion) -> [f64; 7] {
        let mut probabilities = [0.0; 7];
        probabilities[emotion.index()] = 1.0;
        probabilities
    }

    #[test]
    fn smoothing_depends_on_elapsed_time_and_not_on_the_number_of_frames() {
        let happiness_after_300_ms = |step: u64| {
            let mut smoother = FaceSmoother::default();
            smoother.update(1, certain(Emotion::Neutral), 1.0, ms(0), TIME_CONSTANT);
            for time in (step..=300).step_by(step as usize) {
                smoother.update(1, certain(Emotion::Happy), 1.0, ms(time), TIME_CONSTANT);
            }
            smoother.classification(1, &NO_SHIFT, NO_THRESHOLDS).unwrap().0.probabilities
                [Emotion::Happy.index()]
        };
        let expected = 1.0 - (-1.0f64).exp();
        for step in [10, 50, 300] {
            let happiness = happiness_after_300_ms(step);
            assert!((happiness - expected).abs() < 1e-9, "steps of {step} ms: {happiness}");
        }
    }

    #[test]
    fn without_timestamps_or_time_constant_the_last_distribution_counts() {
        let mut smoother = FaceSmoother::default();
        let label =
            |smoother: &FaceSmoother| smoother.classification(1, &NO_SHIFT, THRESHOLDS).unwrap().0.label;
        smoother.update(1, certain(Emotion::Sad), 1.0, None, TIME_CONSTANT);
        smoother.update(1, certain(Emotion::Happy), 1.0, None, TIME_CONSTANT);
        assert_eq!(label(&smoother), Emotion::Happy.into());
        smoother.update(1, certain(Emotion::Sad), 1.0, ms(1), 0);
        assert_eq!(label(&smoother), Emotion::Sad.into());
    }

    #[test]
    fn label_is_uncertain_below_either_threshold() {
        let mut smoother = FaceSmoother::default();
        smoother.update(1, [0.1, 0.1, 0.1, 0.35, 0.15, 0.1, 0.1], 0.8, ms(0), TIME_CONSTANT);
        smoother.update(2, certain(Emotion::Happy), 0.2, ms(0), TIME_CONSTANT);
        let (classification, quality) = smoother.classification(1, &NO_SHIFT, THRESHOLDS).unwrap();
        assert_eq!(
            (classification.label, classification.confidence, quality.score),
            (Label::Uncertain, 0.35, 0.8)
        );
        assert_eq!(smoother.classification(2, &NO_SHIFT, THRESHOLDS).unwrap().0.label, Label::Uncertain);
        let lower = LabelThresholds { min_confidence: 0.3, ..THRESHOLDS };
        assert_eq!(smoother.classification(1, &NO_SHIFT, lower).unwrap().0.label, Emotion::Happy.into());
        assert!(smoother.classification(3, &NO_SHIFT, THRESHOLDS).is_none());
    }

    #[test]
    fn resting_face_is_taken_off_and_the_raw_distribution_kept() {
        let mut smoother = FaceSmoother::default();
        let raw = [0.05, 0.01, 0.02, 0.02, 0.6, 0.0, 0.3];
        smoother.update(1, raw, 1.0, ms(0), TIME_CONSTANT);
        let (plain, _) = smoother.classification(1, &NO_SHIFT, THRESHOLDS).unwrap();
        assert_eq!((plain.label, plain.probabilities, plain.raw), (Emotion::Sad.into(), raw, None));
        let shift = LogitShift::new([0.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0]);
        let (adjusted, _) = smoother.classification(1, &shift, THRESHOLDS).unwrap();
        assert_eq!((adjusted.label, adjusted.raw), (Emotion::Neutral.into(), Some(raw)));
        assert_eq!(adjusted.confidence, adjusted.probabilities[Emotion::Neutral.index()]);
        assert!(adjusted.affect.valence > plain.affect.valence);
    }

    #[test]
    fn face_is_due_once_per_interval() {
        let interval = 200 * MS;
        let mut smoother = FaceSmoother::default();
        assert!(smoother.is_due(1, ms(0), interval));
        smoother.update(1, certain(Emotion::Happy), 1.0, ms(0), TIME_CONSTANT);
        assert!(!smoother.is_due(1, ms(199), interval));
        assert!(smoother.is_due(1, ms(200), interval));
        assert!(smoother.is_due(1, None, interval));
    }

    #[test]
    fn record_label_reports_changes_and_keeps_the_face() {
        let mut smoother = FaceSmoother::default();
        smoother.update(1, certain(Emotion::Happy), 1.0, ms(0), TIME_CONSTANT);
        assert!(smoother.record_label(1, Emotion::Happy.into(), ms(100)), "the first label");
        assert!(!smoother.record_label(1, Emotion::Happy.into(), ms(200)), "the same label");
        assert!(smoother.record_label(1, Label::Uncertain, ms(300)), "another label");
        smoother.remove_stale(ms(10_299));
        assert!(smoother.classification(1, &NO_SHIFT, NO_THRESHOLDS).is_some());
        smoother.remove_stale(ms(10_300));
        assert!(smoother.classification(1, &NO_SHIFT, NO_THRESHOLDS).is_none());
    }
}
