//! Corrections: what humans say in place of the classifier. The timeline keeps the classifier's labels, and a corrected person
//! keeps the classifier's statistics beside the corrected ones.

use std::collections::BTreeMap;

use annotation::{Agreement, Annotation, Options, Tier};
use mood_schema::{CorrectionLine, FacePlace, FrameLine, Label, LabelledSpan};
use serde::{Deserialize, Serialize};

use crate::episode::{Episode, Transitions};
use crate::people::Observation;
use crate::{Timeline, Warning, WarningKind};

/// Times closer than this are the same, ns: annotation programs round to milliseconds.
const RESOLUTION: u64 = 1_000_000;
/// Largest number of places by which a person is found again.
const MAX_PLACES: usize = 24;
/// A frame this far from the time of a place, ns, still shows the person there.
const MAX_PLACE_DISTANCE: u64 = 100_000_000;

/// What the classifier said of a person whose record is corrected. The keys are those of [`PersonSummary`](crate::PersonSummary).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MachineRecord {
    /// Time found and classified, ns.
    pub classified: u64,
    /// The part of that with the label `uncertain`, ns.
    pub uncertain: u64,
    /// Share of the classified time of each label.
    pub labels: BTreeMap<Label, f64>,
    /// Number of changes from each label to each other.
    pub transitions: Transitions,
    /// The episodes in order of time.
    pub episodes: Vec<Episode>,
    /// How far the corrected record agrees with it; `None` where the two never have a label at the same time.
    pub agreement: Option<RecordAgreement>,
}

/// Agreement of a corrected record with the classifier's, over the time in which both have a label, in units of 0.1 s.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecordAgreement {
    /// Share of that time with the same label, percent, 0-100.
    pub percent_agreement: f64,
    /// Cohen's kappa, at most 1; `None` where both have one and the same label throughout.
    pub kappa: Option<f64>,
    /// Krippendorff's alpha, at most 1; `None` where only one label occurs.
    pub alpha: Option<f64>,
}

/// A correction that is part of a summary.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CorrectionSummary {
    /// Its number, which [`Episode::correction`] names.
    pub id: u64,
    /// Id of the person.
    pub person: u32,
    /// Name or initials of who corrected.
    pub by: String,
    /// When it was taken in, UTC, ISO 8601.
    pub utc: String,
    /// Name of the file that it was read from; `None` where names are to be kept private.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// SHA-256 of that file.
    pub sha256: String,
    /// Whether the time that the file does not label stays as it was.
    pub partial: bool,
}

/// A span in which a corrected record differs from the classifier's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// Where it begins, stream time, ns.
    pub start: u64,
    /// Where it ends, ns.
    pub end: u64,
    /// What the human says; `None`: nothing.
    pub label: Option<Label>,
    /// The episode's label by the classifier; `None`: it had no episode there.
    pub machine: Option<Label>,
    /// Number of the correction; `None` where an annotation was removed.
    pub correction: Option<u64>,
}

impl Timeline {
    /// Up to 24 places that are spread over the time in which a person is found.
    pub fn places_of(&self, person_id: u32) -> Vec<FacePlace> {
        let places: Vec<FacePlace> = self
            .frames
            .iter()
            .filter_map(|frame| {
                let rect = Self::find_face(frame, person_id)?.bbox;
                Some(FacePlace { pts: frame.pts, x: rect.x + rect.w / 2.0, y: rect.y + rect.h / 2.0 })
            })
            .collect();
        let step = places.len().div_ceil(MAX_PLACES).max(1);
        places.into_iter().step_by(step).collect()
    }

    /// The person whom a correction is about: the one who is at most of its places, and at half of them at least, since another
    /// analysis of the same recording may number people otherwise.
    pub(crate) fn find_corrected(&self, correction: &CorrectionLine) -> Option<u32> {
        if correction.places.is_empty() {
            let is_there = |frame: &FrameLine| Self::find_face(frame, correction.person).is_some();
            return self.frames.iter().any(is_there).then_some(correction.person);
        }
        let mut hits: BTreeMap<u32, usize> = BTreeMap::new();
        for place in &correction.places {
            let index = self.frames.partition_point(|frame| frame.pts < place.pts);
            let near = self.frames.get(index.saturating_sub(1)..).unwrap_or_default().iter().take(2);
            let Some(frame) = near.min_by_key(|frame| frame.pts.abs_diff(place.pts)) else { continue };
            if frame.pts.abs_diff(place.pts) > MAX_PLACE_DISTANCE {
                continue;
            }
            for face in &frame.faces {
                let rect = face.bbox;
                let is_inside = (rect.x..rect.x + rect.w).contains(&place.x)
                    && (rect.y..rect.y + rect.h).contains(&place.y);
                if is_inside {
                    *hits.entry(face.id).or_default() += 1;
                }
            }
        }
        // Of two who are there equally often, the one with the same id.
        let best = hits.into_iter().max_by_key(|&(id, count)| (count, id == correction.person))?;
        (best.1 * 2 >= correction.places.len()).then_some(best.0)
    }
}

impl CorrectionSummary {
    /// The line as a summary has it; `person` is the one it is about in this analysis.
    pub(crate) fn new(line: &CorrectionLine, person: u32) -> Self {
        let CorrectionLine { id, by, utc, file, sha256, partial, .. } = line.clone();
        Self { id, person, by, utc, file, sha256, partial }
    }
}

/// The warning that a correction has no effect.
pub(crate) fn describe_lost(correction: &CorrectionLine) -> Warning {
    let day = correction.utc.split('T').next().unwrap_or_default();
    let file = correction.file.as_deref().map(|file| format!(", {file},")).unwrap_or_default();
    let text = format!(
        "the correction by {} of {day}{file} has no effect: the person whom it is about is no longer found where it says; take it \
         in again with gst-mood correct, or back with --undo",
        correction.by
    );
    Warning::new(WarningKind::CorrectionLost, text)
}

/// The record that corrections make of the classifier's episodes.
pub fn correct_episodes(
    machine: &[Episode],
    corrections: &[&CorrectionLine],
    observations: &[Observation],
) -> Vec<Episode> {
    let mut record = machine.to_vec();
    for correction in corrections {
        record = apply(&record, machine, correction, observations);
    }
    record
}

/// The record after one more correction. An annotation that is the same as an episode of the record stays that episode, so that
/// who said it remains known.
fn apply(
    record: &[Episode],
    machine: &[Episode],
    correction: &CorrectionLine,
    observations: &[Observation],
) -> Vec<Episode> {
    let mut boundaries: Vec<u64> =
        record.iter().chain(machine).flat_map(|episode| [episode.start, episode.end]).collect();
    boundaries.sort_unstable();
    let spans: Vec<LabelledSpan> = correction
        .spans
        .iter()
        .map(|span| LabelledSpan {
            start: snap(span.start, &boundaries),
            end: snap(span.end, &boundaries),
            label: span.label,
        })
        .filter(|span| span.start < span.end)
        .collect();
    let mut episodes = if correction.partial { cut_out(record, &spans) } else { Vec::new() };
    episodes.extend(spans.iter().map(|span| {
        let same = record.iter().find(|episode| {
            (episode.start, episode.end, episode.label) == (span.start, span.end, span.label)
        });
        same.cloned().unwrap_or_else(|| {
            let (peak, probability) = find_peak(observations, span);
            Episode {
                label: span.label,
                start: span.start,
                end: span.end,
                peak,
                probability,
                correction: Some(correction.id),
            }
        })
    }));
    episodes.sort_by_key(|episode| (episode.start, episode.end));
    join_touching(episodes)
}

/// The boundary within [`RESOLUTION`] of a time, or the time itself.
fn snap(time: u64, boundaries: &[u64]) -> u64 {
    let index = boundaries.partition_point(|&boundary| boundary < time);
    let near = boundaries.get(index.saturating_sub(1)..).unwrap_or_default().iter().take(2);
    let nearest = near.copied().min_by_key(|boundary| boundary.abs_diff(time));
    nearest.filter(|boundary| boundary.abs_diff(time) <= RESOLUTION).unwrap_or(time)
}

/// The parts of the episodes that no span covers.
fn cut_out(episodes: &[Episode], spans: &[LabelledSpan]) -> Vec<Episode> {
    let mut parts = Vec::new();
    for episode in episodes {
        let mut from = episode.start;
        let mut add = |start: u64, end: u64| {
            if start < end {
                let peak = episode.peak.clamp(start, end - 1);
                parts.push(Episode { start, end, peak, ..episode.clone() });
            }
        };
        for span in spans.iter().filter(|span| span.start < episode.end && span.end > episode.start) {
            add(from, span.start);
            from = from.max(span.end);
        }
        add(from, episode.end);
    }
    parts
}

/// Joins episodes of one label that touch.
fn join_touching(episodes: Vec<Episode>) -> Vec<Episode> {
    let mut joined: Vec<Episode> = Vec::new();
    for episode in episodes {
        match joined.last_mut() {
            Some(last) if last.label == episode.label && last.end >= episode.start => {
                last.end = last.end.max(episode.end);
                last.correction = last.correction.max(episode.correction);
                if episode.probability > last.probability {
                    (last.peak, last.probability) = (episode.peak, episode.probability);
                }
            }
            _ => joined.push(episode),
        }
    }
    joined
}

/// The frame in which the span's label was most probable by the classifier, and that probability; the start and 0 where the face
/// was not classified.
fn find_peak(observations: &[Observation], span: &LabelledSpan) -> (u64, f64) {
    let from = observations.partition_point(|observation| observation.start < span.start);
    let mut best = (span.start, 0.0);
    for observation in observations.iter().skip(from).take_while(|observation| observation.start < span.end) {
        let Some(classification) = observation.classification() else { continue };
        let probability = match span.label {
            Label::Known(emotion) => {
                classification.probabilities.get(emotion.index()).copied().unwrap_or_default()
            }
            Label::Uncertain => classification.confidence,
        };
        if probability > best.1 {
            best = (observation.start, probability);
        }
    }
    best
}

/// Where two records differ, in order of time.
pub(crate) fn find_changes(corrected: &[Episode], machine: &[Episode]) -> Vec<Change> {
    let mut times: Vec<u64> =
        corrected.iter().chain(machine).flat_map(|episode| [episode.start, episode.end]).collect();
    times.sort_unstable();
    times.dedup();
    let at = |episodes: &[Episode], time: u64| {
        let index = episodes.partition_point(|episode| episode.start <= time);
        let episode = episodes.get(index.checked_sub(1)?).filter(|episode| episode.end > time)?;
        Some((episode.label, episode.correction))
    };
    let mut changes: Vec<Change> = Vec::new();
    for (&start, &end) in times.iter().zip(times.iter().skip(1)) {
        let (human, machine) = (at(corrected, start), at(machine, start));
        let (label, machine) = (human.map(|found| found.0), machine.map(|found| found.0));
        if label == machine {
            continue;
        }
        let change = Change { start, end, label, machine, correction: human.and_then(|found| found.1) };
        match changes.last_mut() {
            Some(last)
                if last.end == start && Change { start: last.start, ..change } == Change { end, ..*last } =>
            {
                last.end = end;
            }
            _ => changes.push(change),
        }
    }
    changes
}

/// The time of each label (ns) that a person has by the frames and, where these were corrected, by the human: also where the face
/// was not found. Only frames whose start `is_counted` count.
pub(crate) fn label_times(
    timeline: &Timeline,
    person_id: u32,
    changes: &[Change],
    is_counted: impl Fn(u64) -> bool,
) -> BTreeMap<Label, u64> {
    let mut times: BTreeMap<Label, u64> = BTreeMap::new();
    for (frame, duration) in timeline.frames_with_duration().filter(|(frame, _)| is_counted(frame.pts)) {
        let label = match change_at(changes, frame.pts.saturating_add(duration / 2)) {
            Some(change) => change.label,
            None => Timeline::find_face(frame, person_id)
                .and_then(|face| face.classification.as_ref())
                .map(|classification| classification.label),
        };
        if let Some(label) = label {
            let time = times.entry(label).or_default();
            *time = time.saturating_add(duration);
        }
    }
    times
}

/// The change that covers a time, if there is one.
pub(crate) fn change_at(changes: &[Change], time: u64) -> Option<&Change> {
    let index = changes.partition_point(|change| change.start <= time);
    changes.get(index.checked_sub(1)?).filter(|change| change.end > time)
}

/// How far the corrected record agrees with the classifier's.
pub(crate) fn measure_agreement(corrected: &[Episode], machine: &[Episode]) -> Option<RecordAgreement> {
    let tier = |episodes: &[Episode]| {
        let annotation = |episode: &Episode| Annotation {
            start: episode.start,
            end: episode.end,
            label: episode.label.to_string(),
        };
        Tier::new("", episodes.iter().map(annotation).collect())
    };
    let agreement = Agreement::measure(&tier(corrected), &tier(machine), &Options::default()).ok()?;
    let Agreement { percent_agreement, kappa, alpha, .. } = agreement;
    Some(RecordAgreement { percent_agreement, kappa, alpha })
}

#[cfg(test)]
mod tests {
    use super::*;
    use mood_schema::Emotion;

    const MS: u64 = 1_000_000;

    fn episode(start: u64, end: u64, emotion: Emotion) -> Episode {
        let (start, end) = (start * MS + 123, end * MS + 123);
        Episode { label: emotion.into(), start, end, peak: start, probability: 0.5, correction: None }
    }

    fn span(start: u64, end: u64, emotion: Emotion) -> LabelledSpan {
        LabelledSpan { start: start * MS, end: end * MS, label: emotion.into() }
    }

    fn line(id: u64, partial: bool, spans: Vec<LabelledSpan>) -> CorrectionLine {
        CorrectionLine { id, partial, spans, ..CorrectionLine::default() }
    }

    fn machine() -> Vec<Episode> {
        vec![
            episode(0, 1000, Emotion::Neutral),
            episode(1000, 3000, Emotion::Happy),
            episode(4000, 5000, Emotion::Sad),
        ]
    }

    #[test]
    fn a_whole_tier_replaces_the_record_and_only_what_differs_is_the_humans() {
        // The first is left as it was but for rounding, the second begins later, the third is removed.
        let edited = line(3, false, vec![span(0, 1000, Emotion::Neutral), span(1500, 3000, Emotion::Happy)]);
        let record = correct_episodes(&machine(), &[&edited], &[]);
        let marks: Vec<_> = record.iter().map(|episode| episode.correction).collect();
        assert_eq!(marks, [None, Some(3)]);
        assert_eq!((record[1].start, record[1].end), (1500 * MS, 3000 * MS + 123));
        let changes = find_changes(&record, &machine());
        let spans: Vec<_> = changes.iter().map(|change| (change.start, change.end, change.label)).collect();
        assert_eq!(
            spans,
            [(1000 * MS + 123, 1500 * MS, None), (4000 * MS + 123, 5000 * MS + 123, None)],
            "{changes:?}"
        );
    }

    #[test]
    fn a_partial_correction_leaves_the_rest_and_later_ones_lie_over_earlier_ones() {
        let first = line(1, true, vec![span(2000, 3500, Emotion::Sad)]);
        let second = line(2, true, vec![span(2500, 2600, Emotion::Fear)]);
        let record = correct_episodes(&machine(), &[&first, &second], &[]);
        let found: Vec<_> = record
            .iter()
            .map(|episode| (episode.start / MS, episode.end / MS, episode.label.as_str(), episode.correction))
            .collect();
        assert_eq!(
            found,
            [
                (0, 1000, "neutral", None),
                (1000, 2000, "happy", None),
                (2000, 2500, "sad", Some(1)),
                (2500, 2600, "fear", Some(2)),
                (2600, 3500, "sad", Some(1)),
                (4000, 5000, "sad", None),
            ]
        );
        assert_eq!(correct_episodes(&machine(), &[], &[]), machine(), "taken back");
    }

    #[test]
    fn the_same_annotations_once_more_change_nothing() {
        let edited = line(1, false, vec![span(0, 1500, Emotion::Happy), span(1500, 3000, Emotion::Sad)]);
        let again = CorrectionLine { id: 2, ..edited.clone() };
        let once = correct_episodes(&machine(), &[&edited], &[]);
        assert_eq!(correct_episodes(&machine(), &[&edited, &again], &[]), once);
    }
}
