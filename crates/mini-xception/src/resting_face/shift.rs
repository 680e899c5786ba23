//! The shift of a distribution by a resting face.

use mood_schema::Emotion;

/// Lowest probability that is told from 0. Softmax in f32 gives 0 beyond 1e-38; below 1e-4 an emotion is absent, and how
/// absent it is would dominate every mean.
const MIN_PROBABILITY: f64 = 1e-4;

/// The coordinates of a distribution against neutral, `ln p(k) - ln p(neutral)`, nats, in [`Emotion`]'s order; neutral's is
/// 0. Probabilities below 1e-4 count as that.
pub fn log_odds(probabilities: &[f64; 7]) -> [f64; 7] {
    let logarithms = probabilities.map(|probability| probability.max(MIN_PROBABILITY).ln());
    logarithms.map(|logarithm| logarithm - logarithms[Emotion::Neutral.index()])
}

/// What is taken off the log odds of each emotion against neutral, nats; neutral's is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LogitShift([f64; 7]);

impl LogitShift {
    /// The shift that changes nothing.
    pub const ZERO: Self = Self([0.0; 7]);

    /// A shift by these values, nats, in [`Emotion`]'s order. Neutral's value is subtracted from all.
    pub fn new(values: [f64; 7]) -> Self {
        Self(values.map(|value| value - values[Emotion::Neutral.index()]))
    }

    /// The shift after which log odds of `rest` leave neutral ahead of every other emotion by `margin` nats.
    pub fn from_rest(rest: &[f64; 7], margin: f64) -> Self {
        let mut values = rest.map(|value| value + margin);
        values[Emotion::Neutral.index()] = 0.0;
        Self(values)
    }

    /// The values, nats, in [`Emotion`]'s order.
    pub fn values(&self) -> [f64; 7] {
        self.0
    }

    /// Whether it changes nothing.
    pub fn is_zero(&self) -> bool {
        self.0.iter().all(|&value| value == 0.0)
    }

    /// The shift with every value multiplied by `factor`.
    pub fn scale(&self, factor: f64) -> Self {
        Self(self.0.map(|value| value * factor))
    }

    /// Takes the shift off a distribution. The result sums to 1; a shift of 0 leaves every bit as it is.
    pub fn apply(&self, probabilities: &[f64; 7]) -> [f64; 7] {
        if self.is_zero() {
            return *probabilities;
        }
        let mut shifted = *probabilities;
        for (probability, value) in shifted.iter_mut().zip(self.0) {
            *probability *= (-value).exp();
        }
        let sum: f64 = shifted.iter().sum();
        // A distribution that is certain of an emotion may have nothing left after a large shift.
        if sum > 0.0 && sum.is_finite() { shifted.map(|value| value / sum) } else { *probabilities }
    }

    /// Moves every value towards `target` by at most `step` nats.
    pub fn approach(&mut self, target: &Self, step: f64) {
        for (value, target) in self.0.iter_mut().zip(target.0) {
            *value += (target - *value).clamp(-step, step);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FACE: [f64; 7] = [0.05, 0.01, 0.1, 0.04, 0.5, 0.05, 0.25];

    #[test]
    fn rest_reads_neutral_by_the_margin() {
        let shift = LogitShift::from_rest(&log_odds(&FACE), 2.0);
        let adjusted = shift.apply(&FACE);
        assert!((adjusted.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        for (index, value) in log_odds(&adjusted).into_iter().enumerate() {
            let expected = if index == Emotion::Neutral.index() { 0.0 } else { -2.0 };
            assert!((value - expected).abs() < 1e-9, "{index}: {value}");
        }
    }

    #[test]
    fn shift_of_zero_changes_no_bit_and_extremes_stay_distributions() {
        assert_eq!(LogitShift::default().apply(&FACE), FACE);
        let certain = [0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0];
        assert_eq!(LogitShift::new([0.0, 0.0, 0.0, 1e6, 0.0, 0.0, 0.0]).apply(&certain), certain);
        assert!(log_odds(&certain).iter().all(|value| value.is_finite()));
    }

    #[test]
    fn approach_moves_by_the_step_and_stops_at_the_target() {
        let target = LogitShift::new([0.25, -1.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        let mut shift = LogitShift::default();
        shift.approach(&target, 0.5);
        assert_eq!(shift.values(), [0.25, -0.5, 0.0, 0.0, 0.0, 0.0, 0.0]);
        shift.approach(&target, 0.5);
        assert_eq!(shift, target);
    }
}
