//! Confidence intervals by a block bootstrap. The label of a moment is mostly that of the moment before, so single moments cannot
//! be resampled; blocks of time can (Künsch 1989, doi:10.1214/aos/1176347265). The blocks begin anywhere and wrap around at the
//! end (Politis and Romano 1992, "A circular block-resampling procedure for stationary data").

use serde::{Deserialize, Serialize};

use crate::confusion::Confusion;

/// Number of resamples: enough for the second digit of a 95 % interval (Efron and Tibshirani 1993, section 13.3).
const RESAMPLES: usize = 1_000;
/// Fewest blocks that a record is cut into; of fewer, an interval says too little.
pub(crate) const MIN_BLOCKS: usize = 10;
/// Fixed, so that the same files always give the same figures.
const SEED: u64 = 20_111;

/// A 95 % confidence interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// Resamples pairs of labels (indices below `labels`, in order of time) in blocks of `block` pairs, and returns for each of the
/// `statistics` the interval from the 2.5th to the 97.5th percentile; `None` for a record of fewer than ten blocks, and for a
/// statistic that is undefined in more than a twentieth of the resamples.
pub(crate) fn intervals<const N: usize>(
    pairs: &[(usize, usize)],
    labels: usize,
    block: usize,
    statistics: [fn(&Confusion) -> Option<f64>; N],
) -> [Option<Interval>; N] {
    let block = block.max(1);
    if pairs.len() < MIN_BLOCKS * block {
        return [None; N];
    }
    let mut random = fastrand::Rng::with_seed(SEED);
    let mut values: [Vec<f64>; N] = std::array::from_fn(|_| Vec::with_capacity(RESAMPLES));
    // The blocks at the starts that are drawn most are counted once.
    let starts = pairs.len();
    let mut counted: Vec<Option<Confusion>> = vec![None; starts];
    let blocks = pairs.len().div_ceil(block);
    for _ in 0..RESAMPLES {
        let mut sample = Confusion::new(labels);
        for _ in 0..blocks {
            let start = random.usize(..starts);
            let counts = counted[start].get_or_insert_with(|| {
                let mut counts = Confusion::new(labels);
                for &(first, second) in pairs.iter().cycle().skip(start).take(block) {
                    counts.add(first, second);
                }
                counts
            });
            sample.add_all(counts);
        }
        for (values, statistic) in values.iter_mut().zip(&statistics) {
            values.extend(statistic(&sample));
        }
    }
    values.map(|mut values| {
        if values.len() * 20 < RESAMPLES * 19 {
            return None;
        }
        values.sort_by(f64::total_cmp);
        let quantile = |share: f64| values[((values.len() - 1) as f64 * share).round() as usize];
        Some(Interval { low: quantile(0.025), high: quantile(0.975) })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Labels of two coders that change every `run` units; the second errs in a fifth of the runs.
    fn pairs(runs: usize, run: usize, random: &mut fastrand::Rng) -> Vec<(usize, usize)> {
        (0..runs)
            .flat_map(|_| {
                let first = random.usize(..3);
                let second = if random.f64() < 0.2 { (first + 1) % 3 } else { first };
                std::iter::repeat_n((first, second), run)
            })
            .collect()
    }

    #[test]
    fn intervals_cover_the_true_agreement_in_most_records() {
        let mut random = fastrand::Rng::with_seed(3);
        let covered = (0..100)
            .filter(|_| {
                let pairs = pairs(80, 10, &mut random);
                let [interval] = intervals(&pairs, 3, 20, [Confusion::observed_agreement]);
                interval.is_some_and(|interval| interval.low <= 0.8 && interval.high >= 0.8)
            })
            .count();
        // 95 expected; blocks of single units would cover in some 40.
        assert!((88..=100).contains(&covered), "{covered}");
    }

    #[test]
    fn a_short_record_has_no_interval() {
        let mut random = fastrand::Rng::with_seed(3);
        let pairs = pairs(4, 10, &mut random);
        assert_eq!(intervals(&pairs, 3, 10, [Confusion::kappa]), [None]);
    }
}
