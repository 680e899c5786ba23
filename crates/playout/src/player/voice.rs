//! A track that sounds.

use mood::MusicTarget;

use crate::gain::GainRamp;
use crate::{AudioFormat, Fade, TrackSource};

/// How much must be buffered of a track that ran dry before it is heard again, as a divisor of a second: 250
/// ms.
const REFILL_DIVISOR: u64 = 4;

/// A track that sounds, with its fade. It either leads or fades out.
pub struct Voice<S> {
    /// Gives its samples.
    pub source: S,
    /// Its index in the library.
    pub track: usize,
    /// What it was selected for.
    pub target: MusicTarget,
    /// The gain of the fade.
    pub fade: Fade,
    /// The factor that brings the track to the target loudness.
    pub gain: GainRamp,
    /// Whether the gain comes from an estimate that is to be corrected.
    pub is_estimate: bool,
    /// The position in the track that it was begun at, samples.
    pub start: u64,
    /// The position in the track of the sample after its last, where it is known.
    pub end: Option<u64>,
    /// The position in the track of the next sample.
    pub position: u64,
    /// Whether it is the track that plays, and not one that fades out.
    pub leads: bool,
    /// How many successive samples could not be read.
    pub missing: u64,
    /// Whether it was faded out because its source had too few samples.
    pub ran_dry: bool,
}

impl<S: TrackSource> Voice<S> {
    /// Reads what is decoded into the interleaved `out`, without waiting, and returns the number of samples.
    /// Where the source is about to run dry, its last samples are faded out; when it has enough again, it is
    /// faded in: no clicks.
    pub fn read_decoded(&mut self, out: &mut [f32], format: AudioFormat) -> usize {
        let channels = format.channel_count();
        let samples = out.len() / channels;
        let end_known = self.source.end().is_some();
        let refilled = format.second_divided_by(REFILL_DIVISOR) as usize;
        if self.ran_dry && !end_known && self.source.buffered() < refilled {
            return 0;
        }
        let read = self.source.read(out);
        let runs_dry = !end_known && self.source.buffered() < samples;
        let (first, last) = (if self.ran_dry { 0.0 } else { 1.0 }, if runs_dry { 0.0 } else { 1.0 });
        if first < 1.0 || last < 1.0 {
            let length = read.max(1) as f32;
            for (index, sample) in out.chunks_exact_mut(channels).enumerate() {
                let gain = first + (last - first) * ((index + 1) as f32 / length).min(1.0);
                sample.iter_mut().for_each(|value| *value *= gain);
            }
        }
        self.ran_dry = runs_dry;
        read
    }

    /// Samples until the track's end, where that is known.
    pub fn remaining(&self) -> Option<u64> {
        self.source.end().map(|_| self.source.buffered() as u64)
    }
}
