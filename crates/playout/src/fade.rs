//! Gains that change over time: equal-power fades that may be interrupted.

use std::f64::consts::FRAC_PI_2;

use crate::gain::GainRamp;

/// A gain that changes from one value to another.
///
/// The power moves along cos² and sin²: `gain² = from² cos² φ + to² sin² φ`, where φ goes from 0 to π/2.
/// Tracks are uncorrelated, so their powers add up, and fades that kept the sum of the gains constant instead
/// would dip by 3 dB.
///
/// If the powers of all voices add up to 1 when their fades begin, and exactly one voice fades to 1 and the
/// others to 0, then the powers add up to 1 throughout, whatever the gains were. So a fade that is
/// interrupted half way goes on from where it is, without a step and without a dip.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fade {
    from: f64,
    to: f64,
    /// Samples since it began, at most `length`.
    done: u64,
    length: u64,
}

impl Fade {
    /// A fade from the gain `from` to the gain `to` in `length` samples. With a length of 0 the gain is `to`
    /// at once.
    pub fn new(from: f64, to: f64, length: u64) -> Self {
        Self { from, to, done: 0, length }
    }

    /// The gain of the next sample.
    pub fn gain(&self) -> f64 {
        if self.done >= self.length {
            return self.to;
        }
        let (sin, cos) = (FRAC_PI_2 * self.done as f64 / self.length as f64).sin_cos();
        (self.from * cos).hypot(self.to * sin)
    }

    /// The gain at its end.
    pub fn target(&self) -> f64 {
        self.to
    }

    /// Samples until its end.
    pub fn remaining(&self) -> u64 {
        self.length - self.done
    }

    /// Adds `source` to `out`, multiplied by the fade's gain and by `gain`, and advances both by as many samples.
    /// Both are interleaved, with `channels` values a sample.
    pub fn mix_into(&mut self, out: &mut [f32], source: &[f32], channels: usize, gain: &mut GainRamp) {
        for (out, source) in out.chunks_exact_mut(channels).zip(source.chunks_exact(channels)) {
            let gain = self.gain() as f32 * gain.advance();
            out.iter_mut().zip(source).for_each(|(out, source)| *out += source * gain);
            self.done = self.length.min(self.done + 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn constant(gain: f32) -> GainRamp {
        GainRamp::new(gain, 48_000)
    }

    /// Uniform noise between -1 and 1 from a linear congruential generator.
    fn noise(seed: u64, count: usize) -> Vec<f32> {
        let mut state = seed;
        let next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
        };
        std::iter::repeat_with(next).take(count).collect()
    }

    /// The mean power of the samples, dB.
    fn level_in_db(samples: &[f32]) -> f64 {
        let power = samples.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>() / samples.len() as f64;
        10.0 * power.log10()
    }

    #[test]
    fn a_crossfade_of_uncorrelated_noise_keeps_its_level() {
        const LENGTH: usize = 96_000;
        let mut out = vec![0.0; LENGTH];
        Fade::new(1.0, 0.0, LENGTH as u64).mix_into(&mut out, &noise(1, LENGTH), 1, &mut constant(1.0));
        Fade::new(0.0, 1.0, LENGTH as u64).mix_into(&mut out, &noise(2, LENGTH), 1, &mut constant(1.0));
        let full = level_in_db(&noise(3, LENGTH));
        for window in out.chunks(9_600) {
            assert!(
                (level_in_db(window) - full).abs() < 0.5,
                "{} dB instead of {full} dB",
                level_in_db(window)
            );
        }
    }

    #[test]
    fn an_interrupted_fade_has_neither_step_nor_dip() {
        let (mut old, mut new) = (Fade::new(1.0, 0.0, 1000), Fade::new(0.0, 1.0, 1000));
        let mut ignored = vec![0.0; 300];
        let ones = [1.0; 300];
        old.mix_into(&mut ignored, &ones, 1, &mut constant(1.0));
        new.mix_into(&mut ignored, &ones, 1, &mut constant(1.0));
        let gains = (old.gain(), new.gain());
        let (mut old, mut new) = (Fade::new(gains.0, 0.0, 1000), Fade::new(gains.1, 0.0, 1000));
        let mut third = Fade::new(0.0, 1.0, 1000);
        assert_eq!((old.gain(), new.gain(), third.gain()), (gains.0, gains.1, 0.0));
        let mut before = gains;
        for _ in 0..1000 {
            let power = old.gain().powi(2) + new.gain().powi(2) + third.gain().powi(2);
            assert!((power - 1.0).abs() < 1e-9, "{power}");
            assert!((old.gain() - before.0).abs() < 0.002 && (new.gain() - before.1).abs() < 0.002);
            before = (old.gain(), new.gain());
            for fade in [&mut old, &mut new, &mut third] {
                fade.mix_into(&mut [0.0], &[1.0], 1, &mut constant(1.0));
            }
        }
        assert_eq!((old.gain(), new.gain(), third.gain(), third.remaining()), (0.0, 0.0, 1.0, 0));
    }

    #[test]
    fn a_fade_of_no_length_has_its_target_gain_at_once() {
        let mut out = [0.0; 4];
        let mut fade = Fade::new(0.0, 1.0, 0);
        fade.mix_into(&mut out, &[0.1, 0.2, 0.3, 0.4], 2, &mut constant(2.0));
        assert_eq!(out, [0.2, 0.4, 0.6, 0.8]);
        assert_eq!(fade.remaining(), 0);
    }
}
