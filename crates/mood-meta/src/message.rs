//! The element messages that applications watch: how their structures are built and read.
//!
//! Times are `timestamp`, ns of stream time, as uint64. A face's box is `x` `y` `w` `h`, shares of the frame.
//! Each `parse_` function returns `None` for a structure of another name or without a field that its message
//! always has.

use gst::prelude::*;
use mood_schema::{Candidate, Face, Line, MoodLine, SafetyLine, TrackEvent, TrackLine, redact_addresses};

use crate::frame::{face_from_structure, face_to_structure, faces_from_array, faces_to_array};

/// Structure name of the detector's message.
const FACES: &str = "faces";
/// Structure name of the classifier's message.
const EMOTION: &str = "emotion";
/// Structure name of a player's message about a change of mood.
const MOOD_CHANGED: &str = "mood-changed";
/// Structure name of a player's message about its limit on negative moods.
const SAFETY_LIMIT: &str = "safety-limit";

/// Posts `structure` as an element message of `element`. The caller must hold no lock: the application's
/// synchronous handlers run inside the call.
pub fn post(element: &impl IsA<gst::Element>, structure: gst::Structure) {
    let element = element.as_ref();
    // Without a bus there is nobody to inform, which is no error.
    let _ = element.post_message(gst::message::Element::builder(structure).src(element).build());
}

/// An ERROR, WARNING or INFO message whose texts have no credentials in their addresses; any other message, or one without
/// such an address, as it is. Every element's `post_message` passes its messages through this, so that no error of a library,
/// a file or GStreamer that quotes an address gives a password away.
pub fn redact(message: gst::Message) -> gst::Message {
    /// The builder of a message of the same kind with redacted texts; `None` where there is nothing to remove.
    macro_rules! rebuild {
        ($kind:ident, $view:expr) => {{
            let (error, debug) = ($view.error(), $view.debug().unwrap_or_default());
            let (text, redacted_debug) = (redact_addresses(error.message()), redact_addresses(&debug));
            if text == error.message() && redacted_debug == debug.as_str() {
                return message;
            }
            let error = glib::Error::with_domain(error.domain(), error.code(), &text);
            let builder = gst::message::$kind::builder_from_error(error)
                .debug(&redacted_debug)
                .src_if_some(message.src())
                .seqnum(message.seqnum());
            match $view.details() {
                Some(details) => builder.details(details.to_owned()).build(),
                None => builder.build(),
            }
        }};
    }
    match message.view() {
        gst::MessageView::Error(view) => rebuild!(Error, view),
        gst::MessageView::Warning(view) => rebuild!(Warning, view),
        gst::MessageView::Info(view) => rebuild!(Info, view),
        _ => message,
    }
}

/// Builds `faces`: {`timestamp`; `count` uint; `faces` array as in [`crate::frame`], unclassified}.
pub fn build_faces(faces: &[Face], timestamp: Option<gst::ClockTime>) -> gst::Structure {
    gst::Structure::builder(FACES)
        .field("timestamp", timestamp)
        .field("count", faces.len() as u32)
        .field("faces", faces_to_array(faces))
        .build()
}

/// Reads `faces`: the faces and the frame's stream time. A face that cannot be read is left out.
pub fn parse_faces(structure: &gst::StructureRef) -> Option<(Vec<Face>, Option<gst::ClockTime>)> {
    let structure = require_name(structure, FACES)?;
    Some((faces_from_array(&structure.get::<gst::Array>("faces").ok()?), structure.get("timestamp").ok()?))
}

/// Builds `emotion`: {`timestamp`; `id` uint; box; `quality`; `roll`; `label`, `label-id`, `confidence`,
/// `probabilities`, `valence`, `arousal`} of one classified face. `None` for a face without classification.
pub fn build_emotion(face: &Face, timestamp: Option<gst::ClockTime>) -> Option<gst::Structure> {
    face.classification.as_ref()?;
    let mut structure = face_to_structure(EMOTION, face);
    structure.set("timestamp", timestamp);
    Some(structure)
}

/// Reads `emotion`: the classified face and the frame's stream time.
pub fn parse_emotion(structure: &gst::StructureRef) -> Option<(Face, Option<gst::ClockTime>)> {
    let structure = require_name(structure, EMOTION)?;
    Some((face_from_structure(structure)?, structure.get("timestamp").ok()?))
}

/// Builds `mood-changed`: {`timestamp`; `from`, `to` string; `confidence` double; `evidence-start`,
/// `evidence-end` ns}.
pub fn build_mood_changed(change: &MoodLine) -> gst::Structure {
    let [start, end] = change.evidence;
    gst::Structure::builder(MOOD_CHANGED)
        .field("timestamp", change.pts)
        .field("from", change.from.as_str())
        .field("to", change.to.as_str())
        .field("confidence", change.confidence)
        .field("evidence-start", start)
        .field("evidence-end", end)
        .build()
}

/// Builds `track-started`, `crossfade-started`, `crossfade-done`, `track-ended` or `track-failed`:
/// {`timestamp`; `uri`, `title`, `reason` string; where known `mood` string and `distance` double;
/// `runners-up` array of structures `track` {`uri`, `distance`}}. `track-failed` has `error`, the cause, in
/// place of `reason`.
pub fn build_track(track: &TrackLine) -> gst::Structure {
    let runners_up = track.runners_up.iter().map(|candidate| {
        gst::Structure::builder("track")
            .field("uri", &candidate.uri)
            .field("distance", candidate.distance)
            .build()
    });
    gst::Structure::builder(track_event_name(track.event))
        .field("timestamp", track.pts)
        .field("uri", &track.uri)
        .field("title", &track.title)
        .field(reason_field(track.event), &track.reason)
        .field_if_some("mood", track.mood.map(|mood| mood.as_str()))
        .field_if_some("distance", track.distance)
        .field("runners-up", gst::Array::new(runners_up))
        .build()
}

/// Builds `safety-limit`: {`timestamp`; `negative-time` ns spent in negative valence without a break}.
pub fn build_safety_limit(limit: &SafetyLine) -> gst::Structure {
    gst::Structure::builder(SAFETY_LIMIT)
        .field("timestamp", limit.pts)
        .field("negative-time", limit.negative_time)
        .build()
}

/// Reads a message of a player, built by [`build_mood_changed`], [`build_track`] or [`build_safety_limit`],
/// as the line that the player's decision log has for it.
pub fn parse_player_line(structure: &gst::StructureRef) -> Option<Line> {
    match structure.name().as_str() {
        MOOD_CHANGED => parse_mood_changed(structure).map(Line::Mood),
        SAFETY_LIMIT => parse_safety_limit(structure).map(Line::Safety),
        _ => parse_track(structure).map(Line::Track),
    }
}

fn parse_mood_changed(structure: &gst::StructureRef) -> Option<MoodLine> {
    Some(MoodLine {
        pts: structure.get("timestamp").ok()?,
        from: structure.get::<&str>("from").ok()?.parse().ok()?,
        to: structure.get::<&str>("to").ok()?.parse().ok()?,
        confidence: structure.get("confidence").ok()?,
        evidence: [structure.get("evidence-start").ok()?, structure.get("evidence-end").ok()?],
    })
}

fn parse_safety_limit(structure: &gst::StructureRef) -> Option<SafetyLine> {
    let negative_time = structure.get("negative-time").ok()?;
    Some(SafetyLine { pts: structure.get("timestamp").ok()?, negative_time })
}

fn parse_track(structure: &gst::StructureRef) -> Option<TrackLine> {
    let event = TRACK_EVENTS.into_iter().find(|&event| structure.name() == track_event_name(event))?;
    let text = |field| structure.get::<String>(field).unwrap_or_default();
    let runners_up = structure.get::<gst::Array>("runners-up").ok();
    let parse_candidate = |value: &glib::SendValue| {
        let candidate = value.get::<gst::Structure>().ok()?;
        Some(Candidate { uri: candidate.get("uri").ok()?, distance: candidate.get("distance").ok()? })
    };
    Some(TrackLine {
        pts: structure.get("timestamp").ok()?,
        event,
        uri: text("uri"),
        title: text("title"),
        mood: text("mood").parse().ok(),
        distance: structure.get("distance").ok(),
        reason: text(reason_field(event)),
        runners_up: runners_up.iter().flat_map(|array| array.iter()).filter_map(parse_candidate).collect(),
    })
}

/// All track events, to find one by the name of its message.
const TRACK_EVENTS: [TrackEvent; 5] = [
    TrackEvent::Started,
    TrackEvent::CrossfadeStarted,
    TrackEvent::CrossfadeDone,
    TrackEvent::Ended,
    TrackEvent::Failed,
];

fn track_event_name(event: TrackEvent) -> &'static str {
    match event {
        TrackEvent::Started => "track-started",
        TrackEvent::CrossfadeStarted => "crossfade-started",
        TrackEvent::CrossfadeDone => "crossfade-done",
        TrackEvent::Ended => "track-ended",
        TrackEvent::Failed => "track-failed",
    }
}

/// The field that holds [`TrackLine::reason`].
fn reason_field(event: TrackEvent) -> &'static str {
    if event == TrackEvent::Failed { "error" } else { "reason" }
}

/// `None` where the structure has another name.
fn require_name<'a>(structure: &'a gst::StructureRef, name: &str) -> Option<&'a gst::StructureRef> {
    Some(structure).filter(|structure| structure.name() == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::tests::happy_face;
    use mood_schema::{Emotion, Mood};

    fn started_track() -> TrackLine {
        TrackLine {
            pts: 1,
            event: TrackEvent::Started,
            uri: "file:///a.ogg".into(),
            title: "A".into(),
            mood: Some(Mood::from(Emotion::Happy)),
            distance: Some(0.5),
            reason: "nearest".into(),
            runners_up: vec![Candidate { uri: "file:///b.ogg".into(), distance: 0.75 }],
        }
    }

    #[test]
    fn credentials_are_removed_from_errors_and_warnings() {
        gst::init().unwrap();
        let text = "cannot open http://ada:secret@h/x?token=secret";
        let error = gst::message::Error::builder(gst::ResourceError::OpenRead, text).debug(text).build();
        let warning = gst::message::Warning::builder(gst::ResourceError::OpenRead, "").debug(text).build();
        for message in [error, warning] {
            let (kind, seqnum) = (message.type_(), message.seqnum());
            let redacted = redact(message);
            assert_eq!((redacted.type_(), redacted.seqnum()), (kind, seqnum));
            let (error, debug) = match redacted.view() {
                gst::MessageView::Error(error) => (error.error(), error.debug().unwrap()),
                gst::MessageView::Warning(warning) => (warning.error(), warning.debug().unwrap()),
                _ => unreachable!(),
            };
            assert!(error.matches(gst::ResourceError::OpenRead));
            assert_eq!(debug, "cannot open http://h/x");
            assert!(!error.message().contains("secret"), "{error}");
        }
        let harmless = gst::message::Error::builder(gst::CoreError::Failed, "no such file: /a?b").build();
        let address = harmless.as_ptr();
        assert_eq!(redact(harmless).as_ptr(), address, "not rebuilt");
    }

    #[test]
    fn emotion_message_has_all_documented_fields() {
        gst::init().unwrap();
        let message = build_emotion(&happy_face(4), Some(gst::ClockTime::from_seconds(2))).unwrap();
        assert_eq!(message.name(), "emotion");
        assert_eq!(message.get::<u64>("timestamp").unwrap(), 2_000_000_000);
        assert_eq!(message.get::<u32>("id").unwrap(), 4);
        assert_eq!(message.get::<&str>("label").unwrap(), "happy");
        assert_eq!(message.get::<gst::Array>("probabilities").unwrap().len(), 7);
        for field in ["confidence", "valence", "arousal", "x", "y", "w", "h"] {
            assert!(message.get::<f64>(field).is_ok(), "{field}");
        }
        assert!(build_emotion(&Face { classification: None, ..happy_face(4) }, None).is_none());
    }

    #[test]
    fn track_message_has_all_documented_fields() {
        gst::init().unwrap();
        let message = build_track(&started_track());
        assert_eq!(message.name(), "track-started");
        assert_eq!(message.get::<&str>("reason").unwrap(), "nearest");
        assert_eq!(message.get::<gst::Array>("runners-up").unwrap().len(), 1);
        let failed =
            TrackLine { event: TrackEvent::Failed, reason: "no such file".into(), ..started_track() };
        let message = build_track(&failed);
        assert_eq!(message.name(), "track-failed");
        assert_eq!(message.get::<&str>("error").unwrap(), "no such file");
    }

    #[test]
    fn messages_about_faces_survive_the_round_trip() {
        gst::init().unwrap();
        let unclassified = Face { classification: None, ..happy_face(2) };
        for timestamp in [None, Some(gst::ClockTime::from_seconds(2))] {
            let faces = vec![happy_face(1), unclassified.clone()];
            assert_eq!(parse_faces(&build_faces(&faces, timestamp)), Some((faces, timestamp)));
            let emotion = build_emotion(&happy_face(1), timestamp).unwrap();
            assert_eq!(parse_emotion(&emotion), Some((happy_face(1), timestamp)));
            assert_eq!(parse_faces(&emotion), None);
            assert_eq!(parse_player_line(&emotion), None);
        }
    }

    #[test]
    fn messages_of_a_player_survive_the_round_trip() {
        gst::init().unwrap();
        let change = MoodLine {
            pts: 5,
            from: Mood::Absent,
            to: Emotion::Sad.into(),
            confidence: 0.75,
            evidence: [2, 5],
        };
        assert_eq!(parse_player_line(&build_mood_changed(&change)), Some(Line::Mood(change)));
        let limit = SafetyLine { pts: 7, negative_time: 4 };
        assert_eq!(parse_player_line(&build_safety_limit(&limit)), Some(Line::Safety(limit)));
        for event in TRACK_EVENTS {
            let full = TrackLine { event, ..started_track() };
            let sparse = TrackLine { mood: None, distance: None, runners_up: vec![], ..full.clone() };
            for track in [full, sparse] {
                assert_eq!(parse_player_line(&build_track(&track)), Some(Line::Track(track)));
            }
        }
    }
}
