//! Where the audible part of a track begins and ends: silence at either end is not played.

/// Values below this are silence: -60 dBFS.
const AUDIBLE: f32 = 0.001;
/// How much is kept before and after the audible part, as a divisor of a second: 20 ms, for the softest part
/// of an attack and the last of a reverberation.
const MARGIN_DIVISOR: u64 = 50;

/// The part of a track that is played, in samples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CuePoints {
    /// The first sample that is played.
    pub start: u64,
    /// The sample after the last one that is played; `None` where that is the track's end, wherever it is.
    pub end: Option<u64>,
}

impl CuePoints {
    /// The same part from the sample `start` on; unchanged where `start` lies outside.
    pub fn starting_at(self, start: u64) -> Self {
        let contains = (self.start..self.end.unwrap_or(u64::MAX)).contains(&start);
        if contains { Self { start, ..self } } else { self }
    }
}

/// Finds silence at the ends of a track that it is given from the beginning.
#[derive(Debug, Default)]
pub struct SilenceDetector {
    /// The number of samples so far.
    position: u64,
    /// The first audible sample and the one after the last.
    audible: Option<(u64, u64)>,
}

impl SilenceDetector {
    /// Takes in interleaved samples with `channels` values each.
    pub fn add(&mut self, samples: &[f32], channels: usize) {
        let is_audible = |sample: &[f32]| sample.iter().any(|value| value.abs() >= AUDIBLE);
        let mut samples = samples.chunks_exact(channels);
        let count = samples.len() as u64;
        if let Some(first) = samples.clone().position(is_audible) {
            let (first, last) = (first as u64, samples.rposition(is_audible).unwrap_or(first) as u64);
            let start = self.audible.map_or(self.position + first, |(start, _)| start);
            self.audible = Some((start, self.position + last + 1));
        }
        self.position += count;
    }

    /// The part to play of a track of `rate` samples a second; `None` where nothing was audible. `complete`
    /// says that the track was given to its end: only then an end is known.
    pub fn cue_points(&self, rate: u32, complete: bool) -> Option<CuePoints> {
        let margin = u64::from(rate) / MARGIN_DIVISOR;
        let (start, end) = self.audible?;
        let end = complete.then_some((end + margin).min(self.position));
        Some(CuePoints { start: start.saturating_sub(margin), end })
    }

    /// The part to play of a track of `rate` samples a second that was not given to its end: from where it is
    /// audible, or from the end of what was given.
    pub fn cue_points_so_far(&self, rate: u32) -> CuePoints {
        let margin = u64::from(rate) / MARGIN_DIVISOR;
        let start = self.audible.map_or(self.position, |(start, _)| start);
        CuePoints { start: start.saturating_sub(margin), end: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_at_both_ends_is_cut_except_for_a_margin() {
        let mut detector = SilenceDetector::default();
        let mut samples = vec![0.0; 2 * 8_000];
        samples[2 * 3_000 + 1] = -0.01;
        samples[2 * 5_000] = 0.002;
        samples.chunks(700).for_each(|block| detector.add(block, 2));
        assert_eq!(detector.cue_points(8_000, true), Some(CuePoints { start: 2_840, end: Some(5_161) }));
        assert_eq!(detector.cue_points(8_000, false), Some(CuePoints { start: 2_840, end: None }));
    }

    #[test]
    fn a_track_without_silence_is_played_in_full() {
        let mut detector = SilenceDetector::default();
        detector.add(&[0.5; 100], 1);
        assert_eq!(detector.cue_points(8_000, true), Some(CuePoints { start: 0, end: Some(100) }));
    }

    #[test]
    fn a_later_start_is_taken_where_it_lies_within() {
        let cue = CuePoints { start: 10, end: Some(20) };
        assert_eq!(cue.starting_at(15), CuePoints { start: 15, end: Some(20) });
        assert_eq!([cue.starting_at(0), cue.starting_at(20)], [cue; 2]);
        assert_eq!(CuePoints::default().starting_at(7), CuePoints { start: 7, end: None });
    }

    #[test]
    fn a_silent_track_has_no_cue_points() {
        let mut detector = SilenceDetector::default();
        detector.add(&[0.000_5; 100], 1);
        assert_eq!(detector.cue_points(8_000, true), None);
    }
}
