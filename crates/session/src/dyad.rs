//! Two people together: whether their expressions go along with each other, who leads, and when both smile.
//!
//! The method is that of Ramseyer and Tschacher (2011, doi:10.1037/a0023419) for movement, here for valence and arousal: the two
//! curves are cut into windows of a minute, in each of which they are correlated at lags of up to 5 s; Fisher's Z of the absolute
//! correlations is averaged over lags and windows. What chance gives is found by pairing each window of one person with another
//! window of the other ("pseudo-interactions"), which keeps everything but that the two were together.

use mood_schema::{Emotion, Label};
use serde::{Deserialize, Serialize};

use crate::people::{Dimension, Observation};
use crate::{Episode, Timeline};

/// Time between two values of a curve, ns: expressions are estimated every 0.2 s and smoothed over 0.3 s.
const STEP: u64 = 500_000_000;
/// Values in a window: one minute.
const WINDOW: usize = 120;
/// Largest lag, values: 5 s.
const MAX_LAG: usize = 10;
/// Share of a window's values that both must have.
const MIN_FILLED: f64 = 0.75;
/// Fewest pairs of values that are correlated.
const MIN_PAIRS: usize = 30;
/// Fewest windows: of eight, windows can be paired otherwise in 14,833 ways.
const MIN_WINDOWS: usize = 8;
/// Number of surrogates; a twentieth of them is 50.
const SURROGATES: usize = 999;
/// Above this number of windows, with far more possible pairs, fewer surrogates are as good.
const MANY_WINDOWS: usize = 300;
/// Number of surrogates of so many windows.
const FEW_SURROGATES: usize = 199;
/// Fixed, so that the same session always has the same figures.
const SEED: u64 = 20_110;
/// Correlations nearer to 1 than this have no finite Fisher's Z.
const MAX_CORRELATION: f64 = 0.999_999;
/// A smaller p value counts as more than chance.
const ALPHA: f64 = 0.05;
/// Two people without names are looked at where both are classified for this long, ns.
pub(crate) const MIN_COMMON_UNNAMED: u64 = 60_000_000_000;
/// A smile that both share for less time, ns, is none.
const MIN_SHARED: u64 = 500_000_000;
/// Smiles that begin within this time of each other, ns, have nobody who was first.
const MIN_PRECEDENCE: u64 = 300_000_000;
/// Most pairs that are looked at.
pub(crate) const MAX_PAIRS: usize = 3;

/// Two people together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dyad {
    /// Ids of the two, the report's subject first.
    pub people: [u32; 2],
    /// Their names.
    pub names: [String; 2],
    /// Time in which both were found and classified, ns.
    pub common: u64,
    /// Number of windows of a minute in which both were there for three quarters of the time.
    pub windows: u64,
    /// Valence together; `None` with too few windows in which both curves move.
    pub valence: Option<Synchrony>,
    /// Arousal together; `None` as above.
    pub arousal: Option<Synchrony>,
    /// Smiles of both at the same time.
    pub smiles: SharedSmiles,
}

/// How two curves go along with each other.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Synchrony {
    /// Number of windows that count.
    pub windows: u64,
    /// Mean of Fisher's Z of the absolute correlations over lags from -5 to 5 s and windows, 0 or above.
    pub strength: f64,
    /// What chance gives: the mean of the same over all pairs of windows of different times.
    pub chance: f64,
    /// Strength minus chance in standard deviations of the surrogates.
    pub effect_size: f64,
    /// Share of surrogates that are at least as strong, one-sided.
    pub p: f64,
    /// Mean Z where the second person follows the first, minus that where the first follows the second: positive where the first
    /// leads.
    pub lead: f64,
    /// Share of surrogates in which `lead` is at least as far from 0.
    pub lead_p: f64,
    /// Id of the person who leads; `None` where strength or lead are within chance (p of 0.05 or more).
    pub leader: Option<u32>,
    /// Lag at which the correlations are strongest on average, s; positive where the second person follows.
    pub lag_seconds: f64,
    /// Mean signed correlation at that lag, -1 to 1: above 0 where both go the same way.
    pub correlation: f64,
}

/// Smiles of two people at the same time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SharedSmiles {
    /// Time in which both smiled, ns.
    pub time: u64,
    /// What that would be if both smiled as much but independently of each other, ns.
    pub expected: u64,
    /// The smiles in order of time.
    pub smiles: Vec<SharedSmile>,
}

/// A span of time in which both smiled, and who smiled first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharedSmile {
    /// Where the later one begins to smile, stream time, ns.
    pub start: u64,
    /// Where the first one ceases, ns.
    pub end: u64,
    /// Id of the person who smiled first; `None` where both began within 0.3 s.
    pub first: Option<u32>,
}

/// What is known of one of two people.
pub(crate) struct DyadMember<'a> {
    /// Id of the person.
    pub(crate) id: u32,
    /// Display name.
    pub(crate) name: &'a str,
    /// The episodes in order of time, which may be corrected.
    pub(crate) episodes: &'a [Episode],
    /// Share of the labelled time with a smile, 0-1.
    pub(crate) smile_share: f64,
}

impl Dyad {
    /// Looks at two people of a timeline.
    pub(crate) fn new(timeline: &Timeline, first: &DyadMember, second: &DyadMember) -> Self {
        let common = timeline
            .frames_with_duration()
            .filter(|(frame, _)| {
                [first.id, second.id].iter().all(|&id| {
                    Timeline::find_face(frame, id).is_some_and(|face| face.classification.is_some())
                })
            })
            .fold(0u64, |time, (_, duration)| time.saturating_add(duration));
        let mut windows = 0;
        let mut synchrony = |dimension| {
            let curves = [first.id, second.id].map(|id| sample_curve(timeline, id, dimension));
            let found = filled_windows(&curves);
            windows = found.len() as u64;
            Synchrony::measure(&curves, &found, [first.id, second.id])
        };
        let (valence, arousal) = (synchrony(Dimension::Valence), synchrony(Dimension::Arousal));
        Self {
            people: [first.id, second.id],
            names: [first.name.to_owned(), second.name.to_owned()],
            common,
            windows,
            valence,
            arousal,
            smiles: SharedSmiles::find(first, second, common),
        }
    }

    /// Whether there is too little of the two together to say whether they go along with each other.
    pub fn is_too_short(&self) -> bool {
        self.windows < MIN_WINDOWS as u64
    }

    /// The least number of windows of a minute that an analysis takes.
    pub const MIN_WINDOWS: u64 = MIN_WINDOWS as u64;
}

/// A person's values at every [`STEP`] from the start of the recording: the mean over the frames that begin in it, weighted by their
/// durations. `None` where the person was not classified.
pub(crate) fn sample_curve(timeline: &Timeline, person_id: u32, dimension: Dimension) -> Vec<Option<f64>> {
    let [begin, end] = timeline.span();
    let count = usize::try_from((end - begin).div_ceil(STEP)).unwrap_or(0);
    let mut sums = vec![(0.0, 0.0); count];
    for (frame, duration) in timeline.frames_with_duration() {
        let Some(face) = Timeline::find_face(frame, person_id) else { continue };
        let observation = Observation { start: frame.pts, end: frame.pts.saturating_add(duration), face };
        let Some(classification) = observation.classification() else { continue };
        let index = (frame.pts.saturating_sub(begin) / STEP) as usize;
        if let Some((sum, time)) = sums.get_mut(index) {
            *sum += dimension.value(classification) * duration as f64;
            *time += duration as f64;
        }
    }
    sums.into_iter().map(|(sum, time)| (time > 0.0).then(|| sum / time)).collect()
}

/// Time between two values of [`sample_curve`], s.
pub(crate) const STEP_SECONDS: f64 = STEP as f64 / 1e9;

/// The starts of the windows in which both curves have enough values.
fn filled_windows(curves: &[Vec<Option<f64>>; 2]) -> Vec<usize> {
    let count = curves[0].len().min(curves[1].len());
    let is_filled = |&start: &usize| {
        let both = (start..start + WINDOW).filter(|&index| curves.iter().all(|curve| curve[index].is_some()));
        both.count() as f64 >= MIN_FILLED * WINDOW as f64
    };
    (0..count / WINDOW).map(|window| window * WINDOW).filter(is_filled).collect()
}

/// Fisher's Z of the correlations of two windows at each lag from -[`MAX_LAG`] to [`MAX_LAG`]; at positive lags the second curve is
/// later. `None` where too few values remain, or a curve does not move.
fn cross_correlate(first: &[Option<f64>], second: &[Option<f64>]) -> Option<[f64; 2 * MAX_LAG + 1]> {
    let mut values = [0.0; 2 * MAX_LAG + 1];
    for (index, value) in values.iter_mut().enumerate() {
        let (skip_first, skip_second) = (MAX_LAG.saturating_sub(index), index.saturating_sub(MAX_LAG));
        let pairs = first.iter().skip(skip_first).zip(second.iter().skip(skip_second));
        let (mut count, mut sums, mut squares, mut products) = (0.0, [0.0; 2], [0.0; 2], 0.0);
        for (one, two) in pairs {
            let (Some(one), Some(two)) = (one, two) else { continue };
            count += 1.0;
            sums = [sums[0] + one, sums[1] + two];
            squares = [squares[0] + one * one, squares[1] + two * two];
            products += one * two;
        }
        if count < MIN_PAIRS as f64 {
            return None;
        }
        let variances = [0, 1].map(|side| squares[side] / count - (sums[side] / count).powi(2));
        // Rounding leaves a curve that does not move with a variance of this order.
        if variances.iter().any(|&variance| variance <= 1e-12) {
            return None;
        }
        let covariance = products / count - sums[0] / count * (sums[1] / count);
        let correlation = covariance / (variances[0] * variances[1]).sqrt();
        *value = correlation.clamp(-MAX_CORRELATION, MAX_CORRELATION).atanh();
    }
    Some(values)
}

/// Strength and lead of a pair of windows: the mean absolute Z over all lags, and that over positive minus that over negative lags.
fn describe_pair(values: &[f64; 2 * MAX_LAG + 1]) -> [f64; 2] {
    let mean = |lags: &[f64]| lags.iter().map(|value| value.abs()).sum::<f64>() / lags.len() as f64;
    [mean(values), mean(&values[MAX_LAG + 1..]) - mean(&values[..MAX_LAG])]
}

impl Synchrony {
    /// Correlates the windows; `None` with too few in which both curves move.
    fn measure(curves: &[Vec<Option<f64>>; 2], windows: &[usize], ids: [u32; 2]) -> Option<Self> {
        let slice = |side: usize, window: usize| &curves[side][window..window + WINDOW];
        let real: Vec<(usize, [f64; 2 * MAX_LAG + 1])> = windows
            .iter()
            .filter_map(|&window| Some((window, cross_correlate(slice(0, window), slice(1, window))?)))
            .collect();
        let count = real.len();
        if count < MIN_WINDOWS {
            return None;
        }
        let mean = |values: &mut dyn Iterator<Item = f64>| values.sum::<f64>() / count as f64;
        let described: Vec<[f64; 2]> = real.iter().map(|(_, values)| describe_pair(values)).collect();
        let strength = mean(&mut described.iter().map(|pair| pair[0]));
        let lead = mean(&mut described.iter().map(|pair| pair[1]));
        // Of every lag, the mean of the absolute and of the signed values.
        let by_lag: Vec<[f64; 2]> = (0..2 * MAX_LAG + 1)
            .map(|lag| {
                [
                    mean(&mut real.iter().map(|(_, values)| values[lag].abs())),
                    mean(&mut real.iter().map(|(_, values)| values[lag])),
                ]
            })
            .collect();
        let best = (0..by_lag.len()).max_by(|&a, &b| by_lag[a][0].total_cmp(&by_lag[b][0]))?;
        let starts: Vec<usize> = real.iter().map(|(window, _)| *window).collect();
        let mut pairs = PairTable::new(count, |one, two| {
            cross_correlate(slice(0, starts[one]), slice(1, starts[two])).map(|values| describe_pair(&values))
        });
        let surrogates = pairs.surrogates();
        let chance = pairs.mean_strength().unwrap_or_else(|| {
            surrogates.iter().map(|surrogate| surrogate[0]).sum::<f64>() / surrogates.len() as f64
        });
        let total = surrogates.len() as f64;
        let deviation =
            (surrogates.iter().map(|surrogate| (surrogate[0] - chance).powi(2)).sum::<f64>() / total).sqrt();
        let share = |is_beyond: &dyn Fn(&[f64; 2]) -> bool| {
            (1 + surrogates.iter().filter(|surrogate| is_beyond(surrogate)).count()) as f64 / (1.0 + total)
        };
        let p = share(&|surrogate| surrogate[0] >= strength);
        let lead_p = share(&|surrogate| surrogate[1].abs() >= lead.abs());
        let leader = (p < ALPHA && lead_p < ALPHA).then(|| if lead > 0.0 { ids[0] } else { ids[1] });
        Some(Self {
            windows: count as u64,
            strength,
            chance,
            effect_size: if deviation > 0.0 { (strength - chance) / deviation } else { 0.0 },
            p,
            lead,
            lead_p,
            leader,
            lag_seconds: (best as f64 - MAX_LAG as f64) * STEP_SECONDS,
            correlation: by_lag[best][1].tanh(),
        })
    }

    /// Whether the two go along with each other more than chance gives.
    pub fn is_significant(&self) -> bool {
        self.p < ALPHA
    }
}

/// Strength and lead of every pair of windows, computed when first asked for.
struct PairTable<F: Fn(usize, usize) -> Option<[f64; 2]>> {
    count: usize,
    compute: F,
    known: Vec<Option<[f64; 2]>>,
}

impl<F: Fn(usize, usize) -> Option<[f64; 2]>> PairTable<F> {
    fn new(count: usize, compute: F) -> Self {
        Self { count, compute, known: vec![None; count * count] }
    }

    fn get(&mut self, one: usize, two: usize) -> [f64; 2] {
        let index = one * self.count + two;
        // Each window moves by itself; with the gaps of two, too few values may remain, which is no relation.
        *self.known[index].get_or_insert_with(|| (self.compute)(one, two).unwrap_or([0.0; 2]))
    }

    /// Means of strength and lead, for random pairings in which no window keeps its own.
    fn surrogates(&mut self) -> Vec<[f64; 2]> {
        let mut random = fastrand::Rng::with_seed(SEED);
        let number = if self.count > MANY_WINDOWS { FEW_SURROGATES } else { SURROGATES };
        let mut partners: Vec<usize> = (0..self.count).collect();
        (0..number)
            .map(|_| {
                // A shuffle leaves no window in its place in 37 % of cases.
                loop {
                    random.shuffle(&mut partners);
                    if partners.iter().enumerate().all(|(one, &two)| one != two) {
                        break;
                    }
                }
                let mut sums = [0.0; 2];
                for (one, &two) in partners.iter().enumerate() {
                    let pair = self.get(one, two);
                    sums = [sums[0] + pair[0], sums[1] + pair[1]];
                }
                sums.map(|sum| sum / self.count as f64)
            })
            .collect()
    }

    /// The mean strength of all pairs of different windows; `None` of so many windows that they are not all computed.
    fn mean_strength(&mut self) -> Option<f64> {
        if self.count > MANY_WINDOWS {
            return None;
        }
        let mut sum = 0.0;
        for one in 0..self.count {
            for two in (0..self.count).filter(|&two| two != one) {
                sum += self.get(one, two)[0];
            }
        }
        Some(sum / (self.count * (self.count - 1)) as f64)
    }
}

impl SharedSmiles {
    /// The smiles of two people; `common` is the time in which both were classified, ns.
    fn find(first: &DyadMember, second: &DyadMember, common: u64) -> Self {
        let is_smile = |episode: &&Episode| episode.label == Label::Known(Emotion::Happy);
        let mut smiles = Vec::new();
        let sides = [first, second].map(|member| member.episodes.iter().filter(is_smile).collect::<Vec<_>>());
        let mut from = 0;
        for one in &sides[0] {
            from += sides[1].iter().skip(from).take_while(|two| two.end <= one.start).count();
            for two in sides[1].iter().skip(from).take_while(|two| two.start < one.end) {
                let (start, end) = (one.start.max(two.start), one.end.min(two.end));
                if end.saturating_sub(start) < MIN_SHARED {
                    continue;
                }
                let first = match one.start.abs_diff(two.start) >= MIN_PRECEDENCE {
                    true if one.start < two.start => Some(first.id),
                    true => Some(second.id),
                    false => None,
                };
                smiles.push(SharedSmile { start, end, first });
            }
        }
        Self {
            time: smiles.iter().map(|smile| smile.end - smile.start).sum(),
            expected: (first.smile_share * second.smile_share * common as f64).round() as u64,
            smiles,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A curve of `count` values that drifts, as expressions do.
    fn drift(count: usize, random: &mut fastrand::Rng) -> Vec<Option<f64>> {
        let mut value = 0.0;
        (0..count)
            .map(|_| {
                value = 0.9 * value + random.f64() - 0.5;
                Some(value)
            })
            .collect()
    }

    /// The same curve `lag` values later, with noise of its own.
    fn follow(curve: &[Option<f64>], lag: usize, random: &mut fastrand::Rng) -> Vec<Option<f64>> {
        (0..curve.len())
            .map(|index| Some(curve[index.saturating_sub(lag)].unwrap_or(0.0) + 0.5 * (random.f64() - 0.5)))
            .collect()
    }

    #[test]
    fn the_one_who_is_followed_leads_and_gaps_change_little() {
        let mut random = fastrand::Rng::with_seed(7);
        let first = drift(12 * WINDOW, &mut random);
        let mut second = follow(&first, 4, &mut random);
        for lost in second.iter_mut().skip(30).step_by(11) {
            *lost = None;
        }
        let curves = [first, second];
        let windows = filled_windows(&curves);
        assert_eq!(windows.len(), 12);
        let found = Synchrony::measure(&curves, &windows, [1, 2]).unwrap();
        assert_eq!((found.leader, found.lag_seconds), (Some(1), 2.0), "{found:?}");
        assert!(found.p <= 0.01 && found.correlation > 0.8, "{found:?}");
        let [first, second] = curves;
        let found = Synchrony::measure(&[second, first], &windows, [2, 1]).unwrap();
        assert_eq!((found.leader, found.lag_seconds), (Some(1), -2.0));
    }

    #[test]
    fn people_without_a_relation_seem_to_have_one_as_often_as_stated() {
        let mut random = fastrand::Rng::with_seed(8);
        let (mut related, mut led) = (0, 0);
        const PAIRS: usize = 60;
        for _ in 0..PAIRS {
            let curves = [drift(10 * WINDOW, &mut random), drift(10 * WINDOW, &mut random)];
            let found = Synchrony::measure(&curves, &filled_windows(&curves), [1, 2]).unwrap();
            related += usize::from(found.p < 0.2);
            led += usize::from(found.lead_p < 0.2);
        }
        // A fifth is expected: 12, with a standard deviation of 3.1.
        assert!((4..=21).contains(&related) && (4..=21).contains(&led), "{related} and {led} of {PAIRS}");
    }

    #[test]
    fn curves_that_are_short_full_of_gaps_or_still_say_nothing() {
        let mut random = fastrand::Rng::with_seed(9);
        let long = drift(12 * WINDOW, &mut random);
        let measure = |first: &[Option<f64>], second: &[Option<f64>]| {
            let curves = [first.to_vec(), second.to_vec()];
            Synchrony::measure(&curves, &filled_windows(&curves), [1, 2])
        };
        assert_eq!(measure(&long[..7 * WINDOW], &long[..7 * WINDOW]), None);
        assert_eq!(measure(&long, &vec![Some(0.25); long.len()]), None);
        let gaps: Vec<_> =
            long.iter().enumerate().map(|(index, value)| value.filter(|_| index % 3 > 0)).collect();
        assert_eq!(measure(&long, &gaps), None);
        assert_eq!(measure(&[], &[]), None);
    }
}
