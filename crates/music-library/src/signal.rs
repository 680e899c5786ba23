//! Fewer samples a second, for analyses that need no treble.

use std::f32::consts::PI;

/// Taps of the low-pass filter for each sample that becomes one.
const TAPS: usize = 16;

/// Averages the channels and keeps every n-th sample behind a low-pass filter: a windowed sinc whose pass band ends at 0.8
/// of the new Nyquist frequency.
pub(crate) struct Decimator {
    channels: usize,
    factor: usize,
    taps: Vec<f32>,
    /// Mono samples from the first that the next output needs.
    pending: Vec<f32>,
}

impl Decimator {
    /// To the lowest rate not below `wanted` that divides `rate`.
    pub(crate) fn new(rate: u32, channels: u32, wanted: u32) -> Self {
        let factor = (rate / wanted).max(1) as usize;
        let length = if factor == 1 { 1 } else { TAPS * factor + 1 };
        let taps = (0..length).map(|index| {
            let from_middle = index as f32 - (length / 2) as f32;
            let x = PI * from_middle * 0.8 / factor as f32;
            let window = 0.5 + 0.5 * (PI * from_middle / (length as f32 / 2.0 + 1.0)).cos();
            if x == 0.0 { window } else { window * x.sin() / x }
        });
        let mut taps: Vec<f32> = taps.collect();
        let sum: f32 = taps.iter().sum();
        taps.iter_mut().for_each(|tap| *tap /= sum);
        Self { channels: channels.max(1) as usize, factor, taps, pending: Vec::new() }
    }

    /// Samples a second of what comes out.
    pub(crate) fn rate(&self, rate: u32) -> u32 {
        rate / self.factor as u32
    }

    /// Takes interleaved samples, and appends what they make to `out`.
    pub(crate) fn push(&mut self, samples: &[f32], out: &mut Vec<f32>) {
        let scale = 1.0 / self.channels as f32;
        self.pending
            .extend(samples.chunks_exact(self.channels).map(|frame| frame.iter().sum::<f32>() * scale));
        let mut used = 0;
        while let Some(window) = self.pending.get(used..used + self.taps.len()) {
            out.push(window.iter().zip(&self.taps).map(|(sample, tap)| sample * tap).sum());
            used += self.factor;
        }
        self.pending.drain(..used.min(self.pending.len()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(hertz: f32) -> f32 {
        let mut decimator = Decimator::new(48_000, 2, 22_050);
        assert_eq!(decimator.rate(48_000), 24_000);
        let tone = |i: usize| (i as f32 * hertz * 2.0 * PI / 48_000.0).sin();
        let (mut out, samples) = (Vec::new(), (0..48_000).flat_map(|i| [tone(i); 2]).collect::<Vec<_>>());
        // In blocks that fit nothing.
        samples.chunks(2 * 701).for_each(|block| decimator.push(block, &mut out));
        assert!((23_900..=24_000).contains(&out.len()), "{}", out.len());
        (out.iter().map(|x| x * x).sum::<f32>() / out.len() as f32).sqrt()
    }

    #[test]
    fn what_is_below_passes_and_what_is_above_does_not() {
        assert!((level(1_000.0) - 0.5f32.sqrt()).abs() < 0.01, "{}", level(1_000.0));
        assert!((level(7_000.0) - 0.5f32.sqrt()).abs() < 0.02, "{}", level(7_000.0));
        assert!(level(14_000.0) < 0.01, "{}", level(14_000.0));
    }

    #[test]
    fn a_low_rate_stays() {
        let (mut decimator, mut out) = (Decimator::new(8_000, 1, 22_050), Vec::new());
        decimator.push(&[0.1, 0.2, 0.3], &mut out);
        assert_eq!((decimator.rate(8_000), out), (8_000, vec![0.1, 0.2, 0.3]));
    }
}
