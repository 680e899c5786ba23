//! Custom events between elements.
//!
//! - Downstream and sticky: an element's settings together with the hashes of its model or cascade. A log
//!   that is linked later still receives them. [`SettingsAnnouncement`] decides when an element sends one.
//! - Upstream: the decisions of a player and the tracks it plays, sent through its mood pads, for an overlay
//!   or a log between camera and player. They arrive some time after the frame at which they begin.
//! - Downstream, in order with the buffers: the same lines from a recorded session, each sent before the
//!   frame at which it begins, so that an overlay shows it on that very frame.

use mood_schema::Line;
use serde_json::{Map, Value};

/// Prefix of the structure name of a settings event; the element's name follows.
const SETTINGS_PREFIX: &str = "gst-mood-settings-";
/// Structure name of a player's event.
const PLAYER: &str = "gst-mood-player";

/// Builds a sticky downstream event with the settings of the element whose factory name is `element`.
pub fn build_settings(element: &str, settings: &Map<String, Value>) -> gst::Event {
    // A pad keeps one sticky event per structure name, so the name has to differ from element to element.
    let structure = gst::Structure::builder(format!("{SETTINGS_PREFIX}{element}"))
        .field("element", element)
        .field("settings", Value::Object(settings.clone()).to_string())
        .build();
    gst::event::CustomDownstreamSticky::new(structure)
}

/// Reads an event made by [`build_settings`]: the element's factory name and its settings. `None` for any
/// other event.
pub fn parse_settings(event: &gst::EventRef) -> Option<(String, Map<String, Value>)> {
    let structure = event.structure().filter(|structure| structure.name().starts_with(SETTINGS_PREFIX))?;
    let json: &str = structure.get("settings").ok()?;
    Some((structure.get("element").ok()?, serde_json::from_str(json).ok()?))
}

/// Builds an upstream event with a [`Line::Mood`], [`Line::Track`] or [`Line::Safety`] of a player, or with a
/// [`Line::Clock`] or [`Line::Marker`] of an application.
pub fn build_player_line(line: &Line) -> gst::Event {
    gst::event::CustomUpstream::new(gst::Structure::builder(PLAYER).field("line", line.to_json()).build())
}

/// Builds a downstream event, serialized with the buffers, with the same content as [`build_player_line`].
/// Whoever plays a recorded session sends it before the first frame that the line applies to.
pub fn build_recorded_player_line(line: &Line) -> gst::Event {
    gst::event::CustomDownstream::new(gst::Structure::builder(PLAYER).field("line", line.to_json()).build())
}

/// Reads an event made by [`build_player_line`] or [`build_recorded_player_line`]. `None` for any other
/// event.
pub fn parse_player_line(event: &gst::EventRef) -> Option<Line> {
    let structure = event.structure().filter(|structure| structure.name() == PLAYER)?;
    serde_json::from_str(structure.get("line").ok()?).ok()
}

/// Remembers which settings of an element have been sent downstream, so that they are sent once at the
/// beginning of the stream and again only after a change.
///
/// An element calls [`update`](Self::update) after each segment event and before each buffer, and pushes the
/// event it gets once its locks are released.
#[derive(Debug)]
pub struct SettingsAnnouncement {
    element: &'static str,
    announced: Option<Map<String, Value>>,
}

impl SettingsAnnouncement {
    /// Nothing has been announced yet. `element` is the element's factory name.
    pub fn new(element: &'static str) -> Self {
        Self { element, announced: None }
    }

    /// Returns the event to push where `settings` differ from those announced last, and regards them as
    /// announced.
    #[must_use = "the settings count as announced: push the event"]
    pub fn update(&mut self, settings: Map<String, Value>) -> Option<gst::Event> {
        if self.announced.as_ref() == Some(&settings) {
            return None;
        }
        let event = build_settings(self.element, &settings);
        self.announced = Some(settings);
        Some(event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mood_schema::{Emotion, Mood, MoodLine};

    fn settings(key: &str, value: f64) -> Map<String, Value> {
        [(key.to_string(), value.into())].into_iter().collect()
    }

    #[test]
    fn settings_events_of_two_elements_coexist() {
        gst::init().unwrap();
        let detector_settings = settings("scale-factor", 1.2);
        let detector = build_settings("haarfacedetect", &detector_settings);
        let classifier = build_settings("emotionclassify", &Map::new());
        assert_ne!(detector.structure().unwrap().name(), classifier.structure().unwrap().name());
        assert_eq!(parse_settings(&detector), Some(("haarfacedetect".into(), detector_settings)));
        assert_eq!(parse_player_line(&detector), None);
    }

    #[test]
    fn settings_are_announced_once_and_after_each_change() {
        gst::init().unwrap();
        let mut announcement = SettingsAnnouncement::new("emotionclassify");
        let first = settings("margin", 0.0);
        let changed = settings("margin", 0.5);
        let event = announcement.update(first.clone()).unwrap();
        assert_eq!(parse_settings(&event), Some(("emotionclassify".into(), first.clone())));
        assert!(announcement.update(first.clone()).is_none());
        assert!(announcement.update(changed.clone()).is_some());
        assert!(announcement.update(changed).is_none());
        assert!(announcement.update(first).is_some());
    }

    #[test]
    fn player_line_survives_the_round_trip() {
        gst::init().unwrap();
        let line = Line::Mood(MoodLine {
            pts: 1,
            from: Mood::Absent,
            to: Emotion::Happy.into(),
            confidence: 0.75,
            evidence: [0, 1],
        });
        let event = build_player_line(&line);
        assert_eq!(parse_player_line(&event).as_ref(), Some(&line));
        assert_eq!(parse_settings(&event), None);
        let recorded = build_recorded_player_line(&line);
        assert_eq!(parse_player_line(&recorded), Some(line));
        assert!(recorded.is_serialized() && recorded.is_downstream() && !recorded.is_sticky());
    }
}
