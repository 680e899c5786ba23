//! Episodes: spans of time in which a person showed one label. The exports write them, and transitions are counted between
//! them.

use std::collections::{BTreeMap, BTreeSet};

use mood_schema::Label;
use serde::{Deserialize, Serialize};

use crate::people::Observation;

/// Default minimum duration of an episode, ns: 500 ms, since the classifier's smoothing takes some 300 ms to follow a face.
pub const MIN_EPISODE: u64 = 500_000_000;

/// A span of time in which a person showed one label. Times are stream time, ns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Episode {
    /// The label shown.
    pub label: Label,
    /// Start of its first frame, ns.
    pub start: u64,
    /// End of its last frame, ns.
    pub end: u64,
    /// Start of the frame in which the label was most probable, ns.
    pub peak: u64,
    /// The label's probability in that frame, 0-1; for `uncertain`, that of the most probable emotion.
    pub probability: f64,
    /// Number of the correction by which a human gave it; `None` where it is the classifier's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correction: Option<u64>,
}

impl Episode {
    /// Duration, ns.
    pub fn duration(&self) -> u64 {
        self.end - self.start
    }
}

/// A span of consecutive frames with the same label; `None` stands for absence or an unclassified face.
#[derive(Clone, Copy)]
struct Run {
    label: Option<Label>,
    start: u64,
    end: u64,
    peak: u64,
    probability: f64,
}

impl Run {
    fn duration(&self) -> u64 {
        self.end - self.start
    }

    /// Makes this run cover its neighbour as well.
    fn extend(&mut self, neighbour: &Self) {
        (self.start, self.end) = (self.start.min(neighbour.start), self.end.max(neighbour.end));
        if self.label == neighbour.label && neighbour.probability > self.probability {
            (self.peak, self.probability) = (neighbour.peak, neighbour.probability);
        }
    }
}

/// Finds a person's episodes, in order of time and without overlap. None is shorter than `min_duration` (ns): shorter runs
/// are merged into their neighbours. Absence and unclassified frames are gaps between episodes.
pub fn find_episodes(observations: &[Observation], min_duration: u64) -> Vec<Episode> {
    let episode = |run: Run| {
        Some(Episode {
            label: run.label?,
            start: run.start,
            end: run.end,
            peak: run.peak,
            probability: run.probability,
            correction: None,
        })
    };
    let merged = merge_short_runs(find_runs(observations), min_duration).into_iter();
    merged.filter(|run| run.duration() >= min_duration).filter_map(episode).collect()
}

/// Merges each run shorter than `min_duration` into the run before it, the shortest first, so that a flicker between two
/// labels does not remove both.
fn merge_short_runs(mut runs: Vec<Run>, min_duration: u64) -> Vec<Run> {
    let mut short: BTreeSet<(u64, usize)> = runs
        .iter()
        .enumerate()
        .map(|(index, run)| (run.duration(), index))
        .filter(|run| run.0 < min_duration)
        .collect();
    // A doubly linked list over the runs: a merged run stays in the vector with no duration, and the links skip it.
    let mut previous: Vec<Option<usize>> = (0..runs.len()).map(|index| index.checked_sub(1)).collect();
    let mut next: Vec<Option<usize>> =
        (1..=runs.len()).map(|index| (index < runs.len()).then_some(index)).collect();
    while let Some((_, index)) = short.pop_first() {
        // The first run has none before it and is merged into the one after it.
        let Some(target) = previous[index].or(next[index]) else { break };
        let mut merged = vec![index];
        // Where the label before the short run continues after it, the three become one.
        if target < index
            && let Some(following) = next[index]
            && runs[following].label == runs[target].label
        {
            merged.push(following);
        }
        short.remove(&(runs[target].duration(), target));
        for index in merged {
            short.remove(&(runs[index].duration(), index));
            let run = runs[index];
            runs[target].extend(&run);
            (runs[index].start, runs[index].end) = (run.end, run.end);
            if let Some(before) = previous[index] {
                next[before] = next[index];
            }
            if let Some(after) = next[index] {
                previous[after] = previous[index];
            }
        }
        if runs[target].duration() < min_duration {
            short.insert((runs[target].duration(), target));
        }
    }
    runs.retain(|run| run.start < run.end);
    runs
}

/// The runs exactly as the frames have them, from the first observation to the last without a gap.
fn find_runs(observations: &[Observation]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut add = |run: Run| match runs.last_mut() {
        Some(last) if last.label == run.label => last.extend(&run),
        _ => runs.push(run),
    };
    let mut covered_until = observations.first().map_or(0, |observation| observation.start);
    for observation in observations {
        if observation.start > covered_until {
            add(Run {
                label: None,
                start: covered_until,
                end: observation.start,
                peak: covered_until,
                probability: 0.0,
            });
        }
        // Where timestamps run backwards, no time is counted twice.
        let start = observation.start.max(covered_until);
        if observation.end <= start {
            continue;
        }
        covered_until = observation.end;
        let classification = observation.classification();
        let label = classification.map(|classification| classification.label);
        let probability = classification.map_or(0.0, |classification| match classification.label {
            Label::Known(emotion) => {
                classification.probabilities.get(emotion.index()).copied().unwrap_or_default()
            }
            Label::Uncertain => classification.confidence,
        });
        add(Run { label, start, end: observation.end, peak: observation.start, probability });
    }
    runs
}

/// Number of changes from one label (outer key) directly to another (inner key).
pub type Transitions = BTreeMap<Label, BTreeMap<Label, u64>>;

/// Counts how often an episode was followed, without a gap, by one of another label.
pub fn count_transitions(episodes: &[Episode]) -> Transitions {
    let mut transitions = Transitions::new();
    for (before, after) in episodes.iter().zip(episodes.iter().skip(1)) {
        if before.end == after.start && before.label != after.label {
            *transitions.entry(before.label).or_default().entry(after.label).or_default() += 1;
        }
    }
    transitions
}
