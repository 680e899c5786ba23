//! A session in numbers.

use std::collections::BTreeMap;

use mood_schema::{Affect, Label, Mood, TrackEvent};
use serde::{Deserialize, Serialize};

use crate::Timeline;

/// A session in numbers. Times are nanoseconds of stream time, shares 0-1.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// From the first frame to the end of the last.
    pub duration: u64,
    /// How many.
    pub frames: u64,
    /// False where the recording was cut off.
    pub complete: bool,
    /// Of the frames' time: at least one face was in view.
    pub face_share: f64,
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
}

/// A person in the picture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Subject {
    /// The face's id.
    pub id: u32,
    /// Time in view.
    pub seen: u64,
    /// Share of the classified time in view; together 1, or empty where nothing was classified.
    pub labels: BTreeMap<Label, f64>,
    /// Mean valence and arousal over the classified time.
    #[serde(flatten)]
    pub mean: Affect,
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

#[derive(Default)]
struct Tally {
    seen: u64,
    classified: u64,
    labels: BTreeMap<Label, u64>,
    sum: Affect,
}

impl Summary {
    /// Counts a timeline out.
    pub fn of(timeline: &Timeline) -> Self {
        let [begin, end] = timeline.span();
        let (mut time, mut with_face) = (0u64, 0u64);
        let mut tallies: BTreeMap<u32, Tally> = BTreeMap::new();
        for (frame, length) in timeline.frames_with_length() {
            time = time.saturating_add(length);
            if !frame.faces.is_empty() {
                with_face = with_face.saturating_add(length);
            }
            for face in &frame.faces {
                let tally = tallies.entry(face.id).or_default();
                tally.seen = tally.seen.saturating_add(length);
                if let Some(classification) = &face.classification {
                    tally.classified = tally.classified.saturating_add(length);
                    *tally.labels.entry(classification.label).or_default() += length;
                    tally.sum.valence += classification.affect.valence * length as f64;
                    tally.sum.arousal += classification.affect.arousal * length as f64;
                }
            }
        }
        let mut subjects: Vec<_> = tallies.into_iter().map(|(id, tally)| tally.subject(id)).collect();
        subjects.sort_by_key(|subject| std::cmp::Reverse(subject.seen));
        let tracks = plays(timeline, end);
        Self {
            duration: end - begin,
            frames: timeline.frames.len() as u64,
            complete: timeline.end.is_some(),
            face_share: share(with_face, time),
            subjects,
            mood_changes: timeline.moods.iter().filter(|mood| mood.from != mood.to).count() as u64,
            track_changes: tracks.len().saturating_sub(1) as u64,
            tracks,
            failed_tracks: timeline.tracks.iter().filter(|track| track.event == TrackEvent::Failed).count()
                as u64,
        }
    }

    /// The person the report is about: the one longest in view.
    pub fn main_subject(&self) -> Option<&Subject> {
        self.subjects.first()
    }
}

impl Subject {
    /// Labels by share, the largest first.
    pub fn ranked(&self) -> Vec<(Label, f64)> {
        let mut ranked: Vec<_> = self.labels.iter().map(|(&label, &share)| (label, share)).collect();
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
        ranked
    }
}

impl Tally {
    fn subject(self, id: u32) -> Subject {
        let mean = |sum: f64| if self.classified == 0 { 0.0 } else { sum / self.classified as f64 };
        Subject {
            id,
            seen: self.seen,
            labels: self.labels.iter().map(|(&label, &time)| (label, share(time, self.classified))).collect(),
            mean: Affect { valence: mean(self.sum.valence), arousal: mean(self.sum.arousal) },
        }
    }
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
