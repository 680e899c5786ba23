//! From frames and decisions to publications, at most as often as wanted.

use std::time::Duration;

use mood_schema::{Frame, FrameLine, Line, Mood};

use crate::{Publication, State};

/// How often frames are published. Decisions of a player are published at once, whatever is set here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pacing {
    /// The shortest stream time between two publications from frames; zero publishes every frame.
    pub interval: Duration,
    /// Publish a frame only when the mood, the number of faces or the track differs from what was published last.
    pub changes_only: bool,
}

impl Default for Pacing {
    fn default() -> Self {
        Self { interval: Duration::from_millis(200), changes_only: false }
    }
}

/// Turns the frames and decisions of one stream into publications. Pure: times come with the frames.
#[derive(Debug, Default)]
pub struct Tracker {
    state: State,
    /// Whether a player has stated a mood, which counts from then on.
    has_player_mood: bool,
    frames: u64,
    /// The latest state that was published from a frame.
    published: Option<State>,
}

impl Tracker {
    /// The publications that a frame gives: its state and its faces, or none where it is too early or nothing has changed.
    /// `pts` is its stream time, ns; a time before that of the latest publication is a seek, which publishes.
    pub fn observe_frame(&mut self, pacing: Pacing, pts: u64, frame: Frame) -> Vec<Publication> {
        let number = self.frames;
        self.frames += 1;
        self.state.pts = pts;
        self.state.people = frame.faces.len();
        let face = frame.faces.iter().max_by(|a, b| a.bbox.area().total_cmp(&b.bbox.area()));
        let classification = face.and_then(|face| face.classification.as_ref());
        self.state.confidence = classification.map(|found| found.confidence);
        self.state.valence = classification.map(|found| found.affect.valence);
        self.state.arousal = classification.map(|found| found.affect.arousal);
        self.state.probabilities = classification.map(|found| found.probabilities);
        if !self.has_player_mood {
            self.state.mood = match (face, classification) {
                (_, Some(found)) => found.label.into(),
                (Some(_), None) => Mood::Uncertain,
                (None, None) => Mood::Absent,
            };
        }
        if let Some(published) = &self.published {
            let interval = u64::try_from(pacing.interval.as_nanos()).unwrap_or(u64::MAX);
            let is_early = pts >= published.pts && pts - published.pts < interval;
            let is_unchanged = (published.mood, published.people, &published.track)
                == (self.state.mood, self.state.people, &self.state.track);
            if is_early || (pacing.changes_only && is_unchanged) {
                return Vec::new();
            }
        }
        self.published = Some(self.state.clone());
        let line = Line::Frame(FrameLine { frame: number, pts, faces: frame.faces, shot: frame.shot });
        vec![Publication::State(self.state.clone()), Publication::Line(line)]
    }

    /// The publications that a line of a player or an application gives: the line, and the state where it changes it.
    pub fn observe_line(&mut self, line: Line) -> Vec<Publication> {
        let before = (self.state.mood, self.state.track.clone());
        self.has_player_mood |= matches!(line, Line::Mood(_));
        self.state.observe_line(&line);
        let has_changed = before != (self.state.mood, self.state.track.clone());
        let mut publications = vec![Publication::Line(line)];
        if has_changed {
            // Frames go on as if this had not been published: it has their values, but not their time.
            publications.push(Publication::State(self.state.clone()));
        }
        publications
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mood_schema::{Affect, Classification, Emotion, Face, MoodLine, Rect, TrackEvent, TrackLine};

    fn frame(emotion: Option<Emotion>) -> Frame {
        let classification = emotion.map(|emotion| {
            let mut probabilities = [0.0; 7];
            probabilities[emotion.index()] = 1.0;
            Classification {
                label: emotion.into(),
                confidence: 1.0,
                probabilities,
                raw: None,
                affect: Affect::from_distribution(&probabilities),
            }
        });
        let face = Face {
            id: 1,
            bbox: Rect { x: 0.0, y: 0.0, w: 0.5, h: 0.5 },
            classification,
            quality: 1.0,
            roll: 0.0,
            source: Default::default(),
            resembles: None,
            quality_limit: None,
        };
        Frame { faces: vec![face], shot: 0 }
    }

    fn kinds(publications: &[Publication]) -> Vec<&'static str> {
        publications.iter().map(Publication::kind).collect()
    }

    #[test]
    fn frames_are_published_at_most_once_in_an_interval() {
        let pacing = Pacing { interval: Duration::from_millis(100), changes_only: false };
        let mut tracker = Tracker::default();
        let mut published =
            |ms: u64| !tracker.observe_frame(pacing, ms * 1_000_000, frame(Some(Emotion::Happy))).is_empty();
        let times = [(0, true), (40, false), (80, false), (120, true), (200, false), (220, true)];
        for (ms, expected) in times {
            assert_eq!(published(ms), expected, "{ms} ms");
        }
        assert!(published(10), "after a seek back");
    }

    #[test]
    fn with_changes_only_the_same_state_is_published_once() {
        let pacing = Pacing { interval: Duration::ZERO, changes_only: true };
        let mut tracker = Tracker::default();
        let emotions = [Some(Emotion::Happy), Some(Emotion::Happy), Some(Emotion::Sad), None, None];
        let counts = emotions.map(|emotion| tracker.observe_frame(pacing, 0, frame(emotion)).len());
        assert_eq!(counts, [2, 0, 2, 2, 0]);
        let last = tracker.observe_frame(pacing, 0, Frame::default());
        assert!(
            matches!(&last[0], Publication::State(state) if state.mood == Mood::Absent && state.people == 0)
        );
    }

    #[test]
    fn the_mood_of_a_player_counts_and_decisions_are_published_at_once() {
        let mut tracker = Tracker::default();
        let pacing = Pacing::default();
        tracker.observe_frame(pacing, 0, frame(Some(Emotion::Happy)));
        let mood = MoodLine {
            pts: 5,
            from: Mood::Absent,
            to: Emotion::Sad.into(),
            confidence: 0.7,
            evidence: [0, 5],
        };
        assert_eq!(kinds(&tracker.observe_line(Line::Mood(mood.clone()))), ["mood", "state"]);
        assert_eq!(kinds(&tracker.observe_line(Line::Mood(mood))), ["mood"], "nothing new in the state");
        let track = |event| TrackLine {
            pts: 6,
            event,
            uri: "http://ada:secret@h/a.ogg".into(),
            title: "A".into(),
            mood: None,
            distance: None,
            reason: String::new(),
            runners_up: Vec::new(),
        };
        let publications = tracker.observe_line(Line::Track(track(TrackEvent::Started)));
        assert_eq!(kinds(&publications), ["track", "state"]);
        let json: serde_json::Value = serde_json::from_str(&publications[1].to_json()).unwrap();
        assert_eq!(
            (&json["type"], &json["mood"], &json["track"]),
            (&"state".into(), &"sad".into(), &serde_json::json!({ "title": "A", "uri": "http://h/a.ogg" }))
        );
        assert!(publications.iter().all(|publication| !publication.to_json().contains("secret")));
        tracker.observe_line(Line::Track(track(TrackEvent::Ended)));
        let publications = tracker.observe_frame(pacing, 1_000_000_000, frame(Some(Emotion::Happy)));
        let Publication::State(state) = &publications[0] else { panic!() };
        assert_eq!((state.mood, &state.track), (Emotion::Sad.into(), &None));
    }
}
