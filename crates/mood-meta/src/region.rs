//! Regions of interest: the boxes of faces and eyes in pixels, and what is known about them in params that follow DL
//! Streamer's conventions.
//!
//! GStreamer 1.22's `videoconvert` and `videoscale` keep box, id and parent id but drop the params, and `videocrop`
//! drops the regions. What must arrive downstream is therefore also in [`crate::frame`].

use gray_image::PixelRect;
use mood_schema::{Classification, Face, FaceSource, Rect};

/// Region type of a face.
pub const FACE: &str = "face";
/// Region type of an eye; its parent id is the face's id.
pub const EYE: &str = "eye";
/// Region type of an area that must not be recognisable, whether or not a face was found in it. It has no params.
pub const HIDDEN: &str = "hidden";
/// Name of the param with a detection: `x_min`, `x_max`, `y_min`, `y_max` in shares of the frame, `confidence` 0-1,
/// `label_id`; of a face, where the detector knows it, `roll` in degrees, clockwise positive; of a face also
/// `source`, `detected` or `followed`, and where an earlier face looks alike `resembles`, that face's id.
pub const DETECTION: &str = "detection";
/// Name of the param with the id that DL Streamer's tracker gives to what it follows: `id`, integer.
pub const OBJECT_ID: &str = "object_id";
/// Name of the param with a classification: `label`, `label_id`, `confidence` 0-1, `model_name`, `attribute_name`,
/// `type`.
pub const CLASSIFICATION: &str = "classification";

/// Converts pixels to shares of a frame of `width` x `height` pixels. An empty frame gives an empty rectangle.
pub fn to_shares(rect: &PixelRect, width: u32, height: u32) -> Rect {
    let share = |value: u32, side: u32| if side == 0 { 0.0 } else { f64::from(value) / f64::from(side) };
    Rect {
        x: share(rect.x, width),
        y: share(rect.y, height),
        w: share(rect.w, width),
        h: share(rect.h, height),
    }
}

/// A detected face as the regions of a buffer describe it.
#[derive(Clone, Debug, PartialEq)]
pub struct FaceRegion {
    /// Track id: the same for all faces of a person in a stream, as far as tracking succeeds.
    pub id: u32,
    /// The face's box, pixels.
    pub bbox: PixelRect,
    /// The detector's confidence, 0-1; `None` where a converter dropped the params.
    pub confidence: Option<f64>,
    /// The in-plane rotation that the detector states, degrees, clockwise positive: that of the eyes where it found both.
    /// `None` where it does not know it, or a converter dropped the params.
    pub detector_roll: Option<f64>,
    /// How it was found; `Detected` where a converter dropped the params.
    pub source: FaceSource,
    /// Id of an earlier face that looks alike, see [`Face::resembles`].
    pub resembles: Option<u32>,
    /// The boxes of the eyes found, at most two, from left to right in the image; pixels.
    pub eyes: Vec<PixelRect>,
}

impl FaceRegion {
    /// The in-plane rotation, degrees, clockwise positive: the detector's or, where it states none, that of the line
    /// between two eyes.
    pub fn roll(&self) -> Option<f64> {
        self.detector_roll.or_else(|| self.eyes_roll())
    }

    /// The in-plane rotation of the line between two eyes, degrees, clockwise positive.
    pub fn eyes_roll(&self) -> Option<f64> {
        let [left, right] = self.eyes.as_slice() else { return None };
        let ((left_x, left_y), (right_x, right_y)) = (left.to_f64().centre(), right.to_f64().centre());
        (right_x > left_x).then(|| (right_y - left_y).atan2(right_x - left_x).to_degrees())
    }

    /// Converts to a face without classification. `width` and `height` are the frame's, in pixels.
    pub fn to_face(&self, width: u32, height: u32) -> Face {
        Face {
            id: self.id,
            bbox: to_shares(&self.bbox, width, height),
            classification: None,
            quality: 0.0,
            roll: self.roll().unwrap_or(0.0),
            source: self.source,
            resembles: self.resembles,
            quality_limit: None,
        }
    }
}

/// Adds the region of a face with its [`DETECTION`] param, and the regions of its eyes. `width` and `height` are the
/// frame's, in pixels.
pub fn add_face(buffer: &mut gst::BufferRef, face: &FaceRegion, width: u32, height: u32) {
    let mut detection = build_detection(&face.bbox, face.confidence, width, height);
    if let Some(roll) = face.detector_roll {
        detection.set("roll", roll);
    }
    detection.set("source", face.source.as_str());
    if let Some(id) = face.resembles {
        detection.set("resembles", id);
    }
    add_region(buffer, FACE, &face.bbox, detection).set_id(face.id as i32);
    for eye in &face.eyes {
        let detection = build_detection(eye, None, width, height);
        add_region(buffer, EYE, eye, detection).set_parent_id(face.id as i32);
    }
}

/// Adds the region of an area that must not be recognisable, in shares of the frame. `width` and `height` are the frame's,
/// in pixels. Pixels that belong to the area in part are included; an area outside the frame adds no region.
pub fn add_hidden(buffer: &mut gst::BufferRef, area: &Rect, width: u32, height: u32) {
    let span = |start: f64, length: f64, side: u32| {
        let first = (start * f64::from(side)).floor().clamp(0.0, f64::from(side)) as u32;
        let end = ((start + length) * f64::from(side)).ceil().clamp(0.0, f64::from(side)) as u32;
        (first, end.saturating_sub(first))
    };
    let ((x, w), (y, h)) = (span(area.x, area.w, width), span(area.y, area.h, height));
    if w > 0 && h > 0 {
        gst_video::VideoRegionOfInterestMeta::add(buffer, HIDDEN, (x, y, w, h));
    }
}

/// Reads the areas that must not be recognisable, in shares of a frame of `width` x `height` pixels.
pub fn read_hidden(buffer: &gst::BufferRef, width: u32, height: u32) -> Vec<Rect> {
    let regions = buffer.iter_meta::<gst_video::VideoRegionOfInterestMeta>();
    let hidden = regions.filter(|meta| meta.roi_type() == HIDDEN).map(|meta| meta.rect());
    hidden.map(|(x, y, w, h)| to_shares(&PixelRect { x, y, w, h }, width, height)).collect()
}

fn build_detection(bbox: &PixelRect, confidence: Option<f64>, width: u32, height: u32) -> gst::Structure {
    let shares = to_shares(bbox, width, height);
    gst::Structure::builder(DETECTION)
        .field("x_min", shares.x)
        .field("x_max", shares.x + shares.w)
        .field("y_min", shares.y)
        .field("y_max", shares.y + shares.h)
        .field("confidence", confidence.unwrap_or(1.0))
        .field("label_id", 0i32)
        .build()
}

fn add_region<'a>(
    buffer: &'a mut gst::BufferRef,
    region_type: &str,
    bbox: &PixelRect,
    detection: gst::Structure,
) -> gst::MetaRefMut<'a, gst_video::VideoRegionOfInterestMeta, gst::meta::Standalone> {
    let rect = (bbox.x, bbox.y, bbox.w, bbox.h);
    let mut meta = gst_video::VideoRegionOfInterestMeta::add(buffer, region_type, rect);
    meta.add_param(detection);
    meta
}

/// Adds the [`CLASSIFICATION`] param to a face's region, by its index in what [`read_faces`] gives: other detectors give several
/// regions the same id. Does nothing where there is no such region. `model` is the name of the model that classified the face.
pub fn add_classification(
    buffer: &mut gst::BufferRef,
    index: usize,
    classification: &Classification,
    model: &str,
) {
    let param = gst::Structure::builder(CLASSIFICATION)
        .field("label", classification.label.as_str())
        .field("label_id", classification.label.id())
        .field("confidence", classification.confidence)
        .field("model_name", model)
        .field("attribute_name", "emotion")
        .field("type", "classification_result")
        .build();
    let region = buffer
        .iter_meta_mut::<gst_video::VideoRegionOfInterestMeta>()
        .filter(|meta| meta.roi_type() == FACE)
        .nth(index);
    if let Some(mut meta) = region {
        meta.add_param(param);
    }
}

/// Reads the faces of a buffer with their eyes, in the order in which they were added.
pub fn read_faces(buffer: &gst::BufferRef) -> Vec<FaceRegion> {
    let mut faces = Vec::new();
    // What eyes name as their parent.
    let mut region_ids = Vec::new();
    let mut eyes = Vec::new();
    for meta in buffer.iter_meta::<gst_video::VideoRegionOfInterestMeta>() {
        let (x, y, w, h) = meta.rect();
        let bbox = PixelRect { x, y, w, h };
        match meta.roi_type() {
            FACE => {
                region_ids.push(meta.id() as u32);
                faces.push(FaceRegion {
                    id: read_id(&meta),
                    bbox,
                    confidence: meta.param(DETECTION).and_then(|param| param.get("confidence").ok()),
                    detector_roll: meta.param(DETECTION).and_then(|param| param.get("roll").ok()),
                    source: meta
                        .param(DETECTION)
                        .and_then(|param| param.get::<&str>("source").ok())
                        .map(FaceSource::from_name)
                        .unwrap_or_default(),
                    resembles: meta.param(DETECTION).and_then(|param| param.get("resembles").ok()),
                    eyes: Vec::new(),
                });
            }
            EYE => eyes.push((meta.parent_id() as u32, bbox)),
            _ => {}
        }
    }
    eyes.sort_by_key(|(_, eye)| eye.x);
    for (face, id) in faces.iter_mut().zip(region_ids) {
        face.eyes.extend(eyes.iter().filter(|(parent, _)| *parent == id).map(|(_, eye)| *eye));
    }
    faces
}

/// The id of a face: that of DL Streamer's tracker where there is one, whose regions are numbered anew in each frame.
fn read_id(meta: &gst_video::VideoRegionOfInterestMeta) -> u32 {
    let tracked = meta.param(OBJECT_ID).and_then(|param| param.get::<i32>("id").ok());
    tracked.unwrap_or_else(|| meta.id()) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use mood_schema::{Affect, Emotion};

    fn region() -> FaceRegion {
        FaceRegion {
            source: FaceSource::Followed,
            resembles: Some(1),
            id: 3,
            bbox: PixelRect { x: 100, y: 50, w: 80, h: 80 },
            confidence: Some(0.9),
            detector_roll: Some(20.0),
            eyes: vec![PixelRect { x: 110, y: 70, w: 20, h: 20 }, PixelRect { x: 150, y: 80, w: 20, h: 20 }],
        }
    }

    #[test]
    fn face_with_eyes_survives_the_round_trip() {
        gst::init().unwrap();
        let mut buffer = gst::Buffer::new();
        add_face(buffer.make_mut(), &region(), 400, 200);
        assert_eq!(read_faces(&buffer), [region()]);
        let meta = buffer.iter_meta::<gst_video::VideoRegionOfInterestMeta>().next().unwrap();
        let detection = meta.param(DETECTION).unwrap();
        assert_eq!(detection.get::<f64>("x_min").unwrap(), 0.25);
        assert_eq!(detection.get::<f64>("y_max").unwrap(), 0.65);
        assert_eq!(detection.get::<i32>("label_id").unwrap(), 0);
    }

    #[test]
    fn roll_is_the_slope_of_the_line_between_the_eyes() {
        assert_eq!(region().roll(), Some(20.0), "the detector's");
        let roll = FaceRegion { detector_roll: None, ..region() }.roll().unwrap();
        assert!((roll - 14.036).abs() < 0.001, "{roll}");
        let without_eyes = FaceRegion { eyes: Vec::new(), ..region() };
        assert_eq!(FaceRegion { detector_roll: None, ..without_eyes }.roll(), None);
    }

    #[test]
    fn classification_is_added_to_its_face_only() {
        gst::init().unwrap();
        let mut buffer = gst::Buffer::new();
        add_face(buffer.make_mut(), &region(), 400, 200);
        let classification = Classification {
            label: Emotion::Sad.into(),
            confidence: 0.7,
            probabilities: [0.05, 0.05, 0.05, 0.05, 0.7, 0.05, 0.05],
            raw: None,
            affect: Affect::default(),
        };
        add_classification(buffer.make_mut(), 1, &classification, "mini_xception");
        add_classification(buffer.make_mut(), 0, &classification, "mini_xception");
        let meta = buffer.iter_meta::<gst_video::VideoRegionOfInterestMeta>().next().unwrap();
        let param = meta.param(CLASSIFICATION).unwrap();
        assert_eq!(param.get::<&str>("label").unwrap(), "sad");
        assert_eq!(param.get::<i32>("label_id").unwrap(), 4);
        assert_eq!(param.get::<&str>("attribute_name").unwrap(), "emotion");
        assert_eq!(param.get::<&str>("type").unwrap(), "classification_result");
        assert_eq!(meta.params().count(), 2);
    }

    #[test]
    fn hidden_areas_survive_the_round_trip_and_are_no_faces() {
        gst::init().unwrap();
        let mut buffer = gst::Buffer::new();
        let buffer = buffer.make_mut();
        for [x, y, w, h] in [[0.25, 0.5, 0.25, 0.25], [-0.5, 0.9, 0.75, 0.5], [1.5, 0.0, 1.0, 1.0]] {
            add_hidden(buffer, &Rect { x, y, w, h }, 64, 48);
        }
        let expected = [[0.25, 0.5, 0.25, 0.25], [0.0, 43.0 / 48.0, 0.25, 5.0 / 48.0]].map(Rect::from);
        assert_eq!(read_hidden(buffer, 64, 48), expected);
        assert_eq!(read_faces(buffer), []);
    }
}
