//! The segment of the audio, and where its samples begin.

use playout::StartTime;

/// The segment of the audio and where its sample 0 lies.
///
/// It is the segment of the mood pad, so that audio and video share running time and stream time; without one,
/// it begins at 0. Audio plays forward at its own speed, whatever the video does: where that is played at
/// another speed, only where the segment begins in running time and stream time is taken over. The audio begins
/// no earlier than the running time `earliest`, ns.
pub(crate) fn audio_segment(
    mood: Option<&gst::FormattedSegment<gst::ClockTime>>,
    earliest: u64,
) -> (gst::FormattedSegment<gst::ClockTime>, StartTime) {
    let mut segment = gst::FormattedSegment::<gst::ClockTime>::new();
    if let Some(mood) = mood {
        if mood.rate() == 1.0 && mood.applied_rate() == 1.0 {
            segment = mood.clone();
        } else {
            segment.set_start(gst::ClockTime::ZERO);
            segment.set_base(mood.base());
            let start = mood.start().unwrap_or_default();
            segment.set_time(mood.to_stream_time(start).or(mood.time()));
        }
    }
    // What lies before the offset has been played already.
    let start = segment.start().unwrap_or_default() + segment.offset().unwrap_or_default();
    let stream_time = segment.to_stream_time(start).or(segment.time()).unwrap_or_default().nseconds();
    let (start, base) = (start.nseconds(), segment.base().unwrap_or_default().nseconds());
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
    fn the_segment_is_that_of_the_mood_pad() {
        let mut mood = gst::FormattedSegment::<gst::ClockTime>::new();
        mood.set_start(gst::ClockTime::from_seconds(10));
        mood.set_time(gst::ClockTime::from_seconds(7));
        mood.set_base(gst::ClockTime::from_seconds(3));
        mood.set_stop(gst::ClockTime::from_seconds(20));
        mood.set_duration(gst::ClockTime::from_seconds(60));
        mood.set_flags(gst::SegmentFlags::RESET);
        mood.set_position(gst::ClockTime::from_seconds(10));
        let (segment, start) = audio_segment(Some(&mood), 0);
        assert_eq!(segment, mood);
        let expected = StartTime { pts: 10 * SECOND, running_time: 3 * SECOND, stream_time: 7 * SECOND };
        assert_eq!(start, expected);
        let pts = gst::ClockTime::from_nseconds(start.pts + 480);
        assert_eq!(segment.to_running_time(pts).unwrap().nseconds(), start.running_time + 480);
        assert_eq!(segment.to_stream_time(pts).unwrap().nseconds(), start.stream_time + 480);
    }

    #[test]
    fn audio_begins_after_what_has_been_played() {
        let mut mood = gst::FormattedSegment::<gst::ClockTime>::new();
        mood.set_start(gst::ClockTime::from_seconds(10));
        mood.set_time(gst::ClockTime::from_seconds(7));
        mood.set_offset(gst::ClockTime::from_seconds(2));
        let (segment, start) = audio_segment(Some(&mood), 0);
        assert_eq!(start, StartTime { pts: 12 * SECOND, running_time: 0, stream_time: 9 * SECOND });
        let pts = gst::ClockTime::from_nseconds(start.pts);
        assert_eq!(segment.to_running_time(pts), Some(gst::ClockTime::ZERO));
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
