//! Regions of interest: where a face is, and its eyes, in pixels, and what was found out about it in params that follow
//! DL Streamer's conventions.
//!
//! GStreamer 1.22's `videoconvert` and `videoscale` keep box, id and parent id but drop the params, and `videocrop`
//! drops the regions: whatever must arrive downstream travels in [`crate::frame`] too.

use gray_image::PixelRect;
use mood_schema::{Classification, Face, Rect};

/// The type of a face's region.
pub const FACE: &str = "face";
/// The type of an eye's region; its parent id is the face's id.
pub const EYE: &str = "eye";
/// The name of the param that says what detected the region.
pub const DETECTION: &str = "detection";
/// The name of the param that says what was classified.
pub const CLASSIFICATION: &str = "classification";

/// `rect` in shares of a frame of `width` x `height` pixels; an empty frame gives an empty rectangle.
pub fn to_shares(rect: &PixelRect, width: u32, height: u32) -> Rect {
    let share = |value: u32, side: u32| if side == 0 { 0.0 } else { f64::from(value) / f64::from(side) };
    Rect {
        x: share(rect.x, width),
        y: share(rect.y, height),
        w: share(rect.w, width),
        h: share(rect.h, height),
    }
}

/// A face as the detector left it on a buffer.
#[derive(Clone, Debug, PartialEq)]
pub struct FaceRegion {
    /// Follows the person through the clip.
    pub id: u32,
    /// Where.
    pub bbox: PixelRect,
    /// Of the detector, 0-1; `None` where a converter dropped the params.
    pub confidence: Option<f64>,
    /// Its eyes, none to two, in the order they stand on the screen.
    pub eyes: Vec<PixelRect>,
}

impl FaceRegion {
    /// In-plane rotation by the line between the eyes, degrees, clockwise positive; `None` without two eyes.
    pub fn roll(&self) -> Option<f64> {
        let [left, right] = self.eyes.as_slice() else { return None };
        let ((left_x, left_y), (right_x, right_y)) = (left.to_f64().centre(), right.to_f64().centre());
        (right_x > left_x).then(|| (right_y - left_y).atan2(right_x - left_x).to_degrees())
    }

    /// The face before anything classified it. `width` and `height` are the frame's.
    pub fn to_face(&self, width: u32, height: u32) -> Face {
        Face {
            id: self.id,
            bbox: to_shares(&self.bbox, width, height),
            classification: None,
            quality: 0.0,
            roll: self.roll().unwrap_or(0.0),
        }
    }
}

/// Adds a face region with its `detection` param, and its eyes. `width` and `height` are the frame's.
pub fn add_face(buffer: &mut gst::BufferRef, face: &FaceRegion, width: u32, height: u32) {
    add(buffer, FACE, face.bbox, face.id, None, face.confidence, width, height);
    for eye in &face.eyes {
        add(buffer, EYE, *eye, 0, Some(face.id), None, width, height);
    }
}

#[allow(clippy::too_many_arguments)]
fn add(
    buffer: &mut gst::BufferRef,
    kind: &str,
    bbox: PixelRect,
    id: u32,
    parent: Option<u32>,
    confidence: Option<f64>,
    width: u32,
    height: u32,
) {
    let shares = to_shares(&bbox, width, height);
    let detection = gst::Structure::builder(DETECTION)
        .field("x_min", shares.x)
        .field("x_max", shares.x + shares.w)
        .field("y_min", shares.y)
        .field("y_max", shares.y + shares.h)
        .field("confidence", confidence.unwrap_or(1.0))
        .field("label_id", 0i32)
        .build();
    let rect = (bbox.x, bbox.y, bbox.w, bbox.h);
    let mut meta = gst_video::VideoRegionOfInterestMeta::add(buffer, kind, rect);
    meta.set_id(id as i32);
    if let Some(parent) = parent {
        meta.set_parent_id(parent as i32);
    }
    meta.add_param(detection);
}

/// Adds the classification param to the region of face `id`. Does nothing where there is no such region.
pub fn add_classification(buffer: &mut gst::BufferRef, id: u32, result: &Classification, model: &str) {
    let param = gst::Structure::builder(CLASSIFICATION)
        .field("label", result.label.as_str())
        .field("label_id", result.label.id())
        .field("confidence", result.confidence)
        .field("model_name", model)
        .field("attribute_name", "emotion")
        .field("type", "classification_result")
        .build();
    let region = buffer
        .iter_meta_mut::<gst_video::VideoRegionOfInterestMeta>()
        .find(|meta| meta.roi_type() == FACE && meta.id() == id as i32);
    if let Some(mut meta) = region {
        meta.add_param(param);
    }
}

/// The face regions of a buffer with their eyes, in the order they were added.
pub fn faces(buffer: &gst::BufferRef) -> Vec<FaceRegion> {
    let mut faces = Vec::new();
    let mut eyes = Vec::new();
    for meta in buffer.iter_meta::<gst_video::VideoRegionOfInterestMeta>() {
        let (x, y, w, h) = meta.rect();
        let bbox = PixelRect { x, y, w, h };
        match meta.roi_type() {
            FACE => faces.push(FaceRegion {
                id: meta.id() as u32,
                bbox,
                confidence: meta.param(DETECTION).and_then(|param| param.get("confidence").ok()),
                eyes: Vec::new(),
            }),
            EYE => eyes.push((meta.parent_id() as u32, bbox)),
            _ => {}
        }
    }
    eyes.sort_by_key(|(_, eye)| eye.x);
    for face in &mut faces {
        face.eyes.extend(eyes.iter().filter(|(parent, _)| *parent == face.id).map(|(_, eye)| *eye));
    }
    faces
}

#[cfg(test)]
mod tests {
    use super::*;
    use mood_schema::{Affect, Emotion};

    fn region() -> FaceRegion {
        FaceRegion {
            id: 3,
            bbox: PixelRect { x: 100, y: 50, w: 80, h: 80 },
            confidence: Some(0.9),
            eyes: vec![PixelRect { x: 110, y: 70, w: 20, h: 20 }, PixelRect { x: 150, y: 80, w: 20, h: 20 }],
        }
    }

    #[test]
    fn a_face_with_eyes_survives_the_buffer() {
        gst::init().unwrap();
        let mut buffer = gst::Buffer::new();
        add_face(buffer.make_mut(), &region(), 400, 200);
        assert_eq!(faces(&buffer), [region()]);
        let meta = buffer.iter_meta::<gst_video::VideoRegionOfInterestMeta>().next().unwrap();
        let detection = meta.param(DETECTION).unwrap();
        assert_eq!(detection.get::<f64>("x_min").unwrap(), 0.25);
        assert_eq!(detection.get::<f64>("y_max").unwrap(), 0.65);
        assert_eq!(detection.get::<i32>("label_id").unwrap(), 0);
    }

    #[test]
    fn roll_is_the_slope_of_the_eyes() {
        let roll = region().roll().unwrap();
        assert!((roll - 14.036).abs() < 0.001, "{roll}");
        assert_eq!(FaceRegion { eyes: Vec::new(), ..region() }.roll(), None);
    }

    #[test]
    fn a_classification_lands_on_its_face() {
        gst::init().unwrap();
        let mut buffer = gst::Buffer::new();
        add_face(buffer.make_mut(), &region(), 400, 200);
        let result = Classification {
            label: Emotion::Sad.into(),
            confidence: 0.7,
            probabilities: [0.05, 0.05, 0.05, 0.05, 0.7, 0.05, 0.05],
            affect: Affect::default(),
        };
        add_classification(buffer.make_mut(), 9, &result, "mini_xception");
        add_classification(buffer.make_mut(), 3, &result, "mini_xception");
        let meta = buffer.iter_meta::<gst_video::VideoRegionOfInterestMeta>().next().unwrap();
        let param = meta.param(CLASSIFICATION).unwrap();
        assert_eq!(param.get::<&str>("label").unwrap(), "sad");
        assert_eq!(param.get::<i32>("label_id").unwrap(), 4);
        assert_eq!(param.get::<&str>("attribute_name").unwrap(), "emotion");
        assert_eq!(param.get::<&str>("type").unwrap(), "classification_result");
        assert_eq!(meta.params().count(), 2);
    }
}
