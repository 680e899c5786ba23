//! The resting faces of all people in a stream, learnt while it runs.
//!
//! A profile belongs to a face id, and to nothing else: whoever stands where another person stood is not that person. A
//! detector that gives somebody who returns the old id lets the profile go on where it was; a new id learns anew. The
//! profiles of the faces seen last are kept, [`MAX_FACES`] in all.

use std::cmp::Reverse;
use std::collections::HashMap;

use mood_schema::Rect;

use super::evidence::EvidenceMeter;
use super::profile::RestingProfile;
use super::shift::LogitShift;

/// How fast the shift follows the profile, nats a second: the largest that is seen, 4 nats, takes 20 s, so that a label
/// changes because of it once, and not back and forth.
const RATE: f64 = 0.2;
/// The longest time between two frames that counts for it, ns: nobody changes while they are out of view.
const MAX_STEP: u64 = 1_000_000_000;
/// How long the faces that have the known profile must be out of view before another one gets it, ns.
const ABSENCE: u64 = 10_000_000_000;
/// Most faces of which something is kept, 128 to 160 KB: `haarfacedetect` recognises 64 people who return, and as many
/// may be in view.
const MAX_FACES: usize = 128;

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
    /// The profile that was known beforehand.
    known: Option<RestingProfile>,
    faces: HashMap<u32, TrackedFace>,
    /// Counts the uses of faces.
    uses: u64,
}

#[derive(Debug)]
struct TrackedFace {
    /// What this stream has taught.
    learnt: RestingProfile,
    /// Whether [`RestingFaces::known`] is of this person.
    has_known: bool,
    shift: LogitShift,
    evidence: EvidenceMeter,
    /// The time that the shift is for.
    last_shift: Option<u64>,
    last_frame: Option<u64>,
    /// [`RestingFaces::uses`] when the face was used last.
    last_use: u64,
}

impl TrackedFace {
    /// The shift by what was known and what was learnt, `share` of it.
    fn target(&self, known: Option<&RestingProfile>, share: f64) -> LogitShift {
        let Some(known) = known.filter(|_| self.has_known) else { return self.learnt.shift(share) };
        let mut profile = known.clone();
        profile.merge(&self.learnt);
        profile.shift(share)
    }

    fn is_absent(&self, now: Option<u64>) -> bool {
        matches!((self.last_frame, now), (Some(last), Some(now)) if now.saturating_sub(last) >= ABSENCE)
    }
}

impl RestingFaces {
    /// For the network whose file has this SHA-256. `known` is the profile of one person who is expected; the first face
    /// gets it, and later any new one that appears when nobody who has it was in view for 10 s.
    pub fn new(model: &str, known: Option<RestingProfile>) -> Self {
        Self { model: model.into(), known, ..Self::default() }
    }

    /// Adds what the network said of face `id` in the frame at `now`. Of the faces of one frame the largest comes first.
    /// Without a timestamp nothing is learnt.
    pub fn observe(&mut self, id: u32, face: &FaceObservation, now: Option<u64>) {
        if !self.faces.contains_key(&id) {
            self.add_face(id, now);
        }
        let Some(tracked) = self.faces.get_mut(&id) else { return };
        self.uses += 1;
        tracked.last_use = self.uses;
        let Some(now) = now else { return };
        tracked.last_frame = Some(now);
        let seconds = tracked.evidence.step(now, &face.bbox, face.quality);
        tracked.learnt.observe(&face.probabilities, seconds);
    }

    /// Adds a face that is new at `now`, in the place of the one unused for longest where there are too many.
    fn add_face(&mut self, id: u32, now: Option<u64>) {
        if self.faces.len() >= MAX_FACES {
            let oldest = self.faces.iter().min_by_key(|(_, face)| face.last_use).map(|(&id, _)| id);
            oldest.and_then(|id| self.faces.remove(&id));
        }
        let is_known_present = self.faces.values().any(|face| face.has_known && !face.is_absent(now));
        let face = TrackedFace {
            learnt: RestingProfile::new(&self.model),
            has_known: self.known.is_some() && !is_known_present,
            shift: LogitShift::ZERO,
            evidence: EvidenceMeter::default(),
            last_shift: None,
            last_frame: now,
            last_use: 0,
        };
        self.faces.insert(id, face);
    }

    /// What to take off face `id`'s distribution in the frame at `now`, `share` (0-1) of its profile's shift. A profile that
    /// was known beforehand counts at once, a learnt one by at most 0.2 nats a second, and a frame.
    pub fn shift(&mut self, id: u32, share: f64, now: Option<u64>) -> LogitShift {
        let Some(face) = self.faces.get_mut(&id) else { return LogitShift::ZERO };
        self.uses += 1;
        face.last_use = self.uses;
        let target = face.target(self.known.as_ref(), share);
        match (face.last_shift, now) {
            (None, _) if face.has_known => face.shift = target,
            (Some(then), Some(now)) if now > then => {
                face.shift.approach(&target, (now - then).min(MAX_STEP) as f64 / 1e9 * RATE);
            }
            _ => {}
        }
        face.last_shift = now.or(face.last_shift);
        face.last_frame = now.or(face.last_frame);
        face.shift
    }

    /// What the stream has taught about the one person it is about: of the faces that have the known profile, or of all
    /// where none was known, the one with the most evidence. `None` without any. What was known is not part of it.
    pub fn learnt(&self) -> Option<&RestingProfile> {
        let candidates = self.faces.iter().filter(|(_, face)| face.has_known == self.known.is_some());
        let candidates = candidates.map(|(&id, face)| (face.learnt.seconds(), Reverse(id), &face.learnt));
        let best = candidates.max_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        best.filter(|(seconds, ..)| *seconds > 0.0).map(|(.., learnt)| learnt)
    }

    /// Forgets all faces, as is due when the stream's time jumps. The known profile is given to the next face.
    pub fn clear(&mut self) {
        self.faces.clear();
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
        let target = faces.learnt().unwrap().shift(1.0);
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
        faces.observe(3, &STILL, Some(9 * SECOND));
        assert!(faces.shift(3, 1.0, Some(9 * SECOND)).is_zero(), "its face was in view 9 s ago");
        faces.observe(4, &STILL, Some(11 * SECOND));
        assert_eq!(faces.shift(4, 1.0, Some(11 * SECOND)), known().shift(1.0), "the next face after a loss");
        faces.observe(5, &STILL, Some(11 * SECOND));
        assert!(faces.shift(5, 1.0, Some(11 * SECOND)).is_zero());
        faces.clear();
        faces.observe(6, &STILL, None);
        assert!(!faces.shift(6, 1.0, None).is_zero(), "also without timestamps");
        faces.observe(7, &STILL, None);
        assert!(faces.shift(7, 1.0, None).is_zero());
    }

    #[test]
    fn told_profile_stays_as_it_is_and_what_is_learnt_is_kept_apart() {
        let mut told = RestingProfile::new_for_known_rest("model");
        told.observe(&SAD_REST, 10.0);
        let mut faces = RestingFaces::new("model", Some(told.clone()));
        for frame in 0..11 {
            faces.observe(1, &STILL, Some(frame * SECOND / 5));
            faces.observe(2, &STILL, Some(frame * SECOND / 5));
            assert_eq!(faces.shift(1, 1.0, Some(frame * SECOND / 5)), told.shift(1.0));
        }
        let learnt = faces.learnt().unwrap();
        assert!((learnt.seconds() - 2.0).abs() < 1e-9 && !learnt.is_rest_known());
    }

    #[test]
    fn who_returns_with_the_old_id_goes_on_and_a_new_id_learns_anew() {
        let mut faces = RestingFaces::new("model", None);
        let view = |faces: &mut RestingFaces, id: u32, seconds: std::ops::Range<u64>| {
            for frame in seconds.start * 5..seconds.end * 5 {
                faces.observe(id, &STILL, Some(frame * SECOND / 5));
                faces.shift(id, 1.0, Some(frame * SECOND / 5));
            }
            faces.shift(id, 1.0, Some(seconds.end * SECOND - SECOND / 5))
        };
        let before = view(&mut faces, 1, 0..60);
        // An hour without anybody, and somebody else in the same place.
        let other = view(&mut faces, 2, 3600..3605);
        assert!(other.values()[4] <= 1.0 && other != before);
        let after = view(&mut faces, 1, 3700..3701);
        let jump = after.values()[4] - before.values()[4];
        assert!(jump.abs() < 0.05 * before.values()[4], "{before:?} {after:?}");
        assert!((faces.learnt().unwrap().seconds() - 60.6).abs() < 1e-6, "the gap is no evidence");
    }

    #[test]
    fn ids_without_end_do_not_grow_and_the_face_in_view_stays() {
        let mut faces = RestingFaces::new("model", None);
        for frame in 0..2000 {
            let now = (frame % 3 != 0).then_some(frame * SECOND / 5);
            faces.observe(1, &STILL, now);
            faces.observe(frame as u32 + 2, &STILL, now);
            faces.shift(1, 1.0, now);
            assert!(faces.faces.len() <= MAX_FACES);
        }
        assert!(faces.learnt().unwrap().seconds() > 100.0);
        assert!(faces.shift(1, 1.0, None).values()[4] > 1.5);
    }

    /// The distributions of [`SAD_REST`] with what is taken off, 5 a second, while the face is in view.
    fn adjusted_rest(faces: &mut RestingFaces, id: u32, seconds: std::ops::Range<u64>) -> Vec<[f64; 7]> {
        let frames = seconds.start * 5..seconds.end * 5;
        frames
            .map(|frame| {
                let now = Some(frame * SECOND / 5);
                faces.observe(id, &STILL, now);
                faces.shift(id, 1.0, now).apply(&SAD_REST)
            })
            .collect()
    }

    /// Half the sum of the absolute differences, 0-1.
    fn distance(one: &[f64; 7], other: &[f64; 7]) -> f64 {
        one.iter().zip(other).map(|(one, other)| (one - other).abs()).sum::<f64>() / 2.0
    }

    #[test]
    fn distribution_of_a_face_at_rest_never_jumps_and_has_settled_after_half_a_minute() {
        for known in [None, Some(known())] {
            let is_known = known.is_some();
            let mut faces = RestingFaces::new("model", known);
            let mut distributions = adjusted_rest(&mut faces, 1, 0..300);
            // Out of view for ten seconds, and back.
            distributions.extend(adjusted_rest(&mut faces, 1, 310..400));
            for (frame, pair) in distributions.windows(2).enumerate() {
                let step = distance(&pair[0], &pair[1]);
                assert!(step < 0.02, "{step} in a fifth of a second, frame {frame}");
            }
            let label = |distribution: &[f64; 7]| {
                (0..7).max_by(|&a, &b| distribution[a].total_cmp(&distribution[b])).unwrap()
            };
            let changes = distributions.windows(2).filter(|pair| label(&pair[0]) != label(&pair[1])).count();
            assert_eq!(changes, usize::from(!is_known), "the label changes once, or is right at once");
            let settled = distributions.last().unwrap();
            assert_eq!(label(settled), 6, "rest reads neutral");
            for distribution in &distributions[150..] {
                let rest = distance(distribution, settled);
                assert!(rest < 0.06, "{rest} after 30 s");
            }
        }
    }

    #[test]
    fn people_who_alternate_in_one_place_keep_a_profile_each() {
        const SMILE: [f64; 7] = [0.004, 0.003, 0.006, 0.95, 0.01, 0.007, 0.02];
        // A's face looks sad at rest, B smiles all the time; they change places every 20 s, for half an hour.
        let mut faces = RestingFaces::new("model", None);
        let (mut rest, mut smile) = (Vec::new(), Vec::new());
        for frame in 0..9000 {
            let now = Some(frame * SECOND / 5);
            let is_first = frame / 100 % 2 == 0;
            let (id, probabilities) = if is_first { (1, SAD_REST) } else { (2, SMILE) };
            faces.observe(id, &FaceObservation { probabilities, ..STILL }, now);
            let adjusted = faces.shift(id, 1.0, now).apply(&probabilities);
            if is_first { rest.push(adjusted) } else { smile.push(adjusted) }
        }
        assert!(smile.iter().all(|distribution| distribution[3] > 0.9));
        assert!(rest[150..].iter().all(|distribution| distribution[6] > 0.5));
    }
}
