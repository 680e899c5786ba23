//! What is found out about a track by listening to it, before it is first played or while it plays.

use crate::{
    AudioFormat, CuePoints, EncoderPadding, Interrupted, Loudness, LoudnessMeter, SilenceDetector,
    TrackAnalysis, TrackEnd, TrackSource,
};

/// How much of a track is listened to, seconds: the rest of a longer one changes its loudness little.
const MAX_SECONDS: u64 = 15 * 60;
/// The length of the blocks that are listened to, as a divisor of a second: 100 ms.
const BLOCK_DIVISOR: u64 = 10;
/// What the part of a track is taken for that was not heard, LUFS: few recordings are louder, so that hardly
/// one begins louder than it is to be.
const ASSUMED_LOUDNESS: f64 = -10.0;
/// The true peak of a track that was not heard to its end: full scale, as recordings are mastered to.
const ASSUMED_TRUE_PEAK: f64 = 1.0;

/// Listens to a track from its beginning, a little at a time.
pub struct TrackAnalyzer {
    format: AudioFormat,
    /// What the track's encoder has added, where that is known.
    padding: Option<EncoderPadding>,
    meter: LoudnessMeter,
    silence: SilenceDetector,
    /// Samples heard so far.
    length: u64,
    /// The last block, interleaved.
    block: Vec<f32>,
}

impl TrackAnalyzer {
    /// An analyzer that has heard nothing. `padding` is what the track's encoder has added, where that is
    /// known.
    ///
    /// # Errors
    /// In words for the user: where loudness cannot be measured in this format.
    pub fn new(format: AudioFormat, padding: Option<EncoderPadding>) -> Result<Self, String> {
        let block = format.second_divided_by(BLOCK_DIVISOR) as usize;
        Ok(Self {
            format,
            padding,
            meter: LoudnessMeter::new(format.channels, format.rate)?,
            silence: SilenceDetector::default(),
            length: 0,
            block: vec![0.0; block * format.channel_count()],
        })
    }

    /// The number of samples heard so far.
    pub fn heard(&self) -> u64 {
        self.length
    }

    /// Listens to the next tenth of a second. Returns the result once the track has ended or 15 minutes of it
    /// were heard: an error, in words for the user, where the track is silent. A track that breaks off is
    /// analyzed up to there. After an interruption, the analysis can be continued.
    pub fn advance(
        &mut self,
        source: &mut impl TrackSource,
    ) -> Result<Option<Result<TrackAnalysis, String>>, Interrupted> {
        let channels = self.format.channel_count();
        source.fill(self.block.len() / channels, true)?;
        let read = source.read(&mut self.block);
        let heard = self.block.get(..read * channels).unwrap_or_default();
        self.meter.add(heard);
        self.silence.add(heard, channels);
        self.length += read as u64;
        let end = source.end().filter(|_| source.buffered() == 0);
        if end.is_none() && self.length < self.format.seconds(MAX_SECONDS) {
            return Ok(None);
        }
        Ok(Some(self.result(end == Some(&TrackEnd::Complete))))
    }

    /// The result; `complete` says that all of the track was heard.
    fn result(&self, complete: bool) -> Result<TrackAnalysis, String> {
        let rate = self.format.rate;
        let mut cue = match self.silence.cue_points(rate, complete) {
            None if complete => return Err("is silent from beginning to end".into()),
            cue => cue.unwrap_or_default(),
        };
        let padding = self.padding.filter(|_| complete);
        if let Some((start, end)) = padding.and_then(|padding| padding.music_range(self.length, rate)) {
            cue = CuePoints {
                start: cue.start.max(start),
                end: Some(cue.end.map_or(end, |audible_end| audible_end.min(end))),
            };
        }
        Ok(TrackAnalysis { loudness: self.meter.loudness(), cue })
    }

    /// What the track is taken for before all of it was heard. With a loudness that is `known` from elsewhere,
    /// that; otherwise, so that it does not begin too loud, what was heard or -10 LUFS, whichever
    /// is louder. It begins where it is first audible, or after the silence that was heard.
    pub fn estimate(&self, known: Option<Loudness>) -> TrackAnalysis {
        let heard = self.meter.loudness();
        let assumed = known.unwrap_or(Loudness {
            integrated: heard.integrated.max(ASSUMED_LOUDNESS),
            true_peak: ASSUMED_TRUE_PEAK,
        });
        let loudness = Loudness { true_peak: assumed.true_peak.max(heard.true_peak), ..assumed };
        TrackAnalysis { loudness, cue: self.silence.cue_points_so_far(self.format.rate) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORMAT: AudioFormat = AudioFormat { rate: 48_000, channels: 1 };

    /// A track that is all in memory.
    struct Memory {
        samples: Vec<f32>,
        position: usize,
        end: TrackEnd,
    }

    impl TrackSource for Memory {
        fn fill(&mut self, _samples: usize, _wait: bool) -> Result<(), Interrupted> {
            Ok(())
        }

        fn buffered(&self) -> usize {
            self.samples.len() - self.position
        }

        fn end(&self) -> Option<&TrackEnd> {
            Some(&self.end)
        }

        fn read(&mut self, out: &mut [f32]) -> usize {
            let count = out.len().min(self.buffered());
            out[..count].copy_from_slice(&self.samples[self.position..][..count]);
            self.position += count;
            count
        }

        fn set_end(&mut self, end: u64) {
            self.samples.truncate(end as usize);
        }
    }

    /// A second of silence, two of a square wave, a second of silence.
    fn track(end: TrackEnd) -> Memory {
        let wave = (0..96_000).map(|i| if i / 48 % 2 == 0 { 0.25 } else { -0.25 });
        let silence = std::iter::repeat_n(0.0, 48_000);
        Memory { samples: silence.clone().chain(wave).chain(silence).collect(), position: 0, end }
    }

    fn analyze_source(mut source: Memory, padding: Option<EncoderPadding>) -> Result<TrackAnalysis, String> {
        let mut analyzer = TrackAnalyzer::new(FORMAT, padding).unwrap();
        loop {
            if let Some(result) = analyzer.advance(&mut source).unwrap() {
                return result;
            }
        }
    }

    fn analyze(end: TrackEnd, padding: Option<EncoderPadding>) -> Result<TrackAnalysis, String> {
        analyze_source(track(end), padding)
    }

    #[test]
    fn loudness_and_audible_part_are_found() {
        let analysis = analyze(TrackEnd::Complete, None).unwrap();
        assert_eq!(analysis.cue, CuePoints { start: 47_040, end: Some(144_960) });
        assert!((-18.0..-10.0).contains(&analysis.loudness.integrated), "{analysis:?}");
        assert!(analysis.loudness.true_peak >= 0.25, "{analysis:?}");
    }

    #[test]
    fn a_track_that_breaks_off_has_no_known_end() {
        let analysis = analyze(TrackEnd::Broken("cut".into()), None).unwrap();
        assert_eq!(analysis.cue, CuePoints { start: 47_040, end: None });
    }

    #[test]
    fn padding_narrows_the_part_that_is_played() {
        let padding = EncoderPadding { rate: 48_000, length: 192_000, before: 50_000, after: 60_000 };
        let analysis = analyze(TrackEnd::Complete, Some(padding)).unwrap();
        assert_eq!(analysis.cue, CuePoints { start: 50_000, end: Some(132_000) });
    }

    #[test]
    fn silence_is_an_error() {
        let silent = Memory { samples: vec![0.0; 48_000], position: 0, end: TrackEnd::Complete };
        assert_eq!(analyze_source(silent, None).unwrap_err(), "is silent from beginning to end");
    }

    /// The estimate after so many tenths of a second.
    fn estimate(mut source: Memory, tenths: usize, known: Option<Loudness>) -> TrackAnalysis {
        let mut analyzer = TrackAnalyzer::new(FORMAT, None).unwrap();
        (0..tenths).for_each(|_| assert!(analyzer.advance(&mut source).unwrap().is_none()));
        analyzer.estimate(known)
    }

    #[test]
    fn the_estimate_is_no_lower_than_the_loudness_will_be() {
        let complete = analyze(TrackEnd::Complete, None).unwrap();
        for tenths in [0, 5, 12, 39] {
            let estimate = estimate(track(TrackEnd::Complete), tenths, None);
            assert!(estimate.loudness.integrated >= complete.loudness.integrated, "{estimate:?}");
            assert!(estimate.loudness.true_peak >= complete.loudness.true_peak, "{estimate:?}");
            assert!(estimate.loudness.gain_for(-16.0) <= complete.loudness.gain_for(-16.0));
            assert_eq!(estimate.cue.end, None);
        }
        let mut loud = track(TrackEnd::Complete);
        loud.samples.iter_mut().for_each(|sample| *sample *= 8.0);
        let heard = estimate(loud, 30, None).loudness;
        assert!(heard.integrated > -2.0 && heard.true_peak > 1.9, "{heard:?}");
    }

    #[test]
    fn a_known_loudness_is_the_estimate() {
        let known = Loudness { integrated: -23.5, true_peak: 0.1 };
        let estimate = estimate(track(TrackEnd::Complete), 20, Some(known));
        assert_eq!(estimate.loudness.integrated, -23.5);
        assert!(estimate.loudness.true_peak >= 0.25, "a higher peak was heard: {estimate:?}");
    }

    #[test]
    fn the_estimate_begins_where_the_track_is_first_audible() {
        assert_eq!(estimate(track(TrackEnd::Complete), 15, None).cue.start, 47_040);
        assert_eq!(estimate(track(TrackEnd::Complete), 5, None).cue.start, 24_000 - 960, "silent so far");
    }
}
