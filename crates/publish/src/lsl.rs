//! LabStreamingLayer (<https://labstreaminglayer.readthedocs.io>): two outlets on one clock.
//!
//! | stream | type | content |
//! |---|---|---|
//! | `NAME` | `Mood` | ten floats at irregular times: the seven probabilities, valence, arousal, number of faces |
//! | `NAME-markers` | `Markers` | texts: `mood happy`, `track Title`, `safety`, `marker laughs` |

use std::io;

use lsl_outlet::{Channel, Lsl, LslError, NumberOutlet, StreamInfo, TextOutlet};
use mood_schema::{Emotion, Line, TrackEvent};

use crate::delivery::Connection;
use crate::stream_clock::StreamClock;
use crate::{LslDestination, Publication, State};

const NANOSECONDS: f64 = 1e9;

/// The outlets of a destination, on one clock; receivers are told that their streams end when it is dropped.
#[derive(Debug)]
pub(crate) struct LslOutlets {
    lsl: Lsl,
    samples: NumberOutlet,
    markers: TextOutlet,
    clock: StreamClock,
}

impl LslOutlets {
    /// Opens both, if there is a liblsl.
    pub fn open(destination: &LslDestination) -> Result<Self, LslError> {
        let lsl = Lsl::load()?;
        let name = &destination.name;
        let source = destination.source_id.clone().unwrap_or_else(|| format!("{name}-{}", host_name()));
        let stream = |name: String, kind: &str, suffix: &str| StreamInfo {
            name,
            kind: kind.into(),
            source_id: format!("{source}-{suffix}"),
        };
        let samples = lsl.open_numbers(&stream(name.clone(), "Mood", "mood"), &channels())?;
        let markers = lsl.open_texts(&stream(format!("{name}-markers"), "Markers", "markers"))?;
        Ok(Self { lsl, samples, markers, clock: StreamClock::default() })
    }
}

impl Connection for LslOutlets {
    fn send(&mut self, publication: &Publication) -> io::Result<()> {
        let now = self.lsl.now();
        let sent = match publication {
            Publication::State(state) => {
                let time = self.clock.map(now, state.pts as f64 / NANOSECONDS);
                self.samples.push(&sample(state), time)
            }
            Publication::Line(line) => {
                let Some((text, pts)) = marker(line) else { return Ok(()) };
                let time = pts.map_or(now, |pts| self.clock.map(now, pts as f64 / NANOSECONDS));
                self.markers.push(&text, time)
            }
        };
        sent.map_err(io::Error::other)
    }
}

/// Channels of the stream of samples.
fn channels() -> Vec<Channel> {
    let emotions = Emotion::ALL.into_iter().map(|emotion| Channel { label: emotion.as_str(), unit: "0..1" });
    let affect = ["valence", "arousal"].map(|label| Channel { label, unit: "-1..1" });
    emotions.chain(affect).chain([Channel { label: "faces", unit: "count" }]).collect()
}

/// The values of a state, in the order of [`channels`]; NaN where no face is classified.
fn sample(state: &State) -> Vec<f32> {
    let probabilities = state.probabilities.unwrap_or([f64::NAN; 7]);
    let affect = [state.valence, state.arousal].map(|value| value.unwrap_or(f64::NAN));
    let values = probabilities.into_iter().chain(affect).chain([state.people as f64]);
    values.map(|value| value as f32).collect()
}

/// The text of a line that is an event, and its stream time, ns; `None` as the time of what counts when it comes: a marker's time is
/// that of the session, which is no stream time.
fn marker(line: &Line) -> Option<(String, Option<u64>)> {
    let (text, pts) = match line {
        Line::Mood(mood) => (format!("mood {}", mood.to), Some(mood.pts)),
        Line::Track(track) if track.event == TrackEvent::Started => {
            (format!("track {}", mood_schema::redact_addresses(&track.title)), Some(track.pts))
        }
        Line::Safety(safety) => ("safety".into(), Some(safety.pts)),
        Line::Marker(marker) if !marker.removed => (format!("marker {}", marker.text), None),
        _ => return None,
    };
    // A character 0 would end the text.
    Some((text.replace('\0', " "), pts))
}

/// The name of this computer.
fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    if name.is_empty() { "localhost".into() } else { name.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mood_schema::{MarkerLine, MoodLine, SafetyLine, TrackLine};

    #[test]
    fn a_state_has_a_value_for_each_channel() {
        let labels = channels().iter().map(|channel| channel.label).collect::<Vec<_>>().join(" ");
        assert_eq!(labels, "angry disgust fear happy sad surprise neutral valence arousal faces");
        let state = State {
            probabilities: Some([0.0, 0.0, 0.0, 0.75, 0.0, 0.0, 0.25]),
            valence: Some(0.5),
            arousal: Some(-0.5),
            people: 2,
            ..State::default()
        };
        assert_eq!(sample(&state), [0.0, 0.0, 0.0, 0.75, 0.0, 0.0, 0.25, 0.5, -0.5, 2.0]);
        let empty = sample(&State::default());
        assert!(empty[..9].iter().all(|value| value.is_nan()) && empty[9] == 0.0, "{empty:?}");
    }

    #[test]
    fn events_are_markers_and_nothing_else_is() {
        let mood = MoodLine {
            pts: 5,
            from: mood_schema::Mood::Absent,
            to: Emotion::Sad.into(),
            confidence: 0.7,
            evidence: [0, 5],
        };
        let track = |event| TrackLine {
            pts: 6,
            event,
            uri: "http://h/a.ogg".into(),
            title: "http://ada:secret@h/A\0".into(),
            mood: None,
            distance: None,
            reason: String::new(),
            runners_up: Vec::new(),
        };
        let note = |removed| MarkerLine { pts: 8, id: 1, text: "laughs".into(), removed };
        let found: Vec<_> = [
            Line::Mood(mood),
            Line::Track(track(TrackEvent::Started)),
            Line::Track(track(TrackEvent::Ended)),
            Line::Safety(SafetyLine { pts: 7, negative_time: 9 }),
            Line::Marker(note(false)),
            Line::Marker(note(true)),
        ]
        .iter()
        .map(marker)
        .collect();
        let text = |text: &str, pts| Some((text.to_string(), pts));
        assert_eq!(
            found,
            [
                text("mood sad", Some(5)),
                text("track http://h/A ", Some(6)),
                None,
                text("safety", Some(7)),
                text("marker laughs", None),
                None
            ]
        );
    }
}
