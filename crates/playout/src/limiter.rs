//! A true-peak limiter that looks ahead: it turns the audio down before a peak comes, so that the gain
//! changes smoothly.
//!
//! For every sample, the gain is computed that would keep it, and the signal interpolated between it and the
//! next, below the ceiling. The minimum of these gains over a window is held, released exponentially, and
//! averaged over a window of the same length: so the gain has come down by the time of the peak, and has
//! neither steps nor corners.
//!
//! True peaks are found by fourfold oversampling, as in ITU-R BS.1770-5, annex 2.

use std::collections::VecDeque;
use std::f64::consts::PI;

/// The highest true peak that is let through, 1.0 being full scale. -1 dBTP is 0.891; this is a little less,
/// because fourfold oversampling may read a peak that much too low.
pub(crate) const CEILING: f32 = 0.88;
/// How long before a peak the gain begins to fall, and the length of the windows, seconds.
const ATTACK_SECONDS: f32 = 0.002;
/// The time constant of the gain's return, seconds: after it, a reduction has shrunk to 1/e.
const RELEASE_SECONDS: f32 = 0.2;
/// A gain this near to 1 is taken for 1, so that a signal is passed on unchanged once a reduction has worn
/// off.
const NEGLIGIBLE: f32 = 1e-5;
/// The length of the interpolation filters, samples.
const TAPS: usize = 12;
/// How many values are interpolated between two samples.
const PHASES: usize = 3;

/// Keeps true peaks below -1 dBTP. One track alone hardly ever needs it, for its gain already keeps its true
/// peak near or below that; two tracks that are mixed may.
#[derive(Clone, Debug)]
pub struct Limiter {
    /// Values a sample.
    channels: usize,
    /// The length of the windows, samples.
    window: usize,
    /// By what a reduction is multiplied from one sample to the next, while it wears off.
    release: f32,
    /// One interpolation filter for each phase.
    filters: [[f32; TAPS]; PHASES],
    /// Values below this cannot make a peak above the ceiling between them.
    harmless_level: f32,
    /// Interleaved samples that have come in and not gone out.
    delay_line: VecDeque<f32>,
    /// The number of successive samples below the harmless level.
    harmless_samples: usize,
    /// The number of samples that have come in.
    sample: u64,
    /// Gains below 1 that are needed, each with the number of its sample. They rise, so the first is the
    /// minimum of the window.
    needed_gains: VecDeque<(u64, f32)>,
    /// 1 minus the gain, of the last samples, before averaging.
    reductions: VecDeque<f32>,
    /// How many of the `reductions` are not 0.
    nonzero_reductions: usize,
    /// The sum of the `reductions`.
    reduction_sum: f64,
}

impl Limiter {
    /// A limiter for `rate` samples a second with `channels` values each.
    pub fn new(rate: u32, channels: usize) -> Self {
        let window = ((ATTACK_SECONDS * rate as f32) as usize).max(2);
        let filters =
            std::array::from_fn(|phase| interpolation_filter((phase + 1) as f64 / (PHASES + 1) as f64));
        let largest_gain = |filter: &[f32; TAPS]| filter.iter().map(|tap| tap.abs()).sum::<f32>();
        Self {
            channels,
            window,
            release: (-1.0 / (RELEASE_SECONDS * rate as f32)).exp(),
            harmless_level: CEILING / filters.iter().map(largest_gain).fold(1.0, f32::max),
            filters,
            delay_line: std::iter::repeat_n(0.0, (window + TAPS / 2 - 1) * channels).collect(),
            harmless_samples: TAPS,
            sample: 0,
            needed_gains: VecDeque::new(),
            reductions: std::iter::repeat_n(0.0, window).collect(),
            nonzero_reductions: 0,
            reduction_sum: 0.0,
        }
    }

    /// By how many samples the output is later than the input.
    pub fn delay(&self) -> usize {
        self.window + TAPS / 2 - 1
    }

    /// Takes interleaved samples in and replaces them by the output, which is [`Self::delay`] samples late.
    pub fn process(&mut self, samples: &mut [f32]) {
        for sample in samples.chunks_exact_mut(self.channels) {
            self.delay_line.extend(sample.iter());
            let needed = self.compute_needed_gain(sample);
            let gain = self.advance_gain(needed);
            for value in sample {
                *value = self.delay_line.pop_front().unwrap_or_default() * gain;
            }
        }
    }

    /// The gain that keeps the sample half a filter's length ago, and the signal between it and the next,
    /// below the ceiling. `sample` has just come in.
    fn compute_needed_gain(&mut self, sample: &[f32]) -> f32 {
        let harmful = sample.iter().any(|value| value.abs() > self.harmless_level);
        self.harmless_samples = if harmful { 0 } else { self.harmless_samples.saturating_add(1) };
        if self.harmless_samples >= TAPS {
            return 1.0;
        }
        let mut peak = 0.0f32;
        let first = self.delay_line.len().saturating_sub(TAPS * self.channels);
        for channel in 0..self.channels {
            let history: [f32; TAPS] = std::array::from_fn(|tap| {
                self.delay_line.get(first + tap * self.channels + channel).copied().unwrap_or_default()
            });
            peak = peak.max(history[TAPS / 2 - 1].abs());
            for filter in &self.filters {
                let interpolated: f32 = filter.iter().zip(history).map(|(tap, value)| tap * value).sum();
                peak = peak.max(interpolated.abs());
            }
        }
        if peak > CEILING { CEILING / peak } else { 1.0 }
    }

    /// The gain of the sample that goes out now, once the gain needed by a later one is known.
    fn advance_gain(&mut self, needed: f32) -> f32 {
        self.sample += 1;
        if needed < 1.0 {
            while self.needed_gains.back().is_some_and(|(_, gain)| *gain >= needed) {
                self.needed_gains.pop_back();
            }
            self.needed_gains.push_back((self.sample, needed));
        }
        // One sample more than is averaged over, because a peak between two samples concerns both.
        while self.needed_gains.front().is_some_and(|(sample, _)| sample + (self.window as u64) < self.sample)
        {
            self.needed_gains.pop_front();
        }
        let needed_reduction = self.needed_gains.front().map_or(0.0, |(_, gain)| 1.0 - gain);
        let released = self.reductions.back().map_or(0.0, |last| last * self.release);
        let reduction =
            if needed_reduction.max(released) < NEGLIGIBLE { 0.0 } else { needed_reduction.max(released) };
        let oldest = self.reductions.pop_front().unwrap_or(0.0);
        self.reductions.push_back(reduction);
        self.nonzero_reductions =
            self.nonzero_reductions + usize::from(reduction > 0.0) - usize::from(oldest > 0.0);
        if self.nonzero_reductions == 0 {
            // Also removes what rounding has left in the sum.
            self.reduction_sum = 0.0;
            return 1.0;
        }
        self.reduction_sum += f64::from(reduction) - f64::from(oldest);
        (1.0 - self.reduction_sum / self.window as f64) as f32
    }
}

/// A windowed sinc that interpolates between the two middle taps, at the fraction `at` of the way from one to
/// the other.
fn interpolation_filter(at: f64) -> [f32; TAPS] {
    let taps: [f64; TAPS] = std::array::from_fn(|tap| {
        let x = tap as f64 - (TAPS / 2 - 1) as f64 - at;
        let window = (PI * x / TAPS as f64).cos().powi(2);
        (PI * x).sin() / (PI * x) * window
    });
    let sum: f64 = taps.iter().sum();
    taps.map(|tap| (tap / sum) as f32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LoudnessMeter;

    const RATE: u32 = 48_000;

    /// A stereo sine; `phase` in radians.
    fn sine(frequency: f32, level: f32, phase: f32, samples: usize) -> Vec<f32> {
        let step = frequency * std::f32::consts::TAU / RATE as f32;
        (0..samples).flat_map(|i| [level * (step * i as f32 + phase).sin(); 2]).collect()
    }

    /// The output for `samples`, without the delay.
    fn limit(samples: &[f32]) -> Vec<f32> {
        let mut limiter = Limiter::new(RATE, 2);
        let mut out = samples.to_vec();
        out.extend(vec![0.0; limiter.delay() * 2]);
        out.chunks_mut(960).for_each(|block| limiter.process(block));
        out.split_off(limiter.delay() * 2)
    }

    /// In dBTP.
    fn true_peak(samples: &[f32]) -> f64 {
        let mut meter = LoudnessMeter::new(2, RATE).unwrap();
        meter.add(samples);
        20.0 * meter.loudness().true_peak.log10()
    }

    #[test]
    fn audio_below_the_ceiling_is_only_delayed() {
        let quiet = sine(997.0, 0.87, 0.0, 48_000);
        assert_eq!(limit(&quiet), quiet);
    }

    #[test]
    fn true_peaks_stay_below_minus_1_dbtp() {
        // At a quarter of the rate and 45 degrees, the samples are at 0.71 of the peaks between them.
        let peaks_between_samples = sine(12_000.0, 1.2, std::f32::consts::FRAC_PI_4, 48_000);
        assert!(peaks_between_samples.iter().all(|sample| sample.abs() < 0.86));
        let mut burst = sine(60.0, 0.5, 0.0, 48_000);
        burst[30_000..34_000].iter_mut().for_each(|sample| *sample *= 6.0);
        let mut clicks = vec![0.0; 48_000];
        clicks.iter_mut().step_by(4_801).for_each(|sample| *sample = 2.0);
        for loud in [peaks_between_samples, burst, clicks, sine(5_000.0, 1.7, 0.3, 48_000)] {
            let peak = true_peak(&limit(&loud));
            assert!(peak <= -1.0, "{peak} dBTP");
            assert!(peak > -1.6, "turned down more than needed: {peak} dBTP");
        }
    }

    #[test]
    fn the_gain_changes_without_steps() {
        let mut steady = vec![0.2; 300_000];
        steady[20_000..20_010].fill(1.6);
        let out = limit(&steady);
        let gains: Vec<f32> = steady.chunks(2).zip(out.chunks(2)).map(|(i, o)| o[0] / i[0]).collect();
        let step = gains.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max);
        assert!(step < 0.008, "{step}");
        let window = (ATTACK_SECONDS * RATE as f32) as usize;
        assert_eq!(gains[10_000 - 2 * window], 1.0);
        assert!(gains[10_000] <= 0.551 && gains[10_000 + RATE as usize / 5] > 0.8);
        assert_eq!(gains.last(), Some(&1.0));
    }
}
