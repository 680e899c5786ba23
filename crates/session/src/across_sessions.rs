//! What several sessions of one person show together: the trend from session to session, and the difference between conditions.
//!
//! The sessions are the sample, not their frames: one session may differ from the next by mood, room or light, which the interval of
//! a single session does not know. So each session counts once, by its mean, and intervals come from resampling whole sessions
//! (cluster bootstrap: Davison and Hinkley 1997, section 3.8, ISBN 978-0-521-57471-6; percentile intervals). Fewer than six sessions have no
//! interval: so few resamples differ too little from each other.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// Fewest sessions from which an interval of a trend, or of a difference within sessions, is computed.
const MIN_SESSIONS: usize = 6;
/// Fewest sessions of each of two conditions that are in different sessions.
const MIN_SESSIONS_EACH: usize = 4;
/// Number of resamples: enough for the second digit of a 95 % interval (Efron and Tibshirani 1993, section 13.3).
const RESAMPLES: usize = 2_000;
/// Fixed, so that the same sessions always give the same figures.
const SEED: u64 = 20_260;
/// Days in a week.
const WEEK: f64 = 7.0;

/// A value over several sessions.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct AcrossEstimate {
    /// The value.
    pub value: f64,
    /// Lower end of its 95 % interval; `None` from too few sessions.
    pub low: Option<f64>,
    /// Upper end of its 95 % interval; `None` from too few sessions.
    pub high: Option<f64>,
}

/// What the trend runs over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrendUnit {
    /// Weeks, where the date of every session is known and not all are the same.
    Week,
    /// Sessions in the order given.
    Session,
}

/// The trend over sessions.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SessionTrend {
    /// What it runs over.
    pub per: TrendUnit,
    /// Number of sessions.
    pub sessions: usize,
    /// Change of valence per unit: the slope of the least-squares line through the means of the sessions.
    pub valence: AcrossEstimate,
    /// Change of arousal per unit.
    pub arousal: AcrossEstimate,
}

/// The sessions under one condition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConditionMean {
    /// What the notes call it.
    pub condition: String,
    /// Number of sessions.
    pub sessions: usize,
    /// Mean of the sessions' mean valence.
    pub valence: AcrossEstimate,
    /// Mean of the sessions' mean arousal.
    pub arousal: AcrossEstimate,
}

/// The difference between two conditions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConditionContrast {
    /// The condition from which the other is subtracted.
    pub first: String,
    /// The condition that is subtracted.
    pub second: String,
    /// Whether only sessions that have both are compared, each with itself.
    pub paired: bool,
    /// Number of sessions.
    pub sessions: usize,
    /// Difference of valence.
    pub valence: AcrossEstimate,
    /// Difference of arousal.
    pub arousal: AcrossEstimate,
}

/// Mean valence and arousal of a session or of its parts under a condition.
pub(crate) type Means = [f64; 2];

/// A session as it is compared.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct SessionPoint {
    /// Days since any fixed date; `None` where the date is unknown.
    pub day: Option<f64>,
    /// Means over the whole session.
    pub means: Means,
    /// Means by condition, where the notes name conditions.
    pub conditions: BTreeMap<String, Means>,
}

/// The trend over sessions; `None` with fewer than three.
pub(crate) fn find_trend(sessions: &[SessionPoint]) -> Option<SessionTrend> {
    let days: Option<Vec<f64>> = sessions.iter().map(|session| session.day).collect();
    let days = days.filter(|days| days.iter().any(|day| Some(day) != days.first()));
    let (per, times) = match days {
        Some(days) => (TrendUnit::Week, days.iter().map(|day| day / WEEK).collect::<Vec<f64>>()),
        None => (TrendUnit::Session, (0..sessions.len()).map(|index| index as f64).collect()),
    };
    if sessions.len() < 3 {
        return None;
    }
    let points: Vec<(f64, Means)> =
        times.into_iter().zip(sessions.iter().map(|session| session.means)).collect();
    let [valence, arousal] = estimate(&points, MIN_SESSIONS, |points| [slope(points, 0), slope(points, 1)])?;
    Some(SessionTrend { per, sessions: points.len(), valence, arousal })
}

/// The means of every condition that the sessions have, by name.
pub(crate) fn find_condition_means(sessions: &[SessionPoint]) -> Vec<ConditionMean> {
    names(sessions)
        .into_iter()
        .filter_map(|condition| {
            let means: Vec<Means> =
                sessions.iter().filter_map(|s| s.conditions.get(&condition)).copied().collect();
            let [valence, arousal] = estimate(&means, MIN_SESSIONS, |means| mean(means).map(Some))?;
            Some(ConditionMean { condition, sessions: means.len(), valence, arousal })
        })
        .collect()
}

/// The difference between every two conditions: within the sessions that have both, where there are at least two, else between
/// sessions.
pub(crate) fn find_contrasts(sessions: &[SessionPoint]) -> Vec<ConditionContrast> {
    let names: Vec<String> = names(sessions).into_iter().collect();
    let mut contrasts = Vec::new();
    for (index, first) in names.iter().enumerate() {
        for second in &names[index + 1..] {
            contrasts.extend(contrast(sessions, first, second));
        }
    }
    contrasts
}

/// The difference between two conditions.
fn contrast(sessions: &[SessionPoint], first: &str, second: &str) -> Option<ConditionContrast> {
    let of = |condition: &str| -> Vec<Means> {
        sessions.iter().filter_map(|session| session.conditions.get(condition)).copied().collect()
    };
    let differences: Vec<Means> = sessions
        .iter()
        .filter_map(|session| {
            let (one, two) = (session.conditions.get(first)?, session.conditions.get(second)?);
            Some([one[0] - two[0], one[1] - two[1]])
        })
        .collect();
    let paired = differences.len() > 1;
    let (count, [valence, arousal]) = if paired {
        (differences.len(), estimate(&differences, MIN_SESSIONS, |values| mean(values).map(Some))?)
    } else {
        let (ones, twos) = (of(first), of(second));
        (ones.len() + twos.len(), estimate_difference(&ones, &twos)?)
    };
    let (first, second) = (first.to_owned(), second.to_owned());
    Some(ConditionContrast { first, second, paired, sessions: count, valence, arousal })
}

/// The conditions of all sessions.
fn names(sessions: &[SessionPoint]) -> BTreeSet<String> {
    sessions.iter().flat_map(|session| session.conditions.keys().cloned()).collect()
}

fn mean(values: &[Means]) -> Means {
    let count = values.len() as f64;
    [0, 1].map(|dimension| values.iter().map(|value| value[dimension]).sum::<f64>() / count)
}

/// The slope of the least-squares line; `None` where all times are the same.
fn slope(points: &[(f64, Means)], dimension: usize) -> Option<f64> {
    let count = points.len() as f64;
    let middle = points.iter().map(|point| point.0).sum::<f64>() / count;
    let level = points.iter().map(|point| point.1[dimension]).sum::<f64>() / count;
    let squares: f64 = points.iter().map(|point| (point.0 - middle).powi(2)).sum();
    let products: f64 = points.iter().map(|point| (point.0 - middle) * (point.1[dimension] - level)).sum();
    (squares > 1e-12).then(|| products / squares)
}

/// A statistic of both dimensions with intervals from resampled sessions; `None` where the sessions themselves have no such statistic.
fn estimate<T: Clone>(
    sessions: &[T],
    min_sessions: usize,
    statistic: impl Fn(&[T]) -> [Option<f64>; 2],
) -> Option<[AcrossEstimate; 2]> {
    if sessions.is_empty() {
        return None;
    }
    let [Some(first), Some(second)] = statistic(sessions) else { return None };
    let resampled = (sessions.len() >= min_sessions).then(|| {
        let mut random = fastrand::Rng::with_seed(SEED);
        let draws = (0..RESAMPLES).map(|_| statistic(&resample(sessions, &mut random)));
        draws.collect::<Vec<_>>()
    });
    Some(with_intervals([first, second], resampled))
}

/// The difference of the means of two groups of sessions, each of which is resampled by itself; `None` where a group is empty.
fn estimate_difference(ones: &[Means], twos: &[Means]) -> Option<[AcrossEstimate; 2]> {
    if ones.is_empty() || twos.is_empty() {
        return None;
    }
    let subtract = |ones: &[Means], twos: &[Means]| {
        let (ones, twos) = (mean(ones), mean(twos));
        [ones[0] - twos[0], ones[1] - twos[1]]
    };
    let resampled = (ones.len().min(twos.len()) >= MIN_SESSIONS_EACH).then(|| {
        let mut random = fastrand::Rng::with_seed(SEED);
        let draw = |_| subtract(&resample(ones, &mut random), &resample(twos, &mut random)).map(Some);
        (0..RESAMPLES).map(draw).collect::<Vec<_>>()
    });
    Some(with_intervals(subtract(ones, twos), resampled))
}

fn resample<T: Clone>(sessions: &[T], random: &mut fastrand::Rng) -> Vec<T> {
    (0..sessions.len()).map(|_| sessions[random.usize(..sessions.len())].clone()).collect()
}

/// The values with the 2.5th and 97.5th percentiles of the resampled ones.
fn with_intervals(values: Means, resampled: Option<Vec<[Option<f64>; 2]>>) -> [AcrossEstimate; 2] {
    [0, 1].map(|dimension| {
        let mut draws: Vec<f64> = resampled.iter().flatten().filter_map(|values| values[dimension]).collect();
        draws.sort_by(f64::total_cmp);
        let quantile =
            |share: f64| draws.get(((draws.len().max(1) - 1) as f64 * share).round() as usize).copied();
        AcrossEstimate { value: values[dimension], low: quantile(0.025), high: quantile(0.975) }
    })
}

impl AcrossEstimate {
    /// Whether the interval does not contain zero.
    pub fn is_significant(&self) -> bool {
        self.low.is_some_and(|low| low > 0.0) || self.high.is_some_and(|high| high < 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(day: f64, means: Means, conditions: &[(&str, Means)]) -> SessionPoint {
        let conditions = conditions.iter().map(|(name, means)| ((*name).to_owned(), *means)).collect();
        SessionPoint { day: Some(day), means, conditions }
    }

    #[test]
    fn trends_are_per_week_where_dates_are_known_and_few_sessions_have_no_interval() {
        let sessions: Vec<_> =
            (0..7).map(|week| point(f64::from(week) * 7.0, [0.1 * f64::from(week), 0.2], &[])).collect();
        let trend = find_trend(&sessions).unwrap();
        assert_eq!((trend.per, trend.sessions), (TrendUnit::Week, 7));
        assert!((trend.valence.value - 0.1).abs() < 1e-12 && trend.valence.is_significant());
        assert!(trend.arousal.value.abs() < 1e-12 && !trend.arousal.is_significant());
        let few = find_trend(&sessions[..5]).unwrap();
        assert_eq!((few.valence.low, few.valence.is_significant()), (None, false));
        assert_eq!(find_trend(&sessions[..2]), None);
        let mut undated = sessions.clone();
        undated[3].day = None;
        assert_eq!(find_trend(&undated).unwrap().per, TrendUnit::Session);
    }

    #[test]
    fn intervals_cover_the_true_trend_in_most_series() {
        let mut random = fastrand::Rng::with_seed(4);
        let covered = (0..100)
            .filter(|_| {
                let sessions: Vec<_> = (0..12)
                    .map(|week| {
                        // Each session is as good or bad as it is: the sum of six is about normal.
                        let noise = (0..6).map(|_| random.f64() - 0.5).sum::<f64>() * 0.2;
                        point(f64::from(week) * 7.0, [0.05 * f64::from(week) + noise, 0.0], &[])
                    })
                    .collect();
                let AcrossEstimate { low, high, .. } = find_trend(&sessions).unwrap().valence;
                low.unwrap() <= 0.05 && high.unwrap() >= 0.05
            })
            .count();
        // Percentile intervals of twelve sessions cover somewhat less than 95 %.
        assert!((84..=99).contains(&covered), "{covered}");
    }

    #[test]
    fn conditions_are_compared_within_sessions_where_they_can() {
        let within: Vec<_> = (0..6)
            .map(|index| {
                let level = f64::from(index) * 0.1;
                point(0.0, [level, 0.0], &[("music", [level + 0.2, 0.0]), ("none", [level, 0.1])])
            })
            .collect();
        let contrasts = find_contrasts(&within);
        let [contrast] = &contrasts[..] else { panic!("{contrasts:?}") };
        assert!(contrast.paired && contrast.sessions == 6);
        assert!((contrast.valence.value - 0.2).abs() < 1e-12 && contrast.valence.is_significant());
        let between = [
            point(0.0, [0.3, 0.0], &[("music", [0.3, 0.0])]),
            point(0.0, [0.1, 0.0], &[("none", [0.1, 0.2])]),
        ];
        let contrasts = find_contrasts(&between);
        assert!(!contrasts[0].paired && contrasts[0].valence.low.is_none());
        assert!((contrasts[0].arousal.value + 0.2).abs() < 1e-12);
        assert_eq!(find_condition_means(&within)[1].condition, "none");
        assert_eq!(find_contrasts(&[SessionPoint::default()]), []);
    }
}
