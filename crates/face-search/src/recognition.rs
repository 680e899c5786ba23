//! Who a face is, by its looks: given to the tracker, which knows places and motion.

use face_track::{Appearance, FrameRecognizer, Observation, People, PixelRect, Pose};
use gray_image::GrayImage;

use crate::face::FoundFace;

/// The people of a stream.
#[derive(Debug, Default)]
pub(crate) struct FaceRecognizer {
    people: People,
}

impl FaceRecognizer {
    /// Forgets the looks of all people, for a new scene.
    pub(crate) fn clear(&mut self) {
        self.people.clear();
    }

    /// Has time begin anew; the looks of all people are still known.
    pub(crate) fn restart_time(&mut self) {
        self.people.restart_time();
    }

    /// How different the face at `pose` looks from the person `id`, 0-1.
    pub(crate) fn distance(&self, image: &GrayImage, id: u32, pose: &Pose) -> f32 {
        self.people.face_distance(id, &Appearance::describe(image, pose))
    }

    /// What the tracker asks about the observations of a frame.
    pub(crate) fn for_frame<'a>(
        &'a self,
        image: &'a GrayImage<'a>,
        observations: &'a [Observation],
        known_people: usize,
    ) -> FrameRecognizer<'a> {
        FrameRecognizer::new(&self.people, image, observations, known_people)
    }

    /// Looks at the faces of a frame, and records whom each resembles.
    pub(crate) fn learn(&mut self, image: &GrayImage, time: u64, faces: &mut [FoundFace]) {
        for face in faces.iter_mut() {
            // A face that was followed may be turned away, or be lost already.
            if !face.is_followed && self.people.is_look_due(face.id, time) {
                let look = Appearance::describe(
                    image,
                    &Pose::new(&face.face.rect.to_f64(), face.roll.unwrap_or(0.0)),
                );
                face.resembles = self.people.add_look(face.id, time, look);
            }
        }
        let seen: Vec<(u32, PixelRect<f64>)> =
            faces.iter().map(|face| (face.id, face.face.rect.to_f64())).collect();
        self.people.see(time, &seen);
    }
}
