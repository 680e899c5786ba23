//! Analysis of a track's audio: loudness, true peak, tempo, key and energy, and an estimate of its mood
//! from those.
//!
//! Integrated loudness (EBU R 128) and true peak (ITU-R BS.1770-4) are measured over the whole track by the
//! crate `ebur128`. Tempo and key are estimated from an excerpt of at most two minutes by the crate
//! `timestretch-analysis`, the key with the key profiles of Krumhansl and Kessler (1982,
//! doi:10.1037/0033-295X.89.4.334).
//!
//! The mood is estimated from a few cues that listeners use and whose effects add up (Eerola, Friberg and
//! Bresin 2013, doi:10.3389/fpsyg.2013.00487): arousal rises with loudness, brightness and tempo, valence
//! with a major key and slightly with tempo. The weights are chosen by hand and not tested with listeners,
//! hence the low confidences.

use ebur128::{EbuR128, Mode};
use mood_schema::Affect;
use timestretch_analysis::{KeyMode, detect_beat_grid, detect_key};

use crate::MusicalKey;
use crate::decimator::Decimator;
use crate::metadata::{Field, Provenance, SourcedValue, Value};

/// Version of the analysis. To be raised with every change of its results: a scan then analyses older
/// tracks again.
pub(crate) const VERSION: i64 = 1;

/// Lowest sampling rate for the estimation of tempo and key, Hz.
const EXCERPT_RATE: u32 = 22_050;
/// Longest excerpt for the estimation of tempo and key, seconds. It is taken from the middle of the track.
const MAX_EXCERPT: f64 = 120.0;
/// Shortest excerpt from which tempo and key are estimated, seconds.
const MIN_EXCERPT: f64 = 4.0;
/// Frequency above which sound counts as bright, Hz: the usual cutoff of the brightness feature in studies
/// of timbre.
const BRIGHTNESS_CUTOFF: f64 = 1_500.0;
/// Confidence of the key detector (its margin between the best two keys) that counts as certain: about what
/// plain cadences reach.
const CERTAIN_KEY_MARGIN: f64 = 0.3;
/// Confidence of estimated energy and arousal, 0 to 1.
const AROUSAL_CONFIDENCE: f64 = 0.4;
/// Confidence of estimated valence, 0 to 1.
const VALENCE_CONFIDENCE: f64 = 0.15;
/// Loudness at which the loudness part of the energy is 0 and 1, LUFS.
const ENERGY_LOUDNESS_RANGE: (f64, f64) = (-35.0, -8.0);
/// Share of bright power at which the brightness part of the energy is 0 and 1.
const ENERGY_BRIGHTNESS_RANGE: (f64, f64) = (0.0, 0.3);
/// Tempo at which the pace is 0 and 1, beats per minute.
const PACE_RANGE: (f64, f64) = (50.0, 160.0);

/// The loudness meter does not support a format. Holds a text for the user.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct UnsupportedFormatError(String);

/// Analyses the audio of one track, block by block.
pub(crate) struct AudioAnalyzer {
    /// Sampling rate, Hz.
    rate: u32,
    channels: u32,
    meter: EbuR128,
    decimator: Decimator,
    /// Samples per channel so far.
    position: u64,
    /// Samples per channel before the excerpt.
    excerpt_start: u64,
    /// Mono samples at the decimator's output rate.
    excerpt: Vec<f32>,
}

/// The features of a track's audio. A feature is `None` for silence, and tempo and key also where they cannot
/// be estimated.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct AudioFeatures {
    /// Duration, seconds.
    pub(crate) duration: f64,
    /// Integrated loudness, LUFS.
    pub(crate) loudness: Option<f64>,
    /// Highest true peak of all channels, dBTP.
    pub(crate) true_peak: Option<f64>,
    /// Tempo in beats per minute and its confidence, 0 to 1.
    pub(crate) tempo: Option<(f64, f64)>,
    /// Key and its confidence, 0 to 1.
    pub(crate) key: Option<(MusicalKey, f64)>,
    /// Energy, 0 (soft and dull) to 1 (loud and bright).
    pub(crate) energy: Option<f64>,
}

impl AudioAnalyzer {
    /// An analyzer for audio with a sampling rate (Hz) and a number of channels. `duration` is the expected
    /// duration in seconds, where it is known; it determines where the excerpt begins.
    ///
    /// # Errors
    /// The loudness meter does not support the format.
    pub(crate) fn new(
        rate: u32,
        channels: u32,
        duration: Option<f64>,
    ) -> Result<Self, UnsupportedFormatError> {
        // The histogram keeps the memory small, however long a track is.
        let mode = Mode::I | Mode::TRUE_PEAK | Mode::HISTOGRAM;
        let meter = EbuR128::new(channels, rate, mode)
            .map_err(|error| UnsupportedFormatError(format!("{channels} channels at {rate} Hz: {error}")))?;
        let before_excerpt = (duration.unwrap_or(0.0) - MAX_EXCERPT).max(0.0) / 2.0;
        Ok(Self {
            rate,
            channels,
            meter,
            decimator: Decimator::new(rate, channels, EXCERPT_RATE),
            position: 0,
            excerpt_start: (before_excerpt * f64::from(rate)) as u64,
            excerpt: Vec::new(),
        })
    }

    /// Whether the analyzer is for this sampling rate and number of channels.
    pub(crate) fn has_format(&self, rate: u32, channels: u32) -> bool {
        (self.rate, self.channels) == (rate, channels)
    }

    /// Processes interleaved samples.
    pub(crate) fn push(&mut self, samples: &[f32]) {
        // The only error is a lack of memory. The measurement then leaves this block out.
        let _ = self.meter.add_frames_f32(samples);
        let length = samples.len() as u64 / u64::from(self.channels);
        let before_excerpt = self.excerpt_start.saturating_sub(self.position).min(length) as usize;
        let max_length = (MAX_EXCERPT * f64::from(self.decimator.output_rate(self.rate))) as usize;
        if let Some(samples) = samples.get(before_excerpt * self.channels as usize..)
            && self.excerpt.len() < max_length
        {
            self.decimator.push(samples, &mut self.excerpt);
        }
        self.position += length;
    }

    /// Computes the features of all audio so far.
    pub(crate) fn finish(self) -> AudioFeatures {
        let peaks = (0..self.channels).filter_map(|channel| self.meter.true_peak(channel).ok());
        let peak = peaks.fold(0.0, f64::max);
        let loudness = self.meter.loudness_global().ok().filter(|loudness| loudness.is_finite());
        let rate = self.decimator.output_rate(self.rate);
        let (mut tempo, mut key) = (None, None);
        if loudness.is_some() && self.excerpt.len() as f64 >= MIN_EXCERPT * f64::from(rate) {
            tempo = estimate_tempo(&self.excerpt, rate);
            key = estimate_key(&self.excerpt, rate);
        }
        let energy = loudness.map(|loudness| {
            let brightness = compute_brightness(&self.excerpt, rate);
            let loudness_part = scale_to_unit(loudness, ENERGY_LOUDNESS_RANGE);
            let brightness_part = scale_to_unit(brightness, ENERGY_BRIGHTNESS_RANGE);
            round((loudness_part + brightness_part) / 2.0, 1000.0)
        });
        AudioFeatures {
            duration: round(self.position as f64 / f64::from(self.rate), 1000.0),
            loudness: loudness.map(|loudness| round(loudness, 100.0)),
            true_peak: (peak > 0.0).then(|| round(20.0 * peak.log10(), 100.0)),
            tempo,
            key,
            energy,
        }
    }
}

impl AudioFeatures {
    /// Estimates the mood as a point in the plane of valence and arousal; `None` for silence.
    pub(crate) fn estimate_affect(&self) -> Option<Affect> {
        let energy = self.energy?;
        // An uncertain tempo says little about the pace: the pace is shrunk towards the middle.
        let pace = self
            .tempo
            .map_or(0.5, |(bpm, confidence)| 0.5 + confidence * (scale_to_unit(bpm, PACE_RANGE) - 0.5));
        // -1 for a certain minor key to 1 for a certain major key.
        let mode = self.key.map_or(0.0, |(key, confidence)| if key.minor { -confidence } else { confidence });
        let arousal = 0.6 * (2.0 * energy - 1.0) + 0.4 * (2.0 * pace - 1.0);
        let valence = 0.4 * mode + 0.2 * (2.0 * pace - 1.0);
        // Music with medium cues is of medium activation, which is somewhat above that of a neutral face.
        Some(Affect {
            valence: round(valence.clamp(-1.0, 1.0), 1000.0),
            arousal: round((arousal + 0.2).clamp(-1.0, 1.0), 1000.0),
        })
    }

    /// The values for the database. Values out of their field's range are left out.
    pub(crate) fn to_values(&self) -> Vec<SourcedValue> {
        let affect = self.estimate_affect();
        let key = self.key.map(|(key, confidence)| (Field::Key, Value::Text(key.to_string()), confidence));
        let numbers = [
            (Field::Duration, Some((self.duration, 1.0))),
            (Field::Loudness, self.loudness.map(|loudness| (loudness, 1.0))),
            (Field::TruePeak, self.true_peak.map(|peak| (peak, 1.0))),
            (Field::Bpm, self.tempo),
            (Field::Energy, self.energy.map(|energy| (energy, AROUSAL_CONFIDENCE))),
            (Field::Arousal, affect.map(|affect| (affect.arousal, AROUSAL_CONFIDENCE))),
            (Field::Valence, affect.map(|affect| (affect.valence, VALENCE_CONFIDENCE))),
        ];
        let numbers = numbers.into_iter().filter_map(|(field, estimate)| {
            estimate.map(|(number, confidence)| (field, Value::Number(number), confidence))
        });
        numbers
            .chain(key)
            .filter(|(field, value, _)| field.accepts(value))
            .map(|(field, value, confidence)| SourcedValue {
                field,
                value,
                provenance: Provenance::Estimated,
                confidence: round(confidence, 100.0),
            })
            .collect()
    }
}

/// Estimates the tempo in beats per minute, with a confidence of 0 to 1.
fn estimate_tempo(samples: &[f32], rate: u32) -> Option<(f64, f64)> {
    let grid = detect_beat_grid(samples, rate);
    // The usual error is another metrical level: twice, half or two thirds of the tempo. The confidence is
    // lowered by the salience of the strongest other candidate.
    let others = grid.tempo_candidates.iter().filter(|other| (other.bpm / grid.bpm - 1.0).abs() > 0.02);
    let strongest = others.map(|other| f64::from(other.salience)).fold(0.0, f64::max).min(1.0);
    let confidence = f64::from(grid.confidence) * (1.0 - strongest / 2.0);
    (grid.bpm > 0.0).then(|| (round(grid.bpm, 10.0), confidence))
}

/// Estimates the key, with a confidence of 0 to 1.
fn estimate_key(samples: &[f32], rate: u32) -> Option<(MusicalKey, f64)> {
    detect_key(samples, rate).map(|estimate| {
        let key = MusicalKey { tonic: estimate.root % 12, minor: estimate.mode == KeyMode::Minor };
        (key, (f64::from(estimate.confidence) / CERTAIN_KEY_MARGIN).clamp(0.0, 1.0))
    })
}

/// Maps a range linearly to 0 to 1; numbers beyond it to its ends.
fn scale_to_unit(number: f64, (low, high): (f64, f64)) -> f64 {
    ((number - low) / (high - low)).clamp(0.0, 1.0)
}

/// Rounds to a multiple of `1 / steps`, so that only significant digits are stored.
fn round(number: f64, steps: f64) -> f64 {
    (number * steps).round() / steps
}

/// Computes the share of the power above [`BRIGHTNESS_CUTOFF`], 0 to about 1, with a first-order
/// high-pass filter.
fn compute_brightness(samples: &[f32], rate: u32) -> f64 {
    let coefficient = 1.0 - (-std::f64::consts::TAU * BRIGHTNESS_CUTOFF / f64::from(rate)).exp();
    let (mut low_pass, mut bright_power, mut power) = (0.0, 0.0, 0.0);
    for sample in samples.iter().map(|sample| f64::from(*sample)) {
        low_pass += coefficient * (sample - low_pass);
        bright_power += (sample - low_pass).powi(2);
        power += sample * sample;
    }
    if power > 0.0 { bright_power / power } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use super::*;

    const RATE: u32 = 44_100;

    /// Analyses stereo audio whose samples are a function of time in seconds.
    fn analyze(seconds: f64, signal: impl Fn(f64) -> f64) -> AudioFeatures {
        let mut analyzer = AudioAnalyzer::new(RATE, 2, Some(seconds)).unwrap();
        let length = (seconds * f64::from(RATE)) as usize;
        let samples: Vec<f32> =
            (0..length).flat_map(|i| [signal(i as f64 / f64::from(RATE)) as f32; 2]).collect();
        samples.chunks(4_096).for_each(|block| analyzer.push(block));
        analyzer.finish()
    }

    /// Clicks at a tempo in beats per minute.
    fn clicks(bpm: f64) -> impl Fn(f64) -> f64 {
        move |t| {
            let since_beat = t % (60.0 / bpm);
            0.5 * (TAU * 1_000.0 * since_beat).sin() * (-since_beat / 0.01).exp()
        }
    }

    /// The cadence I IV V I or i iv V i with one chord a second; each note has overtones.
    fn cadence(key: MusicalKey) -> impl Fn(f64) -> f64 {
        let third = if key.minor { 3 } else { 4 };
        let chords = [(0, third), (5, third), (7, 4), (0, third)];
        move |t| {
            let (root, third) = chords[t as usize % 4];
            let notes = [0, third, 7].map(|step| f64::from(i32::from(key.tonic) + root + step));
            let chord = notes.iter().flat_map(|note| {
                let hertz = 261.63 * 2f64.powf(note / 12.0);
                (1..6).map(move |n| (TAU * hertz * f64::from(n) * t).sin() / f64::from(n * n))
            });
            0.1 * chord.sum::<f64>() * (-2.0 * (t % 1.0)).exp()
        }
    }

    #[test]
    fn tempo_of_clicks() {
        for bpm in [60.0, 90.0, 128.0] {
            let (found, confidence) = analyze(20.0, clicks(bpm)).tempo.unwrap();
            assert!((found - bpm).abs() < 1.0 && confidence > 0.4, "{found} at {confidence} for {bpm}");
        }
    }

    #[test]
    fn key_of_cadences() {
        for text in ["C", "Am", "F#", "Ebm"] {
            let key: MusicalKey = text.parse().unwrap();
            let (found, confidence) = analyze(8.0, cadence(key)).key.unwrap();
            assert!(found == key && confidence > 0.7, "{found} at {confidence} for {key}");
        }
    }

    #[test]
    fn loudness_and_peak_of_a_sine() {
        // ITU-R BS.1770-4: 997 Hz at -20 dBFS in both front channels has -20 LUFS.
        let features = analyze(3.0, |t| 0.1 * (TAU * 997.0 * t).sin());
        assert!((features.loudness.unwrap() + 20.0).abs() < 0.1, "{features:?}");
        assert!((features.true_peak.unwrap() + 20.0).abs() < 0.1, "{features:?}");
        assert_eq!(features.duration, 3.0);
    }

    #[test]
    fn silence_has_no_features_but_its_duration() {
        let silence = analyze(6.0, |_| 0.0);
        assert_eq!(
            (silence.loudness, silence.tempo, silence.key, silence.estimate_affect()),
            (None, None, None, None)
        );
        assert!(silence.to_values().iter().all(|value| value.field == Field::Duration));
        assert_eq!(analyze(0.0, |_| 0.0).duration, 0.0);
    }

    #[test]
    fn loud_bright_and_fast_raise_arousal_and_major_raises_valence() {
        let affect = |energy, bpm, minor| {
            let key = MusicalKey { tonic: 0, minor };
            AudioFeatures {
                duration: 60.0,
                loudness: Some(-14.0),
                true_peak: Some(-1.0),
                tempo: Some((bpm, 0.9)),
                key: Some((key, 1.0)),
                energy: Some(energy),
            }
            .estimate_affect()
            .unwrap()
        };
        let (lively, dull) = (affect(0.9, 150.0, false), affect(0.1, 60.0, true));
        assert!(lively.arousal > 0.5 && dull.arousal < -0.3, "{lively:?} {dull:?}");
        assert!(lively.valence > 0.3 && dull.valence < -0.3, "{lively:?} {dull:?}");
    }

    #[test]
    fn the_excerpt_is_the_middle_of_a_long_track() {
        let mut analyzer = AudioAnalyzer::new(8_000, 1, Some(300.0)).unwrap();
        for second in 0..300 {
            analyzer.push(&vec![if (90..210).contains(&second) { 0.5 } else { 0.0 }; 8_000]);
        }
        assert_eq!(analyzer.excerpt.len(), 120 * 8_000);
        assert!(analyzer.excerpt.iter().all(|sample| *sample == 0.5));
    }
}
