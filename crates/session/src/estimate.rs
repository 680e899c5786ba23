//! Means and linear trends of an autocorrelated signal, with 95 % confidence intervals.
//!
//! Successive frames are not independent measurements: a smile lasts many of them. The method is that of batch means (Law and
//! Carson 1979, doi:10.1287/opre.27.5.1011): time is cut into blocks, and the number n of blocks is reduced to an effective
//! sample size n (1 - r) / (1 + r) by their lag-1 autocorrelation r, for means and for the residuals of trends (Santer et al.
//! 2000, doi:10.1029/1999JD901105), with r corrected for its bias in short series (Kendall 1954,
//! doi:10.1093/biomet/41.3-4.403). Intervals are those of Student's t distribution (Student 1908,
//! doi:10.1093/biomet/6.1.1).

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF as _, StudentsT};

use crate::people::{Dimension, Observation};

/// Upper quantile of a two-sided 95 % interval.
const UPPER_QUANTILE: f64 = 0.975;
/// Largest number of blocks a session is cut into, as long as they are between [`MIN_BLOCK`] and [`MAX_BLOCK`].
const MAX_BLOCKS: u64 = 60;
/// Shortest block of a session, ns: 1 s.
const MIN_BLOCK: u64 = 1_000_000_000;
/// Longest block of a session, ns: 30 s.
const MAX_BLOCK: u64 = 30_000_000_000;

/// A mean, or a difference of two means, with its uncertainty.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The value, in the unit of the dimension.
    pub mean: f64,
    /// Its confidence interval; `None` with fewer than four blocks, an effective number of two, or two independent values.
    #[serde(flatten)]
    pub interval: Option<ConfidenceInterval>,
}

/// From so few independent blocks, by the autocorrelation as it is found, there is no interval: two values show no spread.
const MIN_EFFECTIVE_COUNT: f64 = 2.0;
/// The largest mean, of valence or of arousal.
const MAX_MEAN: f64 = 1.0;
/// The largest difference of two means.
const MAX_CHANGE: f64 = 2.0;
/// Shortest time with a trend, ns: a slope per minute is not stated from less than three minutes, in which one smile makes one.
const MIN_TREND_TIME: u64 = 180_000_000_000;

/// A 95 % confidence interval, in the unit of the estimate it belongs to, clipped to the scale of that.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConfidenceInterval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Standard error of the estimate.
    #[serde(rename = "se")]
    pub standard_error: f64,
    /// Degrees of freedom of Student's t distribution, above 0; rarely a whole number.
    #[serde(rename = "df")]
    pub degrees_of_freedom: f64,
}

/// The slope of a least-squares line through the values.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trend {
    /// Change of the value per minute.
    pub per_minute: f64,
    /// Confidence interval of the slope; `None` with fewer than four blocks.
    #[serde(flatten)]
    pub interval: Option<ConfidenceInterval>,
}

impl ConfidenceInterval {
    /// The interval around `value`, which is between `-limit` and `limit`; `None` where it is not finite, or covers half of that
    /// scale: it would say nothing.
    fn from_standard_error(
        value: f64,
        standard_error: f64,
        degrees_of_freedom: f64,
        limit: f64,
    ) -> Option<Self> {
        let student = StudentsT::new(0.0, 1.0, degrees_of_freedom).ok()?;
        let half_width = student.inverse_cdf(UPPER_QUANTILE) * standard_error;
        let says_something = half_width.is_finite() && half_width <= limit / 2.0;
        let limit = limit.max(value.abs());
        says_something.then_some(Self {
            low: (value - half_width).max(-limit),
            high: (value + half_width).min(limit),
            standard_error,
            degrees_of_freedom,
        })
    }

    /// Whether the interval does not contain zero, i.e. the value differs from zero at the 5 % level.
    fn excludes_zero(&self) -> bool {
        self.low > 0.0 || self.high < 0.0
    }
}

impl Estimate {
    /// The mean over a person's classified time, weighted by the duration of the frames, with the block duration that suits a
    /// whole session. `None` without classified time.
    pub fn from_observations(observations: &[Observation], dimension: Dimension) -> Option<Self> {
        Self::from_blocks(observations, dimension, choose_block_duration(observations))
    }

    /// As [`Self::from_observations`], with blocks of `block_duration` (ns).
    pub fn from_blocks(
        observations: &[Observation],
        dimension: Dimension,
        block_duration: u64,
    ) -> Option<Self> {
        let (mut sum, mut time) = (0.0, 0.0);
        for (observation, value) in classified_values(observations, dimension) {
            sum += value * observation.duration() as f64;
            time += observation.duration() as f64;
        }
        if time <= 0.0 {
            return None;
        }
        let mean = sum / time;
        let blocks = block_means(observations, dimension, block_duration);
        let residuals: Vec<(u64, f64)> = blocks.iter().map(|block| (block.0, block.1 - mean)).collect();
        let interval = ResidualVariance::estimate(&residuals, 1.0).and_then(|residual| {
            let standard_error = (residual.variance / residual.effective_count).sqrt();
            let degrees_of_freedom = residual.effective_count - 1.0;
            ConfidenceInterval::from_standard_error(mean, standard_error, degrees_of_freedom, MAX_MEAN)
        });
        Some(Self { mean, interval })
    }

    /// The mean of independent changes, such as one at each of several events. `None` without values.
    pub fn from_independent_values(values: &[f64]) -> Option<Self> {
        let count = values.len() as f64;
        if values.is_empty() {
            return None;
        }
        let mean = values.iter().sum::<f64>() / count;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
        let interval = (values.len() > 2)
            .then(|| (variance / count).sqrt())
            .and_then(|error| ConfidenceInterval::from_standard_error(mean, error, count - 1.0, MAX_CHANGE));
        Some(Self { mean, interval })
    }

    /// This mean minus `other`, for means of independent data with unequal variances (Welch 1947,
    /// doi:10.1093/biomet/34.1-2.28). Without an interval where either has none.
    pub fn subtract(&self, other: &Self) -> Self {
        let mean = self.mean - other.mean;
        let interval = self.interval.zip(other.interval).and_then(|(one, two)| {
            let (one, two) = (
                (one.standard_error.powi(2), one.degrees_of_freedom),
                (two.standard_error.powi(2), two.degrees_of_freedom),
            );
            let variance = one.0 + two.0;
            let degrees_of_freedom = variance.powi(2) / (one.0.powi(2) / one.1 + two.0.powi(2) / two.1);
            ConfidenceInterval::from_standard_error(mean, variance.sqrt(), degrees_of_freedom, MAX_CHANGE)
        });
        Self { mean, interval }
    }

    /// Whether the value differs from zero at the 5 % level.
    pub fn is_significant(&self) -> bool {
        self.interval.is_some_and(|interval| interval.excludes_zero())
    }
}

impl Trend {
    /// Fits a line by ordinary least squares to the block means of a person's classified time; `None` with fewer than three
    /// blocks, or less than three minutes between the first and the last.
    pub fn from_observations(observations: &[Observation], dimension: Dimension) -> Option<Self> {
        let duration = choose_block_duration(observations);
        let minutes = |index: u64| index as f64 * duration as f64 / 60e9;
        let blocks: Vec<(u64, f64)> = block_means(observations, dimension, duration);
        let (first, last) = blocks.first().zip(blocks.last())?;
        let blocks_between = (last.0 + 1).saturating_sub(first.0);
        if blocks.len() < 3 || blocks_between.saturating_mul(duration) < MIN_TREND_TIME {
            return None;
        }
        let count = blocks.len() as f64;
        let mean_time = blocks.iter().map(|block| minutes(block.0)).sum::<f64>() / count;
        let mean_value = blocks.iter().map(|block| block.1).sum::<f64>() / count;
        let sum_squares_time: f64 = blocks.iter().map(|block| (minutes(block.0) - mean_time).powi(2)).sum();
        let slope =
            blocks.iter().map(|block| (minutes(block.0) - mean_time) * (block.1 - mean_value)).sum::<f64>()
                / sum_squares_time;
        let residual =
            |&(index, value): &(u64, f64)| (index, value - mean_value - slope * (minutes(index) - mean_time));
        let residuals: Vec<(u64, f64)> = blocks.iter().map(residual).collect();
        let interval = ResidualVariance::estimate(&residuals, 2.0).and_then(|residual| {
            let standard_error = (residual.variance / sum_squares_time).sqrt();
            let degrees_of_freedom = residual.effective_count - 2.0;
            ConfidenceInterval::from_standard_error(slope, standard_error, degrees_of_freedom, f64::INFINITY)
        });
        Some(Self { per_minute: slope, interval })
    }

    /// Whether the slope differs from zero at the 5 % level.
    pub fn is_significant(&self) -> bool {
        self.interval.is_some_and(|interval| interval.excludes_zero())
    }
}

/// The classified observations with their values in the dimension.
fn classified_values<'a>(
    observations: &'a [Observation<'a>],
    dimension: Dimension,
) -> impl Iterator<Item = (&'a Observation<'a>, f64)> {
    observations
        .iter()
        .filter_map(move |observation| Some((observation, dimension.value(observation.classification()?))))
}

/// Duration of a session's blocks, ns: a [`MAX_BLOCKS`]th of the session, within [`MIN_BLOCK`] and [`MAX_BLOCK`].
fn choose_block_duration(observations: &[Observation]) -> u64 {
    let ends = observations.first().zip(observations.last());
    let duration = ends.map_or(0, |(first, last)| last.end.saturating_sub(first.start));
    (duration / MAX_BLOCKS).clamp(MIN_BLOCK, MAX_BLOCK)
}

/// Index and mean of each block of `block_duration` (ns) that is classified for at least half of its time, by index.
fn block_means(observations: &[Observation], dimension: Dimension, block_duration: u64) -> Vec<(u64, f64)> {
    let Some(start) = observations.first().map(|observation| observation.start) else { return Vec::new() };
    // Index, time-weighted sum of the values, classified time.
    let mut blocks: Vec<(u64, f64, u64)> = Vec::new();
    for (observation, value) in classified_values(observations, dimension) {
        let index = observation.start.saturating_sub(start) / block_duration.max(1);
        let time = observation.duration();
        match blocks.last_mut() {
            Some(last) if last.0 == index => {
                last.1 += value * time as f64;
                last.2 += time;
            }
            _ => blocks.push((index, value * time as f64, time)),
        }
    }
    let is_half_full = |&(_, _, time): &(u64, f64, u64)| time.saturating_mul(2) >= block_duration && time > 0;
    blocks.into_iter().filter(is_half_full).map(|(index, sum, time)| (index, sum / time as f64)).collect()
}

/// Variance of autocorrelated residuals.
struct ResidualVariance {
    /// Effective number of blocks.
    effective_count: f64,
    variance: f64,
}

impl ResidualVariance {
    /// Estimates the variance of residuals (index of the block, value) of a model with `parameters` fitted parameters; `None`
    /// with fewer than four residuals, or as many independent ones as say nothing.
    fn estimate(residuals: &[(u64, f64)], parameters: f64) -> Option<Self> {
        let count = residuals.len() as f64;
        if count < 4.0 {
            return None;
        }
        let sum_squares: f64 = residuals.iter().map(|(_, value)| value.powi(2)).sum();
        let neighbours =
            residuals.iter().zip(residuals.iter().skip(1)).filter(|(one, two)| two.0 == one.0 + 1);
        let (mut products, mut pairs) = (0.0, 0.0);
        for ((_, one), (_, two)) in neighbours {
            products += one * two;
            pairs += 1.0;
        }
        let autocorrelation =
            if sum_squares > 0.0 && pairs > 0.0 { products / pairs / (sum_squares / count) } else { 0.0 };
        let effective_count =
            |autocorrelation: f64| count * (1.0 - autocorrelation) / (1.0 + autocorrelation);
        if effective_count(autocorrelation) <= MIN_EFFECTIVE_COUNT {
            return None;
        }
        let corrected = (autocorrelation + (1.0 + 4.0 * autocorrelation) / count).clamp(0.0, 0.99);
        // At least two degrees of freedom: their interval is wide enough to show how little is known.
        let effective_count = effective_count(corrected).max(parameters + 2.0);
        let variance = sum_squares / count * effective_count / (effective_count - parameters);
        Some(Self { effective_count, variance })
    }
}
