//! What is published.

use mood_schema::{Line, Mood, SCHEMA_VERSION, TrackEvent};
use serde::Serialize;

/// One thing that is published.
#[derive(Clone, Debug, PartialEq)]
pub enum Publication {
    /// The present state in short.
    State(State),
    /// The faces of a frame, or a decision of a player: a line as in a timeline.
    Line(Line),
}

/// The present state in short.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct State {
    /// [`SCHEMA_VERSION`].
    pub schema: u32,
    /// Time of the frame, ns of stream time.
    pub pts: u64,
    /// The mood that the player follows; without a player the label of the largest face, `absent` without a face.
    pub mood: Mood,
    /// Probability of the likeliest emotion of the largest face, 0-1; `None` without a classified face.
    pub confidence: Option<f64>,
    /// Valence of the largest face, -1 to 1; `None` without a classified face.
    pub valence: Option<f64>,
    /// Arousal of the largest face, -1 to 1; `None` without a classified face.
    pub arousal: Option<f64>,
    /// Probabilities of the largest face in [`mood_schema::Emotion`]'s order; `None` without a classified face.
    pub probabilities: Option<[f64; 7]>,
    /// Number of faces in the frame.
    pub people: usize,
    /// What plays; `None` without a player or in silence.
    pub track: Option<Track>,
}

/// A track that plays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Track {
    /// Title; may be empty.
    #[serde(with = "mood_schema::redacted")]
    pub title: String,
    /// URI, without credentials.
    #[serde(with = "mood_schema::redacted")]
    pub uri: String,
}

impl Default for State {
    fn default() -> Self {
        Self {
            schema: SCHEMA_VERSION,
            pts: 0,
            mood: Mood::Absent,
            confidence: None,
            valence: None,
            arousal: None,
            probabilities: None,
            people: 0,
            track: None,
        }
    }
}

impl Publication {
    /// The kind of publication, the last level of its MQTT topic and `type` in its JSON.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::State(_) => "state",
            Self::Line(line) => match line {
                Line::Session(_) => "session",
                Line::Frame(_) => "frame",
                Line::Mood(_) => "mood",
                Line::Track(_) => "track",
                Line::Safety(_) => "safety",
                Line::Settings(_) => "settings",
                Line::Marker(_) => "marker",
                Line::Clock(_) => "clock",
                Line::Correction(_) => "correction",
                Line::End(_) => "end",
            },
        }
    }

    /// The publication as a JSON object on one line, without a line feed at the end and without credentials.
    pub fn to_json(&self) -> String {
        /// A state with its kind, as the lines have it.
        #[derive(Serialize)]
        #[serde(tag = "type", rename = "state")]
        struct Tagged<'a> {
            #[serde(flatten)]
            state: &'a State,
        }
        match self {
            // Serialization cannot fail: there are no maps, and serde_json writes null for numbers that are not finite.
            Self::State(state) => serde_json::to_string(&Tagged { state }).unwrap_or_default(),
            Self::Line(line) => line.to_json(),
        }
    }
}

impl State {
    /// Takes over what a player has decided or plays.
    pub(crate) fn observe_line(&mut self, line: &Line) {
        match line {
            Line::Mood(mood) => self.mood = mood.to,
            Line::Track(track) => match track.event {
                TrackEvent::Started | TrackEvent::CrossfadeStarted | TrackEvent::CrossfadeDone => {
                    self.track = Some(Track { title: track.title.clone(), uri: track.uri.clone() });
                }
                TrackEvent::Ended | TrackEvent::Failed => {
                    self.track.take_if(|playing| playing.uri == track.uri);
                }
            },
            _ => {}
        }
    }
}
