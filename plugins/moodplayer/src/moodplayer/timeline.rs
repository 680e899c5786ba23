//! The one line of time that the audio runs along, counted in frames of audio.

use gst::prelude::*;

/// Where frame 0 lies, and how long a frame is.
#[derive(Clone, Debug)]
pub struct Timeline {
    segment: gst::FormattedSegment<gst::ClockTime>,
    /// Timestamp, running time and stream time of frame 0, ns.
    pts: u64,
    running: u64,
    stream: u64,
    rate: u32,
}

impl Timeline {
    /// Begins where the mood's segment begins, so that sound and picture share running and stream time; at 0 without
    /// one. `from`: no earlier than this running time.
    pub fn new(mood: Option<&gst::FormattedSegment<gst::ClockTime>>, rate: u32, from: u64) -> Self {
        let mut segment = gst::FormattedSegment::<gst::ClockTime>::new();
        if let Some(mood) = mood {
            let start = mood.start().unwrap_or_default();
            // Sound runs forward at its own speed, whatever the picture does.
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
        let stream = segment.time().unwrap_or_default().nseconds();
        let late = from.saturating_sub(base);
        segment.set_position(gst::ClockTime::from_nseconds(start + late));
        Self { segment, pts: start + late, running: base + late, stream: stream + late, rate }
    }

    pub fn segment(&self) -> &gst::FormattedSegment<gst::ClockTime> {
        &self.segment
    }

    fn elapsed(&self, frame: u64) -> u64 {
        frame.mul_div_floor(1_000_000_000, u64::from(self.rate)).unwrap_or(u64::MAX >> 1)
    }

    /// A frame's timestamp.
    pub fn pts(&self, frame: u64) -> gst::ClockTime {
        gst::ClockTime::from_nseconds(self.pts + self.elapsed(frame))
    }

    /// A frame's running time, ns.
    pub fn running(&self, frame: u64) -> u64 {
        self.running + self.elapsed(frame)
    }

    /// A frame's stream time, ns.
    pub fn stream(&self, frame: u64) -> u64 {
        self.stream + self.elapsed(frame)
    }

    /// The stream time of a running time, ns.
    pub fn running_to_stream(&self, running: u64) -> u64 {
        (running + self.stream).saturating_sub(self.running)
    }

    /// Frames that begin before a running time.
    pub fn frames_until(&self, running: u64) -> u64 {
        let elapsed = running.saturating_sub(self.running);
        elapsed.mul_div_ceil(u64::from(self.rate), 1_000_000_000).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn it_follows_the_moods_segment() {
        let mut mood = gst::FormattedSegment::<gst::ClockTime>::new();
        mood.set_start(gst::ClockTime::from_seconds(10));
        mood.set_time(gst::ClockTime::from_seconds(7));
        mood.set_base(gst::ClockTime::from_seconds(3));
        let timeline = Timeline::new(Some(&mood), 48_000, 0);
        assert_eq!(timeline.pts(48_000), gst::ClockTime::from_seconds(11));
        assert_eq!(timeline.running(48_000), 4 * SECOND);
        assert_eq!(timeline.stream(48_000), 8 * SECOND);
        assert_eq!(timeline.running_to_stream(4 * SECOND), 8 * SECOND);
        let segment = timeline.segment();
        assert_eq!(segment.to_running_time(timeline.pts(480)).unwrap().nseconds(), timeline.running(480));
        assert_eq!(segment.to_stream_time(timeline.pts(480)).unwrap().nseconds(), timeline.stream(480));
        assert_eq!(timeline.frames_until(4 * SECOND), 48_000);
        assert_eq!(timeline.frames_until(0), 0);
    }

    #[test]
    fn it_may_begin_late_and_drifts_never() {
        let timeline = Timeline::new(None, 44_100, 2 * SECOND);
        assert_eq!(timeline.running(0), 2 * SECOND);
        assert_eq!(timeline.pts(0), gst::ClockTime::from_seconds(2));
        assert_eq!(timeline.running(44_100 * 86_400), 86_402 * SECOND);
    }
}
