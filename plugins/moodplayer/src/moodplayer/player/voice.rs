//! A track that sounds.

use mood::MusicTarget;

use crate::moodplayer::format::Format;
use crate::moodplayer::mixer::Fade;
use crate::moodplayer::stage::Source;

/// A track that has run dry is heard again once this part of a second is there.
const REFILLED: usize = 4;

/// Leads, or fades out.
pub struct Voice<S> {
    pub source: S,
    pub track: usize,
    pub goal: MusicTarget,
    pub fade: Fade,
    pub volume: f32,
    /// The frame of the track that it began with, and the next.
    pub began: u64,
    pub position: u64,
    pub leads: bool,
    pub starved: u64,
    /// Faded out for want of samples.
    pub dry: bool,
}

impl<S: Source> Voice<S> {
    /// Reads without waiting. A source about to run dry is faded out with its last samples, and in again: no clicks.
    pub fn read_unwaiting(&mut self, out: &mut [f32], format: Format) -> usize {
        let frames = out.len() / format.width();
        let known = self.source.ending().is_some();
        if self.dry && !known && self.source.buffered() < format.rate as usize / REFILLED {
            return 0;
        }
        let read = self.source.read(out);
        let dries = !known && self.source.buffered() < frames;
        let (first, last) = (if self.dry { 0.0 } else { 1.0 }, if dries { 0.0 } else { 1.0 });
        if first < 1.0 || last < 1.0 {
            let length = read.max(1) as f32;
            for (index, frame) in out.chunks_exact_mut(format.width()).enumerate() {
                let gain = first + (last - first) * ((index + 1) as f32 / length).min(1.0);
                frame.iter_mut().for_each(|sample| *sample *= gain);
            }
        }
        self.dry = dries;
        read
    }

    /// Frames until the track's end, once that is known.
    pub fn remaining(&self) -> Option<u64> {
        self.source.ending().map(|_| self.source.buffered() as u64)
    }
}
