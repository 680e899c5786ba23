//! Following of faces that the cascade lost, by their appearance.
//!
//! What is followed must have been a face. The cascade's false detections are weak, even those that come back frame
//! after frame. So a face is followed only once it was detected with the evidence of a new face and several times in
//! all. Each detection earns some time during which the face may be followed, strong ones more; following spends it.

use std::collections::HashMap;

use face_track::{FollowWorkspace, Follower, Observation, PixelRect, Pose, Tracker};
use gray_image::GrayImage;
use haar::Detection;

use crate::face::FoundFace;
use crate::recognition::FaceRecognizer;
use crate::settings::SearchSettings;
use crate::turned;

/// Number of strong detections after which a face may be followed; a weak one counts in part.
const MIN_STRONG_DETECTIONS: f64 = 3.0;
/// Time that a strong detection earns, as a multiple of the time since the frame before. With 10, a tilted head that was
/// strongly detected for a third of a second was dropped while it was followed well; with 16 no clip of `benches/tilt.py`
/// has a box more that is no face.
const EARNED: f64 = 16.0;
/// Longest time since the frame before that counts, ns.
const MAX_FRAME_TIME: u64 = 200_000_000;
/// Peak-to-sidelobe ratio below which a face is lost. Bolme et al. (2010) found 20 to 60 for good matches, and
/// about 7 for occlusions, with larger patches.
const MIN_CONFIDENCE: f32 = 7.0;
/// A place that looks more different from all looks at the person than this is no longer the face: what hides it,
/// or what is behind it. Measured while people walk behind a wall and out of the picture, on which the filter
/// itself learns the wall: faces in view are at most 0.32 away, mostly 0.1 to 0.25; places that the face has left
/// are above 0.34 after half a second.
const MAX_DISTANCE: f32 = 0.34;
/// Share of a face, or of another one, in both of which it is hidden by the other.
const HIDDEN_SHARE: f64 = 0.5;
/// Time between two trainings with a detected face, ns.
const TRAINING_INTERVAL: u64 = 200_000_000;

/// A face that may have to be followed.
#[derive(Debug)]
struct KnownFace {
    follower: Follower,
    /// Strong detections, of which a weak one is a part.
    evidence: f64,
    /// Whether it was detected with the evidence that a new face needs.
    was_confident: bool,
    /// How long it may be followed, ns.
    credit: f64,
    /// When it was last seen, ns.
    last_seen: u64,
    /// When the follower last learned from a detection, ns.
    last_training: u64,
}

/// Follows faces from frame to frame.
#[derive(Debug, Default)]
pub(crate) struct FaceFollower {
    faces: HashMap<u32, KnownFace>,
    workspace: FollowWorkspace,
}

impl FaceFollower {
    /// Forgets all faces.
    pub(crate) fn clear(&mut self) {
        self.faces.clear();
    }

    /// Learns the faces that were detected in a frame, and adds those to `found` that were not but are still
    /// there.
    pub(crate) fn follow(
        &mut self,
        image: &GrayImage,
        time: u64,
        settings: &SearchSettings,
        tracker: &mut Tracker,
        recognizer: &FaceRecognizer,
        found: &mut Vec<FoundFace>,
    ) {
        for face in found.iter() {
            self.learn(image, time, settings, face);
        }
        let predictions = tracker.predict(time);
        self.faces.retain(|id, _| predictions.iter().any(|prediction| prediction.id == Some(*id)));
        let lost = predictions.iter().filter(|prediction| prediction.unobserved_for > 0);
        for id in lost.filter_map(|prediction| prediction.id) {
            let Some(face) = self.faces.get_mut(&id) else { continue };
            let elapsed = time.saturating_sub(face.last_seen).min(MAX_FRAME_TIME) as f64;
            if !face.was_confident || face.evidence < MIN_STRONG_DETECTIONS || face.credit < elapsed {
                continue;
            }
            let followed = face.follower.follow(image, MIN_CONFIDENCE, &mut self.workspace);
            let Some(followed) = followed else { continue };
            let rect = followed.rect();
            let is_hidden =
                |other: &FoundFace| turned::covered_share(&other.face.rect.to_f64(), &rect) > HIDDEN_SHARE;
            if found.iter().any(is_hidden) || recognizer.distance(image, id, &followed.pose) > MAX_DISTANCE {
                continue;
            }
            let Some(visible) = clip(&rect, image) else { continue };
            face.credit -= elapsed;
            face.last_seen = time;
            let roll = (settings.roll_range > 0.0).then_some(followed.pose.roll);
            let observation =
                Observation { rect, is_confident: false, roll: roll.unwrap_or(0.0), may_be_new: false };
            tracker.observe_followed(time, id, &observation);
            found.push(FoundFace {
                id,
                face: Detection { rect: visible, neighbors: 1 },
                roll,
                eyes: Vec::new(),
                is_followed: true,
                resembles: None,
            });
        }
    }

    fn learn(&mut self, image: &GrayImage, time: u64, settings: &SearchSettings, found: &FoundFace) {
        let roll = found.roll.unwrap_or(0.0);
        let confident_neighbors = turned::confident_neighbors(settings.min_neighbors.max(1), roll);
        let pose = Pose::new(&found.face.rect.to_f64(), roll);
        let strength = (f64::from(found.face.neighbors) / f64::from(confident_neighbors)).min(1.0);
        let workspace = &mut self.workspace;
        let face = self.faces.entry(found.id).or_insert_with(|| KnownFace {
            follower: Follower::new(image, pose, workspace),
            evidence: 0.0,
            was_confident: false,
            credit: 0.0,
            last_seen: time,
            last_training: time,
        });
        let elapsed = time.saturating_sub(face.last_seen).min(MAX_FRAME_TIME) as f64;
        face.evidence += strength;
        face.was_confident |= strength >= 1.0;
        face.credit = (face.credit + EARNED * strength * elapsed).min(settings.follow as f64);
        face.last_seen = time;
        if time.saturating_sub(face.last_training) >= TRAINING_INTERVAL {
            face.last_training = time;
            face.follower.learn(image, pose, workspace);
        } else {
            face.follower.move_to(pose);
        }
    }
}

/// The whole pixels of a rectangle that lie in the image; `None` where there are none.
fn clip(rect: &PixelRect<f64>, image: &GrayImage) -> Option<PixelRect> {
    let span = |start: f64, length: f64, limit: usize| {
        let (first, end) = (start.round().max(0.0), (start + length).round().min(limit as f64));
        (end > first).then_some((first as u32, (end - first) as u32))
    };
    let ((x, w), (y, h)) = (span(rect.x, rect.w, image.width())?, span(rect.y, rect.h, image.height())?);
    Some(PixelRect { x, y, w, h })
}
