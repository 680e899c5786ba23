//! The resting faces of all people in a stream, learnt while it runs.

use std::collections::HashMap;

use mood_schema::Rect;

use super::evidence::EvidenceMeter;
use super::profile::RestingProfile;
use super::shift::LogitShift;

/// How fast the shift follows the profile, nats a second: the largest that is seen, 4 nats, takes 20 s, so that a label
/// changes because of it once, and not back and forth.
const RATE: f64 = 0.2;
/// How long a face is kept after its last frame, ns. Ids are never reused.
const RETENTION: u64 = 10_000_000_000;

/// A face as the network saw it in one frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FaceObservation {
    /// The network's distribution in [`mood_schema::Emotion`]'s order.
    pub probabilities: [f64; 7],
    /// Quality of the image, 0-1.
    pub quality: f64,
    /// The face's box.
    pub bbox: Rect,
}

/// The resting faces of the people in a stream, by face id. Times are nanoseconds.
#[derive(Debug, Default)]
pub struct RestingFaces {
    /// SHA-256 of the network's file.
    model: String,
    /// The profile that was known beforehand, while nobody in view has it.
    known: Option<RestingProfile>,
    faces: HashMap<u32, TrackedFace>,
}

#[derive(Debug)]
struct TrackedFace {
    profile: RestingProfile,
    /// Whether the profile began as [`RestingFaces::known`].
    has_known: bool,
    shift: LogitShift,
    evidence: EvidenceMeter,
    /// The time that the shift is for.
    last_shift: Option<u64>,
    last_frame: Option<u64>,
}

impl RestingFaces {
    /// For the network whose file has this SHA-256. `known` is the profile of one person who is expected; the first face
    /// that is observed while nobody has it gets it.
    pub fn new(model: &str, known: Option<RestingProfile>) -> Self {
        Self { model: model.into(), known, faces: HashMap::new() }
    }

    /// Adds what the network said of face `id` in the frame at `now`. Of the faces of one frame the largest comes first.
    /// Without a timestamp nothing is learnt.
    pub fn observe(&mut self, id: u32, face: &FaceObservation, now: Option<u64>) {
        let (known, model) = (&mut self.known, &self.model);
        let tracked = self.faces.entry(id).or_insert_with(|| {
            let known = known.take();
            let has_known = known.is_some();
            let profile = known.unwrap_or_else(|| RestingProfile::new(model));
            TrackedFace {
                profile,
                has_known,
                shift: LogitShift::default(),
                evidence: EvidenceMeter::default(),
                last_shift: None,
                last_frame: now,
            }
        });
        let Some(now) = now else { return };
        tracked.last_frame = Some(now);
        let seconds = tracked.evidence.step(now, &face.bbox, face.quality);
        if !tracked.profile.is_rest_known() {
            tracked.profile.observe(&face.probabilities, seconds);
        }
    }

    /// What to take off face `id`'s distribution in the frame at `now`, `share` (0-1) of its profile's shift. A profile that
    /// was known beforehand counts at once, a learnt one by at most 0.2 nats a second.
    pub fn shift(&mut self, id: u32, share: f64, now: Option<u64>) -> LogitShift {
        let Some(face) = self.faces.get_mut(&id) else { return LogitShift::default() };
        let target = face.profile.shift(share);
        match (face.last_shift, now) {
            (None, _) if face.has_known => face.shift = target,
            (Some(then), Some(now)) if now > then => {
                face.shift.approach(&target, (now - then) as f64 / 1e9 * RATE);
            }
            _ => {}
        }
        face.last_shift = now.or(face.last_shift);
        face.last_frame = now.or(face.last_frame);
        face.shift
    }

    /// The profile of face `id`; `None` for a face that was never observed.
    pub fn profile(&self, id: u32) -> Option<&RestingProfile> {
        self.faces.get(&id).map(|face| &face.profile)
    }

    /// Forgets all faces, as is due when the stream's time jumps. The known profile is given to the next face.
    pub fn clear(&mut self) {
        let faces = std::mem::take(&mut self.faces);
        self.keep_known(faces.into_values());
    }

    /// Removes the faces that have been in no frame for 10 s.
    pub fn remove_stale(&mut self, now: Option<u64>) {
        let Some(now) = now else { return };
        let is_stale =
            |face: &TrackedFace| face.last_frame.is_some_and(|last| now.saturating_sub(last) >= RETENTION);
        if !self.faces.values().any(is_stale) {
            return;
        }
        let (stale, faces): (HashMap<_, _>, HashMap<_, _>) =
            std::mem::take(&mut self.faces).into_iter().partition(|(_, face)| is_stale(face));
        self.faces = faces;
        self.keep_known(stale.into_values());
    }

    /// Takes the known profile back from the face that had it.
    fn keep_known(&mut self, mut removed: impl Iterator<Item = TrackedFace>) {
        if let Some(face) = removed.find(|face| face.has_known) {
            self.known = Some(face.profile);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;
    const SAD_REST: [f64; 7] = [0.04, 0.03, 0.07, 0.02, 0.62, 0.02, 0.2];
    const STILL: FaceObservation = FaceObservation {
        probabilities: SAD_REST,
        quality: 1.0,
        bbox: Rect { x: 0.4, y: 0.3, w: 0.1, h: 0.2 },
    };

    fn known() -> RestingProfile {
        let mut profile = RestingProfile::new("model");
        profile.observe(&SAD_REST, 60.0);
        profile
    }

    #[test]
    fn learnt_shift_grows_slowly_and_settles_within_half_a_minute() {
        let mut faces = RestingFaces::new("model", None);
        let mut last = LogitShift::default();
        for frame in 0..150 {
            let now = Some(frame * SECOND / 5);
            faces.observe(1, &STILL, now);
            let shift = faces.shift(1, 1.0, now);
            for (value, last) in shift.values().into_iter().zip(last.values()) {
                assert!((value - last).abs() <= 0.2 * RATE + 1e-12, "frame {frame}");
            }
            last = shift;
        }
        let target = faces.profile(1).unwrap().shift(1.0);
        assert_eq!(last, target, "the shift has reached the profile");
        assert!(last.values()[4] > 1.5);
    }

    #[test]
    fn known_profile_counts_at_once_for_one_face_at_a_time() {
        let mut faces = RestingFaces::new("model", Some(known()));
        faces.observe(1, &STILL, Some(0));
        faces.observe(2, &STILL, Some(0));
        assert_eq!(faces.shift(1, 1.0, Some(0)), known().shift(1.0));
        assert!(faces.shift(2, 1.0, Some(0)).is_zero());
        faces.remove_stale(Some(11 * SECOND));
        faces.observe(3, &STILL, Some(11 * SECOND));
        assert!(!faces.shift(3, 1.0, Some(11 * SECOND)).is_zero(), "the next face after a loss has it");
        faces.clear();
        faces.observe(4, &STILL, None);
        assert!(!faces.shift(4, 1.0, None).is_zero(), "also without timestamps");
    }

    #[test]
    fn told_profile_learns_nothing_more() {
        let mut told = RestingProfile::new_for_known_rest("model");
        told.observe(&SAD_REST, 10.0);
        let mut faces = RestingFaces::new("model", Some(told.clone()));
        (0..10).for_each(|frame| faces.observe(1, &STILL, Some(frame * SECOND / 5)));
        assert_eq!(faces.profile(1), Some(&told));
    }
}
