//! Converts the mix to another format, where what takes it changes while it plays.
//!
//! Rates are converted by interpolation with a windowed sinc (Smith, "Digital Audio Resampling Home Page",
//! <https://ccrma.stanford.edu/~jos/resample/>), which is computed for each output sample at its exact
//! position: so any ratio works, and nothing drifts. A table of phases would cost less, but this is only used
//! after a change of rate.

use std::collections::VecDeque;
use std::f64::consts::PI;

use crate::AudioFormat;

/// The number of samples on either side of a position that are interpolated from, at the lower of both rates.
const HALF_TAPS: u64 = 32;
/// The share of the lower rate's bandwidth at which the filter has fallen by 6 dB. Its slope takes up the rest.
const BANDWIDTH: f64 = 0.9;
/// The largest ratio of two rates: 192 and 8 kHz.
const MAX_RATIO: u64 = 24;

/// Converts interleaved samples to a format that may change. What comes out around a change is the same
/// signal, without a gap or a step.
#[derive(Clone, Debug)]
pub struct FormatConverter {
    input: AudioFormat,
    output: AudioFormat,
    /// Samples of the input that are still needed.
    history: VecDeque<f32>,
    /// The position of the first of them in the input.
    first: u64,
    /// The position in the input of the first output sample after the last change of format.
    anchor: u64,
    /// The number of output samples after that change.
    produced: u64,
}

impl FormatConverter {
    /// A converter whose output has the format of its input, until [`Self::set_output`] changes that.
    pub fn new(input: AudioFormat) -> Self {
        Self { input, output: input, history: VecDeque::new(), first: 0, anchor: 0, produced: 0 }
    }

    /// The format of the output.
    pub fn output(&self) -> AudioFormat {
        self.output
    }

    /// Begins anew with position 0. What has not come out is dropped.
    pub fn restart(&mut self) {
        self.history.clear();
        (self.first, self.anchor, self.produced) = (0, 0, 0);
    }

    /// Changes the format of the output, from its next sample on. That sample moves to the next one of the
    /// input: by less than one sample.
    pub fn set_output(&mut self, output: AudioFormat) {
        (self.anchor, self.produced) = (self.position().ceil() as u64, 0);
        self.output = output;
    }

    /// Where the next output sample lies: so many samples of the output after that sample of the input.
    pub fn next_sample(&self) -> (u64, u64) {
        (self.anchor, self.produced)
    }

    /// Takes samples in and returns what can be made of them. Between two rates, some samples remain until
    /// the next call.
    pub fn convert(&mut self, samples: &[f32]) -> Vec<f32> {
        let is_up_to_date = self.position() == self.end() as f64;
        self.history.extend(samples);
        let out = if self.input == self.output && is_up_to_date {
            self.produced += (samples.len() / self.input.channel_count()) as u64;
            samples.to_vec()
        } else {
            self.produce(self.reach())
        };
        self.drop_unneeded();
        out
    }

    /// Returns what remains at the end.
    pub fn finish(&mut self) -> Vec<f32> {
        self.produce(0)
    }

    /// The position in the input of the next output sample.
    fn position(&self) -> f64 {
        self.anchor as f64
            + self.produced as f64 * f64::from(self.input.rate) / f64::from(self.output.rate.max(1))
    }

    /// The position after the last sample of the input.
    fn end(&self) -> u64 {
        self.first + (self.history.len() / self.input.channel_count()) as u64
    }

    /// The number of input samples on either side of a position that are interpolated from.
    fn reach(&self) -> u64 {
        if self.input.rate == self.output.rate {
            return 0;
        }
        let ratio = f64::from(self.input.rate) / f64::from(self.output.rate.max(1));
        (HALF_TAPS as f64 * ratio.max(1.0)).ceil() as u64
    }

    /// The output samples for which `reach` samples of the input follow.
    fn produce(&mut self, reach: u64) -> Vec<f32> {
        let (mut out, mut weights) = (Vec::new(), Vec::new());
        let mut sample = vec![0.0; self.input.channel_count()];
        let end = self.end() as f64;
        while self.position() + (reach as f64) < end {
            self.interpolate(&mut weights, &mut sample);
            if self.input.channels == self.output.channels {
                out.extend(&sample);
            } else {
                // Mono goes to all channels, and others become mono by their mean.
                let mean = sample.iter().sum::<f32>() / sample.len() as f32;
                out.extend(std::iter::repeat_n(mean, self.output.channel_count()));
            }
            self.produced += 1;
        }
        out
    }

    /// The signal at the position of the next output sample, one value for each channel of the input.
    fn interpolate(&self, weights: &mut Vec<f64>, out: &mut [f32]) {
        let position = self.position();
        let (center, reach) = (position.floor() as i64, self.reach() as i64);
        if reach == 0 {
            out.iter_mut().enumerate().for_each(|(channel, out)| *out = self.value(center, channel));
            return;
        }
        let ratio = f64::from(self.output.rate) / f64::from(self.input.rate.max(1));
        let cutoff = BANDWIDTH * ratio.min(1.0);
        let taps = center - reach + 1..=center + reach;
        let weight = |tap: i64| {
            let x = tap as f64 - position;
            sinc(cutoff * x) * blackman(x / reach as f64)
        };
        weights.clear();
        weights.extend(taps.clone().map(weight));
        let total: f64 = weights.iter().sum();
        for (channel, out) in out.iter_mut().enumerate() {
            let values = taps.clone().map(|tap| f64::from(self.value(tap, channel)));
            *out = (values.zip(&*weights).map(|(value, weight)| value * weight).sum::<f64>() / total) as f32;
        }
    }

    /// A value of the input; 0 where there is none.
    fn value(&self, position: i64, channel: usize) -> f32 {
        let index = usize::try_from(position - self.first as i64).ok();
        let value = index.and_then(|index| self.history.get(index * self.input.channel_count() + channel));
        value.copied().unwrap_or_default()
    }

    /// Drops the samples of the input that no later output sample is interpolated from, whatever its format.
    fn drop_unneeded(&mut self) {
        let channels = self.input.channel_count();
        let needed = (self.position() as u64).saturating_sub(HALF_TAPS * MAX_RATIO);
        let unneeded = (needed.saturating_sub(self.first) as usize).min(self.history.len() / channels);
        self.history.drain(..unneeded * channels);
        self.first += unneeded as u64;
    }
}

/// sin(πx) / πx.
fn sinc(x: f64) -> f64 {
    if x == 0.0 { 1.0 } else { (PI * x).sin() / (PI * x) }
}

/// The Blackman window at `x`, from -1 to 1.
fn blackman(x: f64) -> f64 {
    0.42 + 0.5 * (PI * x).cos() + 0.08 * (2.0 * PI * x).cos()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEREO: AudioFormat = AudioFormat { rate: 48_000, channels: 2 };

    /// The value of a sine of 997 Hz at a time in seconds.
    fn tone(time: f64) -> f64 {
        0.5 * (std::f64::consts::TAU * 997.0 * time).sin()
    }

    /// Block `index` of a stereo tone, 10 ms long.
    fn block(index: u64) -> Vec<f32> {
        (index * 480..(index + 1) * 480).flat_map(|i| [tone(i as f64 / 48_000.0) as f32; 2]).collect()
    }

    /// The largest distance of samples from the tone, the first of them at the given time.
    fn error(samples: &[f32], format: AudioFormat, time: f64) -> f64 {
        let sample = |i: usize| time + i as f64 / f64::from(format.rate);
        let samples = samples.chunks(format.channel_count()).enumerate();
        samples.fold(0.0, |error, (i, values)| {
            values.iter().fold(error, |error, value| error.max((f64::from(*value) - tone(sample(i))).abs()))
        })
    }

    #[test]
    fn without_a_change_nothing_is_converted() {
        let mut converter = FormatConverter::new(STEREO);
        for index in 0..20 {
            assert_eq!(converter.convert(&block(index)), block(index));
        }
        assert_eq!((converter.next_sample(), converter.finish()), ((0, 9_600), Vec::new()));
    }

    #[test]
    fn a_change_of_format_continues_the_signal() {
        let mut converter = FormatConverter::new(STEREO);
        let formats =
            [(44_100, 2), (48_000, 1), (8_000, 1), (192_000, 2), (22_050, 2), (48_000, 2), (47_999, 1)];
        (0..10).for_each(|index| _ = converter.convert(&block(index)));
        let mut index = 10;
        let mut expected = 0.1;
        for (rate, channels) in formats {
            let format = AudioFormat { rate, channels };
            converter.set_output(format);
            assert_eq!(converter.output(), format);
            let (anchor, produced) = converter.next_sample();
            let start = anchor as f64 / 48_000.0;
            assert!(
                produced == 0 && (0.0..1.0 / 48_000.0).contains(&(start - expected + 1e-9)),
                "{format:?}"
            );
            let mut out = Vec::new();
            for _ in 0..10 {
                out.extend(converter.convert(&block(index)));
                index += 1;
            }
            let error = error(&out, format, start);
            assert!(error < 1e-3, "{format:?}: {error}");
            expected = start + (out.len() / channels as usize) as f64 / f64::from(rate);
            assert!((index as f64 * 0.01 - expected) < 0.005, "{format:?}: too much remains");
        }
    }

    #[test]
    fn the_end_comes_out_in_full() {
        let mut converter = FormatConverter::new(STEREO);
        converter.set_output(AudioFormat { rate: 44_100, channels: 2 });
        let mut samples: usize = (0..100).map(|index| converter.convert(&block(index)).len()).sum();
        samples += converter.finish().len();
        assert_eq!(samples, 2 * 44_100);
        converter.restart();
        assert_eq!(converter.next_sample(), (0, 0));
    }

    #[test]
    fn what_the_lower_rate_cannot_hold_is_removed() {
        let mut converter = FormatConverter::new(AudioFormat { rate: 48_000, channels: 1 });
        converter.set_output(AudioFormat { rate: 16_000, channels: 1 });
        let high: Vec<f32> =
            (0..9_600).map(|i| (i as f32 * 12_000.0 * std::f32::consts::TAU / 48_000.0).sin()).collect();
        let out = converter.convert(&high);
        let loudest = out[100..].iter().fold(0.0f32, |max, value| max.max(value.abs()));
        assert!(loudest < 1e-3, "{loudest}");
    }
}
