//! A track's gain, which is corrected slowly.

/// How fast a gain moves to a new target, dB a second: about as a hand on a fader would, without being noticed
/// as a step.
const SLOPE: f64 = 2.0;

/// A gain that moves to its target by [`SLOPE`], in dB, from sample to sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GainRamp {
    gain: f64,
    target: f32,
    /// The factor from one sample to the next, more than 1.
    step: f64,
}

impl GainRamp {
    /// A gain that stays as it is, for `rate` samples a second.
    pub fn new(gain: f32, rate: u32) -> Self {
        Self { gain: f64::from(gain), target: gain, step: 10f64.powf(SLOPE / 20.0 / f64::from(rate.max(1))) }
    }

    /// Sets the gain to move to.
    pub fn set_target(&mut self, target: f32) {
        self.target = target;
    }

    /// The gain of the next sample.
    pub fn advance(&mut self) -> f32 {
        let target = f64::from(self.target);
        if self.gain < target {
            self.gain = (self.gain * self.step).min(target);
        } else if self.gain > target {
            self.gain = (self.gain / self.step).max(target);
        }
        self.gain as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gain_moves_by_two_db_a_second_without_a_step_and_stops_at_its_target() {
        const RATE: usize = 8_000;
        for (from, to) in [(0.25f32, 1.0f32), (1.0, 0.25)] {
            let mut ramp = GainRamp::new(from, RATE as u32);
            assert_eq!(ramp.advance(), from);
            ramp.set_target(to);
            let gains: Vec<f32> = (0..7 * RATE).map(|_| ramp.advance()).collect();
            let in_db = |gain: f32| 20.0 * f64::from(gain).log10();
            assert!(((in_db(gains[3 * RATE]) - in_db(gains[2 * RATE])).abs() - 2.0).abs() < 0.001);
            let step = gains.windows(2).map(|pair| (pair[1] / pair[0]).ln().abs()).fold(0.0, f32::max);
            assert!(step < 1e-4, "{step}");
            assert_eq!(gains.last(), Some(&to), "12 dB take 6 s");
        }
    }
}
