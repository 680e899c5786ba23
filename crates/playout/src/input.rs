//! The video inputs: their frames in the order of time, and how far the audio may go.

use std::collections::BTreeMap;

use mood::InputId;
use mood_schema::Frame;

use crate::InputFrame;

/// How far an input may be ahead of the audio, ns. Enough for the queues of any muxer, where video and audio
/// of the same source meet again; the faces of so many frames need little memory.
const MAX_LEAD: u64 = 30 * 1_000_000_000;

/// The frames of all inputs that the audio has not reached.
#[derive(Clone, Debug, Default)]
pub struct FrameQueue {
    /// By running time, input, and order of arrival.
    frames: BTreeMap<(u64, InputId, u64), Frame>,
    arrivals: u64,
}

impl FrameQueue {
    /// Adds a frame. Frames may come in any order.
    pub fn push(&mut self, frame: InputFrame) {
        self.arrivals += 1;
        self.frames.insert((frame.running_time, frame.input, self.arrivals), frame.frame);
    }

    /// Takes the frames up to a running time, ns, the oldest first; those of the same time in the order of
    /// their inputs.
    pub fn take_until(&mut self, running_time: u64) -> Vec<InputFrame> {
        let later = self.frames.split_off(&(running_time.saturating_add(1), InputId(0), 0));
        let due = std::mem::replace(&mut self.frames, later);
        due.into_iter()
            .map(|((running_time, input, _), frame)| InputFrame { running_time, input, frame })
            .collect()
    }

    /// Drops the frames of an input.
    pub fn remove_input(&mut self, input: InputId) {
        self.frames.retain(|(_, of_input, _), _| *of_input != input);
    }
}

/// How far an input has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InputProgress {
    /// The running time up to which it has been received, ns; `None` before its first frame.
    pub position: Option<u64>,
    /// Whether nothing more comes.
    pub has_ended: bool,
    /// Whether it cannot wait, as a camera.
    pub is_live: bool,
}

impl InputProgress {
    /// Whether the input is so far ahead of the audio, which has reached this running time, that it must
    /// wait.
    pub fn is_too_far_ahead(&self, audio: u64) -> bool {
        self.position.unwrap_or(0) > audio.saturating_add(MAX_LEAD)
    }
}

/// The clock that live inputs run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockState {
    /// There is none: live inputs are waited for like others.
    Missing,
    /// It does not run, because the pipeline is paused.
    Stopped,
    /// It runs.
    Running,
}

/// When a block of audio may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockTiming {
    /// When an input or the clock has changed.
    Wait,
    /// Now.
    Now,
    /// When the clock has reached its beginning.
    AtClockTime,
    /// Now, but the audio ends at this running time, ns, where all inputs have ended.
    EndsAt(u64),
}

/// When a block may be made that ends at the running time `end`, ns.
///
/// Without inputs, at any time. Recorded inputs must all have been received up to the block's end, so that
/// the result does not depend on the machine's speed; live inputs are taken as they come.
pub fn block_timing(inputs: &[InputProgress], end: u64, clock: ClockState) -> BlockTiming {
    if inputs.is_empty() {
        return BlockTiming::Now;
    }
    if inputs.iter().all(|input| input.has_ended) {
        return BlockTiming::EndsAt(inputs.iter().filter_map(|input| input.position).max().unwrap_or(0));
    }
    if inputs.iter().any(|input| input.is_live) {
        match clock {
            ClockState::Running => return BlockTiming::AtClockTime,
            ClockState::Stopped => return BlockTiming::Wait,
            ClockState::Missing => {}
        }
    }
    let has_reached_end =
        |input: &InputProgress| input.has_ended || input.position.is_some_and(|position| position >= end);
    if inputs.iter().all(has_reached_end) { BlockTiming::Now } else { BlockTiming::Wait }
}

#[cfg(test)]
mod tests {
    use mood_schema::Face;

    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn at(seconds: u64) -> InputProgress {
        InputProgress { position: Some(seconds * SECOND), ..InputProgress::default() }
    }

    fn ended_at(seconds: u64) -> InputProgress {
        InputProgress { has_ended: true, ..at(seconds) }
    }

    #[test]
    fn audio_waits_for_every_input_and_ends_with_the_last() {
        let timing = |inputs: &[InputProgress], end| block_timing(inputs, end, ClockState::Running);
        let fresh = InputProgress::default();
        assert_eq!(timing(&[fresh, fresh], SECOND), BlockTiming::Wait);
        assert_eq!(timing(&[at(1), fresh], SECOND), BlockTiming::Wait);
        assert_eq!(timing(&[at(1), at(1)], SECOND), BlockTiming::Now);
        assert_eq!(timing(&[at(1), at(1)], SECOND + 1), BlockTiming::Wait);
        assert_eq!(timing(&[ended_at(1), at(2)], 2 * SECOND), BlockTiming::Now);
        assert_eq!(timing(&[ended_at(1), ended_at(2)], 9 * SECOND), BlockTiming::EndsAt(2 * SECOND));
        assert_eq!(timing(&[], 9 * SECOND), BlockTiming::Now);
    }

    #[test]
    fn live_inputs_follow_the_clock_and_wait_while_it_stands() {
        let live = [InputProgress { is_live: true, ..at(0) }];
        assert_eq!(block_timing(&live, SECOND, ClockState::Stopped), BlockTiming::Wait);
        assert_eq!(block_timing(&live, SECOND, ClockState::Running), BlockTiming::AtClockTime);
        assert_eq!(block_timing(&live, SECOND, ClockState::Missing), BlockTiming::Wait);
        assert_eq!(block_timing(&live, 0, ClockState::Missing), BlockTiming::Now);
    }

    #[test]
    fn an_input_may_lead_by_thirty_seconds() {
        assert!(!InputProgress::default().is_too_far_ahead(0));
        assert!(!at(30).is_too_far_ahead(0));
        assert!(at(31).is_too_far_ahead(0));
        assert!(!at(31).is_too_far_ahead(2 * SECOND));
    }

    #[test]
    fn frames_are_taken_by_time_then_input_then_arrival() {
        let mut queue = FrameQueue::default();
        for (id, input, running_time) in [(1, 1, 5), (2, 0, 5), (3, 1, 3), (4, 1, 6), (5, 0, 5)] {
            let face = Face {
                id,
                bbox: Default::default(),
                classification: None,
                quality: 0.0,
                roll: 0.0,
                source: Default::default(),
                resembles: None,
                quality_limit: None,
            };
            queue.push(InputFrame {
                running_time,
                input: InputId(input),
                frame: Frame { faces: vec![face], shot: 0 },
            });
        }
        let ids = |frames: Vec<InputFrame>| frames.iter().map(|f| f.frame.faces[0].id).collect::<Vec<_>>();
        assert_eq!(ids(queue.take_until(5)), [3, 2, 5, 1]);
        queue.remove_input(InputId(1));
        assert!(queue.take_until(u64::MAX).is_empty());
    }
}
