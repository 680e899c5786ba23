//! What a track's sound says of it: loudness, true peak, tempo, key, energy, and from those a guess at its mood.
//!
//! Loudness is measured by EBU R 128 over the whole track, tempo and key over at most two minutes of it, by crates made
//! for that. The mood is a guess from a few cues that listeners go by, added up as Eerola, Friberg and Bresin found it
//! to work (2013, doi:10.3389/fpsyg.2013.00487): arousal rises with loudness, brightness and tempo, valence with a
//! major key and a little with tempo. The weights are set by hand and untested against listeners, so the guess has a
//! low confidence, valence's the lower.

use ebur128::{EbuR128, Mode};
use mood_schema::Affect;
use timestretch_analysis::{KeyMode, detect_beat_grid, detect_key};

use crate::key::Key;
use crate::signal::Decimator;
use crate::value::{Field, Provenance, Stated, Value};

/// Changes whenever the same sound would be judged otherwise: what was analysed before is then analysed again.
pub(crate) const VERSION: i64 = 1;

/// Tempo and key need no more samples a second.
const RATE: u32 = 22_050;
/// Nor more of a track than this, seconds; it is taken from the middle.
const EXCERPT: f64 = 120.0;
/// Less than this says nothing of tempo and key, seconds.
const SHORTEST: f64 = 4.0;
/// What is brighter than this counts as bright, Hz: the usual bound between bass and treble in studies of timbre.
const BRIGHT: f64 = 1_500.0;
/// The crate's margin between the best two keys is about 0.3 for plain cadences: as sure as it gets.
const SURE_KEY: f64 = 0.3;
const AROUSAL_CONFIDENCE: f64 = 0.4;
const VALENCE_CONFIDENCE: f64 = 0.15;

/// Why a sound cannot be analysed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Unfit(String);

/// Listens to one track.
pub(crate) struct Listener {
    rate: u32,
    channels: u32,
    meter: EbuR128,
    decimator: Decimator,
    frames: u64,
    /// Frames before the excerpt.
    skip: u64,
    excerpt: Vec<f32>,
}

/// What was heard.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sound {
    /// Seconds.
    pub(crate) duration: f64,
    /// LUFS; `None` for silence.
    pub(crate) loudness: Option<f64>,
    /// dBTP; `None` for silence.
    pub(crate) true_peak: Option<f64>,
    /// Beats a minute and confidence.
    pub(crate) tempo: Option<(f64, f64)>,
    /// With confidence.
    pub(crate) key: Option<(Key, f64)>,
    /// 0-1; `None` for silence.
    pub(crate) energy: Option<f64>,
}

impl Listener {
    /// For sound of that format; `duration` is how long it should be in seconds, where that is known.
    pub(crate) fn new(rate: u32, channels: u32, duration: Option<f64>) -> Result<Self, Unfit> {
        // The histogram keeps memory small however long a track is.
        let mode = Mode::I | Mode::TRUE_PEAK | Mode::HISTOGRAM;
        let meter = EbuR128::new(channels, rate, mode)
            .map_err(|error| Unfit(format!("{channels} channels at {rate} Hz: {error}")))?;
        let before = (duration.unwrap_or(0.0) - EXCERPT).max(0.0) / 2.0;
        let skip = (before * f64::from(rate)) as u64;
        let decimator = Decimator::new(rate, channels, RATE);
        Ok(Self { rate, channels, meter, decimator, frames: 0, skip, excerpt: Vec::new() })
    }

    /// Whether sound of that format goes on here.
    pub(crate) fn hears(&self, rate: u32, channels: u32) -> bool {
        (self.rate, self.channels) == (rate, channels)
    }

    /// Interleaved samples.
    pub(crate) fn push(&mut self, samples: &[f32]) {
        // Fails for lack of memory only, and then the measure ends here.
        let _ = self.meter.add_frames_f32(samples);
        let frames = samples.len() as u64 / u64::from(self.channels);
        let early = self.skip.saturating_sub(self.frames).min(frames) as usize;
        let longest = (EXCERPT * f64::from(self.decimator.rate(self.rate))) as usize;
        if let Some(samples) = samples.get(early * self.channels as usize..)
            && self.excerpt.len() < longest
        {
            self.decimator.push(samples, &mut self.excerpt);
        }
        self.frames += frames;
    }

    /// What was heard from the beginning to here.
    pub(crate) fn finish(self) -> Sound {
        let peaks = (0..self.channels).filter_map(|channel| self.meter.true_peak(channel).ok());
        let peak = peaks.fold(0.0, f64::max);
        let loudness = self.meter.loudness_global().ok().filter(|loudness| loudness.is_finite());
        let rate = self.decimator.rate(self.rate);
        let (mut tempo, mut key) = (None, None);
        if loudness.is_some() && self.excerpt.len() as f64 >= SHORTEST * f64::from(rate) {
            let grid = detect_beat_grid(&self.excerpt, rate);
            // Twice, half or two thirds of the tempo may be as likely: that is what estimates of tempo mostly get wrong.
            let others =
                grid.tempo_candidates.iter().filter(|other| (other.bpm / grid.bpm - 1.0).abs() > 0.02);
            let likely = others.map(|other| f64::from(other.salience)).fold(0.0, f64::max).min(1.0);
            let sure = f64::from(grid.confidence) * (1.0 - likely / 2.0);
            tempo = (grid.bpm > 0.0).then(|| (round(grid.bpm, 10.0), sure));
            key = detect_key(&self.excerpt, rate).map(|found| {
                let key = Key { tonic: found.root % 12, minor: found.mode == KeyMode::Minor };
                (key, (f64::from(found.confidence) / SURE_KEY).clamp(0.0, 1.0))
            });
        }
        let energy = loudness.map(|loudness| {
            let bright = brightness(&self.excerpt, rate);
            round((score(loudness, -35.0, -8.0) + score(bright, 0.0, 0.3)) / 2.0, 1000.0)
        });
        Sound {
            duration: round(self.frames as f64 / f64::from(self.rate), 1000.0),
            loudness: loudness.map(|loudness| round(loudness, 100.0)),
            true_peak: (peak > 0.0).then(|| round(20.0 * peak.log10(), 100.0)),
            tempo,
            key,
            energy,
        }
    }
}

impl Sound {
    /// The guess at where the mood lies; `None` for silence.
    pub(crate) fn affect(&self) -> Option<Affect> {
        let energy = self.energy?;
        // A pulse that is hardly there says little of the pace: the middle stands in for it.
        let pace = self.tempo.map_or(0.5, |(bpm, sure)| 0.5 + sure * (score(bpm, 50.0, 160.0) - 0.5));
        let mode = self.key.map_or(0.0, |(key, sure)| if key.minor { -sure } else { sure });
        let arousal = 0.6 * (2.0 * energy - 1.0) + 0.4 * (2.0 * pace - 1.0);
        let valence = 0.4 * mode + 0.2 * (2.0 * pace - 1.0);
        // An even mixture of the cues is music of medium activation, somewhat above a neutral face.
        Some(Affect {
            valence: round(valence.clamp(-1.0, 1.0), 1000.0),
            arousal: round((arousal + 0.2).clamp(-1.0, 1.0), 1000.0),
        })
    }

    /// As values of the database.
    pub(crate) fn stated(&self) -> Vec<Stated> {
        let affect = self.affect();
        let key = self.key.map(|(key, sure)| (Field::Key, Value::Text(key.to_string()), sure));
        let numbers = [
            (Field::Duration, Some((self.duration, 1.0))),
            (Field::Loudness, self.loudness.map(|loudness| (loudness, 1.0))),
            (Field::TruePeak, self.true_peak.map(|peak| (peak, 1.0))),
            (Field::Bpm, self.tempo),
            (Field::Energy, self.energy.map(|energy| (energy, AROUSAL_CONFIDENCE))),
            (Field::Arousal, affect.map(|affect| (affect.arousal, AROUSAL_CONFIDENCE))),
            (Field::Valence, affect.map(|affect| (affect.valence, VALENCE_CONFIDENCE))),
        ];
        let numbers = numbers.into_iter().filter_map(|(field, said)| {
            said.map(|(number, confidence)| (field, Value::Number(number), confidence))
        });
        numbers
            .chain(key)
            .filter(|(field, value, _)| field.takes(value))
            .map(|(field, value, confidence)| Stated {
                field,
                value,
                provenance: Provenance::Estimated,
                confidence: round(confidence, 100.0),
            })
            .collect()
    }
}

/// Where a number lies between two others, 0-1.
fn score(number: f64, low: f64, high: f64) -> f64 {
    ((number - low) / (high - low)).clamp(0.0, 1.0)
}

/// Not more digits than mean something.
fn round(number: f64, parts: f64) -> f64 {
    (number * parts).round() / parts
}

/// The share of the power that lies above [`BRIGHT`], through a filter of the first order.
fn brightness(samples: &[f32], rate: u32) -> f64 {
    let follow = 1.0 - (-std::f64::consts::TAU * BRIGHT / f64::from(rate)).exp();
    let (mut slow, mut above, mut all) = (0.0, 0.0, 0.0);
    for sample in samples.iter().map(|sample| f64::from(*sample)) {
        slow += follow * (sample - slow);
        above += (sample - slow).powi(2);
        all += sample * sample;
    }
    if all > 0.0 { above / all } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use super::*;

    const HZ: u32 = 44_100;

    fn hear(seconds: f64, sound: impl Fn(f64) -> f64) -> Sound {
        let mut listener = Listener::new(HZ, 2, Some(seconds)).unwrap();
        let frames = (seconds * f64::from(HZ)) as usize;
        let samples: Vec<f32> =
            (0..frames).flat_map(|i| [sound(i as f64 / f64::from(HZ)) as f32; 2]).collect();
        samples.chunks(4_096).for_each(|block| listener.push(block));
        listener.finish()
    }

    fn click(bpm: f64) -> impl Fn(f64) -> f64 {
        move |t| {
            let since = t % (60.0 / bpm);
            0.5 * (TAU * 1_000.0 * since).sin() * (-since / 0.01).exp()
        }
    }

    /// I IV V I, or i iv V i, a chord a second, each note with its overtones.
    fn cadence(key: Key) -> impl Fn(f64) -> f64 {
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
    fn the_tempo_of_clicks() {
        for bpm in [60.0, 90.0, 128.0] {
            let (found, confidence) = hear(20.0, click(bpm)).tempo.unwrap();
            assert!((found - bpm).abs() < 1.0 && confidence > 0.4, "{found} at {confidence} for {bpm}");
        }
    }

    #[test]
    fn the_key_of_cadences() {
        for text in ["C", "Am", "F#", "Ebm"] {
            let key: Key = text.parse().unwrap();
            let (found, confidence) = hear(8.0, cadence(key)).key.unwrap();
            assert!(found == key && confidence > 0.7, "{found} at {confidence} for {key}");
        }
    }

    #[test]
    fn loudness_and_peak_of_a_sine() {
        // ITU-R BS.1770: 997 Hz at -20 dBFS in both front channels.
        let sound = hear(3.0, |t| 0.1 * (TAU * 997.0 * t).sin());
        assert!((sound.loudness.unwrap() + 20.0).abs() < 0.1, "{sound:?}");
        assert!((sound.true_peak.unwrap() + 20.0).abs() < 0.1, "{sound:?}");
        assert_eq!(sound.duration, 3.0);
    }

    #[test]
    fn silence_and_next_to_nothing_say_little() {
        let silence = hear(6.0, |_| 0.0);
        assert_eq!(
            (silence.loudness, silence.tempo, silence.key, silence.affect()),
            (None, None, None, None)
        );
        assert!(silence.stated().iter().all(|said| said.field == Field::Duration));
        assert_eq!(hear(0.0, |_| 0.0).duration, 0.0);
    }

    #[test]
    fn loud_bright_and_fast_is_more_aroused_and_major_more_pleasant() {
        let affect = |energy, bpm, minor| {
            let key = Key { tonic: 0, minor };
            Sound {
                duration: 60.0,
                loudness: Some(-14.0),
                true_peak: Some(-1.0),
                tempo: Some((bpm, 0.9)),
                key: Some((key, 1.0)),
                energy: Some(energy),
            }
            .affect()
            .unwrap()
        };
        let (lively, dull) = (affect(0.9, 150.0, false), affect(0.1, 60.0, true));
        assert!(lively.arousal > 0.5 && dull.arousal < -0.3, "{lively:?} {dull:?}");
        assert!(lively.valence > 0.3 && dull.valence < -0.3, "{lively:?} {dull:?}");
    }

    #[test]
    fn only_the_middle_of_a_long_track_is_kept() {
        let mut listener = Listener::new(8_000, 1, Some(300.0)).unwrap();
        for second in 0..300 {
            listener.push(&vec![if (90..210).contains(&second) { 0.5 } else { 0.0 }; 8_000]);
        }
        assert_eq!(listener.excerpt.len(), 120 * 8_000);
        assert!(listener.excerpt.iter().all(|sample| *sample == 0.5));
    }
}
