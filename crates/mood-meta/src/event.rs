//! What elements tell each other along the stream.
//!
//! Downstream and sticky, so that a log started late still learns it: an element's settings and the hashes of its
//! model or cascade. Upstream, from a player through its mood pad: what it decided and plays, for an overlay or a log
//! between the camera and the player.

use mood_schema::Line;
use serde_json::{Map, Value};

const SETTINGS: &str = "gst-mood-settings-";
const PLAYER: &str = "gst-mood-player";

/// A sticky downstream event with the settings of the element whose factory is `element`.
pub fn settings(element: &str, settings: &Map<String, Value>) -> gst::Event {
    // Sticky events are told apart by their structure's name: the element's is part of it, or one would replace the other.
    let structure = gst::Structure::builder(format!("{SETTINGS}{element}"))
        .field("element", element)
        .field("settings", Value::Object(settings.clone()).to_string())
        .build();
    gst::event::CustomDownstreamSticky::new(structure)
}

/// The element and its settings, if that is what the event says.
pub fn parse_settings(event: &gst::EventRef) -> Option<(String, Map<String, Value>)> {
    let structure = event.structure().filter(|structure| structure.name().starts_with(SETTINGS))?;
    let text: &str = structure.get("settings").ok()?;
    Some((structure.get("element").ok()?, serde_json::from_str(text).ok()?))
}

/// An upstream event with a [`Line::Mood`], [`Line::Track`] or [`Line::Safety`] of a player.
pub fn player(line: &Line) -> gst::Event {
    gst::event::CustomUpstream::new(gst::Structure::builder(PLAYER).field("line", line.to_json()).build())
}

/// The player's line, if that is what the event says.
pub fn parse_player(event: &gst::EventRef) -> Option<Line> {
    let structure = event.structure().filter(|structure| structure.name() == PLAYER)?;
    serde_json::from_str(structure.get("line").ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use mood_schema::{Emotion, Mood, MoodLine};

    #[test]
    fn settings_of_two_elements_stay_beside_each_other() {
        gst::init().unwrap();
        let mut map = Map::new();
        map.insert("scale-factor".into(), 1.2.into());
        let (one, two) = (settings("haarfacedetect", &map), settings("emotionclassify", &Map::new()));
        assert_ne!(one.structure().unwrap().name(), two.structure().unwrap().name());
        assert_eq!(parse_settings(&one), Some(("haarfacedetect".into(), map)));
        assert_eq!(parse_player(&one), None);
    }

    #[test]
    fn a_players_line_arrives() {
        gst::init().unwrap();
        let line = Line::Mood(MoodLine {
            pts: 1,
            from: Mood::Absent,
            to: Emotion::Happy.into(),
            confidence: 0.75,
            evidence: [0, 1],
        });
        let event = player(&line);
        assert_eq!(parse_player(&event), Some(line));
        assert_eq!(parse_settings(&event), None);
    }
}
