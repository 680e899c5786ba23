//! Faces as metas of GStreamer's analytics library, beside ours: with the Cargo feature `v1_24`, which needs GStreamer 1.24 or
//! later. Without it nothing is written, and nothing found.
//!
//! A face is an object detection of type [`region::FACE`](crate::region::FACE) with its box in pixels, related to a tracking with the
//! face's id and, once classified, to a classification. Its first class is the label, which is what `objectdetectionoverlay` shows;
//! the emotions follow, from the likeliest to the least likely. Relations are `CONTAIN` and `RELATE_TO`, because readers ask for
//! one or the other.
//!
//! Of other detectors object detections and trackings are read. Classifications are not: `gstreamer-analytics` 0.25 makes a
//! `glib::Quark`, which cannot be 0, of whatever number a class has as its name.

use std::collections::BTreeMap;

use crate::region::FaceRegion;

#[cfg(not(feature = "v1_24"))]
mod disabled;
#[cfg(feature = "v1_24")]
mod relation_meta;

#[cfg(not(feature = "v1_24"))]
pub use disabled::{add_classification, add_face, read_faces};
#[cfg(feature = "v1_24")]
pub use relation_meta::{add_classification, add_face, read_faces};

/// Names an object detection of a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObjectId(u32);

/// An object detection that is a face.
#[derive(Clone, Debug, PartialEq)]
pub struct FaceObject {
    /// Its name in this buffer.
    pub object: ObjectId,
    /// Its box, and as its id that of the tracking; 0 where it is not tracked, as in regions of detectors that give no ids.
    pub region: FaceRegion,
}

/// Finds the object detection of a region: one with the same box, else one with the same id.
pub fn find_object(objects: &[FaceObject], region: &FaceRegion) -> Option<ObjectId> {
    let same_box = |object: &&FaceObject| object.region.bbox == region.bbox;
    // An untracked object's id says nothing.
    let same_id = |object: &&FaceObject| region.id != 0 && object.region.id == region.id;
    objects.iter().find(same_box).or_else(|| objects.iter().find(same_id)).map(|object| object.object)
}

/// When each face was seen first, by the buffers' timestamps, for trackings.
#[derive(Clone, Debug, Default)]
pub struct FirstSeen {
    times: BTreeMap<u32, gst::ClockTime>,
}

impl FirstSeen {
    /// The faces remembered; those with the smallest ids, the earliest, are forgotten first. A stream that never ends must not fill
    /// the memory.
    const CAPACITY: usize = 1024;

    /// When face `id`, which is seen at `now`, was seen first.
    pub fn observe(&mut self, id: u32, now: gst::ClockTime) -> gst::ClockTime {
        // Times run backwards after a seek.
        let first_seen = *self.times.entry(id).and_modify(|time| *time = (*time).min(now)).or_insert(now);
        if self.times.len() > Self::CAPACITY {
            self.times.pop_first();
        }
        first_seen
    }

    /// Forgets all faces: ids begin anew.
    pub fn clear(&mut self) {
        self.times.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faces_keep_the_time_they_were_first_seen_at() {
        let mut first_seen = FirstSeen::default();
        let seconds = gst::ClockTime::from_seconds;
        assert_eq!(first_seen.observe(1, seconds(5)), seconds(5));
        assert_eq!(first_seen.observe(2, seconds(6)), seconds(6));
        assert_eq!(first_seen.observe(1, seconds(7)), seconds(5));
        assert_eq!(first_seen.observe(1, seconds(3)), seconds(3), "after a seek");
        first_seen.clear();
        assert_eq!(first_seen.observe(1, seconds(9)), seconds(9));
    }

    #[test]
    fn a_stream_without_end_does_not_fill_the_memory() {
        let mut first_seen = FirstSeen::default();
        for id in 0..3000 {
            first_seen.observe(id, gst::ClockTime::from_seconds(id.into()));
        }
        assert_eq!(first_seen.times.len(), FirstSeen::CAPACITY);
        assert_eq!(first_seen.observe(2999, gst::ClockTime::from_seconds(4000)).seconds(), 2999);
    }
}
