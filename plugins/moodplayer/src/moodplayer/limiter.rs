//! A true-peak limiter that looks ahead: what would pass -1 dBTP is turned down before it comes, smoothly.
//!
//! For every frame the gain is known that keeps its peak, and those interpolated up to the next frame, below the ceiling.
//! The least of these over a window is let go of exponentially and averaged over the same window: so the gain is down in
//! time, and has neither steps nor corners. True peaks by fourfold oversampling as in ITU-R BS.1770-5, annex 2.

use std::collections::VecDeque;
use std::f64::consts::PI;

/// A little below -1 dBTP: four times oversampled, a peak may be read that much too low.
pub const CEILING: f32 = 0.88;
/// How long before a peak the gain begins to fall.
const ATTACK_SECONDS: f32 = 0.002;
/// How fast the gain returns: to a third of the way in this time.
const RELEASE_SECONDS: f32 = 0.2;
/// A gain this near to 1 is 1.
const NEGLIGIBLE: f32 = 1e-5;
/// Frames around an interpolated peak that it is made from.
const TAPS: usize = 12;
/// Interpolated between two frames.
const PHASES: usize = 3;

/// Turns down what would pass [`CEILING`]. A single track hardly ever does: its volume keeps its true peak near or below;
/// two that fade may.
#[derive(Clone, Debug)]
pub struct Limiter {
    width: usize,
    window: usize,
    release: f32,
    /// Of every phase between two frames.
    filters: [[f32; TAPS]; PHASES],
    /// Samples below this cannot make a peak above the ceiling between them.
    harmless: f32,
    /// Frames not yet given out.
    delayed: VecDeque<f32>,
    /// Frames in a row without a harmful sample.
    harmless_for: usize,
    /// Frames so far.
    frame: u64,
    /// Needed gains with their frames, rising: the first is the least of the window.
    needed: VecDeque<(u64, f32)>,
    /// By how much the last gains are below 1, before averaging.
    envelope: VecDeque<f32>,
    /// Of these, how many are not 0, and their sum.
    reducing: usize,
    reduction: f64,
}

impl Limiter {
    /// For frames of `width` samples.
    pub fn new(rate: u32, width: usize) -> Self {
        let window = ((ATTACK_SECONDS * rate as f32) as usize).max(2);
        let filters = std::array::from_fn(|phase| filter((phase + 1) as f64 / (PHASES + 1) as f64));
        let most = |filter: &[f32; TAPS]| filter.iter().map(|tap| tap.abs()).sum::<f32>();
        Self {
            width,
            window,
            release: (-1.0 / (RELEASE_SECONDS * rate as f32)).exp(),
            harmless: CEILING / filters.iter().map(most).fold(1.0, f32::max),
            filters,
            delayed: std::iter::repeat_n(0.0, (window + TAPS / 2 - 1) * width).collect(),
            harmless_for: TAPS,
            frame: 0,
            needed: VecDeque::new(),
            envelope: std::iter::repeat_n(0.0, window).collect(),
            reducing: 0,
            reduction: 0.0,
        }
    }

    /// By how many frames what comes out is later than what goes in.
    pub fn delay(&self) -> usize {
        self.window + TAPS / 2 - 1
    }

    /// Puts whole frames in, in whose place come those of [`Self::delay`] frames ago.
    pub fn apply(&mut self, samples: &mut [f32]) {
        for frame in samples.chunks_exact_mut(self.width) {
            self.delayed.extend(frame.iter());
            let needed = self.needed(frame);
            let gain = self.gain(needed);
            for sample in frame {
                *sample = self.delayed.pop_front().unwrap_or_default() * gain;
            }
        }
    }

    /// What the frame half the filter ago, and what lies between it and the next, must be multiplied with.
    fn needed(&mut self, frame: &[f32]) -> f32 {
        let harmful = frame.iter().any(|sample| sample.abs() > self.harmless);
        self.harmless_for = if harmful { 0 } else { self.harmless_for.saturating_add(1) };
        if self.harmless_for >= TAPS {
            return 1.0;
        }
        let mut peak = 0.0f32;
        let from = self.delayed.len().saturating_sub(TAPS * self.width);
        for channel in 0..self.width {
            let history: [f32; TAPS] = std::array::from_fn(|tap| {
                self.delayed.get(from + tap * self.width + channel).copied().unwrap_or_default()
            });
            peak = peak.max(history[TAPS / 2 - 1].abs());
            for filter in &self.filters {
                let between: f32 = filter.iter().zip(history).map(|(tap, sample)| tap * sample).sum();
                peak = peak.max(between.abs());
            }
        }
        if peak > CEILING { CEILING / peak } else { 1.0 }
    }

    /// The gain of the frame that leaves now.
    fn gain(&mut self, needed: f32) -> f32 {
        self.frame += 1;
        if needed < 1.0 {
            while self.needed.back().is_some_and(|(_, later)| *later >= needed) {
                self.needed.pop_back();
            }
            self.needed.push_back((self.frame, needed));
        }
        // One more than is averaged over: a peak between two frames concerns both.
        while self.needed.front().is_some_and(|(frame, _)| frame + (self.window as u64) < self.frame) {
            self.needed.pop_front();
        }
        let most = self.needed.front().map_or(0.0, |(_, needed)| 1.0 - needed);
        let kept = self.envelope.back().map_or(0.0, |last| last * self.release);
        let next = if most.max(kept) < NEGLIGIBLE { 0.0 } else { most.max(kept) };
        let gone = self.envelope.pop_front().unwrap_or(0.0);
        self.envelope.push_back(next);
        self.reducing = self.reducing + usize::from(next > 0.0) - usize::from(gone > 0.0);
        if self.reducing == 0 {
            self.reduction = 0.0;
            return 1.0;
        }
        self.reduction += f64::from(next) - f64::from(gone);
        (1.0 - self.reduction / self.window as f64) as f32
    }
}

/// A windowed sinc that reads between the two middle taps, `at` of the way.
fn filter(at: f64) -> [f32; TAPS] {
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
    use crate::moodplayer::loudness::Meter;

    const RATE: u32 = 48_000;

    fn tone(hertz: f32, level: f32, phase: f32, frames: usize) -> Vec<f32> {
        let turn = hertz * std::f32::consts::TAU / RATE as f32;
        (0..frames).flat_map(|i| [level * (turn * i as f32 + phase).sin(); 2]).collect()
    }

    fn limited(samples: &[f32]) -> Vec<f32> {
        let mut limiter = Limiter::new(RATE, 2);
        let mut out = samples.to_vec();
        out.extend(vec![0.0; limiter.delay() * 2]);
        out.chunks_mut(960).for_each(|chunk| limiter.apply(chunk));
        out.split_off(limiter.delay() * 2)
    }

    fn true_peak(samples: &[f32]) -> f64 {
        let mut meter = Meter::new(2, RATE).unwrap();
        meter.add(samples);
        20.0 * meter.loudness().true_peak.log10()
    }

    #[test]
    fn what_is_below_the_ceiling_is_only_delayed() {
        let quiet = tone(997.0, 0.87, 0.0, 48_000);
        assert_eq!(limited(&quiet), quiet);
    }

    #[test]
    fn true_peaks_stay_below_one_decibel() {
        // A quarter of the rate, 45 degrees off: samples at 0.71 of the peaks between them.
        let between = tone(12_000.0, 1.2, std::f32::consts::FRAC_PI_4, 48_000);
        assert!(between.iter().all(|sample| sample.abs() < 0.86));
        let mut burst = tone(60.0, 0.5, 0.0, 48_000);
        burst[30_000..34_000].iter_mut().for_each(|sample| *sample *= 6.0);
        let mut clicks = vec![0.0; 48_000];
        clicks.iter_mut().step_by(4_801).for_each(|sample| *sample = 2.0);
        for loud in [between, burst, clicks, tone(5_000.0, 1.7, 0.3, 48_000)] {
            let peak = true_peak(&limited(&loud));
            assert!(peak <= -1.0, "{peak} dBTP");
            assert!(peak > -1.6, "not more than needed: {peak} dBTP");
        }
    }

    #[test]
    fn the_gain_falls_and_returns_without_a_step() {
        let mut steady = vec![0.2; 300_000];
        steady[20_000..20_010].fill(1.6);
        let out = limited(&steady);
        let gains: Vec<f32> = steady.chunks(2).zip(out.chunks(2)).map(|(i, o)| o[0] / i[0]).collect();
        let step = gains.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max);
        assert!(step < 0.008, "{step}");
        let window = (ATTACK_SECONDS * RATE as f32) as usize;
        assert_eq!(gains[10_000 - 2 * window], 1.0);
        assert!(gains[10_000] <= 0.551 && gains[10_000 + RATE as usize / 5] > 0.8);
        assert_eq!(gains.last(), Some(&1.0));
    }
}
