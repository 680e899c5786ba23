//! [`mood_schema`] on GStreamer: buffer metadata, events and messages, and what the elements have in common.
//!
//! - [`region`]: `GstVideoRegionOfInterestMeta` of type `face` and `eye`, with DL Streamer's params
//! - [`frame`]: the custom meta `GstMoodFrame`, one a buffer, which survives scaling and conversion
//! - [`analytics`]: the faces as metas of GStreamer's analytics library too, with the feature `v1_24`
//! - [`witness`]: in that meta, what the frame looked like when its faces were found
//! - [`video_frame`]: a buffer mapped as a frame, with its video metadata checked
//! - [`luma`]: the luma of a video frame in any common format, the input of detector and classifier
//! - [`message`]: the element messages that applications watch, built and read
//! - [`event`]: events between elements: settings downstream, a player's decisions upstream
//! - [`audio`]: decodes the audio of a file
//! - [`property`]: what the properties of elements have in common
//! - [`filter`]: what elements with one sink and one source pad have in common
//! - [`wiring`]: notices that no detector or classifier stands upstream
//!
//! This crate defines no GObject type: two plugins that link it would both try to register the type.

pub mod analytics;
pub mod audio;
pub mod event;
pub mod filter;
pub mod frame;
pub mod luma;
pub mod message;
pub mod pixel_aspect;
pub mod property;
pub mod region;
pub mod video_frame;
pub mod wiring;
pub mod witness;

use std::sync::{Mutex, MutexGuard, PoisonError};

use mood_schema::{Face, Frame};

/// The author string of every element, as `gst-inspect-1.0` prints it.
pub const AUTHOR: &str = "gst-mood developers <https://github.com/gst-mood/gst-mood>";

/// Locks `mutex` even if another thread panicked while it held the lock: a panic in one callback must not make every
/// later one panic too. Only for data that is valid after every single assignment.
pub fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads a buffer's faces: from its `GstMoodFrame` where it has one, else from the detector's face regions or object detections,
/// without classification. `None` where it has none of them. `width` and `height` are the frame's, in pixels.
pub fn read_faces(buffer: &gst::BufferRef, width: u32, height: u32) -> Option<Frame> {
    if let Some(frame) = frame::read(buffer) {
        return Some(frame);
    }
    let mut regions = region::read_faces(buffer);
    if regions.is_empty() {
        regions = analytics::read_faces(buffer).into_iter().map(|object| object.region).collect();
    }
    let faces: Vec<Face> = regions.iter().map(|region| region.to_face(width, height)).collect();
    (!faces.is_empty()).then_some(Frame { faces, shot: 0 })
}
