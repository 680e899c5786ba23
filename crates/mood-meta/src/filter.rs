//! Code that the elements with one sink pad and one source pad share.

use gst::prelude::MulDiv;
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

/// When the frames of a stream begin and end, also where their buffers do not say so.
#[derive(Clone, Copy, Debug, Default)]
pub struct FrameTimes {
    /// Duration of a frame by the caps' frame rate, ns; `None` where they state none.
    frame_duration: Option<u64>,
    /// The time at which a frame without a timestamp is taken to begin, ns of stream time: the end of the one before.
    next: u64,
}

impl FrameTimes {
    /// Takes over the frame rate of new caps.
    pub fn set_caps(&mut self, caps: &gst::CapsRef) {
        let frame_rate =
            caps.structure(0).and_then(|structure| structure.get::<gst::Fraction>("framerate").ok());
        self.frame_duration = frame_rate.filter(|rate| rate.numer() > 0).and_then(|rate| {
            gst::ClockTime::SECOND.nseconds().mul_div_round(rate.denom() as u64, rate.numer() as u64)
        });
    }

    /// Start and end of a frame, ns of stream time. A frame whose duration nobody states ends where it begins.
    pub fn observe(&mut self, segment: &gst::Segment, buffer: &gst::BufferRef) -> (u64, u64) {
        let pts = stream_time(segment, buffer.pts()).map_or(self.next, gst::ClockTime::nseconds);
        let duration = buffer.duration().map(gst::ClockTime::nseconds).or(self.frame_duration);
        self.next = pts.saturating_add(duration.unwrap_or(UNTIMED_FRAME_DURATION.nseconds()));
        (pts, pts.saturating_add(duration.unwrap_or(0)))
    }

    /// Begins at zero again, for another session with the same caps.
    pub fn restart(&mut self) {
        self.next = 0;
    }
}

/// Width and height of the frames of a video stream in pixels; `None` for caps that are not video.
pub fn frame_size(caps: &gst::CapsRef) -> Option<(u32, u32)> {
    let structure = caps.structure(0)?;
    let side = |field| structure.get::<i32>(field).ok().and_then(|side| u32::try_from(side).ok());
    Some((side("width")?, side("height")?))
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
