//! The segment of the audio, and where its samples begin.

use playout::StartTime;

/// The segment of the audio and where its sample 0 lies.
///
/// The audio begins where the segment of the mood pad begins, so that audio and video share running time and
/// stream time; at 0 without one. It begins no earlier than the running time `earliest`, ns.
pub(crate) fn audio_segment(
    mood: Option<&gst::FormattedSegment<gst::ClockTime>>,
    earliest: u64,
) -> (gst::FormattedSegment<gst::ClockTime>, StartTime) {
    let mut segment = gst::FormattedSegment::<gst::ClockTime>::new();
    if let Some(mood) = mood {
        let start = mood.start().unwrap_or_default();
        // Audio plays forward at its own speed, whatever the video does.
        if mood.rate() == 1.0 && mood.applied_rate() == 1.0 {
            segment.set_start(start);
        } else {
            segment.set_start(gst::ClockTime::ZERO);
        }
        segment.set_base(mood.base());
        segment.set_time(mood.to_stream_time(start).or(mood.time()));
    }
    let start = segment.start().unwrap_or_default().nseconds();
    let base = segment.base().unwrap_or_default().nseconds();
    let stream_time = segment.time().unwrap_or_default().nseconds();
    let delay = earliest.saturating_sub(base);
    segment.set_position(gst::ClockTime::from_nseconds(start + delay));
    let start_time =
        StartTime { pts: start + delay, running_time: base + delay, stream_time: stream_time + delay };
    (segment, start_time)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn audio_begins_where_the_mood_pads_segment_begins() {
        let mut mood = gst::FormattedSegment::<gst::ClockTime>::new();
        mood.set_start(gst::ClockTime::from_seconds(10));
        mood.set_time(gst::ClockTime::from_seconds(7));
        mood.set_base(gst::ClockTime::from_seconds(3));
        let (segment, start) = audio_segment(Some(&mood), 0);
        let expected = StartTime { pts: 10 * SECOND, running_time: 3 * SECOND, stream_time: 7 * SECOND };
        assert_eq!(start, expected);
        let pts = gst::ClockTime::from_nseconds(start.pts + 480);
        assert_eq!(segment.to_running_time(pts).unwrap().nseconds(), start.running_time + 480);
        assert_eq!(segment.to_stream_time(pts).unwrap().nseconds(), start.stream_time + 480);
    }

    #[test]
    fn audio_may_begin_late() {
        let (segment, start) = audio_segment(None, 2 * SECOND);
        assert_eq!(start, StartTime { pts: 2 * SECOND, running_time: 2 * SECOND, stream_time: 2 * SECOND });
        assert_eq!(segment.position(), Some(gst::ClockTime::from_seconds(2)));
    }

    #[test]
    fn audio_plays_forward_whatever_the_video_does() {
        let mut mood = gst::FormattedSegment::<gst::ClockTime>::new();
        mood.set_rate(2.0);
        mood.set_start(gst::ClockTime::from_seconds(10));
        let (segment, start) = audio_segment(Some(&mood), 0);
        assert_eq!((segment.rate(), segment.start(), start.pts), (1.0, Some(gst::ClockTime::ZERO), 0));
    }
}
