//! What is found out about a track by listening to it, before it is first played.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::{
    AudioFormat, CuePoints, EncoderPadding, Loudness, LoudnessMeter, SilenceDetector, TrackEnd, TrackSource,
};

/// How much of a track is listened to, seconds: the rest of a longer one changes its loudness little.
const MAX_SECONDS: u64 = 15 * 60;
/// The length of the blocks that are listened to, as a divisor of a second: 100 ms.
const BLOCK_DIVISOR: u64 = 10;

/// What is known of a track that has been listened to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrackAnalysis {
    /// How loud it is.
    pub loudness: Loudness,
    /// Which part of it is played.
    pub cue: CuePoints,
}

/// Listens to a track from its beginning.
///
/// `padding` is what its encoder has added, where that is known. A track that breaks off is analyzed up to
/// there.
///
/// # Errors
///
/// In words for the user: where the track is silent, or was interrupted because `stop` was set.
pub fn analyze_track(
    source: &mut impl TrackSource,
    format: AudioFormat,
    padding: Option<EncoderPadding>,
    stop: &AtomicBool,
) -> Result<TrackAnalysis, String> {
    let channels = format.channel_count();
    let mut meter = LoudnessMeter::new(format.channels, format.rate)?;
    let mut silence = SilenceDetector::default();
    let block = format.second_divided_by(BLOCK_DIVISOR) as usize;
    let mut samples = vec![0.0; block * channels];
    let (mut length, mut complete) = (0, false);
    while length < format.seconds(MAX_SECONDS) {
        let filled = source.fill(block, true);
        if filled.is_err() || stop.load(Ordering::Acquire) {
            return Err("interrupted".into());
        }
        let read = source.read(&mut samples);
        let heard = &samples[..read * channels];
        meter.add(heard);
        silence.add(heard, channels);
        length += read as u64;
        if let Some(end) = source.end().filter(|_| source.buffered() == 0) {
            complete = *end == TrackEnd::Complete;
            break;
        }
    }
    let mut cue = match silence.cue_points(format.rate, complete) {
        None if complete => return Err("is silent from beginning to end".into()),
        cue => cue.unwrap_or_default(),
    };
    let music = padding.filter(|_| complete).and_then(|padding| padding.music_range(length, format.rate));
    if let Some((start, end)) = music {
        cue = CuePoints {
            start: cue.start.max(start),
            end: Some(cue.end.map_or(end, |audible_end| audible_end.min(end))),
        };
    }
    Ok(TrackAnalysis { loudness: meter.loudness(), cue })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Interrupted;

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
    }

    /// A second of silence, two of a square wave, a second of silence.
    fn track(end: TrackEnd) -> Memory {
        let wave = (0..96_000).map(|i| if i / 48 % 2 == 0 { 0.25 } else { -0.25 });
        let silence = std::iter::repeat_n(0.0, 48_000);
        Memory { samples: silence.clone().chain(wave).chain(silence).collect(), position: 0, end }
    }

    fn analyze(end: TrackEnd, padding: Option<EncoderPadding>) -> Result<TrackAnalysis, String> {
        analyze_track(&mut track(end), FORMAT, padding, &AtomicBool::new(false))
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
    fn silence_and_interruptions_are_errors() {
        let mut silent = Memory { samples: vec![0.0; 48_000], position: 0, end: TrackEnd::Complete };
        let error = analyze_track(&mut silent, FORMAT, None, &AtomicBool::new(false)).unwrap_err();
        assert_eq!(error, "is silent from beginning to end");
        let mut track = track(TrackEnd::Complete);
        assert_eq!(
            analyze_track(&mut track, FORMAT, None, &AtomicBool::new(true)).unwrap_err(),
            "interrupted"
        );
    }
}
