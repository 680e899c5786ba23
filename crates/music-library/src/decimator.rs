//! Reduction of the sampling rate, for analyses that need no high frequencies.

use std::f32::consts::PI;

/// Length of the low-pass filter in samples, for each unit of the decimation factor.
const TAPS_PER_FACTOR: usize = 16;

/// Mixes audio down to mono and decimates it by an integer factor behind a low-pass filter: a sinc with a
/// Hann window whose cutoff frequency is 0.8 of the new Nyquist frequency.
pub(crate) struct Decimator {
    channels: usize,
    factor: usize,
    /// The filter's coefficients; they sum to 1.
    taps: Vec<f32>,
    /// Mono samples, from the first one that the next output sample depends on.
    pending: Vec<f32>,
}

impl Decimator {
    /// A decimator from `rate` (Hz) to the lowest integer fraction of it that is not below `min_rate` (Hz); a
    /// lower `rate` stays as it is.
    pub(crate) fn new(rate: u32, channels: u32, min_rate: u32) -> Self {
        let factor = (rate / min_rate).max(1) as usize;
        let length = if factor == 1 { 1 } else { TAPS_PER_FACTOR * factor + 1 };
        let taps = (0..length).map(|index| {
            let offset = index as f32 - (length / 2) as f32;
            let x = PI * offset * 0.8 / factor as f32;
            let window = 0.5 + 0.5 * (PI * offset / (length as f32 / 2.0 + 1.0)).cos();
            if x == 0.0 { window } else { window * x.sin() / x }
        });
        let mut taps: Vec<f32> = taps.collect();
        let sum: f32 = taps.iter().sum();
        taps.iter_mut().for_each(|tap| *tap /= sum);
        Self { channels: channels.max(1) as usize, factor, taps, pending: Vec::new() }
    }

    /// The output's sampling rate for input of this rate, Hz.
    pub(crate) fn output_rate(&self, rate: u32) -> u32 {
        rate / self.factor as u32
    }

    /// Processes interleaved samples and appends the output to `out`. The last output sample of a stream is
    /// that for which the filter is completely filled.
    pub(crate) fn push(&mut self, samples: &[f32], out: &mut Vec<f32>) {
        let scale = 1.0 / self.channels as f32;
        self.pending
            .extend(samples.chunks_exact(self.channels).map(|frame| frame.iter().sum::<f32>() * scale));
        let mut consumed = 0;
        while let Some(window) = self.pending.get(consumed..consumed + self.taps.len()) {
            out.push(window.iter().zip(&self.taps).map(|(sample, tap)| sample * tap).sum());
            consumed += self.factor;
        }
        self.pending.drain(..consumed.min(self.pending.len()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The RMS level behind the decimator of a sine of amplitude 1.
    fn level(hertz: f32) -> f32 {
        let mut decimator = Decimator::new(48_000, 2, 22_050);
        assert_eq!(decimator.output_rate(48_000), 24_000);
        let tone = |i: usize| (i as f32 * hertz * 2.0 * PI / 48_000.0).sin();
        let (mut out, samples) = (Vec::new(), (0..48_000).flat_map(|i| [tone(i); 2]).collect::<Vec<_>>());
        // Blocks whose length is no multiple of the factor.
        samples.chunks(2 * 701).for_each(|block| decimator.push(block, &mut out));
        assert!((23_900..=24_000).contains(&out.len()), "{}", out.len());
        (out.iter().map(|x| x * x).sum::<f32>() / out.len() as f32).sqrt()
    }

    #[test]
    fn low_frequencies_pass_and_high_ones_do_not() {
        assert!((level(1_000.0) - 0.5f32.sqrt()).abs() < 0.01, "{}", level(1_000.0));
        assert!((level(7_000.0) - 0.5f32.sqrt()).abs() < 0.02, "{}", level(7_000.0));
        assert!(level(14_000.0) < 0.01, "{}", level(14_000.0));
    }

    #[test]
    fn a_low_rate_is_not_changed() {
        let (mut decimator, mut out) = (Decimator::new(8_000, 1, 22_050), Vec::new());
        decimator.push(&[0.1, 0.2, 0.3], &mut out);
        assert_eq!((decimator.output_rate(8_000), out), (8_000, vec![0.1, 0.2, 0.3]));
    }
}
