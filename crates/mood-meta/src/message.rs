//! The element messages that applications watch: structures to post with `gst::message::Element`.
//!
//! Times are `timestamp`, ns of stream time, as uint64. A face's box is `x` `y` `w` `h`, shares of the frame.

use mood_schema::{Face, MoodLine, TrackEvent, TrackLine};

use crate::frame::{face_to_structure, faces_to_array};

/// `faces`: {`timestamp`; `count` uint; `faces` array as in [`crate::frame`], unclassified}.
pub fn faces(faces: &[Face], timestamp: Option<gst::ClockTime>) -> gst::Structure {
    gst::Structure::builder("faces")
        .field("timestamp", timestamp)
        .field("count", faces.len() as u32)
        .field("faces", faces_to_array(faces))
        .build()
}

/// `emotion`: {`timestamp`; `id` uint; box; `quality`; `roll`; `label`, `label-id`, `confidence`, `probabilities`, `valence`,
/// `arousal`} of one classified face; `None` for a face that nothing classified.
pub fn emotion(face: &Face, timestamp: Option<gst::ClockTime>) -> Option<gst::Structure> {
    face.classification.as_ref()?;
    let mut structure = face_to_structure("emotion", face);
    structure.set("timestamp", timestamp);
    Some(structure)
}

/// `mood-changed`: {`timestamp`; `from`, `to` string; `confidence` double; `evidence-start`, `evidence-end` ns}.
pub fn mood_changed(change: &MoodLine) -> gst::Structure {
    let [start, end] = change.evidence;
    gst::Structure::builder("mood-changed")
        .field("timestamp", change.pts)
        .field("from", change.from.as_str())
        .field("to", change.to.as_str())
        .field("confidence", change.confidence)
        .field("evidence-start", start)
        .field("evidence-end", end)
        .build()
}

/// `track-started`, `crossfade-started`, `crossfade-done`, `track-ended` or `track-failed`: {`timestamp`; `uri`,
/// `title`, `reason` string; where known `mood` string and `distance` double; `runners-up` array of structures
/// `track` {`uri`, `distance`}}. For `track-failed`, `error` says what went wrong.
pub fn track(track: &TrackLine) -> gst::Structure {
    let name = match track.event {
        TrackEvent::Started => "track-started",
        TrackEvent::CrossfadeStarted => "crossfade-started",
        TrackEvent::CrossfadeDone => "crossfade-done",
        TrackEvent::Ended => "track-ended",
        TrackEvent::Failed => "track-failed",
    };
    let text = if track.event == TrackEvent::Failed { "error" } else { "reason" };
    let runners_up = track.runners_up.iter().map(|candidate| {
        gst::Structure::builder("track")
            .field("uri", &candidate.uri)
            .field("distance", candidate.distance)
            .build()
    });
    gst::Structure::builder(name)
        .field("timestamp", track.pts)
        .field("uri", &track.uri)
        .field("title", &track.title)
        .field(text, &track.reason)
        .field_if_some("mood", track.mood.map(|mood| mood.as_str()))
        .field_if_some("distance", track.distance)
        .field("runners-up", gst::Array::new(runners_up))
        .build()
}

/// `safety-limit`: {`timestamp`; `negative-time` ns spent in negative valence without a break}.
pub fn safety_limit(timestamp: u64, negative_time: u64) -> gst::Structure {
    gst::Structure::builder("safety-limit")
        .field("timestamp", timestamp)
        .field("negative-time", negative_time)
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::tests::happy_face;
    use mood_schema::{Candidate, Emotion, Mood};

    #[test]
    fn emotion_names_everything_promised() {
        gst::init().unwrap();
        let message = emotion(&happy_face(4), Some(gst::ClockTime::from_seconds(2))).unwrap();
        assert_eq!(message.name(), "emotion");
        assert_eq!(message.get::<u64>("timestamp").unwrap(), 2_000_000_000);
        assert_eq!(message.get::<u32>("id").unwrap(), 4);
        assert_eq!(message.get::<&str>("label").unwrap(), "happy");
        assert_eq!(message.get::<gst::Array>("probabilities").unwrap().len(), 7);
        for field in ["confidence", "valence", "arousal", "x", "y", "w", "h"] {
            assert!(message.get::<f64>(field).is_ok(), "{field}");
        }
        assert!(emotion(&Face { classification: None, ..happy_face(4) }, None).is_none());
    }

    #[test]
    fn a_track_says_why() {
        gst::init().unwrap();
        let line = TrackLine {
            pts: 1,
            event: TrackEvent::Started,
            uri: "file:///a.ogg".into(),
            title: "A".into(),
            mood: Some(Mood::from(Emotion::Happy)),
            distance: Some(0.5),
            reason: "nearest".into(),
            runners_up: vec![Candidate { uri: "file:///b.ogg".into(), distance: 0.75 }],
        };
        let message = track(&line);
        assert_eq!(message.name(), "track-started");
        assert_eq!(message.get::<&str>("reason").unwrap(), "nearest");
        assert_eq!(message.get::<gst::Array>("runners-up").unwrap().len(), 1);
        let failed = track(&TrackLine { event: TrackEvent::Failed, reason: "no such file".into(), ..line });
        assert_eq!(failed.name(), "track-failed");
        assert_eq!(failed.get::<&str>("error").unwrap(), "no such file");
    }
}
