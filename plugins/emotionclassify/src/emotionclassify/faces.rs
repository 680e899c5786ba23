//! What is remembered of each face between frames: its smoothed distribution, and when it was last looked at.

use std::collections::HashMap;

use mood_schema::{Affect, Classification, Emotion, Label};

/// A face that nobody saw for so long is forgotten. Ids are never reused, so this only bounds the memory.
const FORGET_AFTER: gst::ClockTime = gst::ClockTime::from_seconds(10);

/// The faces of a stream.
#[derive(Default)]
pub struct Faces {
    known: HashMap<u32, Remembered>,
}

struct Remembered {
    smoothed: [f64; 7],
    classified: Option<gst::ClockTime>,
    seen: Option<gst::ClockTime>,
    announced: Option<Label>,
    quality: f64,
}

impl Faces {
    /// Forgets all: the stream jumped.
    pub fn clear(&mut self) {
        self.known.clear();
    }

    /// Whether face `id` is to be classified in the frame at `now`, when each is at most once per `interval`.
    pub fn is_due(&self, id: u32, now: Option<gst::ClockTime>, interval: gst::ClockTime) -> bool {
        let last = self.known.get(&id).and_then(|face| face.classified);
        match (last, now) {
            (Some(last), Some(now)) if now >= last => now - last >= interval,
            _ => true,
        }
    }

    /// Takes in what the network says of face `id` at `now`. The distribution approaches it exponentially with the time
    /// constant `smoothing`, so that a variable frame rate smooths as a steady one does.
    pub fn update(
        &mut self,
        id: u32,
        probabilities: [f64; 7],
        quality: f64,
        now: Option<gst::ClockTime>,
        smoothing: gst::ClockTime,
    ) {
        let known = self.known.entry(id).or_insert(Remembered {
            smoothed: probabilities,
            classified: None,
            seen: None,
            announced: None,
            quality,
        });
        let weight = match (known.classified, now) {
            (Some(last), Some(now)) if now > last && !smoothing.is_zero() => {
                let elapsed = (now - last).nseconds() as f64;
                1.0 - (-elapsed / smoothing.nseconds() as f64).exp()
            }
            _ => 1.0,
        };
        for (smoothed, value) in known.smoothed.iter_mut().zip(probabilities) {
            *smoothed += weight * (value - *smoothed);
        }
        known.quality = quality;
        known.classified = now;
        known.seen = now;
    }

    /// What is said of face `id` now: its likeliest emotion, or `uncertain` below one of the limits.
    pub fn classification(
        &self,
        id: u32,
        min_confidence: f64,
        min_quality: f64,
    ) -> Option<(Classification, f64)> {
        let face = self.known.get(&id)?;
        let (emotion, confidence) = Emotion::ALL
            .into_iter()
            .zip(face.smoothed)
            .reduce(|best, next| if next.1 > best.1 { next } else { best })?;
        let sure = confidence >= min_confidence && face.quality >= min_quality;
        let classification = Classification {
            label: if sure { emotion.into() } else { Label::Uncertain },
            confidence,
            probabilities: face.smoothed,
            affect: Affect::from_distribution(&face.smoothed),
        };
        Some((classification, face.quality))
    }

    /// Notes that face `id` was seen at `now` and shows `label`; true where that differs from what was noted before.
    pub fn note(&mut self, id: u32, label: Label, now: Option<gst::ClockTime>) -> bool {
        let Some(face) = self.known.get_mut(&id) else { return false };
        face.seen = now;
        face.announced.replace(label) != Some(label)
    }

    /// Drops the faces not seen for long.
    pub fn forget(&mut self, now: Option<gst::ClockTime>) {
        let Some(now) = now else { return };
        self.known.retain(|_, face| face.seen.is_none_or(|seen| now.saturating_sub(seen) < FORGET_AFTER));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(milliseconds: u64) -> Option<gst::ClockTime> {
        Some(gst::ClockTime::from_mseconds(milliseconds))
    }

    fn only(emotion: Emotion) -> [f64; 7] {
        let mut probabilities = [0.0; 7];
        probabilities[emotion.index()] = 1.0;
        probabilities
    }

    const SMOOTHING: gst::ClockTime = gst::ClockTime::from_mseconds(300);

    #[test]
    fn smoothing_goes_by_time_not_by_frames() {
        let after = |step: u64| {
            let mut faces = Faces::default();
            faces.update(1, only(Emotion::Neutral), 1.0, ms(0), SMOOTHING);
            for time in (step..=300).step_by(step as usize) {
                faces.update(1, only(Emotion::Happy), 1.0, ms(time), SMOOTHING);
            }
            faces.classification(1, 0.0, 0.0).unwrap().0.probabilities[Emotion::Happy.index()]
        };
        let expected = 1.0 - (-1.0f64).exp();
        for step in [10, 50, 300] {
            assert!((after(step) - expected).abs() < 1e-9, "steps of {step} ms: {}", after(step));
        }
    }

    #[test]
    fn no_smoothing_and_no_timestamps_take_the_last_word() {
        let mut faces = Faces::default();
        faces.update(1, only(Emotion::Sad), 1.0, None, SMOOTHING);
        faces.update(1, only(Emotion::Happy), 1.0, None, SMOOTHING);
        assert_eq!(faces.classification(1, 0.4, 0.3).unwrap().0.label, Emotion::Happy.into());
        faces.update(1, only(Emotion::Sad), 1.0, ms(1), gst::ClockTime::ZERO);
        assert_eq!(faces.classification(1, 0.4, 0.3).unwrap().0.label, Emotion::Sad.into());
    }

    #[test]
    fn below_a_limit_it_is_uncertain() {
        let mut faces = Faces::default();
        faces.update(1, [0.1, 0.1, 0.1, 0.35, 0.15, 0.1, 0.1], 0.8, ms(0), SMOOTHING);
        faces.update(2, only(Emotion::Happy), 0.2, ms(0), SMOOTHING);
        let (unsure, quality) = faces.classification(1, 0.4, 0.3).unwrap();
        assert_eq!((unsure.label, unsure.confidence, quality), (Label::Uncertain, 0.35, 0.8));
        assert_eq!(faces.classification(2, 0.4, 0.3).unwrap().0.label, Label::Uncertain);
        assert_eq!(faces.classification(1, 0.3, 0.3).unwrap().0.label, Emotion::Happy.into());
        assert!(faces.classification(3, 0.4, 0.3).is_none());
    }

    #[test]
    fn a_face_is_due_once_per_interval_and_forgotten_when_gone() {
        let interval = gst::ClockTime::from_mseconds(200);
        let mut faces = Faces::default();
        assert!(faces.is_due(1, ms(0), interval));
        faces.update(1, only(Emotion::Happy), 1.0, ms(0), SMOOTHING);
        assert!(!faces.is_due(1, ms(199), interval));
        assert!(faces.is_due(1, ms(200), interval));
        assert!(faces.is_due(1, None, interval));
        assert!(faces.note(1, Emotion::Happy.into(), ms(100)), "new");
        assert!(!faces.note(1, Emotion::Happy.into(), ms(200)), "the same");
        assert!(faces.note(1, Label::Uncertain, ms(300)), "another");
        faces.forget(ms(10_000));
        assert!(faces.classification(1, 0.0, 0.0).is_some());
        faces.forget(ms(10_301));
        assert!(faces.classification(1, 0.0, 0.0).is_none());
    }
}
