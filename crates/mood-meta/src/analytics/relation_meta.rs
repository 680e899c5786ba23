//! The metas in the one `GstAnalyticsRelationMeta` of a buffer.

use std::cmp::Reverse;

use gray_image::PixelRect;
use gst_analytics::prelude::*;
use gst_analytics::{AnalyticsODMtd, AnalyticsRelationMeta, AnalyticsTrackingMtd, RelTypes};
use mood_schema::{Classification, Emotion, FaceSource, Label};

use super::{FaceObject, FirstSeen, ObjectId};
use crate::region::{self, FaceRegion};

/// The buffer's meta; a new one where it has none, since readers look at the first only.
fn relation_meta(
    buffer: &mut gst::BufferRef,
) -> Result<gst::MetaRefMut<'_, AnalyticsRelationMeta, gst::meta::Standalone>, glib::BoolError> {
    if buffer.meta::<AnalyticsRelationMeta>().is_none() {
        return Ok(AnalyticsRelationMeta::add(buffer));
    }
    buffer.meta_mut().ok_or_else(|| glib::bool_error!("the analytics metadata is not writable"))
}

/// Relates an object detection to something that belongs to it.
const RELATION: RelTypes = RelTypes::CONTAIN.union(RelTypes::RELATE_TO);

/// Reads the faces of a buffer, whoever wrote them, in the order in which they were added. One without area is left out.
pub fn read_faces(buffer: &gst::BufferRef) -> Vec<FaceObject> {
    let Some(meta) = buffer.meta::<AnalyticsRelationMeta>() else { return Vec::new() };
    let is_face = |object: &gst_analytics::AnalyticsMtdRef<AnalyticsODMtd>| {
        object.obj_type().is_some_and(|object_type| object_type.as_str() == region::FACE)
    };
    let objects = meta.iter::<AnalyticsODMtd>().filter(is_face);
    let faces = objects.filter_map(|object| {
        let location = object.location().ok()?;
        let (x, w) = clip_span(location.x, location.w)?;
        let (y, h) = clip_span(location.y, location.h)?;
        let confidence = f64::from(location.loc_conf_lvl);
        let tracking =
            |relation| meta.iter_direct_related::<AnalyticsTrackingMtd>(object.id(), relation).next();
        let tracking = tracking(RelTypes::RELATE_TO).or_else(|| tracking(RelTypes::CONTAIN));
        Some(FaceObject {
            object: ObjectId(object.id()),
            region: FaceRegion {
                // Trackers count up from 0 or 1.
                id: tracking.map_or(0, |tracking| tracking.info().0 as u32),
                bbox: PixelRect { x, y, w, h },
                confidence: confidence.is_finite().then(|| confidence.clamp(0.0, 1.0)),
                detector_roll: None,
                source: FaceSource::Detected,
                resembles: None,
                eyes: Vec::new(),
            },
        })
    });
    faces.collect()
}

/// The part of a span of pixels that is not before the frame's first; `None` where there is none.
fn clip_span(start: i32, length: i32) -> Option<(u32, u32)> {
    let end = u32::try_from(i64::from(start) + i64::from(length)).ok()?;
    let start = u32::try_from(start.max(0)).ok()?;
    (end > start).then_some((start, end - start))
}

/// Adds a face as an object detection, and its id as a tracking with the times at which it was seen first and last. Where frames
/// have no timestamps the times are 0.
pub fn add_face(
    buffer: &mut gst::BufferRef,
    face: &FaceRegion,
    first_seen: &mut FirstSeen,
) -> Result<Option<ObjectId>, glib::BoolError> {
    let last_seen = buffer.pts().unwrap_or(gst::ClockTime::ZERO);
    let first_seen = first_seen.observe(face.id, last_seen);
    let mut meta = relation_meta(buffer)?;
    let [x, y, w, h] = [face.bbox.x, face.bbox.y, face.bbox.w, face.bbox.h].map(|pixels| pixels as i32);
    let confidence = face.confidence.unwrap_or(1.0) as f32;
    let face_type = glib::Quark::from_str(region::FACE);
    let object = meta.add_od_mtd(face_type, x, y, w, h, confidence)?.id();
    let tracking = meta.add_tracking_mtd(face.id.into(), first_seen)?.id();
    meta.set_relation(RELATION, object, tracking)?;
    if let Some(mut tracking) = meta.mtd_mut::<AnalyticsTrackingMtd>(tracking) {
        tracking.update_last_seen(last_seen)?;
    }
    Ok(Some(ObjectId(object)))
}

/// Adds the classification of a face to its object detection in the same buffer.
pub fn add_classification(
    buffer: &mut gst::BufferRef,
    object: ObjectId,
    classification: &Classification,
) -> Result<(), glib::BoolError> {
    let (names, levels): (Vec<_>, Vec<_>) = list_classes(classification).into_iter().unzip();
    let names: Vec<glib::Quark> = names.into_iter().map(glib::Quark::from_str).collect();
    let mut meta = relation_meta(buffer)?;
    let classes = meta.add_cls_mtd(&levels, &names)?.id();
    meta.set_relation(RELATION, object.0, classes)
}

/// Names and probabilities of the classes. The label is the first, also where it is `uncertain`, which is no emotion: whoever
/// shows the first class must not show a guess.
fn list_classes(classification: &Classification) -> Vec<(&'static str, f32)> {
    let mut emotions: Vec<(Emotion, f64)> =
        Emotion::ALL.into_iter().zip(classification.probabilities).collect();
    emotions.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    emotions.sort_by_key(|(emotion, _)| Reverse(classification.label == Label::Known(*emotion)));
    let uncertain = (classification.label == Label::Uncertain)
        .then_some((Label::Uncertain.as_str(), classification.confidence as f32));
    let emotions = emotions.into_iter().map(|(emotion, level)| (emotion.as_str(), level as f32));
    uncertain.into_iter().chain(emotions).collect()
}

#[cfg(test)]
mod tests {
    use gst_analytics::AnalyticsClassificationMtd;
    use mood_schema::Affect;

    use super::super::find_object;
    use super::*;

    fn face(id: u32, x: u32) -> FaceRegion {
        FaceRegion {
            id,
            bbox: PixelRect { x, y: 20, w: 80, h: 90 },
            confidence: Some(0.75),
            detector_roll: None,
            source: FaceSource::Detected,
            resembles: None,
            eyes: Vec::new(),
        }
    }

    fn classification(label: Label) -> Classification {
        let probabilities = [0.05, 0.0625, 0.03, 0.5, 0.25, 0.0375, 0.07];
        Classification {
            label,
            confidence: 0.5,
            probabilities,
            raw: None,
            affect: Affect::from_distribution(&probabilities),
        }
    }

    #[test]
    fn faces_survive_the_round_trip() {
        gst::init().unwrap();
        let mut buffer = gst::Buffer::new();
        assert_eq!(read_faces(&buffer), []);
        let mut first_seen = FirstSeen::default();
        first_seen.observe(7, gst::ClockTime::from_seconds(2));
        let writable = buffer.make_mut();
        writable.set_pts(gst::ClockTime::from_seconds(5));
        let faces = [face(7, 10), face(3, 200)];
        for face in &faces {
            add_face(writable, face, &mut first_seen).unwrap();
        }
        let objects = read_faces(&buffer);
        assert_eq!(objects.iter().map(|object| object.region.clone()).collect::<Vec<_>>(), faces);
        assert_eq!(buffer.iter_meta::<AnalyticsRelationMeta>().count(), 1, "readers look at the first");
        let meta = buffer.meta::<AnalyticsRelationMeta>().unwrap();
        let tracking = meta.iter::<AnalyticsTrackingMtd>().next().unwrap();
        let seconds = gst::ClockTime::from_seconds;
        assert_eq!(tracking.info(), (7, seconds(2), seconds(5), false));
    }

    #[test]
    fn the_label_is_the_first_class_and_is_related_to_its_face() {
        gst::init().unwrap();
        let mut buffer = gst::Buffer::new();
        let writable = buffer.make_mut();
        let labels = [Emotion::Happy.into(), Label::Uncertain];
        for (label, face) in labels.into_iter().zip([face(1, 10), face(2, 200)]) {
            let object = add_face(writable, &face, &mut FirstSeen::default()).unwrap().unwrap();
            add_classification(writable, object, &classification(label)).unwrap();
        }
        let meta = buffer.meta::<AnalyticsRelationMeta>().unwrap();
        for relation in [RelTypes::CONTAIN, RelTypes::RELATE_TO] {
            let classes: Vec<Vec<(String, f32)>> = read_faces(&buffer)
                .iter()
                .map(|object| {
                    let mut related =
                        meta.iter_direct_related::<AnalyticsClassificationMtd>(object.object.0, relation);
                    let classes = related.next().unwrap();
                    assert_eq!(related.count(), 0);
                    (0..classes.len())
                        .map(|i| (classes.quark(i).as_str().to_string(), classes.level(i)))
                        .collect()
                })
                .collect();
            let emotions = [
                ("happy", 0.5),
                ("sad", 0.25),
                ("neutral", 0.07),
                ("disgust", 0.0625),
                ("angry", 0.05),
                ("surprise", 0.0375),
                ("fear", 0.03),
            ];
            let emotions = emotions.map(|(name, level)| (name.to_string(), level));
            assert_eq!(classes[0], emotions);
            assert_eq!(classes[1][0], ("uncertain".to_string(), 0.5));
            assert_eq!(classes[1][1..], emotions);
        }
    }

    #[test]
    fn what_others_write_is_read_with_care() {
        gst::init().unwrap();
        let mut buffer = gst::Buffer::new();
        {
            let mut meta = AnalyticsRelationMeta::add(buffer.make_mut());
            let face = glib::Quark::from_str("face");
            for (object_type, x, y, w, h, confidence) in [
                (glib::Quark::from_str("person"), 1, 1, 50, 50, 0.9),
                (face, -10, -20, 40, 50, f32::NAN),
                (face, 5, 5, 0, 10, 0.5),
                (face, -50, 5, 50, 10, 0.5),
                (face, 5, 5, 10, -10, 0.5),
                (face, i32::MAX, i32::MIN, i32::MAX, i32::MIN, 0.5),
                (face, i32::MAX, 5, i32::MAX, 10, 3.0),
            ] {
                meta.add_od_mtd(object_type, x, y, w, h, confidence).unwrap();
            }
        }
        let found: Vec<_> = read_faces(&buffer)
            .into_iter()
            .map(|object| (object.region.id, object.region.bbox, object.region.confidence))
            .collect();
        let far = i32::MAX as u32;
        assert_eq!(
            found,
            [
                (0, PixelRect { x: 0, y: 0, w: 30, h: 30 }, None),
                (0, PixelRect { x: far, y: 5, w: far, h: 10 }, Some(1.0))
            ]
        );
    }

    #[test]
    fn objects_are_found_by_box_and_by_id() {
        gst::init().unwrap();
        let mut buffer = gst::Buffer::new();
        for face in [face(2, 100), face(0, 10), face(1, 200)] {
            add_face(buffer.make_mut(), &face, &mut FirstSeen::default()).unwrap();
        }
        let objects = read_faces(&buffer);
        assert_eq!(
            find_object(&objects, &face(2, 200)),
            Some(objects[2].object),
            "the box counts more than the id"
        );
        assert_eq!(find_object(&objects, &face(2, 201)), Some(objects[0].object));
        assert_eq!(find_object(&objects, &face(0, 11)), None, "nobody has given an id");
    }
}
