//! The lines of timelines and of players' decision logs. Both are JSON Lines: one object per line, its kind
//! in `type`. Addresses in them are written and read without credentials.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Face, Label, Mood, Redact, redacted};

/// The version of the format, in the first line of every file. A reader refuses a higher one.
pub const SCHEMA_VERSION: u32 = 1;

/// A line of a timeline or decision log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Line {
    /// The header, always the first line.
    Session(SessionHeader),
    /// The faces of a video frame.
    Frame(FrameLine),
    /// A change of the mood that the player follows.
    Mood(MoodLine),
    /// The start, end or failure of a track, or a crossfade.
    Track(TrackLine),
    /// The limit on the time in negative moods was reached.
    Safety(SafetyLine),
    /// The settings of an element changed while it ran.
    Settings(SettingsLine),
    /// Somebody marked what happened, or took a mark back.
    Marker(MarkerLine),
    /// Which time of the day it was.
    Clock(ClockLine),
    /// A human said what a person showed, or that was taken back.
    Correction(CorrectionLine),
    /// The last line of a file that was written completely.
    End(SessionEnd),
}

impl Line {
    /// The line as JSON, without a line feed at the end.
    pub fn to_json(&self) -> String {
        // Serialization cannot fail: keys of maps are strings, and serde_json writes null for numbers that
        // are not finite.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// For what leaves the process otherwise than as JSON, which has no credentials anyway.
impl Redact for Line {
    fn redact(&mut self) {
        match self {
            Self::Session(SessionHeader { schema: _, generator: _, source, settings }) => {
                source.redact();
                settings.redact();
            }
            Self::Track(TrackLine {
                uri,
                title,
                reason,
                runners_up,
                pts: _,
                event: _,
                mood: _,
                distance: _,
            }) => {
                [uri, title, reason].into_iter().for_each(Redact::redact);
                runners_up.iter_mut().for_each(|candidate| candidate.uri.redact());
            }
            Self::Settings(SettingsLine { pts: _, settings }) => settings.redact(),
            Self::Frame(_)
            | Self::Mood(_)
            | Self::Safety(_)
            | Self::Marker(_)
            | Self::Clock(_)
            | Self::Correction(_)
            | Self::End(_) => {}
        }
    }
}

/// The first line of a file: what produced it, from which media and with which settings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SessionHeader {
    /// [`SCHEMA_VERSION`] of the program that wrote the file.
    pub schema: u32,
    /// Name and version of the program or element that wrote the file.
    pub generator: String,
    /// URI of the media, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "redacted")]
    pub source: Option<String>,
    /// Settings of each element that took part and hashes of its model or cascade, by the element's name.
    #[serde(default, with = "redacted")]
    pub settings: Map<String, Value>,
}

/// The setting of a detector that names the memory in which it keeps people: parts of a session with the same name have the
/// same ids for the same people.
pub const PEOPLE_MEMORY: &str = "people-memory";

impl SessionHeader {
    /// The name of the detector's memory, see [`PEOPLE_MEMORY`]; `None` where it keeps nobody.
    pub fn people_memory(&self) -> Option<&str> {
        self.settings.values().find_map(|settings| settings.get(PEOPLE_MEMORY)?.as_str())
    }
}

/// A video frame and its faces.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FrameLine {
    /// Number of the frame, from 0.
    pub frame: u64,
    /// Time of the frame, ns of stream time.
    pub pts: u64,
    /// The faces, largest first; may be empty.
    pub faces: Vec<Face>,
    /// Number of the shot, see [`Frame::shot`](crate::Frame::shot); left out where it is 0.
    #[serde(default, skip_serializing_if = "is_first")]
    pub shot: u32,
}

/// Whether a shot is the first one.
fn is_first(shot: &u32) -> bool {
    *shot == 0
}

/// A change of the mood that a player follows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MoodLine {
    /// Time of the decision, ns of stream time.
    pub pts: u64,
    /// The mood before the change.
    pub from: Mood,
    /// The mood after the change.
    pub to: Mood,
    /// Probability of the new mood as the player estimates it, 0-1.
    pub confidence: f64,
    /// Start and end of the frames that led to the decision, ns of stream time.
    pub evidence: [u64; 2],
}

/// The limit on the time in negative moods was reached, so the player leads the music out of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SafetyLine {
    /// Time of the decision, ns of stream time.
    pub pts: u64,
    /// How long the mood had been negative without interruption, ns.
    pub negative_time: u64,
}

/// Settings that changed, or became known, after the header was written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SettingsLine {
    /// End of the last frame before the change, ns of stream time.
    pub pts: u64,
    /// All settings of the element, by the element's name as in [`SessionHeader::settings`].
    #[serde(with = "redacted")]
    pub settings: Map<String, Value>,
}

/// What happened at a moment of a live session, in a user's words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarkerLine {
    /// When it was marked, ns of stream time.
    pub pts: u64,
    /// Number of the marker, unique in the session.
    pub id: u64,
    /// What happened.
    pub text: String,
    /// Whether the marker with this number is taken back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub removed: bool,
}

/// The time of the day at a time of a live session, so that recordings of other instruments can be laid beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockLine {
    /// Stream time, ns, of what is recorded now.
    pub pts: u64,
    /// Time of the session's monotonic clock, ns. It runs on while the session is paused or stopped, and stream time does
    /// not.
    pub time: u64,
    /// Coordinated universal time, ISO 8601 with milliseconds: `2026-05-03T10:00:00.000Z`.
    pub utc: String,
    /// Offset of the local time from UTC: `+02:00`.
    pub zone: String,
    /// The name of the file in the session's folder that picture and sound are recorded into from the last start on, in
    /// stream time; `None` where nothing is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub video: Option<String>,
}

/// What a human says that a person showed, in place of what the classifier says. The frames keep the classifier's labels.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CorrectionLine {
    /// Number of the correction, unique in the session, from 1; those with higher numbers were made later.
    pub id: u64,
    /// Whether the correction with this number is taken back; everything else is empty then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub removed: bool,
    /// Id of the person.
    #[serde(default)]
    pub person: u32,
    /// Name or initials of who corrected; empty where it is taken back.
    #[serde(default)]
    pub by: String,
    /// When the correction was taken in, UTC, ISO 8601.
    #[serde(default)]
    pub utc: String,
    /// Name of the file that it was read from, without its folder; `None` where names are to be kept private.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// SHA-256 of that file, hexadecimal.
    #[serde(default)]
    pub sha256: String,
    /// Whether the time that no span covers stays as it was. Otherwise the person showed nothing there that the human would
    /// name.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub partial: bool,
    /// What the human says, in order of time and without overlap.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub spans: Vec<LabelledSpan>,
    /// Where the person was when the correction was taken in, so that it is not given to somebody else where ids change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<FacePlace>,
}

/// A span of time with a label; times are ns of stream time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelledSpan {
    /// Where it begins.
    pub start: u64,
    /// Where it ends, above `start`; the span does not include it.
    pub end: u64,
    /// What the person showed.
    pub label: Label,
}

/// Where the middle of a face was at a time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct FacePlace {
    /// Time of the frame, ns of stream time.
    pub pts: u64,
    /// Share of the frame's width, 0-1.
    pub x: f64,
    /// Share of the frame's height, 0-1.
    pub y: f64,
}

/// The kind of a [`TrackLine`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrackEvent {
    /// The first sample of the track is played.
    Started,
    /// A crossfade to the track begins.
    CrossfadeStarted,
    /// The crossfade to the track ends.
    CrossfadeDone,
    /// The last sample of the track has been played.
    Ended,
    /// The track cannot be played and is skipped.
    Failed,
}

/// An event of a track of music.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrackLine {
    /// Time of the event, ns of stream time.
    pub pts: u64,
    /// The kind of event.
    pub event: TrackEvent,
    /// URI of the track.
    #[serde(with = "redacted")]
    pub uri: String,
    /// Title of the track; may be empty.
    #[serde(default, with = "redacted")]
    pub title: String,
    /// The mood for which the track was chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mood: Option<Mood>,
    /// Distance of the track from the requested point in the plane of valence and arousal, 0 to about 2.8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distance: Option<f64>,
    /// Why the track was chosen, or why it failed.
    #[serde(default, skip_serializing_if = "String::is_empty", with = "redacted")]
    pub reason: String,
    /// The next best tracks, best first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub runners_up: Vec<Candidate>,
}

/// A track that was considered and not chosen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// URI of the track.
    #[serde(with = "redacted")]
    pub uri: String,
    /// Distance of the track from the requested point in the plane of valence and arousal, 0 to about 2.8.
    pub distance: f64,
}

/// The last line of a file that was written completely.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SessionEnd {
    /// End of the last frame or audio sample, ns of stream time.
    pub pts: u64,
    /// Number of frames in the file.
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
                raw: None,
                affect: Affect::from_distribution(&probabilities),
            }),
            quality: 0.8,
            roll: 0.0,
            source: Default::default(),
            resembles: None,
            quality_limit: None,
        }
    }

    #[test]
    fn frame_line_has_the_documented_fields() {
        let line = Line::Frame(FrameLine { frame: 7, pts: 280_000_000, faces: vec![face()], shot: 0 });
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
        assert_eq!(json.get("shot"), None, "only behind the first shot");
        assert_eq!(face.get("raw"), None, "only where a resting face was taken off");
        assert!(face["confidence"].is_f64() && face["arousal"].is_f64());
    }

    #[test]
    fn credentials_are_neither_written_nor_read() {
        let settings = serde_json::json!({ "player": { "from": ["http://ada:secret@h/x?token=secret"] } });
        let raw = [
            Line::Session(SessionHeader {
                source: Some("rtsp://ada:secret@h/live?token=secret".into()),
                settings: settings.as_object().cloned().unwrap(),
                ..Default::default()
            }),
            Line::Track(TrackLine {
                pts: 6,
                event: TrackEvent::Failed,
                uri: "http://ada:secret@h/a.ogg?token=secret".into(),
                title: "http://ada:secret@h/a.ogg".into(),
                mood: None,
                distance: None,
                reason: "no answer from http://ada:secret@h/".into(),
                runners_up: vec![Candidate { uri: "http://ada:secret@h/b.ogg".into(), distance: 0.5 }],
            }),
        ];
        for line in raw {
            let json = line.to_json();
            assert!(!json.contains("secret") && !json.contains("ada") && json.contains("//h/"), "{json}");
            let mut redacted = line.clone();
            redacted.redact();
            assert_eq!(serde_json::from_str::<Line>(&json).unwrap(), redacted);
            // As an older version wrote it.
            let old = json.replace("//h/", "//ada:secret@h/");
            assert_eq!(serde_json::from_str::<Line>(&old).unwrap(), redacted);
        }
    }

    #[test]
    fn all_lines_survive_the_round_trip() {
        let unclassified = Face { classification: None, ..face() };
        let mut adjusted = face();
        if let Some(classification) = &mut adjusted.classification {
            classification.raw = Some([0.125, 0.0, 0.0, 0.875, 0.0, 0.0, 0.0]);
        }
        let lines = [
            Line::Session(SessionHeader {
                schema: SCHEMA_VERSION,
                generator: "test".into(),
                ..Default::default()
            }),
            Line::Frame(FrameLine { frame: 0, pts: 0, faces: vec![face(), adjusted, unclassified], shot: 2 }),
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
            Line::Settings(SettingsLine { pts: 8, settings: Map::from_iter([("a".into(), Value::Null)]) }),
            Line::Marker(MarkerLine { pts: 8, id: 1, text: "laughs".into(), removed: false }),
            Line::Marker(MarkerLine { pts: 8, id: 1, text: String::new(), removed: true }),
            Line::Clock(ClockLine {
                pts: 8,
                time: 9,
                utc: "2026-05-03T10:00:00.000Z".into(),
                zone: "+02:00".into(),
                video: Some("recording-2.mkv".into()),
            }),
            Line::Correction(CorrectionLine {
                id: 1,
                person: 2,
                by: "Anna".into(),
                utc: "2026-05-03T10:00:00Z".into(),
                file: Some("a.eaf".into()),
                sha256: "0a".into(),
                partial: true,
                spans: vec![LabelledSpan { start: 1, end: 2, label: Emotion::Sad.into() }],
                places: vec![FacePlace { pts: 1, x: 0.5, y: 0.25 }],
                ..Default::default()
            }),
            Line::Correction(CorrectionLine { id: 1, removed: true, ..Default::default() }),
            Line::End(SessionEnd { pts: 9, frames: 1 }),
        ];
        for line in lines {
            assert_eq!(serde_json::from_str::<Line>(&line.to_json()).unwrap(), line);
        }
    }
}
