//! What the pages are sent. Every reader gets the newest there is when it can take it, so that a slow one holds nothing back and
//! nothing queues up for it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use hyper::body::Bytes;
use mood_schema::{Classification, Mood};
use serde::Serialize;
use tokio::sync::watch;

use crate::history::{Column, History, Span};
use crate::{FaceView, ScreenContent, SpanKind, State};

/// What has been published.
#[derive(Debug)]
pub(crate) struct Content {
    /// When the session began.
    origin: Instant,
    parts: Mutex<Parts>,
    /// Changes whenever a part does.
    changes: watch::Sender<u64>,
}

/// A part of the content as JSON, with the number of the change that it came with.
#[derive(Clone, Debug, Default)]
struct Part {
    change: u64,
    json: Arc<str>,
}

#[derive(Debug, Default)]
struct Parts {
    change: u64,
    state: Part,
    faces: Part,
    screen: Part,
    /// The camera's picture, JPEG, and the number of its change; `None` unless it is to be shown.
    picture: Option<(u64, Bytes)>,
    shows_picture: bool,
    history: History,
    /// The number of the latest change of the spans.
    spans_change: u64,
}

/// What a reader has been sent.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Position {
    change: u64,
    /// The number of columns' seconds sent: the next second due; `None` before the first.
    next_second: Option<u64>,
}

impl Content {
    /// Nothing yet, for a session that began at `origin`.
    pub(crate) fn new(origin: Instant) -> Self {
        Self { origin, parts: Mutex::default(), changes: watch::Sender::new(0) }
    }

    fn parts(&self) -> MutexGuard<'_, Parts> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A receiver that is notified of changes.
    pub(crate) fn subscribe(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Changes the parts and notifies readers, if `change` says that there is something new.
    fn update(&self, change: impl FnOnce(&mut Parts, u64) -> bool) {
        let mut parts = self.parts();
        let number = parts.change + 1;
        if !change(&mut parts, number) {
            return;
        }
        parts.change = number;
        drop(parts);
        self.changes.send_replace(number);
    }

    /// Replaces the state. Without [`State::shows_picture`], the picture is discarded.
    pub(crate) fn set_state(&self, state: &State) {
        let json = to_json(state);
        let screen = to_json(&ScreenContent::from_state(state));
        self.update(|parts, change| {
            if !state.shows_picture {
                parts.picture = None;
            }
            parts.shows_picture = state.shows_picture;
            let mut is_new = parts.state.replace(json, change);
            is_new |= parts.screen.replace(screen, change);
            is_new
        });
    }

    /// Replaces the faces, and adds the subject's classification to the history.
    pub(crate) fn set_faces(&self, time: f64, faces: &[FaceView], subject: Option<&Classification>) {
        let json = to_json(&faces);
        self.update(|parts, change| {
            let completed = parts.history.record_frame(time, subject);
            parts.faces.replace(json, change) | !completed.is_empty()
        });
    }

    /// Adds a span to the history.
    pub(crate) fn add_span(&self, kind: SpanKind, start: f64, text: String, mood: Mood) {
        self.update(|parts, change| {
            parts.history.record_span(Span { kind, start, text, mood });
            parts.spans_change = change;
            true
        });
    }

    /// Replaces the picture, unless none is to be shown.
    pub(crate) fn set_picture(&self, jpeg: Bytes) {
        self.update(|parts, change| {
            if parts.shows_picture {
                parts.picture = Some((change, jpeg));
            }
            parts.shows_picture
        });
    }

    /// The picture, if one is to be shown.
    pub(crate) fn picture(&self) -> Option<Bytes> {
        self.parts().picture.as_ref().map(|(_, jpeg)| jpeg.clone())
    }

    /// The time of the session; it also shows that the connection stands.
    fn time_event(&self) -> String {
        let mut events = String::new();
        push_event(&mut events, "time", &format!("{:.3}", self.origin.elapsed().as_secs_f64()));
        events
    }

    /// The time of the session and the events that a panel at `position` has not had yet.
    pub(crate) fn panel_events(&self, position: &mut Position) -> String {
        let parts = self.parts();
        let mut events = self.time_event();
        for (name, part) in [("state", &parts.state), ("faces", &parts.faces)] {
            if part.change > position.change {
                push_event(&mut events, name, &part.json);
            }
        }
        if let Some((change, _)) = parts.picture
            && change > position.change
        {
            push_event(&mut events, "picture", &change.to_string());
        }
        if parts.spans_change > position.change {
            push_event(&mut events, "spans", &to_json(parts.history.spans()));
        }
        let is_due = |column: &&Column| position.next_second.is_none_or(|next| column.second >= next);
        let columns: Vec<_> = parts.history.columns().iter().filter(is_due).collect();
        if let Some(last) = columns.last() {
            position.next_second = Some(last.second + 1);
            push_event(&mut events, "columns", &to_json(&columns));
        }
        position.change = parts.change;
        events
    }

    /// The time of the session and the event that a client's screen at `position` has not had yet.
    pub(crate) fn screen_events(&self, position: &mut Position) -> String {
        let parts = self.parts();
        let mut events = self.time_event();
        if parts.screen.change > position.change {
            push_event(&mut events, "screen", &parts.screen.json);
        }
        position.change = parts.change;
        events
    }
}

impl Part {
    /// Sets the JSON; whether it is new.
    fn replace(&mut self, json: String, change: u64) -> bool {
        let is_new = *self.json != *json;
        if is_new {
            *self = Self { change, json: json.into() };
        }
        is_new
    }
}

/// A value as JSON. It has no keys but strings, so that this cannot fail; numbers that are not finite become null.
fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "null".into())
}

/// Appends a server-sent event. JSON has no line breaks.
fn push_event(events: &mut String, name: &str, json: &str) {
    *events += &format!("event: {name}\ndata: {json}\n\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{PlaybackStatus, TrackView};

    /// What a panel gets, without the time.
    fn panel_events(content: &Content, position: &mut Position) -> String {
        without_time(content.panel_events(position))
    }

    /// What a client's screen gets, without the time.
    fn screen_events(content: &Content, position: &mut Position) -> String {
        without_time(content.screen_events(position))
    }

    fn without_time(events: String) -> String {
        let (time, rest) = events.split_once("\n\n").unwrap();
        assert!(time.starts_with("event: time\ndata: 0."), "{time}");
        rest.to_owned()
    }

    fn state(title: &str) -> State {
        let track = TrackView { number: 1, title: title.into(), ..Default::default() };
        State { track: Some(track), status: PlaybackStatus::Playing, ..Default::default() }
    }

    #[test]
    fn a_reader_gets_the_newest_of_each_part_once() {
        let content = Content::new(Instant::now());
        let mut position = Position::default();
        assert_eq!(panel_events(&content, &mut position), "");
        for title in ["one", "two", "three\n\nevent: x"] {
            content.set_state(&state(title));
        }
        content.add_span(SpanKind::Track, 0.0, "three".into(), Mood::Absent);
        for time in 0..900 {
            content.set_faces(f64::from(time), &[], None);
        }
        let events = panel_events(&content, &mut position);
        assert_eq!(events.matches("event: state\n").count(), 1);
        assert_eq!(events.lines().filter(|line| line.starts_with("event: ")).count(), 4, "{events}");
        assert!(
            !events.contains("two")
                && events.contains(r#""second":898"#)
                && !events.contains(r#""second":298,"#)
        );
        assert_eq!(panel_events(&content, &mut position), "");
        content.set_state(&state("three\n\nevent: x"));
        assert_eq!(panel_events(&content, &mut position), "", "an equal state is no change");
        content.set_faces(900.5, &[], None);
        let events = panel_events(&content, &mut position);
        assert!(events.contains(r#"[{"second":899,"values":null}]"#), "{events}");
    }

    #[test]
    fn the_client_sees_the_title_and_nothing_else() {
        let content = Content::new(Instant::now());
        let mut position = Position::default();
        content.set_state(&state("Aria"));
        assert_eq!(
            screen_events(&content, &mut position),
            "event: screen\ndata: {\"title\":\"\",\"artist\":\"\"}\n\n"
        );
        content.set_state(&State { shows_title_on_screen: true, ..state("Aria") });
        content.set_faces(1.0, &[], None);
        let events = screen_events(&content, &mut position);
        assert_eq!(events, "event: screen\ndata: {\"title\":\"Aria\",\"artist\":\"\"}\n\n");
        content.set_state(&State { shows_title_on_screen: true, volume: 0.5, ..state("Aria") });
        assert_eq!(screen_events(&content, &mut position), "");
    }

    #[test]
    fn the_picture_is_there_only_while_it_is_switched_on() {
        let content = Content::new(Instant::now());
        let picture = Bytes::from_static(b"jpeg");
        content.set_picture(picture.clone());
        assert_eq!(content.picture(), None);
        content.set_state(&State { shows_picture: true, ..state("") });
        content.set_picture(picture.clone());
        assert_eq!(content.picture(), Some(picture));
        content.set_state(&state(""));
        assert_eq!(content.picture(), None);
    }
}
