//! The conditions of a session, such as with and without music: which time is under which, and what the subject showed there.

use std::collections::BTreeMap;

use mood_schema::Label;
use serde::{Deserialize, Serialize};

use crate::correction::{Change, label_times};
use crate::estimate::Estimate;
use crate::people::{Dimension, Observation};
use crate::{Timeline, Warning, WarningKind};

/// What the notes say of a session's conditions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conditions {
    /// The condition of the time that no part covers; `None`: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
    /// Parts under other conditions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<ConditionPart>,
}

/// A part of a session under a condition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConditionPart {
    /// What the condition is called.
    pub condition: String,
    /// Where it begins: a time from the beginning of the recording (`1:30`, `1:02:30`), or the text of a marker. `None`: where the
    /// part before ends, or the recording begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Where it ends, as `from`. `None`: where the next part begins, or the recording ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

/// What the subject showed under a condition. The keys are those of [`PersonSummary`](crate::PersonSummary).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConditionSummary {
    /// What the condition is called.
    pub condition: String,
    /// The spans of time under it: start and end, ns of stream time.
    pub spans: Vec<[u64; 2]>,
    /// Time in it that has a label, ns.
    pub classified: u64,
    /// Share of that time of each label.
    pub labels: BTreeMap<Label, f64>,
    /// Mean valence.
    pub valence: Option<Estimate>,
    /// Mean arousal.
    pub arousal: Option<Estimate>,
}

/// The spans of time (start and end, ns of stream time) under each condition.
pub(crate) type ConditionSpans = BTreeMap<String, Vec<[u64; 2]>>;

impl Conditions {
    /// Whether the notes say nothing.
    pub fn is_empty(&self) -> bool {
        self.condition.is_none() && self.parts.is_empty()
    }

    /// The spans of each condition, and a warning for each part whose beginning or end is not in the session.
    pub(crate) fn resolve(&self, timeline: &Timeline) -> (ConditionSpans, Vec<Warning>) {
        let [begin, end] = timeline.span();
        let mut spans = ConditionSpans::new();
        let mut warnings = Vec::new();
        let find = |text: &str| find_time(timeline, text).map(|time| time.clamp(begin, end));
        let mut free = begin;
        // Whether what follows at `free` is outside of all parts, and not inside one whose limits are not found.
        let mut is_outside = true;
        for (index, part) in self.parts.iter().enumerate() {
            let next = self.parts.get(index + 1).and_then(|next| next.from.as_deref());
            let start = part.from.as_deref().map_or(Some(free), find);
            let stop = part.to.as_deref().or(next).map_or(Some(end), find);
            // Of parts that overlap, the one that comes first in the notes counts.
            match start.zip(stop).map(|(start, stop)| (start.max(free), stop)) {
                Some((start, stop)) if start < stop => {
                    if let Some(condition) = &self.condition
                        && is_outside
                        && free < start
                    {
                        spans.entry(condition.clone()).or_default().push([free, start]);
                    }
                    spans.entry(part.condition.clone()).or_default().push([start, stop]);
                    (free, is_outside) = (stop, true);
                }
                _ => {
                    warnings.push(describe_missing(part));
                    if let Some(condition) = &self.condition
                        && let Some(start) = start.filter(|&start| is_outside && free < start)
                    {
                        spans.entry(condition.clone()).or_default().push([free, start]);
                        free = start;
                    }
                    is_outside = false;
                }
            }
        }
        if let Some(condition) = &self.condition
            && is_outside
            && free < end
        {
            spans.entry(condition.clone()).or_default().push([free, end]);
        }
        (spans, warnings)
    }
}

/// The warning that a part is not in the session.
fn describe_missing(part: &ConditionPart) -> Warning {
    let ConditionPart { condition, from, to } = part;
    let place = [("from", from), ("to", to)]
        .into_iter()
        .filter_map(|(name, text)| Some(format!(" {name} '{}'", text.as_deref()?)))
        .collect::<String>();
    let text = format!(
        "the notes have a part '{condition}'{place}, which is not in the session: give times such as 1:30, in order, or the texts of \
         markers"
    );
    Warning::new(WarningKind::ConditionMissing, text)
}

/// A time from the beginning of the recording as stream time, ns, or that of the first marker with the text.
fn find_time(timeline: &Timeline, text: &str) -> Option<u64> {
    let text = text.trim();
    let mut markers = timeline.markers.iter();
    if let Some(marker) = markers.find(|marker| marker.text.trim().eq_ignore_ascii_case(text)) {
        return Some(marker.pts);
    }
    let [begin, _] = timeline.span();
    let mut seconds = 0.0;
    for part in text.split(':') {
        let value: f64 = part.trim().parse().ok().filter(|value: &f64| (0.0..1e6).contains(value))?;
        seconds = seconds * 60.0 + value;
    }
    Some(begin.saturating_add((seconds * 1e9) as u64))
}

impl ConditionSummary {
    /// What a person showed under a condition. `observations` are all of the person, and `changes` those of the record.
    pub(crate) fn new(
        timeline: &Timeline,
        person_id: Option<u32>,
        observations: &[Observation],
        changes: &[Change],
        condition: String,
        spans: Vec<[u64; 2]>,
    ) -> Self {
        let is_inside = |time: u64| spans.iter().any(|[start, end]| (*start..*end).contains(&time));
        let inside: Vec<Observation> =
            observations.iter().filter(|observation| is_inside(observation.start)).copied().collect();
        let times = person_id.map(|id| label_times(timeline, id, changes, is_inside)).unwrap_or_default();
        let classified = times.values().fold(0u64, |total, &time| total.saturating_add(time));
        let share = |time: u64| time as f64 / classified.max(1) as f64;
        Self {
            condition,
            classified,
            labels: times.into_iter().map(|(label, time)| (label, share(time))).collect(),
            valence: Estimate::from_observations(&inside, Dimension::Valence),
            arousal: Estimate::from_observations(&inside, Dimension::Arousal),
            spans,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten minutes without a face, one frame a second, with a marker at four minutes.
    fn timeline() -> Timeline {
        let mut text = String::from("{\"type\":\"session\",\"schema\":1,\"generator\":\"t\"}\n");
        text += "{\"type\":\"marker\",\"pts\":240000000000,\"id\":1,\"text\":\"Music on\"}\n";
        for frame in 0..600u64 {
            let pts = frame * 1_000_000_000;
            text += &format!("{{\"type\":\"frame\",\"frame\":{frame},\"pts\":{pts},\"faces\":[]}}\n");
        }
        text += "{\"type\":\"end\",\"pts\":600000000000}\n";
        Timeline::from_reader(text.as_bytes()).unwrap_or_default()
    }

    fn part(condition: &str, from: Option<&str>, to: Option<&str>) -> ConditionPart {
        ConditionPart { condition: condition.into(), from: from.map(Into::into), to: to.map(Into::into) }
    }

    #[test]
    fn parts_begin_and_end_at_times_and_markers() {
        let conditions = Conditions {
            condition: Some("rest".into()),
            parts: vec![
                part("talk", Some("1:30"), Some("3:00")),
                part("music", Some("music on"), None),
                part("talk", Some("0:09:00"), None),
                part("song", Some("the song"), None),
            ],
        };
        let (spans, warnings) = conditions.resolve(&timeline());
        let seconds = |name: &str| -> Vec<[u64; 2]> {
            spans[name].iter().map(|span| span.map(|time| time / 1_000_000_000)).collect()
        };
        assert_eq!(seconds("rest"), [[0, 90], [180, 240]]);
        // The last part is nowhere, and so is the end that it would give to the one before.
        assert_eq!(seconds("music"), [[240, 540]]);
        assert_eq!(warnings.len(), 2, "{warnings:?}");
        assert!(warnings[1].text.contains("'song' from 'the song'"), "{warnings:?}");
    }
}
