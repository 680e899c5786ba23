//! The statistics of a session: the content of `summary.json`. `docs/timeline.md` explains every key.

mod revision;

use std::collections::BTreeMap;

use mood_schema::{Affect, ClockLine, Label, MarkerLine, TrackEvent, redacted};
use serde::{Deserialize, Serialize};

use crate::Timeline;
use crate::baseline::{Baseline, BaselineDifference, BaselineSource, apply_baseline};
use crate::condition::ConditionSummary;
use crate::consent::ConsentRecord;
use crate::correction::{CorrectionSummary, MachineRecord};
use crate::dyad::Dyad;
use crate::episode::{Episode, MIN_EPISODE, Transitions, count_transitions, find_episodes};
use crate::estimate::{Estimate, Trend};
use crate::finding::seldom_found_warning;
use crate::music_response::{MusicResponse, compute_responses};
use crate::people::{Dimension, Observation, PersonMap};
use crate::recording_time::Recorded;
use crate::resting_face::RestingFaceSummary;
use crate::track_play::{TrackPlay, collect_track_plays, join_restarts};
use crate::warning::{Warning, find_warnings};

/// The schema version written into `summary.json`. Raised when the meaning of a key changes.
pub const SUMMARY_SCHEMA_VERSION: u32 = 1;

/// The statistics of a session. Times are nanoseconds of stream time, shares 0-1.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Schema version, see [`SUMMARY_SCHEMA_VERSION`].
    pub schema: u32,
    /// Title of the session: the name of the recording's file without extension, unless another was given.
    #[serde(with = "redacted")]
    pub title: String,
    /// URI of the recording; `None` where it is unknown or to be kept private.
    #[serde(with = "redacted")]
    pub source: Option<String>,
    /// The inputs, models and settings the session was made from, as `process` records them: where they are unchanged, the
    /// recording is not processed again. `None`: processing has not finished.
    pub made_from: Option<serde_json::Value>,
    /// The merged face ids and the names.
    #[serde(rename = "cast")]
    pub person_map: PersonMap,
    /// Start of the first frame, ns.
    pub begin: u64,
    /// Time from the start of the first frame to the end of the last, ns.
    pub duration: u64,
    /// Number of frames.
    pub frames: u64,
    /// Whether the recording ended cleanly; false where the recording process was killed.
    pub complete: bool,
    /// Share of the time in which at least one face was found; of the frames, where they have no duration, as a photo.
    pub face_share: f64,
    /// Id of the person the report is about; `None` where no face was detected.
    #[serde(rename = "subject")]
    pub subject_id: Option<u32>,
    /// Everybody in the recording, the person found for longest first.
    #[serde(rename = "subjects")]
    pub people: Vec<PersonSummary>,
    /// Number of changes of the player's mood.
    pub mood_changes: u64,
    /// Number of times another track followed a track; one that began again is no other.
    pub track_changes: u64,
    /// The tracks played, in order of their starts.
    pub tracks: Vec<TrackPlay>,
    /// Number of tracks that could not be played.
    pub failed_tracks: u64,
    /// The subject's response to each track.
    pub responses: Vec<MusicResponse>,
    /// Mean change of valence over all responses, -2 to 2; `None` without responses.
    pub response_valence: Option<Estimate>,
    /// Mean change of arousal over all responses, -2 to 2; `None` without responses.
    pub response_arousal: Option<Estimate>,
    /// What was marked in a live session, by time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub markers: Vec<MarkerLine>,
    /// The time of the day near the beginning of a live session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<ClockLine>,
    /// When it was recorded; `None` where that is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded: Option<Recorded>,
    /// What somebody wrote about the session in its notes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The subject together with others; only with people who are named, or two who are there for a minute in common.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dyads: Vec<Dyad>,
    /// What the subject showed under each condition that the notes name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<ConditionSummary>,
    /// Who agreed to what is stored, as far as notes or options say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<ConsentRecord>,
    /// What humans said in place of the classifier, in the order in which it was taken in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub corrections: Vec<CorrectionSummary>,
    /// What was passed over, assumed or joined.
    #[serde(default)]
    pub warnings: Vec<Warning>,
}

/// The statistics of one person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PersonSummary {
    /// Id of the person: a face id, of merged ones the first.
    pub id: u32,
    /// Display name: `Person` and the id unless a name was given.
    pub name: String,
    /// Time in which the face was found, ns.
    #[serde(rename = "seen")]
    pub found: u64,
    /// The rest of the time, ns.
    pub absent: u64,
    /// Time found and classified, ns; of a corrected record, the time that has a label.
    pub classified: u64,
    /// The part of the classified time with the label `uncertain`, ns.
    pub uncertain: u64,
    /// Share of the classified time of each label, or of the frames where they have no duration. They sum to 1; empty where the face was never classified.
    pub labels: BTreeMap<Label, f64>,
    /// Mean quality of the face's image while found, 0-1.
    pub quality: f64,
    /// Mean valence over the classified time, -1 to 1.
    pub valence: Option<Estimate>,
    /// Mean arousal over the classified time, -1 to 1.
    pub arousal: Option<Estimate>,
    /// Linear trend of valence over the session.
    pub valence_trend: Option<Trend>,
    /// Linear trend of arousal over the session.
    pub arousal_trend: Option<Trend>,
    /// Number of changes from each label to each other.
    pub transitions: Transitions,
    /// The episodes in order of time.
    pub episodes: Vec<Episode>,
    /// The resting face that was taken off the labels, and what it changed; `None` where none was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resting_face: Option<RestingFaceSummary>,
    /// What the classifier said, where labels, transitions and episodes are corrected by humans; valence and arousal are always
    /// the classifier's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<MachineRecord>,
    /// The usual expression; only of the subject, and where a baseline was asked for.
    pub baseline: Option<Baseline>,
    /// Difference from the baseline. Where that was measured in this session, of the time after it.
    pub above_baseline: Option<BaselineDifference>,
}

impl Summary {
    /// Computes the statistics of a timeline whose people have been [merged](Timeline::merge_people), without a baseline and
    /// with episodes of at least [`MIN_EPISODE`].
    pub fn compute(timeline: &Timeline, people: &PersonMap) -> Self {
        Self::compute_with(timeline, people, &BaselineSource::None, MIN_EPISODE)
    }

    /// As [`Self::compute`], with a baseline for the subject and another minimum duration of episodes, ns.
    pub fn compute_with(
        timeline: &Timeline,
        person_map: &PersonMap,
        baseline: &BaselineSource,
        min_episode: u64,
    ) -> Self {
        let [begin, end] = timeline.span();
        let time =
            timeline.frames_with_duration().fold(0u64, |time, (_, duration)| time.saturating_add(duration));
        let frames_with_face = timeline.frames_with_duration().filter(|(frame, _)| !frame.faces.is_empty());
        let face_share = if time == 0 {
            // The only frame of a photo has no duration.
            share(frames_with_face.count() as u64, timeline.frames.len() as u64)
        } else {
            share(frames_with_face.fold(0, |time, (_, duration)| time.saturating_add(duration)), time)
        };
        let observations = timeline.observations();
        let mut people: Vec<PersonSummary> = observations
            .iter()
            .map(|(&id, observations)| {
                let resting_face = RestingFaceSummary::compute(&timeline.header, id, observations);
                let name = person_map.name(id);
                PersonSummary {
                    resting_face,
                    ..PersonSummary::compute(id, name, observations, time, min_episode)
                }
            })
            .collect();
        people.sort_by_key(|person| std::cmp::Reverse(person.found));

        let wanted = person_map.subject.map(|id| person_map.person_id(id));
        let subject_id =
            wanted.filter(|id| observations.contains_key(id)).or(people.first().map(|person| person.id));
        let subject_observations =
            subject_id.and_then(|id| observations.get(&id)).map_or(&[][..], Vec::as_slice);
        if let Some(subject) = people.iter_mut().find(|person| Some(person.id) == subject_id) {
            (subject.baseline, subject.above_baseline) = apply_baseline(subject_observations, baseline);
        }
        let tracks = collect_track_plays(timeline, end);
        let pieces = join_restarts(&tracks);
        let responses = compute_responses(subject_observations, &pieces);
        let mean_change = |change: fn(&MusicResponse) -> f64| {
            Estimate::from_independent_values(&responses.iter().map(change).collect::<Vec<_>>())
        };
        let failed = timeline.tracks.iter().filter(|track| track.event == TrackEvent::Failed);
        let source = timeline.header.source.as_deref();
        let mut summary = Self {
            schema: SUMMARY_SCHEMA_VERSION,
            title: source.and_then(file_stem).unwrap_or_else(|| "Session".into()),
            source: timeline.header.source.clone(),
            made_from: None,
            person_map: person_map.clone(),
            begin,
            duration: end - begin,
            frames: timeline.frames.len() as u64,
            complete: timeline.end.is_some(),
            face_share,
            subject_id,
            people,
            mood_changes: timeline.moods.iter().filter(|mood| mood.from != mood.to).count() as u64,
            track_changes: pieces.len().saturating_sub(1) as u64,
            tracks,
            failed_tracks: failed.count() as u64,
            response_valence: mean_change(|response| response.valence.change.mean),
            response_arousal: mean_change(|response| response.arousal.change.mean),
            responses,
            markers: timeline.markers.clone(),
            clock: timeline.clocks.first().cloned(),
            recorded: timeline.clocks.first().and_then(Recorded::from_clock),
            note: None,
            corrections: Vec::new(),
            dyads: Vec::new(),
            conditions: Vec::new(),
            consent: None,
            warnings: find_warnings(timeline),
        };
        let seldom = summary.subject().and_then(|subject| {
            let time = subject.found.saturating_add(subject.absent);
            let missing = subject.absent as f64 / time.max(1) as f64;
            seldom_found_warning(timeline, subject.id, &subject.name, missing)
        });
        summary.warnings.extend(seldom);
        summary.apply_corrections(timeline);
        summary
    }

    /// The person the report is about; `None` where no face was detected.
    pub fn subject(&self) -> Option<&PersonSummary> {
        self.people.iter().find(|person| Some(person.id) == self.subject_id)
    }
}

impl PersonSummary {
    /// Computes a person's statistics. `time` is the duration of all frames and `min_episode` the minimum duration of an
    /// episode, both ns.
    fn compute(id: u32, name: String, observations: &[Observation], time: u64, min_episode: u64) -> Self {
        // Where no frame has a duration, all count the same.
        let weight = |observation: &Observation| if time == 0 { 1 } else { observation.duration() };
        let (mut found, mut classified, mut total, mut quality) = (0u64, 0u64, 0u64, 0.0);
        let mut labels: BTreeMap<Label, u64> = BTreeMap::new();
        for observation in observations {
            found = found.saturating_add(observation.duration());
            let weight = weight(observation);
            total = total.saturating_add(weight);
            quality += observation.face.quality * weight as f64;
            if let Some(classification) = observation.classification() {
                classified = classified.saturating_add(observation.duration());
                let label_weight = labels.entry(classification.label).or_default();
                *label_weight = label_weight.saturating_add(weight);
            }
        }
        let label_total = labels.values().fold(0u64, |total, &weight| total.saturating_add(weight));
        let uncertain =
            if time == 0 { 0 } else { labels.get(&Label::Uncertain).copied().unwrap_or_default() };
        let episodes = find_episodes(observations, min_episode);
        Self {
            id,
            name,
            found,
            absent: time.saturating_sub(found),
            classified,
            uncertain,
            labels: labels.iter().map(|(&label, &weight)| (label, share(weight, label_total))).collect(),
            quality: if total == 0 { 0.0 } else { quality / total as f64 },
            valence: Estimate::from_observations(observations, Dimension::Valence),
            arousal: Estimate::from_observations(observations, Dimension::Arousal),
            valence_trend: Trend::from_observations(observations, Dimension::Valence),
            arousal_trend: Trend::from_observations(observations, Dimension::Arousal),
            transitions: count_transitions(&episodes),
            episodes,
            resting_face: None,
            machine: None,
            baseline: None,
            above_baseline: None,
        }
    }

    /// The labels with their shares of the classified time, the largest first.
    pub fn labels_by_share(&self) -> Vec<(Label, f64)> {
        let mut labels: Vec<_> = self.labels.iter().map(|(&label, &share)| (label, share)).collect();
        labels.sort_by(|a, b| b.1.total_cmp(&a.1));
        labels
    }

    /// Mean valence and arousal over the classified time; the origin where the face was never classified.
    pub fn mean_affect(&self) -> Affect {
        let mean = |estimate: Option<Estimate>| estimate.map_or(0.0, |estimate| estimate.mean);
        Affect { valence: mean(self.valence), arousal: mean(self.arousal) }
    }
}

/// The name of a URI's file without its extension, percent-decoded; `None` where that is empty.
fn file_stem(uri: &str) -> Option<String> {
    let name = uri.trim_end_matches('/').rsplit('/').next()?;
    let name = percent_encoding::percent_decode_str(name).decode_utf8_lossy();
    let stem = name.rsplit_once('.').map_or(&*name, |(stem, _)| stem);
    (!stem.is_empty()).then(|| stem.to_owned())
}

/// `part` of `total`, 0-1; 0 where `total` is 0.
fn share(part: u64, total: u64) -> f64 {
    if total == 0 { 0.0 } else { part as f64 / total as f64 }
}
