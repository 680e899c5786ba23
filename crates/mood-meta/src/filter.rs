//! What our filters, elements with one sink and one source pad, have in common.

/// A `sink` and a `src` pad, always there, both with `caps`.
pub fn pad_templates(caps: &gst::Caps) -> Vec<gst::PadTemplate> {
    [("sink", gst::PadDirection::Sink), ("src", gst::PadDirection::Src)]
        .into_iter()
        // Only a name against the rules could fail.
        .filter_map(|(name, direction)| {
            gst::PadTemplate::new(name, direction, gst::PadPresence::Always, caps).ok()
        })
        .collect()
}

/// A buffer's time in its stream, which is what logs and messages speak of; `None` without a timestamp, outside the
/// segment, or where the segment does not count time.
pub fn stream_time(segment: &gst::Segment, time: Option<gst::ClockTime>) -> Option<gst::ClockTime> {
    segment.downcast_ref::<gst::ClockTime>()?.to_stream_time(time)
}
