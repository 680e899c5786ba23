//! How far two coders agree on one recording.
//!
//! The record is cut into units of equal duration, and each coder's label is taken in the middle of each. Units that only one
//! coder labelled are not compared; how much of the time they are is reported beside the figures.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::Tier;
use crate::bootstrap::{Interval, MIN_BLOCKS, intervals};
use crate::confusion::Confusion;

/// Shortest block of the bootstrap, ns: 5 s.
const MIN_BLOCK: u64 = 5_000_000_000;

/// How two coders are compared.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Duration of a unit, ns, above 0. Default 100 ms: shorter than anyone reacts.
    pub step: u64,
    /// Label of the time that a coder left without one. `None`: such time is not compared.
    pub gap: Option<String>,
    /// Labels that are not compared, such as `uncertain`.
    pub ignore: BTreeSet<String>,
    /// End of the record, ns, where it is known; only time before it is compared. `None`: the later end of the two.
    pub end: Option<u64>,
}

impl Default for Options {
    fn default() -> Self {
        Self { step: 100_000_000, gap: None, ignore: BTreeSet::new(), end: None }
    }
}

/// Two coders have nothing in common that could be compared.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AgreementError {
    /// No unit was labelled by both.
    #[error(
        "the two are never labelled at the same time ({first}: {first_span}; {second}: {second_span}): are they of the same recording?"
    )]
    NothingInCommon {
        /// Name of the first coder's tier.
        first: String,
        /// What it covers, in words.
        first_span: String,
        /// Name of the second coder's tier.
        second: String,
        /// What it covers, in words.
        second_span: String,
    },
}

/// How far two coders agree. Where the first is a human and the second a machine, the figures judge the machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Agreement {
    /// Share of the compared time with the same label, percent, 0-100.
    pub percent_agreement: f64,
    /// Cohen's kappa (1960, doi:10.1177/001316446002000104): agreement beyond chance, at most 1. `None` where both gave one and
    /// the same label throughout.
    pub kappa: Option<f64>,
    /// Krippendorff's alpha for nominal data (2011): as kappa, with both coders taken as interchangeable. `None` where only one
    /// label occurs.
    pub alpha: Option<f64>,
    /// Their 95 % confidence intervals.
    pub intervals: Intervals,
    /// Time that both labelled, s.
    pub compared_seconds: f64,
    /// Time that only the first labelled, s.
    pub first_only_seconds: f64,
    /// Time that only the second labelled, s.
    pub second_only_seconds: f64,
    /// Duration of a unit, s.
    pub step_seconds: f64,
    /// Duration of a block of the bootstrap, s.
    pub block_seconds: f64,
    /// Every label that either gave in the compared time.
    pub per_label: BTreeMap<String, LabelAgreement>,
    /// Seconds by the first coder's label (outer key) and the second's (inner key); pairs that do not occur are left out.
    pub confusion: BTreeMap<String, BTreeMap<String, f64>>,
    /// Where the two disagree, in order of time.
    pub disagreements: Vec<Disagreement>,
}

/// Confidence intervals by a block bootstrap; `None` for a record of less than ten blocks.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Intervals {
    /// Of the percent agreement, 0-100.
    pub percent_agreement: Option<Interval>,
    /// Of kappa.
    pub kappa: Option<Interval>,
    /// Of alpha.
    pub alpha: Option<Interval>,
}

/// How far two coders agree on one label.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LabelAgreement {
    /// Time that the first gave the label, s.
    pub first_seconds: f64,
    /// Time that the second gave it, s.
    pub second_seconds: f64,
    /// Time that both gave it, s.
    pub both_seconds: f64,
    /// Share of the first coder's time with the label that the second called so too, 0-1: the machine's recall. `None` where
    /// the first never gave it.
    pub recall: Option<f64>,
    /// Share of the second coder's time with the label that the first called so too, 0-1: the machine's precision. `None` where
    /// the second never gave it.
    pub precision: Option<f64>,
    /// Cohen's kappa of this label against all others.
    pub kappa: Option<f64>,
    /// How often the first coder's label begins.
    pub first_episodes: usize,
    /// How often the second coder's label begins.
    pub second_episodes: usize,
    /// How many of the first coder's episodes overlap one of the second's.
    pub matched_episodes: usize,
    /// Median of (second's onset - first's) over the matched episodes, s; positive where the second is late.
    pub onset_error_seconds: Option<f64>,
    /// Median of the absolute onset errors, s.
    pub absolute_onset_error_seconds: Option<f64>,
}

/// A span in which two coders gave different labels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disagreement {
    /// Where it begins, ns.
    pub start: u64,
    /// Where it ends, ns.
    pub end: u64,
    /// The first coder's label.
    pub first: String,
    /// The second coder's label.
    pub second: String,
}

impl Agreement {
    /// Compares two tiers.
    ///
    /// # Errors
    /// [`AgreementError::NothingInCommon`] where no unit was labelled by both.
    pub fn measure(first: &Tier, second: &Tier, options: &Options) -> Result<Self, AgreementError> {
        let units = Units::sample(first, second, options);
        let nothing = || AgreementError::NothingInCommon {
            first: first.name.clone(),
            first_span: describe_span(first),
            second: second.name.clone(),
            second_span: describe_span(second),
        };
        let pairs: Vec<(usize, usize)> = units.pairs().collect();
        let mut confusion = Confusion::new(units.labels.len());
        for &(first, second) in &pairs {
            confusion.add(first, second);
        }
        let observed = confusion.observed_agreement().ok_or_else(nothing)?;
        let block = block_units(&pairs, options.step);
        let [agreement, kappa, alpha] = intervals(
            &pairs,
            units.labels.len(),
            block,
            [Confusion::observed_agreement, Confusion::kappa, Confusion::alpha],
        );
        let percent =
            |interval: Interval| Interval { low: interval.low * 100.0, high: interval.high * 100.0 };
        let seconds = |units: u64| units as f64 * options.step as f64 / 1e9;
        let (first_episodes, second_episodes) =
            (units.episodes(|unit| unit.0), units.episodes(|unit| unit.1));
        let mut table: BTreeMap<String, BTreeMap<String, f64>> = BTreeMap::new();
        let mut per_label = BTreeMap::new();
        for (index, label) in units.labels.iter().enumerate() {
            for (other_index, other) in units.labels.iter().enumerate() {
                let count = confusion.count(index, other_index);
                if count > 0 {
                    table.entry(label.clone()).or_default().insert(other.clone(), seconds(count));
                }
            }
            let (both, given, given_by_second) =
                (confusion.count(index, index), confusion.first_total(index), confusion.second_total(index));
            if given + given_by_second == 0 {
                continue;
            }
            let share = |of: u64| (of > 0).then(|| both as f64 / of as f64);
            let onsets = Onsets::compare(&first_episodes, &second_episodes, index, options.step);
            per_label.insert(
                label.clone(),
                LabelAgreement {
                    first_seconds: seconds(given),
                    second_seconds: seconds(given_by_second),
                    both_seconds: seconds(both),
                    recall: share(given),
                    precision: share(given_by_second),
                    kappa: confusion.one_against_rest(index).kappa(),
                    first_episodes: onsets.first,
                    second_episodes: onsets.second,
                    matched_episodes: onsets.errors.len(),
                    onset_error_seconds: median(onsets.errors.clone()),
                    absolute_onset_error_seconds: median(
                        onsets.errors.iter().map(|error| error.abs()).collect(),
                    ),
                },
            );
        }
        let only = |is_only: fn(&Unit) -> bool| {
            seconds(units.units.iter().filter(|unit| is_only(unit)).count() as u64)
        };
        Ok(Self {
            percent_agreement: observed * 100.0,
            kappa: confusion.kappa(),
            alpha: confusion.alpha(),
            intervals: Intervals { percent_agreement: agreement.map(percent), kappa, alpha },
            compared_seconds: seconds(confusion.total()),
            first_only_seconds: only(|unit| unit.0.is_some() && unit.1.is_none()),
            second_only_seconds: only(|unit| unit.0.is_none() && unit.1.is_some()),
            step_seconds: seconds(1),
            block_seconds: seconds(block as u64),
            per_label,
            confusion: table,
            disagreements: units.disagreements(),
        })
    }
}

/// Indices of the first and the second coder's label in a unit.
type Unit = (Option<usize>, Option<usize>);

/// A span of one label of one coder, in units.
#[derive(Clone, Copy)]
struct Span {
    label: usize,
    start: usize,
    /// The unit after the last.
    end: usize,
}

/// The labels of two coders in units of equal duration.
struct Units {
    /// All labels, sorted.
    labels: Vec<String>,
    units: Vec<Unit>,
    /// Duration of a unit, ns.
    step: u64,
}

impl Units {
    fn sample(first: &Tier, second: &Tier, options: &Options) -> Self {
        let step = options.step.max(1);
        let end = options.end.unwrap_or_else(|| first.end().max(second.end()));
        let mut names: BTreeSet<&str> = first
            .annotations()
            .iter()
            .chain(second.annotations())
            .map(|annotation| annotation.label.as_str())
            .collect();
        names.extend(options.gap.as_deref());
        names.retain(|name| !options.ignore.contains(*name));
        let labels: Vec<String> = names.into_iter().map(str::to_owned).collect();
        let index = |label: &str| labels.binary_search_by(|name| name.as_str().cmp(label)).ok();
        let label_at = |tier: &Tier, time: u64| {
            let label = tier.at(time).map(|annotation| annotation.label.as_str()).or(options.gap.as_deref());
            label.and_then(index)
        };
        // A unit belongs to the record where its middle does.
        let units = (0..(end + step / 2) / step).map(|unit| {
            let middle = unit * step + step / 2;
            (label_at(first, middle), label_at(second, middle))
        });
        Self { units: units.collect(), labels, step }
    }

    /// The units that both labelled.
    fn pairs(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.units.iter().filter_map(|unit| Some((unit.0?, unit.1?)))
    }

    /// One coder's spans of one label, in order of time.
    fn episodes(&self, coder: fn(&Unit) -> Option<usize>) -> Vec<Span> {
        let mut episodes: Vec<Span> = Vec::new();
        for (unit, labels) in self.units.iter().enumerate() {
            let Some(label) = coder(labels) else { continue };
            match episodes.last_mut() {
                Some(last) if last.label == label && last.end == unit => last.end = unit + 1,
                _ => episodes.push(Span { label, start: unit, end: unit + 1 }),
            }
        }
        episodes
    }

    fn disagreements(&self) -> Vec<Disagreement> {
        let mut spans: Vec<(usize, usize, u64, u64)> = Vec::new();
        for (unit, labels) in (0u64..).zip(&self.units) {
            let &(Some(first), Some(second)) = labels else { continue };
            if first == second {
                continue;
            }
            let (start, end) = (unit * self.step, (unit + 1) * self.step);
            match spans.last_mut() {
                Some(last) if (last.0, last.1, last.3) == (first, second, start) => last.3 = end,
                _ => spans.push((first, second, start, end)),
            }
        }
        let name = |index: usize| self.labels.get(index).cloned().unwrap_or_default();
        spans
            .into_iter()
            .map(|(first, second, start, end)| Disagreement {
                start,
                end,
                first: name(first),
                second: name(second),
            })
            .collect()
    }
}

/// Where the episodes of one label begin for two coders.
struct Onsets {
    first: usize,
    second: usize,
    /// Second's onset minus the first's, s, of the matched episodes.
    errors: Vec<f64>,
}

impl Onsets {
    /// Matches each episode of the first coder with the one of the second that overlaps it the longest; none is matched twice.
    fn compare(first: &[Span], second: &[Span], label: usize, step: u64) -> Self {
        let of_label = |spans: &[Span]| -> Vec<Span> {
            spans.iter().copied().filter(|span| span.label == label).collect()
        };
        let (first, second) = (of_label(first), of_label(second));
        // Overlap in units, index of the first's episode, index of the second's.
        let mut pairs: Vec<(usize, usize, usize)> = Vec::new();
        for (index, one) in first.iter().enumerate() {
            let skipped = second.partition_point(|two| two.end <= one.start);
            let overlapping =
                second.iter().enumerate().skip(skipped).take_while(|(_, two)| two.start < one.end);
            pairs.extend(
                overlapping
                    .map(|(other, two)| (one.end.min(two.end) - one.start.max(two.start), index, other)),
            );
        }
        pairs.sort_by(|one, two| two.0.cmp(&one.0).then(one.cmp(two)));
        let (mut used_first, mut used_second) = (vec![false; first.len()], vec![false; second.len()]);
        let mut errors = Vec::new();
        for (_, index, other) in pairs {
            if used_first[index] || used_second[other] {
                continue;
            }
            (used_first[index], used_second[other]) = (true, true);
            errors.push((second[other].start as f64 - first[index].start as f64) * step as f64 / 1e9);
        }
        Self { first: first.len(), second: second.len(), errors }
    }
}

/// Units of a bootstrap block: twice the mean duration of a pair of labels, at least [`MIN_BLOCK`], and no more than leaves
/// [`MIN_BLOCKS`] of them in the record.
fn block_units(pairs: &[(usize, usize)], step: u64) -> usize {
    let changes = pairs.windows(2).filter(|pair| pair[0] != pair[1]).count();
    let mean = pairs.len() / (changes + 1);
    let shortest = MIN_BLOCK.div_ceil(step.max(1)) as usize;
    (2 * mean).min(pairs.len() / MIN_BLOCKS).max(shortest)
}

/// The median; `None` without values.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    if values.len() % 2 == 1 {
        Some(upper)
    } else {
        Some((values.get(middle.checked_sub(1)?)? + upper) / 2.0)
    }
}

/// What a tier covers, for an error.
fn describe_span(tier: &Tier) -> String {
    match tier.annotations() {
        [] => "no annotations".into(),
        [first, ..] => {
            let count = tier.annotations().len();
            format!(
                "{count} annotations from {:.1} to {:.1} s",
                first.start as f64 / 1e9,
                tier.end() as f64 / 1e9
            )
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use crate::Annotation;

    const SECOND: u64 = 1_000_000_000;

    /// A tier of (start s, end s, label).
    fn tier(name: &str, spans: &[(f64, f64, &str)]) -> Tier {
        let ns = |seconds: f64| (seconds * 1e9).round() as u64;
        let annotations = spans.iter().map(|&(start, end, label)| Annotation {
            start: ns(start),
            end: ns(end),
            label: label.into(),
        });
        Tier::new(name, annotations.collect())
    }

    #[test]
    fn figures_of_a_hand_computed_record() {
        let human = tier("h", &[(0.0, 4.0, "happy"), (4.0, 7.0, "neutral"), (7.0, 10.0, "sad")]);
        let machine = tier(
            "m",
            &[(0.0, 5.0, "happy"), (5.0, 7.0, "neutral"), (7.0, 9.0, "sad"), (9.0, 10.0, "neutral")],
        );
        let agreement = Agreement::measure(&human, &machine, &Options::default()).unwrap();
        assert!((agreement.percent_agreement - 80.0).abs() < 1e-9);
        // By chance .4 * .5 + .3 * .3 + .3 * .2 = .35.
        assert!((agreement.kappa.unwrap() - 0.45 / 0.65).abs() < 1e-9);
        // Of 200 values 90 are happy, 60 neutral, 50 sad: 1 - 199 * 40 / (40000 - 8100 - 3600 - 2500).
        assert!((agreement.alpha.unwrap() - (1.0 - 199.0 * 40.0 / 25_800.0)).abs() < 1e-9);
        assert!((agreement.compared_seconds - 10.0).abs() < 1e-9);
        let neutral = agreement.per_label["neutral"];
        assert!((neutral.recall.unwrap() - 2.0 / 3.0).abs() < 1e-9);
        assert!((neutral.precision.unwrap() - 2.0 / 3.0).abs() < 1e-9);
        assert_eq!((neutral.first_episodes, neutral.second_episodes, neutral.matched_episodes), (1, 2, 1));
        assert!((neutral.onset_error_seconds.unwrap() - 1.0).abs() < 1e-9);
        let expected =
            [(4 * SECOND, 5 * SECOND, "neutral", "happy"), (9 * SECOND, 10 * SECOND, "sad", "neutral")];
        let found: Vec<_> = agreement
            .disagreements
            .iter()
            .map(|span| (span.start, span.end, span.first.as_str(), span.second.as_str()))
            .collect();
        assert_eq!(found, expected);
        assert!((agreement.confusion["sad"]["neutral"] - 1.0).abs() < 1e-9);
    }

    #[test]
    fn time_without_a_label_is_compared_only_where_it_stands_for_one() {
        let human = tier("h", &[(2.0, 4.0, "happy")]);
        let machine = tier("m", &[(0.0, 5.0, "happy")]);
        let agreement = Agreement::measure(&human, &machine, &Options::default()).unwrap();
        assert_eq!(agreement.percent_agreement, 100.0);
        assert_eq!((agreement.kappa, agreement.alpha), (None, None));
        assert!((agreement.second_only_seconds - 3.0).abs() < 1e-9);
        let options = Options { gap: Some("neutral".into()), end: Some(10 * SECOND), ..Options::default() };
        let agreement = Agreement::measure(&human, &machine, &options).unwrap();
        assert!((agreement.percent_agreement - 70.0).abs() < 1e-9);
        assert!((agreement.compared_seconds - 10.0).abs() < 1e-9);
    }

    #[test]
    fn ignored_labels_are_not_compared() {
        let human = tier("h", &[(0.0, 10.0, "happy")]);
        let machine = tier("m", &[(0.0, 5.0, "happy"), (5.0, 8.0, "uncertain"), (8.0, 10.0, "sad")]);
        let options = Options { ignore: ["uncertain".to_owned()].into(), ..Options::default() };
        let agreement = Agreement::measure(&human, &machine, &options).unwrap();
        assert!((agreement.percent_agreement - 100.0 * 5.0 / 7.0).abs() < 1e-9);
        assert!((agreement.first_only_seconds - 3.0).abs() < 1e-9);
    }

    #[test]
    fn tiers_of_different_times_are_an_error_that_says_so() {
        let human = tier("h", &[(0.0, 10.0, "happy")]);
        let machine = tier("m", &[(3600.0, 3610.0, "happy")]);
        let error = Agreement::measure(&human, &machine, &Options::default()).unwrap_err().to_string();
        assert!(error.contains("3600.0 to 3610.0 s"), "{error}");
        assert!(Agreement::measure(&human, &tier("m", &[]), &Options::default()).is_err());
    }

    #[test]
    fn a_long_record_has_intervals_around_its_figures() {
        let spans = |late: f64| -> Vec<(f64, f64, &'static str)> {
            let names = ["happy", "sad", "neutral"];
            (0..120)
                .map(|index| {
                    let start = f64::from(index) * 5.0;
                    let start = if index == 0 { 0.0 } else { start + late };
                    (start, f64::from(index + 1) * 5.0 + late, names[(index as usize * 7 % 11) % 3])
                })
                .collect()
        };
        let agreement =
            Agreement::measure(&tier("h", &spans(0.0)), &tier("m", &spans(1.0)), &Options::default())
                .unwrap();
        let interval = agreement.intervals.kappa.unwrap();
        assert!(interval.low < agreement.kappa.unwrap() && agreement.kappa.unwrap() < interval.high);
        assert!(interval.high - interval.low < 0.3, "{interval:?}");
        let onset = agreement.per_label["sad"].onset_error_seconds.unwrap();
        assert!((onset - 1.0).abs() < 1e-9, "{onset}");
    }
}
