//! The lines of a timeline and of a player's decision log: JSON Lines, one object a line, told apart by `type`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Face, Mood};

/// The version that the first line of every file carries. A reader refuses a higher one.
pub const SCHEMA_VERSION: u32 = 1;

/// One line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Line {
    /// Always the first.
    Session(SessionHeader),
    /// One for every frame.
    Frame(FrameLine),
    /// The player's mood changed.
    Mood(MoodLine),
    /// Something happened to the music.
    Track(TrackLine),
    /// The mood was negative for too long: the music leads out of it.
    Safety(SafetyLine),
    /// Always the last of a run that ended cleanly.
    End(SessionEnd),
}

impl Line {
    /// The line as JSON, without the newline.
    pub fn to_json(&self) -> String {
        // Maps have text keys and numbers are finite or written as null: nothing here can fail to serialise.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// What produced the file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SessionHeader {
    /// [`SCHEMA_VERSION`].
    pub schema: u32,
    /// Program and version.
    pub generator: String,
    /// URI of the media, where the pipeline knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Settings and hashes of whatever took part, one object an element.
    #[serde(default)]
    pub settings: Map<String, Value>,
}

/// A frame, faces or none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FrameLine {
    /// Counted from 0.
    pub frame: u64,
    /// Stream time, ns.
    pub pts: u64,
    /// Largest first.
    pub faces: Vec<Face>,
}

/// A change of the mood that counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MoodLine {
    /// When it was decided, stream time, ns.
    pub pts: u64,
    /// Before.
    pub from: Mood,
    /// From now on.
    pub to: Mood,
    /// Of the filter, 0-1.
    pub confidence: f64,
    /// Begin and end of the evidence it rests on, stream time, ns.
    pub evidence: [u64; 2],
}

/// The safety limit was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SafetyLine {
    /// When, stream time, ns.
    pub pts: u64,
    /// How long the mood had been negative without a break, ns.
    pub negative_time: u64,
}

/// What happened to the music.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrackEvent {
    /// First sample heard.
    Started,
    /// Two tracks sound from here...
    CrossfadeStarted,
    /// ...to here.
    CrossfadeDone,
    /// Last sample heard.
    Ended,
    /// Could not be played; skipped.
    Failed,
}

/// Something happened to the music.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrackLine {
    /// Stream time, ns.
    pub pts: u64,
    /// What happened.
    pub event: TrackEvent,
    /// The file.
    pub uri: String,
    /// Its title.
    #[serde(default)]
    pub title: String,
    /// The mood it plays for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mood: Option<Mood>,
    /// Between the mood and the track in the valence/arousal plane.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distance: Option<f64>,
    /// Why this one, or what went wrong.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// The next best.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub runners_up: Vec<Candidate>,
}

/// A track that was not chosen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// The file.
    pub uri: String,
    /// Between the mood and the track.
    pub distance: f64,
}

/// The clean end.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SessionEnd {
    /// End of the last frame or sample, stream time, ns.
    pub pts: u64,
    /// Frames written.
    #[serde(default)]
    pub frames: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Affect, Classification, Emotion, Rect};

    fn face() -> Face {
        let mut probabilities = [0.0; 7];
        probabilities[3] = 1.0;
        Face {
            id: 2,
            bbox: Rect { x: 0.1, y: 0.2, w: 0.3, h: 0.4 },
            classification: Some(Classification {
                label: Emotion::Happy.into(),
                confidence: 1.0,
                probabilities,
                affect: Affect::from_distribution(&probabilities),
            }),
            quality: 0.8,
            roll: 0.0,
        }
    }

    #[test]
    fn a_frame_line_reads_as_designed() {
        let line = Line::Frame(FrameLine { frame: 7, pts: 280_000_000, faces: vec![face()] });
        let json: Value = serde_json::from_str(&line.to_json()).unwrap();
        assert_eq!(json["type"], "frame");
        assert_eq!(json["frame"], 7);
        assert_eq!(json["pts"], 280_000_000);
        let face = &json["faces"][0];
        assert_eq!(face["id"], 2);
        assert_eq!(face["box"], serde_json::json!([0.1, 0.2, 0.3, 0.4]));
        assert_eq!(face["label"], "happy");
        assert_eq!(face["probabilities"].as_array().unwrap().len(), 7);
        assert_eq!(face["valence"], 0.87);
        assert_eq!(face["quality"], 0.8);
        assert!(face["confidence"].is_f64() && face["arousal"].is_f64());
    }

    #[test]
    fn every_line_survives_the_round_trip() {
        let unclassified = Face { classification: None, ..face() };
        let lines = [
            Line::Session(SessionHeader {
                schema: SCHEMA_VERSION,
                generator: "test".into(),
                ..Default::default()
            }),
            Line::Frame(FrameLine { frame: 0, pts: 0, faces: vec![face(), unclassified] }),
            Line::Mood(MoodLine {
                pts: 5,
                from: Mood::Absent,
                to: Emotion::Sad.into(),
                confidence: 0.7,
                evidence: [1, 5],
            }),
            Line::Track(TrackLine {
                pts: 6,
                event: TrackEvent::CrossfadeStarted,
                uri: "file:///a.flac".into(),
                title: "A".into(),
                mood: Some(Emotion::Sad.into()),
                distance: Some(0.25),
                reason: "nearest".into(),
                runners_up: vec![Candidate { uri: "file:///b.flac".into(), distance: 0.5 }],
            }),
            Line::Safety(SafetyLine { pts: 7, negative_time: 4 }),
            Line::End(SessionEnd { pts: 9, frames: 1 }),
        ];
        for line in lines {
            assert_eq!(serde_json::from_str::<Line>(&line.to_json()).unwrap(), line);
        }
    }
}
