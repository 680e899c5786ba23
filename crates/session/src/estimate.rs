//! Means and trends of a signal that resembles itself from moment to moment, with the uncertainty that this brings.
//!
//! Frames are no independent measurements: a smile lasts. So time is cut into blocks, and the number of blocks is reduced
//! to an effective one by their lag-1 autocorrelation r: n (1 - r) / (1 + r), for means and for the residuals of trends
//! (Santer et al. 2000, doi:10.1029/1999JD901105), with r corrected for its bias in short series (Kendall 1954,
//! doi:10.1093/biomet/41.3-4.403). Intervals are Student's, 95 %.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF as _, StudentsT};

use crate::person::{Dimension, Sample};

/// Of the intervals: 95 %, both sides.
const UPPER: f64 = 0.975;
/// Blocks of a whole session, at most.
const BLOCKS: u64 = 60;
/// The shortest and the longest block of a whole session, ns.
const BLOCK: [u64; 2] = [1_000_000_000, 30_000_000_000];

/// A mean, or a difference of means, with its uncertainty.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The value.
    pub mean: f64,
    /// How sure it is; absent where there is too little to tell.
    #[serde(flatten)]
    pub band: Option<Band>,
}

/// How sure an estimate is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Band {
    /// Lower end of the 95 % confidence interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Standard error.
    pub se: f64,
    /// Degrees of freedom.
    pub df: f64,
}

/// A straight line through the values.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trend {
    /// Change of the value in a minute.
    pub per_minute: f64,
    /// How sure it is; absent where there is too little to tell.
    #[serde(flatten)]
    pub band: Option<Band>,
}

impl Band {
    fn around(value: f64, se: f64, df: f64) -> Option<Self> {
        let student = StudentsT::new(0.0, 1.0, df).ok()?;
        let half = student.inverse_cdf(UPPER) * se;
        half.is_finite().then_some(Self { low: value - half, high: value + half, se, df })
    }
}

impl Estimate {
    /// The mean of a person's classified time; `None` without any.
    pub fn of(samples: &[Sample], dimension: Dimension) -> Option<Self> {
        Self::with_blocks(samples, dimension, block_length(samples))
    }

    /// The same with blocks of a given length, ns.
    pub fn with_blocks(samples: &[Sample], dimension: Dimension, length: u64) -> Option<Self> {
        let (mut sum, mut time) = (0.0, 0.0);
        for (sample, value) in values(samples, dimension) {
            sum += value * sample.length() as f64;
            time += sample.length() as f64;
        }
        if time <= 0.0 {
            return None;
        }
        let mean = sum / time;
        let blocks = blocks(samples, dimension, length);
        let residuals: Vec<(u64, f64)> = blocks.iter().map(|block| (block.0, block.1 - mean)).collect();
        let band = spread(&residuals, 1.0).and_then(|spread| {
            Band::around(mean, (spread.variance / spread.count).sqrt(), spread.count - 1.0)
        });
        Some(Self { mean, band })
    }

    /// The mean of values that have nothing to do with each other, such as those of several events.
    pub fn of_values(values: &[f64]) -> Option<Self> {
        let count = values.len() as f64;
        if values.is_empty() {
            return None;
        }
        let mean = values.iter().sum::<f64>() / count;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
        let band = (values.len() > 2).then(|| Band::around(mean, (variance / count).sqrt(), count - 1.0));
        Some(Self { mean, band: band.flatten() })
    }

    /// By how much this is above `other` (Welch 1947, doi:10.1093/biomet/34.1-2.28).
    pub fn minus(&self, other: &Self) -> Self {
        let mean = self.mean - other.mean;
        let band = self.band.zip(other.band).and_then(|(one, two)| {
            let (one, two) = ((one.se.powi(2), one.df), (two.se.powi(2), two.df));
            let variance = one.0 + two.0;
            let df = variance.powi(2) / (one.0.powi(2) / one.1 + two.0.powi(2) / two.1);
            Band::around(mean, variance.sqrt(), df)
        });
        Self { mean, band }
    }

    /// The whole interval lies on one side of zero.
    pub fn is_sure(&self) -> bool {
        self.band.is_some_and(|band| band.low > 0.0 || band.high < 0.0)
    }
}

impl Trend {
    /// The least-squares line through a person's classified time; `None` with less than three blocks.
    pub fn of(samples: &[Sample], dimension: Dimension) -> Option<Self> {
        let length = block_length(samples);
        let minutes = |index: u64| index as f64 * length as f64 / 60e9;
        let blocks: Vec<(u64, f64)> = blocks(samples, dimension, length);
        if blocks.len() < 3 {
            return None;
        }
        let count = blocks.len() as f64;
        let middle = blocks.iter().map(|block| minutes(block.0)).sum::<f64>() / count;
        let level = blocks.iter().map(|block| block.1).sum::<f64>() / count;
        let spread_of_time: f64 = blocks.iter().map(|block| (minutes(block.0) - middle).powi(2)).sum();
        let slope = blocks.iter().map(|block| (minutes(block.0) - middle) * (block.1 - level)).sum::<f64>()
            / spread_of_time;
        let residual =
            |&(index, value): &(u64, f64)| (index, value - level - slope * (minutes(index) - middle));
        let residuals: Vec<(u64, f64)> = blocks.iter().map(residual).collect();
        let band = spread(&residuals, 2.0).and_then(|spread| {
            Band::around(slope, (spread.variance / spread_of_time).sqrt(), spread.count - 2.0)
        });
        Some(Self { per_minute: slope, band })
    }

    /// The whole interval lies on one side of zero.
    pub fn is_sure(&self) -> bool {
        self.band.is_some_and(|band| band.low > 0.0 || band.high < 0.0)
    }
}

fn values<'a>(
    samples: &'a [Sample<'a>],
    dimension: Dimension,
) -> impl Iterator<Item = (&'a Sample<'a>, f64)> {
    samples.iter().filter_map(move |sample| Some((sample, dimension.of(sample.classification()?))))
}

/// So that a session has at most [`BLOCKS`] of them, where that is neither very short nor very long.
fn block_length(samples: &[Sample]) -> u64 {
    let span = samples.first().zip(samples.last());
    let span = span.map_or(0, |(first, last)| last.end.saturating_sub(first.start));
    (span / BLOCKS).clamp(BLOCK[0], BLOCK[1])
}

/// Number and mean of every block that is at least half full, by number.
fn blocks(samples: &[Sample], dimension: Dimension, length: u64) -> Vec<(u64, f64)> {
    let Some(begin) = samples.first().map(|sample| sample.start) else { return Vec::new() };
    let mut blocks: Vec<(u64, f64, u64)> = Vec::new();
    for (sample, value) in values(samples, dimension) {
        let index = sample.start.saturating_sub(begin) / length.max(1);
        let time = sample.length();
        match blocks.last_mut() {
            Some(last) if last.0 == index => {
                last.1 += value * time as f64;
                last.2 += time;
            }
            _ => blocks.push((index, value * time as f64, time)),
        }
    }
    let full = |&(_, _, time): &(u64, f64, u64)| time.saturating_mul(2) >= length && time > 0;
    blocks.into_iter().filter(full).map(|(index, sum, time)| (index, sum / time as f64)).collect()
}

struct Spread {
    /// Effective number of blocks.
    count: f64,
    variance: f64,
}

/// How far residuals (number of the block, value) scatter, of which `fitted` parameters have been taken; `None` where
/// too few are left to say.
fn spread(residuals: &[(u64, f64)], fitted: f64) -> Option<Spread> {
    let number = residuals.len() as f64;
    if number < 4.0 {
        return None;
    }
    let squares: f64 = residuals.iter().map(|(_, value)| value.powi(2)).sum();
    let neighbours = residuals.iter().zip(residuals.iter().skip(1)).filter(|(one, two)| two.0 == one.0 + 1);
    let (mut products, mut pairs) = (0.0, 0.0);
    for ((_, one), (_, two)) in neighbours {
        products += one * two;
        pairs += 1.0;
    }
    let alike = if squares > 0.0 && pairs > 0.0 { products / pairs / (squares / number) } else { 0.0 };
    let alike = (alike + (1.0 + 4.0 * alike) / number).clamp(0.0, 0.99);
    // With two degrees of freedom the interval is wide enough to say that little is known.
    let count = (number * (1.0 - alike) / (1.0 + alike)).max(fitted + 2.0);
    Some(Spread { count, variance: squares / number * count / (count - fitted) })
}
