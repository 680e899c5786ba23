//! Code that the elements with one sink pad and one source pad share.

use gst_base::prelude::*;
use gst_base::subclass::base_transform::{InputBuffer, PrepareOutputBufferSuccess};

use crate::AUTHOR;

/// How long a frame lasts whose buffer has no timestamp and no duration, and whose caps have no frame rate: 25 frames a
/// second.
pub const UNTIMED_FRAME_DURATION: gst::ClockTime = gst::ClockTime::from_mseconds(40);

/// Why an element could not process a frame.
pub enum FrameError {
    /// The element is stopping.
    NotStarted,
    /// A buffer came before its caps.
    NotNegotiated,
    /// An error to be posted once no lock is held.
    Failed(gst::ErrorMessage),
}

impl FrameError {
    /// Posts the error of [`Self::Failed`] on behalf of `element`, and returns what its streaming thread answers. Call it
    /// without a lock.
    pub fn report(self, element: &impl IsA<gst::Element>) -> gst::FlowError {
        match self {
            Self::NotStarted => gst::FlowError::Flushing,
            Self::NotNegotiated => gst::FlowError::NotNegotiated,
            Self::Failed(message) => {
                element.as_ref().post_error_message(message);
                gst::FlowError::Error
            }
        }
    }
}

/// The metadata of an element by gst-mood: `name`, `classification` and `description` as `gst-inspect-1.0` prints them.
/// `classification` is a path of GStreamer's element classes such as `Filter/Analyzer/Video`.
pub fn element_metadata(
    name: &str,
    classification: &str,
    description: &str,
) -> gst::subclass::ElementMetadata {
    gst::subclass::ElementMetadata::new(name, classification, description, AUTHOR)
}

/// Templates of two always-present pads, `sink` and `src`, both with `caps`.
pub fn pad_templates(caps: &gst::Caps) -> Vec<gst::PadTemplate> {
    [("sink", gst::PadDirection::Sink), ("src", gst::PadDirection::Src)]
        .into_iter()
        // A template fails only for a name that contradicts its presence, which these two do not.
        .filter_map(|(name, direction)| {
            gst::PadTemplate::new(name, direction, gst::PadPresence::Always, caps).ok()
        })
        .collect()
}

/// Converts a buffer's timestamp to stream time, the time used in logs and messages. `None` without a
/// timestamp, outside the segment, or for a segment that is not in time format.
pub fn stream_time(segment: &gst::Segment, timestamp: Option<gst::ClockTime>) -> Option<gst::ClockTime> {
    segment.downcast_ref::<gst::ClockTime>()?.to_stream_time(timestamp)
}

/// Answers an allocation query in a filter whose output buffers share the memory of its input buffers:
/// upstream gets downstream's answer. Without an answer from downstream the query stays empty, which means
/// default memory. Cropping by metadata is left out: the filters do not read it, and would look beside the picture.
pub fn forward_allocation_query(
    element: &impl IsA<gst_base::BaseTransform>,
    query: &mut gst::query::Allocation,
) {
    element.as_ref().src_pad().peer_query(query);
    if let Some(index) = query.find_allocation_meta::<gst_video::VideoCropMeta>() {
        query.remove_nth_allocation_meta(index);
    }
}

/// Prepares the output buffer of a filter that adds metadata but writes no pixel: a writable buffer is reused,
/// a shared one is copied shallowly, so that both copies refer to the same memory.
pub fn share_memory(input: InputBuffer) -> PrepareOutputBufferSuccess {
    match input {
        InputBuffer::Writable(_) => PrepareOutputBufferSuccess::InputBuffer,
        InputBuffer::Readable(buffer) => PrepareOutputBufferSuccess::Buffer(buffer.copy()),
    }
}
