//! What a mood pad holds.

use std::sync::{Mutex, OnceLock};

use gst::prelude::*;
use gst::subclass::prelude::*;
use mood::InputId;
use mood_meta::filter::UNTIMED_FRAME_DURATION;
use mood_meta::wiring::WiringCheck;
use playout::InputProgress;

use super::id_from_name;

/// How a mood pad's stream has ended.
#[derive(Clone, Debug)]
pub(crate) struct StreamEnd {
    /// The sequence number of the event.
    pub seqnum: gst::Seqnum,
    /// The position where a segment has ended that another may follow; `None` at the end of the stream.
    pub segment_done: Option<gst::GenericFormattedValue>,
}

/// What is known of a mood pad's stream.
#[derive(Debug, Default)]
pub(crate) struct PadState {
    /// Whether the pad is linked: only then the audio waits for it.
    pub linked: bool,
    /// Between FLUSH_START and FLUSH_STOP.
    pub flushing: bool,
    /// The stream, or its segment, has ended.
    pub end: Option<StreamEnd>,
    /// Whether the source is live.
    pub live: bool,
    /// The segment; `None` before the first and after a flush.
    pub segment: Option<gst::FormattedSegment<gst::ClockTime>>,
    /// The sequence number of the segment, which tells which seek it answers.
    pub seqnum: Option<gst::Seqnum>,
    /// The running time up to which the stream has been received, ns.
    pub position: Option<u64>,
    /// Width and height of the video, pixels; 0 where the caps do not say.
    pub size: (u32, u32),
    /// How long a buffer without a duration lasts, from the caps' frame rate.
    pub frame_duration: Option<gst::ClockTime>,
    /// Notices buffers without faces, emotions or timestamps.
    pub wiring: WiringCheck,
}

impl PadState {
    /// Takes size and frame rate from caps that have them.
    pub fn set_caps(&mut self, caps: &gst::CapsRef) {
        let Some(structure) = caps.structure(0) else { return };
        let pixels = |name| structure.get::<i32>(name).map_or(0, i32::unsigned_abs);
        self.size = (pixels("width"), pixels("height"));
        let rate = structure.get::<gst::Fraction>("framerate").ok().filter(|rate| rate.numer() > 0);
        self.frame_duration = rate.map(|rate| {
            gst::ClockTime::from_nseconds(1_000_000_000 * rate.denom() as u64 / rate.numer() as u64)
        });
    }

    /// Moves the position to the end of a buffer or gap. Returns the running time of its beginning, ns;
    /// `None` where that is outside the segment. Without a timestamp, it begins at the position.
    pub fn advance(&mut self, pts: Option<gst::ClockTime>, duration: Option<gst::ClockTime>) -> Option<u64> {
        let segment = self.segment.as_ref()?;
        let start = match pts {
            Some(pts) => segment.to_running_time(pts)?.nseconds(),
            None => self.position.unwrap_or(0),
        };
        let untimed = pts.is_none().then_some(UNTIMED_FRAME_DURATION);
        let duration = duration.or(self.frame_duration).or(untimed).unwrap_or_default();
        let duration = (duration.nseconds() as f64 / segment.rate().abs()) as u64;
        let end = start.saturating_add(duration);
        self.position = Some(self.position.map_or(end, |position| position.max(end)));
        Some(start)
    }

    /// Forgets the stream: another one comes, or the same from another position.
    pub fn reset(&mut self) {
        (self.end, self.segment, self.position) = (None, None, None);
    }

    /// How far the stream has come.
    pub fn progress(&self) -> InputProgress {
        InputProgress { position: self.position, has_ended: self.end.is_some(), is_live: self.live }
    }
}

/// The implementation of a mood pad: its number, and what is known of its stream.
#[derive(Debug, Default)]
pub struct MoodPad {
    /// Taken from the name when it is first asked for. The name stays the same once the element has the pad.
    id: OnceLock<InputId>,
    pub(super) state: Mutex<PadState>,
}

impl MoodPad {
    /// The pad's number among the inputs.
    pub(super) fn id(&self) -> InputId {
        *self.id.get_or_init(|| id_from_name(&self.obj().name()).unwrap_or_default())
    }
}

#[glib::object_subclass]
impl ObjectSubclass for MoodPad {
    const NAME: &'static str = "GstMoodPlayerPad";
    type Type = super::MoodPad;
    type ParentType = gst::Pad;
}

impl ObjectImpl for MoodPad {}

impl GstObjectImpl for MoodPad {}

impl PadImpl for MoodPad {}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn missing_timestamps_and_durations_are_filled_in() {
        gst::init().unwrap();
        let segment = Some(gst::FormattedSegment::new());
        let mut state = PadState { segment, ..PadState::default() };
        let frame_rate = gst::Fraction::new(25, 1);
        state.set_caps(&gst::Caps::builder("video/x-raw").field("framerate", frame_rate).build());
        assert_eq!(state.advance(None, None), Some(0));
        assert_eq!(state.advance(None, None), Some(SECOND / 25));
        assert_eq!(state.position, Some(2 * SECOND / 25));
        let second = Some(gst::ClockTime::SECOND);
        assert_eq!(state.advance(second, second), Some(SECOND));
        assert_eq!(state.progress().position, Some(2 * SECOND));
    }

    #[test]
    fn without_timestamps_and_frame_rate_time_goes_on() {
        gst::init().unwrap();
        let mut state = PadState { segment: Some(gst::FormattedSegment::new()), ..PadState::default() };
        assert_eq!(state.advance(None, None), Some(0));
        assert_eq!(state.advance(None, None), Some(SECOND / 25));
    }

    #[test]
    fn outside_the_segment_nothing_is_received() {
        gst::init().unwrap();
        let mut segment = gst::FormattedSegment::new();
        segment.set_start(gst::ClockTime::from_seconds(5));
        let mut state = PadState { segment: Some(segment), ..PadState::default() };
        assert_eq!(state.advance(Some(gst::ClockTime::ZERO), None), None);
        assert_eq!(state.position, None);
    }
}
