//! [`mood_schema`] as GStreamer carries it: what a buffer, a message or an event says of faces, moods and tracks.
//!
//! - [`region`]: `GstVideoRegionOfInterestMeta` of type `face` and `eye`, with DL Streamer's params
//! - [`frame`]: the custom meta `GstMoodFrame`, one a frame, which survives scaling and conversion
//! - [`filter`]: what our filters have in common
//! - [`luma`]: the luma of a video frame in any common format, which is what detectors and classifiers look at
//! - [`message`]: the element messages that applications watch
//! - [`event`]: what elements tell each other along the stream: settings downstream, the player's doings upstream
//!
//! No GObject type is defined here, so that several plugins in one process can link this crate.

pub mod event;
pub mod filter;
pub mod frame;
pub mod luma;
pub mod message;
pub mod region;

use std::sync::{Mutex, MutexGuard, PoisonError};

use mood_schema::{Face, Frame};

/// The author string of every element, as `gst-inspect-1.0` prints it.
pub const AUTHOR: &str = "gst-mood developers <https://github.com/gst-mood/gst-mood>";

/// Locks `mutex` even if another thread panicked while it held the lock: a panic in one callback must not make every
/// later one panic too. Only for data that is valid after every single assignment.
pub fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a buffer says of its faces: the `GstMoodFrame` where there is one, else the detector's face regions,
/// unclassified; `None` where it says nothing at all. `width` and `height` are the frame's, in pixels.
pub fn faces(buffer: &gst::BufferRef, width: u32, height: u32) -> Option<Frame> {
    if let Some(frame) = frame::read(buffer) {
        return Some(frame);
    }
    let faces: Vec<Face> = region::faces(buffer).iter().map(|region| region.to_face(width, height)).collect();
    (!faces.is_empty()).then_some(Frame { faces })
}
