//! A session in numbers: what `summary.json` holds. docs/timeline.md explains every key.

use std::collections::BTreeMap;

use mood_schema::{Affect, Label, Mood, TrackEvent};
use serde::{Deserialize, Serialize};

use crate::Timeline;
use crate::baseline::{AboveBaseline, Baseline};
use crate::episode::{Episode, SHORTEST, Transitions, episodes, transitions};
use crate::estimate::{Estimate, Trend};
use crate::person::{Cast, Dimension, Sample};
use crate::response::{Response, responses};

/// The version that `summary.json` carries.
pub const SCHEMA: u32 = 1;

/// A session in numbers. Times are nanoseconds of stream time, shares 0-1.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// [`SCHEMA`].
    pub schema: u32,
    /// What the session is called.
    pub title: String,
    /// URI of the recording, where it may be told.
    pub source: Option<String>,
    /// What it was made from and how, as `process` notes it: equal notes need no second run.
    pub made_from: Option<serde_json::Value>,
    /// Who is who.
    pub cast: Cast,
    /// When the first frame begins.
    pub begin: u64,
    /// From the first frame to the end of the last.
    pub duration: u64,
    /// How many.
    pub frames: u64,
    /// False where the recording was cut off.
    pub complete: bool,
    /// Of the frames' time: at least one face was in view.
    pub face_share: f64,
    /// Id of the person the report is about.
    pub subject: Option<u32>,
    /// Everybody seen, the longest in view first.
    pub subjects: Vec<Subject>,
    /// How often the player's mood changed.
    pub mood_changes: u64,
    /// How often one track took over from another.
    pub track_changes: u64,
    /// What was played, in order.
    pub tracks: Vec<TrackPlay>,
    /// How many tracks could not be played.
    pub failed_tracks: u64,
    /// What the subject showed before and after each track began.
    pub responses: Vec<Response>,
    /// Change of valence over all the responses.
    pub response_valence: Option<Estimate>,
    /// Change of arousal over all the responses.
    pub response_arousal: Option<Estimate>,
}

/// A person in the picture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Subject {
    /// The face's id, of several the first.
    pub id: u32,
    /// What it is called: a pseudonym unless a name was given.
    pub name: String,
    /// Time in view.
    pub seen: u64,
    /// Time not in view.
    pub absent: u64,
    /// Time in view and classified.
    pub classified: u64,
    /// Of the classified time: it could not be told what the face showed.
    pub uncertain: u64,
    /// Share of the classified time; together 1, or empty where nothing was classified.
    pub labels: BTreeMap<Label, f64>,
    /// Mean quality of the face's picture while in view, 0-1.
    pub quality: f64,
    /// Mean over the classified time.
    pub valence: Option<Estimate>,
    /// Mean over the classified time.
    pub arousal: Option<Estimate>,
    /// Over the session.
    pub valence_trend: Option<Trend>,
    /// Over the session.
    pub arousal_trend: Option<Trend>,
    /// How often one label followed another.
    pub transitions: Transitions,
    /// Stretches of one label.
    pub episodes: Vec<Episode>,
    /// The subject's usual expression, where it was asked for.
    pub baseline: Option<Baseline>,
    /// The session against it; of a baseline measured in this session, what came after.
    pub above_baseline: Option<AboveBaseline>,
}

/// A track while it sounded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrackPlay {
    /// The file.
    pub uri: String,
    /// Its title; the uri where it has none.
    pub title: String,
    /// The mood it was played for.
    pub mood: Option<Mood>,
    /// First sample heard.
    pub start: u64,
    /// Last sample heard.
    pub end: u64,
    /// Why this one.
    pub reason: String,
}

/// Where the subject's baseline comes from.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum BaselineFrom {
    /// None is wanted.
    #[default]
    Nowhere,
    /// The first seconds of the subject's classified time.
    Begin(f64),
    /// An earlier session.
    Earlier(Baseline),
}

impl Summary {
    /// Counts out a timeline that has been [recast](Timeline::recast), with half a second as the shortest episode.
    pub fn of(timeline: &Timeline, cast: &Cast) -> Self {
        Self::with(timeline, cast, &BaselineFrom::Nowhere, SHORTEST)
    }

    /// The same with the subject's baseline, and another shortest episode, ns.
    pub fn with(timeline: &Timeline, cast: &Cast, baseline: &BaselineFrom, shortest: u64) -> Self {
        let [begin, end] = timeline.span();
        let (mut time, mut with_face) = (0u64, 0u64);
        for (frame, length) in timeline.frames_with_length() {
            time = time.saturating_add(length);
            if !frame.faces.is_empty() {
                with_face = with_face.saturating_add(length);
            }
        }
        let people = timeline.people();
        let mut subjects: Vec<Subject> =
            people.iter().map(|(&id, samples)| subject(id, samples, cast, time, shortest)).collect();
        subjects.sort_by_key(|subject| std::cmp::Reverse(subject.seen));

        let wanted = cast.subject.map(|id| cast.person(id)).filter(|id| people.contains_key(id));
        let main = wanted.or(subjects.first().map(|subject| subject.id));
        let samples = main.and_then(|id| people.get(&id)).map_or(&[][..], Vec::as_slice);
        if let Some(subject) = subjects.iter_mut().find(|subject| Some(subject.id) == main) {
            (subject.baseline, subject.above_baseline) = against(samples, baseline);
        }
        let tracks = plays(timeline, end);
        let responses = responses(samples, &tracks);
        let mean = |change: fn(&Response) -> f64| {
            Estimate::of_values(&responses.iter().map(change).collect::<Vec<_>>())
        };
        let failed = timeline.tracks.iter().filter(|track| track.event == TrackEvent::Failed);
        Self {
            schema: SCHEMA,
            title: timeline.session.source.as_deref().and_then(title).unwrap_or_else(|| "Session".into()),
            source: timeline.session.source.clone(),
            made_from: None,
            cast: cast.clone(),
            begin,
            duration: end - begin,
            frames: timeline.frames.len() as u64,
            complete: timeline.end.is_some(),
            face_share: share(with_face, time),
            subject: main,
            subjects,
            mood_changes: timeline.moods.iter().filter(|mood| mood.from != mood.to).count() as u64,
            track_changes: tracks.len().saturating_sub(1) as u64,
            tracks,
            failed_tracks: failed.count() as u64,
            response_valence: mean(|response| response.valence.change.mean),
            response_arousal: mean(|response| response.arousal.change.mean),
            responses,
        }
    }

    /// The person the report is about.
    pub fn main_subject(&self) -> Option<&Subject> {
        self.subjects.iter().find(|subject| Some(subject.id) == self.subject)
    }
}

fn subject(id: u32, samples: &[Sample], cast: &Cast, time: u64, shortest: u64) -> Subject {
    let (mut seen, mut classified, mut quality) = (0u64, 0u64, 0.0);
    let mut labels: BTreeMap<Label, u64> = BTreeMap::new();
    for sample in samples {
        let length = sample.length();
        seen = seen.saturating_add(length);
        quality += sample.face.quality * length as f64;
        if let Some(classification) = sample.classification() {
            classified = classified.saturating_add(length);
            let label = labels.entry(classification.label).or_default();
            *label = label.saturating_add(length);
        }
    }
    let episodes = episodes(samples, shortest);
    Subject {
        id,
        name: cast.name(id),
        seen,
        absent: time.saturating_sub(seen),
        classified,
        uncertain: labels.get(&Label::Uncertain).copied().unwrap_or_default(),
        labels: labels.iter().map(|(&label, &time)| (label, share(time, classified))).collect(),
        quality: if seen == 0 { 0.0 } else { quality / seen as f64 },
        valence: Estimate::of(samples, Dimension::Valence),
        arousal: Estimate::of(samples, Dimension::Arousal),
        valence_trend: Trend::of(samples, Dimension::Valence),
        arousal_trend: Trend::of(samples, Dimension::Arousal),
        transitions: transitions(&episodes),
        episodes,
        baseline: None,
        above_baseline: None,
    }
}

fn against(samples: &[Sample], from: &BaselineFrom) -> (Option<Baseline>, Option<AboveBaseline>) {
    match from {
        BaselineFrom::Nowhere => (None, None),
        BaselineFrom::Begin(seconds) => match Baseline::split(samples, *seconds) {
            Some((baseline, rest)) => {
                let above = AboveBaseline::of(rest, &baseline);
                (Some(baseline), above)
            }
            None => (None, None),
        },
        BaselineFrom::Earlier(baseline) => (Some(baseline.clone()), AboveBaseline::of(samples, baseline)),
    }
}

impl Subject {
    /// Labels by share, the largest first.
    pub fn ranked(&self) -> Vec<(Label, f64)> {
        let mut ranked: Vec<_> = self.labels.iter().map(|(&label, &share)| (label, share)).collect();
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
        ranked
    }

    /// Mean valence and arousal; the origin where nothing was classified.
    pub fn mean(&self) -> Affect {
        let mean = |estimate: Option<Estimate>| estimate.map_or(0.0, |estimate| estimate.mean);
        Affect { valence: mean(self.valence), arousal: mean(self.arousal) }
    }
}

/// The name of a URI's file, without its extension.
fn title(uri: &str) -> Option<String> {
    let name = uri.trim_end_matches('/').rsplit('/').next()?;
    let name = percent_encoding::percent_decode_str(name).decode_utf8_lossy();
    let stem = name.rsplit_once('.').map_or(&*name, |(stem, _)| stem);
    (!stem.is_empty()).then(|| stem.to_owned())
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// What was heard from when to when: a track ends with its own line, or with the session.
fn plays(timeline: &Timeline, end: u64) -> Vec<TrackPlay> {
    let mut plays: Vec<TrackPlay> = Vec::new();
    let mut sounding: Vec<usize> = Vec::new();
    for line in &timeline.tracks {
        match line.event {
            TrackEvent::Started => {
                sounding.push(plays.len());
                plays.push(TrackPlay {
                    uri: line.uri.clone(),
                    title: if line.title.is_empty() { line.uri.clone() } else { line.title.clone() },
                    mood: line.mood,
                    start: line.pts,
                    end: end.max(line.pts),
                    reason: line.reason.clone(),
                });
            }
            TrackEvent::Ended => {
                let ended =
                    sounding.iter().position(|&index| plays.get(index).is_some_and(|p| p.uri == line.uri));
                if let Some(play) = ended.map(|at| sounding.remove(at)).and_then(|index| plays.get_mut(index))
                {
                    play.end = line.pts.max(play.start);
                }
            }
            TrackEvent::CrossfadeStarted | TrackEvent::CrossfadeDone | TrackEvent::Failed => (),
        }
    }
    plays
}
