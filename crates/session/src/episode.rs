//! Episodes: stretches in which a person showed one thing. They are what the exports write and transitions count.

use std::collections::{BTreeMap, BTreeSet};

use mood_schema::Label;
use serde::{Deserialize, Serialize};

use crate::person::Sample;

/// What is shorter counts as what was before it: the filters behind it need some 300 ms to follow a face.
pub const SHORTEST: u64 = 500_000_000;

/// A stretch of one label. Times are stream time, ns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Episode {
    /// What was shown.
    pub label: Label,
    /// Begin of its first frame.
    pub start: u64,
    /// End of its last.
    pub end: u64,
    /// The frame that showed it most clearly.
    pub peak: u64,
    /// The label's probability then, 0-1; of `uncertain` the likeliest emotion's.
    pub probability: f64,
}

impl Episode {
    /// How long it lasts, ns.
    pub fn length(&self) -> u64 {
        self.end - self.start
    }
}

/// A stretch of one label or, with `None`, of nothing to be seen.
#[derive(Clone, Copy)]
struct Run {
    label: Option<Label>,
    start: u64,
    end: u64,
    peak: u64,
    probability: f64,
}

/// A person's episodes by time; none overlaps another, and nothing shorter than `shortest` (ns) is one. Absence and
/// faces that were not classified are the gaps between them.
pub fn episodes(samples: &[Sample], shortest: u64) -> Vec<Episode> {
    let episode = |run: Run| {
        Some(Episode {
            label: run.label?,
            start: run.start,
            end: run.end,
            peak: run.peak,
            probability: run.probability,
        })
    };
    let settled = settle(runs(samples), shortest).into_iter();
    settled.filter(|run| run.end - run.start >= shortest).filter_map(episode).collect()
}

/// Gives runs shorter than `shortest` to what was before them, the very shortest first, so that a flicker between two
/// labels does not eat up both.
fn settle(mut runs: Vec<Run>, shortest: u64) -> Vec<Run> {
    let length = |run: &Run| run.end - run.start;
    let mut short: BTreeSet<(u64, usize)> =
        runs.iter().enumerate().map(|(at, run)| (length(run), at)).filter(|run| run.0 < shortest).collect();
    // A run that is given away is empty; `before` and `after` lead past the empty ones.
    let mut before: Vec<Option<usize>> = (0..runs.len()).map(|at| at.checked_sub(1)).collect();
    let mut after: Vec<Option<usize>> = (1..=runs.len()).map(|at| (at < runs.len()).then_some(at)).collect();
    while let Some((_, at)) = short.pop_first() {
        // The first has nothing before it: what comes after it takes it.
        let Some(into) = before[at].or(after[at]) else { break };
        let mut gone = vec![at];
        // Perhaps the same label goes on behind it.
        if into < at
            && let Some(next) = after[at]
            && runs[next].label == runs[into].label
        {
            gone.push(next);
        }
        short.remove(&(length(&runs[into]), into));
        for at in gone {
            short.remove(&(length(&runs[at]), at));
            let by = runs[at];
            extend(&mut runs[into], &by);
            (runs[at].start, runs[at].end) = (by.end, by.end);
            if let Some(before_it) = before[at] {
                after[before_it] = after[at];
            }
            if let Some(after_it) = after[at] {
                before[after_it] = before[at];
            }
        }
        if length(&runs[into]) < shortest {
            short.insert((length(&runs[into]), into));
        }
    }
    runs.retain(|run| run.start < run.end);
    runs
}

/// Makes a run reach over its neighbour.
fn extend(last: &mut Run, by: &Run) {
    (last.start, last.end) = (last.start.min(by.start), last.end.max(by.end));
    if last.label == by.label && by.probability > last.probability {
        (last.peak, last.probability) = (by.peak, by.probability);
    }
}

/// What was shown, exactly as the frames say it, without a hole.
fn runs(samples: &[Sample]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut add = |run: Run| match runs.last_mut() {
        Some(last) if last.label == run.label => extend(last, &run),
        _ => runs.push(run),
    };
    let mut until = samples.first().map_or(0, |sample| sample.start);
    for sample in samples {
        if sample.start > until {
            add(Run { label: None, start: until, end: sample.start, peak: until, probability: 0.0 });
        }
        // Timestamps that run backwards take no time twice.
        let start = sample.start.max(until);
        if sample.end <= start {
            continue;
        }
        until = sample.end;
        let classification = sample.classification();
        let label = classification.map(|classification| classification.label);
        let probability = classification.map_or(0.0, |classification| match classification.label {
            Label::Known(emotion) => {
                classification.probabilities.get(emotion.index()).copied().unwrap_or_default()
            }
            Label::Uncertain => classification.confidence,
        });
        add(Run { label, start, end: sample.end, peak: sample.start, probability });
    }
    runs
}

/// How often one label followed another without a gap: by the label before, then by the label after.
pub type Transitions = BTreeMap<Label, BTreeMap<Label, u64>>;

/// Counts the changes from each label to each other.
pub fn transitions(episodes: &[Episode]) -> Transitions {
    let mut transitions = Transitions::new();
    for (before, after) in episodes.iter().zip(episodes.iter().skip(1)) {
        if before.end == after.start && before.label != after.label {
            *transitions.entry(before.label).or_default().entry(after.label).or_default() += 1;
        }
    }
    transitions
}
