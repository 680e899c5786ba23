//! Timelines and decision logs read back.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use mood_schema::{Face, FrameLine, Label, Line, MoodLine, SessionEnd, SessionHeader, TrackEvent, TrackLine};

/// The lines of a timeline or of a decision log, by kind.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    /// The first line.
    pub header: SessionHeader,
    /// The frames in the file's order.
    pub frames: Vec<FrameLine>,
    /// The changes of mood in the file's order.
    pub moods: Vec<MoodLine>,
    /// The track events in the file's order.
    pub tracks: Vec<TrackLine>,
    /// The last line; `None` where the recording was not ended cleanly.
    pub end: Option<SessionEnd>,
}

/// The text of a file of complete lines. A file that ends in the middle of one fails the test.
#[track_caller]
fn read_lines(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert!(text.ends_with('\n'), "{} ends in the middle of a line", path.display());
    text
}

impl Timeline {
    /// Reads a file. A line that the schema does not know, or that is in the wrong place, fails the test.
    #[track_caller]
    pub fn read(path: &Path) -> Self {
        Self::parse(&read_lines(path))
    }

    /// Reads a file that may hold several sessions, as one that was continued after its end does; see [`Timeline::read`].
    #[track_caller]
    pub fn read_sessions(path: &Path) -> Vec<Self> {
        let text = read_lines(path);
        let mut sessions: Vec<String> = Vec::new();
        for line in text.split_inclusive('\n') {
            match sessions.last_mut().filter(|_| !line.starts_with("{\"type\":\"session\"")) {
                Some(session) => session.push_str(line),
                None => sessions.push(line.into()),
            }
        }
        sessions.iter().map(|session| Self::parse(session)).collect()
    }

    /// Parses the text of a file; see [`Timeline::read`].
    #[track_caller]
    pub fn parse(text: &str) -> Self {
        let mut timeline = Self::default();
        for (number, text) in text.lines().enumerate() {
            let line = serde_json::from_str(text);
            let line: Line = line.unwrap_or_else(|error| panic!("line {number}: {error}: {text}"));
            assert_eq!(matches!(line, Line::Session(_)), number == 0, "line {number}: {text}");
            assert!(timeline.end.is_none(), "line {number} comes after the end: {text}");
            match line {
                Line::Session(header) => timeline.header = header,
                Line::Frame(frame) => timeline.frames.push(frame),
                Line::Mood(mood) => timeline.moods.push(mood),
                Line::Track(track) => timeline.tracks.push(track),
                Line::Safety(_)
                | Line::Settings(_)
                | Line::Marker(_)
                | Line::Clock(_)
                | Line::Correction(_) => {}
                Line::End(end) => timeline.end = Some(end),
            }
        }
        let numbers = timeline.frames.iter().map(|frame| frame.frame);
        assert!(numbers.eq(0..timeline.frames.len() as u64), "frames are counted from 0 without gaps");
        timeline
    }

    /// Asserts that every frame is later than the one before, as in a recording that is played from start to
    /// end.
    #[track_caller]
    pub fn assert_in_order(self) -> Self {
        let unordered = self.frames.windows(2).find(|pair| pair[0].pts >= pair[1].pts);
        assert!(unordered.is_none(), "{unordered:?}");
        self
    }

    /// The track ids of all faces.
    pub fn face_ids(&self) -> BTreeSet<u32> {
        self.frames.iter().flat_map(|frame| &frame.faces).map(|face| face.id).collect()
    }

    /// The share of the frames, 0 to 1, whose number of faces satisfies `condition`.
    pub fn share(&self, condition: impl Fn(usize) -> bool) -> f64 {
        share(&self.frames, |frame| condition(frame.faces.len()))
    }

    /// The frames from `start` up to, not including, `end`; seconds of stream time.
    pub fn frames_between(&self, start: f64, end: f64) -> Vec<&FrameLine> {
        let is_between = |frame: &&FrameLine| (start..end).contains(&(frame.pts as f64 / 1e9));
        self.frames.iter().filter(is_between).collect()
    }

    /// The track events of one kind.
    pub fn track_events(&self, event: TrackEvent) -> Vec<&TrackLine> {
        self.tracks.iter().filter(|track| track.event == event).collect()
    }
}

/// The share of `items`, 0 to 1, that satisfies `condition`; 0 of no items.
pub fn share<T>(items: &[T], condition: impl Fn(&T) -> bool) -> f64 {
    items.iter().filter(|item| condition(item)).count() as f64 / items.len().max(1) as f64
}

/// The label of a face; `None` where it was not classified.
pub fn face_label(face: &Face) -> Option<Label> {
    face.classification.as_ref().map(|result| result.label)
}
