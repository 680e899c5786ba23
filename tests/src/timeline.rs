//! A timeline or a decision log, read back whole.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use mood_schema::{Face, FrameLine, Label, Line, MoodLine, SessionEnd, SessionHeader, TrackEvent, TrackLine};

/// What a file of lines holds.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    /// Always there.
    pub session: SessionHeader,
    /// In the file's order.
    pub frames: Vec<FrameLine>,
    /// In the file's order.
    pub moods: Vec<MoodLine>,
    /// In the file's order.
    pub tracks: Vec<TrackLine>,
    /// Of a file that was ended cleanly.
    pub end: Option<SessionEnd>,
}

impl Timeline {
    /// Reads a file; anything that is not a line of the schema, or not in its place, fails the test.
    #[track_caller]
    pub fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(text.ends_with('\n'), "{} ends in the middle of a line", path.display());
        Self::parse(&text)
    }

    /// The same from text.
    #[track_caller]
    pub fn parse(text: &str) -> Self {
        let mut timeline = Self::default();
        for (number, text) in text.lines().enumerate() {
            let line = serde_json::from_str(text);
            let line: Line = line.unwrap_or_else(|error| panic!("line {number}: {error}: {text}"));
            assert_eq!(matches!(line, Line::Session(_)), number == 0, "line {number}: {text}");
            assert!(timeline.end.is_none(), "line {number} comes after the end: {text}");
            match line {
                Line::Session(session) => timeline.session = session,
                Line::Frame(frame) => timeline.frames.push(frame),
                Line::Mood(mood) => timeline.moods.push(mood),
                Line::Track(track) => timeline.tracks.push(track),
                Line::Safety(_) => {}
                Line::End(end) => timeline.end = Some(end),
            }
        }
        let numbered = timeline.frames.iter().map(|frame| frame.frame);
        assert!(numbered.eq(0..timeline.frames.len() as u64), "frames are counted from 0 without gaps");
        timeline
    }

    /// Every frame is later than the one before, as in any recording that is played through.
    #[track_caller]
    pub fn in_order(self) -> Self {
        let late = self.frames.windows(2).find(|pair| pair[0].pts >= pair[1].pts);
        assert!(late.is_none(), "{late:?}");
        self
    }

    /// Every id that occurs.
    pub fn ids(&self) -> BTreeSet<u32> {
        self.frames.iter().flat_map(|frame| &frame.faces).map(|face| face.id).collect()
    }

    /// Which share of the frames has a number of faces that `fits`.
    pub fn share(&self, fits: impl Fn(usize) -> bool) -> f64 {
        share(&self.frames, |frame| fits(frame.faces.len()))
    }

    /// The frames from `start` to before `end`, seconds.
    pub fn between(&self, start: f64, end: f64) -> Vec<&FrameLine> {
        let within = |frame: &&FrameLine| (start..end).contains(&(frame.pts as f64 / 1e9));
        self.frames.iter().filter(within).collect()
    }

    /// The tracks' events of one kind.
    pub fn events(&self, event: TrackEvent) -> Vec<&TrackLine> {
        self.tracks.iter().filter(|track| track.event == event).collect()
    }
}

/// Which share of `items` fits; 0 of none.
pub fn share<T>(items: &[T], fits: impl Fn(&T) -> bool) -> f64 {
    items.iter().filter(|item| fits(item)).count() as f64 / items.len().max(1) as f64
}

/// The label of a face, where it has one.
pub fn label(face: &Face) -> Option<Label> {
    face.classification.as_ref().map(|result| result.label)
}
