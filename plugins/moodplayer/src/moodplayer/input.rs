//! What the mood pads have seen so far, and how far the audio may go because of it.

use std::collections::BTreeMap;

use mood_schema::Frame;

type Segment = gst::FormattedSegment<gst::ClockTime>;

/// A mood pad may run this far ahead of the audio, ns: enough for any muxer's queues, and frames are small.
const AHEAD: u64 = 30 * 1_000_000_000;

/// One mood pad.
#[derive(Debug)]
pub struct Input {
    pub pad: gst::Pad,
    pub linked: bool,
    pub flushing: bool,
    pub eos: bool,
    /// Whether its source cannot wait.
    pub live: bool,
    pub segment: Option<Segment>,
    /// Of the segment: which seek it answers.
    pub seqnum: Option<gst::Seqnum>,
    /// The running time up to which everything has been seen, ns.
    pub position: Option<u64>,
    /// Of the video, pixels.
    pub size: (u32, u32),
    /// Of the video, where a frame has none of its own.
    pub frame_duration: Option<gst::ClockTime>,
}

impl Input {
    pub fn new(pad: gst::Pad) -> Self {
        Self {
            pad,
            linked: false,
            flushing: false,
            eos: false,
            live: false,
            segment: None,
            seqnum: None,
            position: None,
            size: (0, 0),
            frame_duration: None,
        }
    }

    /// Takes width, height and frame rate from caps that have them.
    pub fn set_caps(&mut self, caps: &gst::CapsRef) {
        let Some(structure) = caps.structure(0) else { return };
        let pixels = |name| structure.get::<i32>(name).map_or(0, i32::unsigned_abs);
        self.size = (pixels("width"), pixels("height"));
        let rate = structure.get::<gst::Fraction>("framerate").ok().filter(|rate| rate.numer() > 0);
        self.frame_duration = rate.map(|rate| {
            gst::ClockTime::from_nseconds(1_000_000_000 * rate.denom() as u64 / rate.numer() as u64)
        });
    }

    /// The running time at which a stretch of the stream begins, ns; `None` where it lies outside the segment. Without a
    /// timestamp it begins where the last one ended. Moves the position to its end.
    pub fn advance(&mut self, pts: Option<gst::ClockTime>, duration: Option<gst::ClockTime>) -> Option<u64> {
        let segment = self.segment.as_ref()?;
        let begin = match pts {
            Some(pts) => segment.to_running_time(pts)?.nseconds(),
            None => self.position.unwrap_or(0),
        };
        let duration = duration.or(self.frame_duration).unwrap_or_default();
        let duration = (duration.nseconds() as f64 / segment.rate().abs()) as u64;
        let end = begin.saturating_add(duration);
        self.position = Some(self.position.map_or(end, |position| position.max(end)));
        Some(begin)
    }
}

/// The pipeline's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockState {
    Missing,
    /// Not PLAYING.
    Stopped,
    Running,
}

/// How far the audio may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// Something must come first.
    Wait,
    /// Ahead.
    Open,
    /// Ahead, but no earlier than the clock says.
    Paced,
    /// No further than this running time: all mood pads have ended there.
    Until(u64),
}

/// All mood pads, by number: `mood` is 0, `mood_N` is N + 1.
#[derive(Debug, Default)]
pub struct Inputs {
    pub pads: BTreeMap<u32, Input>,
    /// Frames not yet looked at, by running time, pad and order of arrival.
    frames: BTreeMap<(u64, u32, u64), Frame>,
    arrived: u64,
    /// The running time the audio has reached, ns.
    pub audio: u64,
}

impl Inputs {
    pub fn push(&mut self, pad: u32, time: u64, frame: Frame) {
        self.arrived += 1;
        self.frames.insert((time, pad, self.arrived), frame);
    }

    /// Whether a pad has run so far ahead that it must wait.
    pub fn is_ahead(&self, pad: u32) -> bool {
        let position = self.pads.get(&pad).and_then(|input| input.position).unwrap_or(0);
        position > self.audio.saturating_add(AHEAD)
    }

    /// The frames up to a running time, oldest first.
    pub fn take_until(&mut self, time: u64) -> Vec<(u64, u32, Frame)> {
        let later = self.frames.split_off(&(time.saturating_add(1), 0, 0));
        let now = std::mem::replace(&mut self.frames, later);
        now.into_iter().map(|((time, pad, _), frame)| (time, pad, frame)).collect()
    }

    /// Forgets what a pad has seen.
    pub fn forget(&mut self, pad: u32) {
        if let Some(input) = self.pads.get_mut(&pad) {
            (input.eos, input.segment, input.position) = (false, None, None);
        }
        self.frames.retain(|(_, of, _), _| *of != pad);
    }

    /// A pad is flushed: time begins anew.
    pub fn flush(&mut self, pad: u32) {
        self.forget(pad);
        self.audio = 0;
    }

    pub fn remove(&mut self, pad: u32) -> Option<Input> {
        self.frames.retain(|(_, of, _), _| *of != pad);
        self.pads.remove(&pad)
    }

    pub fn linked(&self) -> impl Iterator<Item = &Input> {
        self.pads.values().filter(|input| input.linked)
    }

    pub fn is_live(&self) -> bool {
        self.linked().any(|input| input.live)
    }

    /// Whether every linked pad has a segment or has ended.
    pub fn are_ready(&self) -> bool {
        self.linked().all(|input| input.segment.is_some() || input.eos)
    }

    /// The pad that the audio takes its time from.
    pub fn first(&self) -> Option<&Input> {
        self.linked().find(|input| input.segment.is_some())
    }

    /// Whether audio up to the running time `to` may be made. `clock`: whether there is one and it runs; without one,
    /// live pads are waited for like others.
    pub fn gate(&self, to: u64, clock: ClockState) -> Gate {
        if self.linked().next().is_none() {
            return Gate::Open;
        }
        if self.linked().all(|input| input.eos) {
            return Gate::Until(self.linked().filter_map(|input| input.position).max().unwrap_or(0));
        }
        match clock {
            ClockState::Running if self.is_live() => return Gate::Paced,
            ClockState::Stopped if self.is_live() => return Gate::Wait,
            _ => {}
        }
        let seen = |input: &Input| input.eos || input.position.is_some_and(|position| position >= to);
        if self.linked().all(seen) { Gate::Open } else { Gate::Wait }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn inputs(count: u32) -> Inputs {
        gst::init().unwrap();
        let mut inputs = Inputs::default();
        for index in 0..count {
            let mut input = Input::new(gst::Pad::new(gst::PadDirection::Sink));
            (input.linked, input.segment) = (true, Some(Segment::new()));
            input.set_caps(
                &gst::Caps::builder("video/x-raw").field("framerate", gst::Fraction::new(25, 1)).build(),
            );
            inputs.pads.insert(index, input);
        }
        inputs
    }

    fn seen(inputs: &mut Inputs, pad: u32, seconds: u64) -> Option<u64> {
        let input = inputs.pads.get_mut(&pad).unwrap();
        input.advance(Some(gst::ClockTime::from_seconds(seconds)), Some(gst::ClockTime::SECOND))
    }

    #[test]
    fn audio_waits_for_every_pad_and_ends_with_the_last() {
        let mut inputs = inputs(2);
        assert_eq!(inputs.gate(SECOND, ClockState::Running), Gate::Wait);
        assert_eq!(seen(&mut inputs, 0, 0), Some(0));
        assert_eq!(inputs.gate(SECOND, ClockState::Running), Gate::Wait);
        seen(&mut inputs, 1, 0);
        assert_eq!(inputs.gate(SECOND, ClockState::Running), Gate::Open);
        assert_eq!(inputs.gate(SECOND + 1, ClockState::Running), Gate::Wait);
        inputs.pads.get_mut(&0).unwrap().eos = true;
        seen(&mut inputs, 1, 1);
        assert_eq!(inputs.gate(2 * SECOND, ClockState::Running), Gate::Open);
        inputs.pads.get_mut(&1).unwrap().eos = true;
        assert_eq!(inputs.gate(9 * SECOND, ClockState::Running), Gate::Until(2 * SECOND));
        inputs.pads.clear();
        assert_eq!(inputs.gate(9 * SECOND, ClockState::Running), Gate::Open);
    }

    #[test]
    fn live_pads_are_paced_and_wait_while_paused() {
        let mut inputs = inputs(1);
        inputs.pads.get_mut(&0).unwrap().live = true;
        assert_eq!(inputs.gate(0, ClockState::Stopped), Gate::Wait);
        assert_eq!(inputs.gate(0, ClockState::Running), Gate::Paced);
    }

    #[test]
    fn frames_come_in_order_of_time_then_pad() {
        let mut inputs = inputs(2);
        let named = |id| Frame { faces: vec![mood_schema::Face { id, ..face() }] };
        inputs.push(1, 5, named(1));
        inputs.push(0, 5, named(2));
        inputs.push(1, 3, named(3));
        inputs.push(1, 6, named(4));
        let ids = |frames: Vec<(u64, u32, Frame)>| frames.iter().map(|f| f.2.faces[0].id).collect::<Vec<_>>();
        assert_eq!(ids(inputs.take_until(5)), [3, 2, 1]);
        inputs.flush(1);
        assert!(inputs.take_until(u64::MAX - 1).is_empty());
    }

    fn face() -> mood_schema::Face {
        mood_schema::Face { id: 0, bbox: Default::default(), classification: None, quality: 0.0, roll: 0.0 }
    }

    #[test]
    fn missing_times_are_filled_in_and_outside_is_outside() {
        let mut inputs = inputs(1);
        let input = inputs.pads.get_mut(&0).unwrap();
        assert_eq!(input.advance(None, None), Some(0));
        assert_eq!(input.advance(None, None), Some(SECOND / 25));
        assert_eq!(input.position, Some(2 * SECOND / 25));
        input.segment.as_mut().unwrap().set_start(gst::ClockTime::from_seconds(5));
        assert_eq!(input.advance(Some(gst::ClockTime::ZERO), None), None);
    }

    #[test]
    fn a_pad_waits_thirty_seconds_ahead() {
        let mut inputs = inputs(1);
        seen(&mut inputs, 0, 28);
        assert!(!inputs.is_ahead(0));
        seen(&mut inputs, 0, 30);
        assert!(inputs.is_ahead(0));
        inputs.audio = 2 * SECOND;
        assert!(!inputs.is_ahead(0));
    }
}
