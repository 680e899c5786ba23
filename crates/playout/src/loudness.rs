//! How loud a track is, and the gain that brings it to a target loudness.

use ebur128::{EbuR128, Mode};

use crate::limiter::CEILING;

/// No track is turned up by more than this factor, 20 dB: a track that needs more is meant to be quiet.
const MAX_GAIN: f64 = 10.0;
/// How far the gain may take a track's true peak above the limiter's ceiling: a factor of 2, 6 dB. With more,
/// the limiter would be heard.
const MAX_OVERSHOOT: f64 = 2.0;

/// The loudness of a track, after EBU R 128 (2020) and ITU-R BS.1770-5.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Loudness {
    /// Integrated loudness, LUFS. Minus infinity for silence and for less than 0.4 s.
    pub integrated: f64,
    /// The highest true peak of all channels, 1.0 being full scale.
    pub true_peak: f64,
}

impl Loudness {
    /// The gain that brings the track to `target` LUFS, or as near to it as can be with little for the
    /// limiter to do. A track of unknown loudness is only turned down, until its true peak is at the
    /// limiter's ceiling.
    pub fn gain_for(&self, target: f64) -> f32 {
        let gain_to_ceiling =
            if self.true_peak > 0.0 { f64::from(CEILING) / self.true_peak } else { MAX_GAIN };
        let gain = if self.integrated.is_finite() {
            let wanted = 10f64.powf((target - self.integrated) / 20.0);
            wanted.min(MAX_GAIN).min(gain_to_ceiling * MAX_OVERSHOOT)
        } else {
            gain_to_ceiling.min(1.0)
        };
        gain as f32
    }
}

/// Measures the loudness of a track.
pub struct LoudnessMeter(EbuR128);

impl LoudnessMeter {
    /// A meter for audio of `channels` channels and `rate` samples a second. Fails for a rate or a number of
    /// channels that is 0 or very large.
    pub fn new(channels: u32, rate: u32) -> Result<Self, String> {
        // With the histogram, the memory needed does not grow with the length of the track.
        let mode = Mode::I | Mode::TRUE_PEAK | Mode::HISTOGRAM;
        EbuR128::new(channels, rate, mode)
            .map(Self)
            .map_err(|error| format!("loudness cannot be measured: {error}"))
    }

    /// Adds interleaved samples; full scale is 1.0.
    pub fn add(&mut self, samples: &[f32]) {
        // Fails only for lack of memory; then the loudness measured so far stays.
        let _ = self.0.add_frames_f32(samples);
    }

    /// The loudness of all samples so far.
    pub fn loudness(&self) -> Loudness {
        let peaks = (0..self.0.channels()).filter_map(|channel| self.0.true_peak(channel).ok());
        Loudness {
            integrated: self.0.loudness_global().unwrap_or(f64::NEG_INFINITY),
            true_peak: peaks.fold(0.0, f64::max),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The loudness of a stereo sine of 997 Hz.
    fn measure_sine(amplitude: f32, seconds: usize) -> Loudness {
        let mut meter = LoudnessMeter::new(2, 48_000).unwrap();
        let tone = |i: usize| amplitude * (i as f32 * 997.0 * std::f32::consts::TAU / 48_000.0).sin();
        meter.add(&(0..48_000 * seconds).flat_map(|i| [tone(i); 2]).collect::<Vec<_>>());
        meter.loudness()
    }

    #[test]
    fn a_full_scale_stereo_sine_is_at_zero_lufs() {
        // ITU-R BS.1770-5: the filter takes off 0.7 dB at 997 Hz, the constant puts it back; -3 dB for a
        // sine's power and +3 dB for two channels cancel.
        let loudness = measure_sine(1.0, 3);
        assert!(loudness.integrated.abs() < 0.1, "{loudness:?}");
        assert!((loudness.true_peak - 1.0).abs() < 0.01, "{loudness:?}");
    }

    #[test]
    fn gain_reaches_the_target_unless_the_peaks_are_too_high() {
        let quiet = measure_sine(0.1, 3);
        assert!((quiet.gain_for(-16.0) - 1.585).abs() < 0.02, "4 dB: {}", quiet.gain_for(-16.0));
        let peaky = Loudness { integrated: -24.0, true_peak: 1.0 };
        assert!((peaky.gain_for(-16.0) - 1.76).abs() < 0.001, "6 dB");
        assert!((peaky.gain_for(-20.0) - 1.585).abs() < 0.001, "4 dB");
        assert_eq!(Loudness { integrated: f64::NEG_INFINITY, true_peak: 1.0 }.gain_for(-16.0), CEILING);
        assert_eq!(Loudness { integrated: f64::NEG_INFINITY, true_peak: 0.0 }.gain_for(-16.0), 1.0);
        assert_eq!(Loudness { integrated: -70.0, true_peak: 0.0 }.gain_for(-16.0), 10.0);
    }
}
