//! All mood pads of a player, with the frames they have received.
//!
//! Everything here happens under the lock of the element's state, which comes before those of the pads'
//! states.

use std::collections::BTreeMap;

use mood::InputId;
use playout::{BlockTiming, ClockState, FrameQueue, InputProgress, block_timing};

use super::mood_pad::{MoodPad, StreamEnd};

/// The mood pads.
#[derive(Debug, Default)]
pub(crate) struct Inputs {
    pads: BTreeMap<InputId, MoodPad>,
    /// The frames that the audio has not reached.
    pub frames: FrameQueue,
    /// The running time that the audio has reached, ns.
    pub audio_time: u64,
}

impl Inputs {
    /// The lowest number of a pad `mood_N` that is free; `None` where there is none.
    pub fn first_free_id(&self) -> Option<InputId> {
        (1..=u32::MAX).map(InputId).find(|id| !self.pads.contains_key(id))
    }

    /// Whether a number belongs to a pad.
    pub fn is_taken(&self, id: InputId) -> bool {
        self.pads.contains_key(&id)
    }

    /// Adds a pad, in place of one with the same number.
    pub fn insert(&mut self, pad: MoodPad) {
        self.pads.insert(pad.id(), pad);
    }

    /// Removes a pad and its frames.
    pub fn remove(&mut self, pad: &MoodPad) {
        self.frames.remove_input(pad.id());
        self.pads.remove(&pad.id());
    }

    /// Whether there is no pad, linked or not.
    pub fn is_empty(&self) -> bool {
        self.pads.is_empty()
    }

    /// Whether a pad belongs to the player: released pads do not.
    pub fn contains(&self, pad: &MoodPad) -> bool {
        self.pads.get(&pad.id()) == Some(pad)
    }

    /// Forgets the stream of a pad and its frames.
    pub fn reset_pad(&mut self, pad: &MoodPad) {
        pad.state().reset();
        self.frames.remove_input(pad.id());
    }

    /// Forgets the stream of a pad that was flushed. Running time begins anew.
    pub fn flush_pad(&mut self, pad: &MoodPad) {
        self.reset_pad(pad);
        self.audio_time = 0;
    }

    /// Forgets the streams of all pads.
    pub fn flush(&mut self) {
        for pad in self.pads.values() {
            pad.state().reset();
            self.frames.remove_input(pad.id());
        }
        self.audio_time = 0;
    }

    /// The linked pads in the order of their numbers.
    pub fn linked(&self) -> impl Iterator<Item = &MoodPad> {
        self.pads.values().filter(|pad| pad.state().linked)
    }

    /// Whether a linked pad has a live source.
    pub fn is_live(&self) -> bool {
        self.linked().any(|pad| pad.state().live)
    }

    /// Whether every linked pad has a segment or has ended.
    pub fn are_ready(&self) -> bool {
        self.linked().all(|pad| {
            let state = pad.state();
            state.segment.is_some() || state.end.is_some()
        })
    }

    /// The pad whose segment the audio follows: the linked one with the lowest number that has one.
    pub fn reference_pad(&self) -> Option<&MoodPad> {
        self.linked().find(|pad| pad.state().segment.is_some())
    }

    /// How the streams of the linked pads have ended: by the end of a stream where one has, otherwise by that
    /// of a segment. `None` where none has ended.
    pub fn end(&self) -> Option<StreamEnd> {
        let ends = || self.linked().filter_map(|pad| pad.state().end.clone());
        ends().find(|end| end.segment_done.is_none()).or_else(|| ends().next())
    }

    /// Has pads whose segment has ended wait for the next one.
    pub fn await_next_segments(&mut self) {
        for pad in self.pads.values() {
            let mut state = pad.state();
            if state.end.as_ref().is_some_and(|end| end.segment_done.is_some()) {
                state.reset();
            }
        }
    }

    /// When a block of audio may be made that ends at the running time `end`, ns.
    pub fn block_timing(&self, end: u64, clock: ClockState) -> BlockTiming {
        let progress: Vec<InputProgress> = self.linked().map(|pad| pad.state().progress()).collect();
        block_timing(&progress, end, clock)
    }
}
