//! How loud a track is, and how much to turn it up or down.

use ebur128::{EbuR128, Mode};

use super::limiter::CEILING;

/// No track is turned up more than this, 20 dB: what is that quiet is meant to be.
const MOST: f64 = 10.0;
/// A track is turned up so far that its peaks pass the ceiling by 6 dB at most: more of the limiter would be heard.
const LIMITED: f64 = 2.0;

/// By EBU R 128 (2020) and ITU-R BS.1770-5.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Loudness {
    /// Integrated, LUFS; minus infinity for silence and for less than 0.4 s.
    pub integrated: f64,
    /// Highest true peak of all channels, 1 is full scale.
    pub true_peak: f64,
}

impl Loudness {
    /// The factor that brings the track to `target` LUFS, as far as the limiter then has little to do. A track whose
    /// loudness is not known is only kept from the limiter.
    pub fn gain(&self, target: f64) -> f32 {
        let ceiling = if self.true_peak > 0.0 { f64::from(CEILING) / self.true_peak } else { MOST };
        let gain = if self.integrated.is_finite() {
            10f64.powf((target - self.integrated) / 20.0).min(MOST).min(ceiling * LIMITED)
        } else {
            ceiling.min(1.0)
        };
        gain as f32
    }
}

/// Listens to a track.
pub struct Meter(EbuR128);

impl Meter {
    pub fn new(channels: u32, rate: u32) -> Result<Self, String> {
        // The histogram keeps memory small however long a track is.
        let mode = Mode::I | Mode::TRUE_PEAK | Mode::HISTOGRAM;
        EbuR128::new(channels, rate, mode)
            .map(Self)
            .map_err(|error| format!("loudness cannot be measured: {error}"))
    }

    /// Interleaved samples.
    pub fn add(&mut self, samples: &[f32]) {
        // Fails for lack of memory only, and then the measure ends here.
        let _ = self.0.add_frames_f32(samples);
    }

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

    fn sine(amplitude: f32, seconds: usize) -> Loudness {
        let mut meter = Meter::new(2, 48_000).unwrap();
        let tone = |i: usize| amplitude * (i as f32 * 997.0 * std::f32::consts::TAU / 48_000.0).sin();
        meter.add(&(0..48_000 * seconds).flat_map(|i| [tone(i); 2]).collect::<Vec<_>>());
        meter.loudness()
    }

    #[test]
    fn a_full_scale_stereo_sine_is_at_zero_lufs() {
        // ITU-R BS.1770: 997 Hz at 0 dBFS in both front channels reads -0.7 + 0.7 dB.
        let loudness = sine(1.0, 3);
        assert!(loudness.integrated.abs() < 0.1, "{loudness:?}");
        assert!((loudness.true_peak - 1.0).abs() < 0.01, "{loudness:?}");
    }

    #[test]
    fn gain_reaches_the_target_and_leaves_little_to_the_limiter() {
        let quiet = sine(0.1, 3);
        assert!((quiet.gain(-16.0) - 1.585).abs() < 0.02, "4 dB: {}", quiet.gain(-16.0));
        let peaky = Loudness { integrated: -24.0, true_peak: 1.0 };
        assert!((peaky.gain(-16.0) - 1.76).abs() < 0.001, "6 dB");
        assert!((peaky.gain(-20.0) - 1.585).abs() < 0.001, "4 dB");
        assert_eq!(Loudness { integrated: f64::NEG_INFINITY, true_peak: 1.0 }.gain(-16.0), CEILING);
        assert_eq!(Loudness { integrated: f64::NEG_INFINITY, true_peak: 0.0 }.gain(-16.0), 1.0);
        assert_eq!(Loudness { integrated: -70.0, true_peak: 0.0 }.gain(-16.0), 10.0);
    }
}
