//! What a build without the feature `v1_24` does: nothing.

use mood_schema::Classification;

use super::{FaceObject, FirstSeen, ObjectId};
use crate::region::FaceRegion;

/// Reads no face: this build does not know GStreamer's analytics library.
pub fn read_faces(_buffer: &gst::BufferRef) -> Vec<FaceObject> {
    Vec::new()
}

/// Adds no object, so that there is none to classify; never fails.
pub fn add_face(
    _buffer: &mut gst::BufferRef,
    _face: &FaceRegion,
    _first_seen: &mut FirstSeen,
) -> Result<Option<ObjectId>, glib::BoolError> {
    Ok(None)
}

/// Adds no classification, since no object of this build has an id; never fails.
pub fn add_classification(
    _buffer: &mut gst::BufferRef,
    _object: ObjectId,
    _classification: &Classification,
) -> Result<(), glib::BoolError> {
    Ok(())
}
