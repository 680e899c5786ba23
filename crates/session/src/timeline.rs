//! The lines of a recorded session, read back.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use mood_schema::{Face, FrameLine, Line, MoodLine, SCHEMA_VERSION, SessionHeader, TrackLine};
use serde::Deserialize;

/// A line is some hundred bytes a face; a file with longer ones is something else.
const LONGEST_LINE: u64 = 16 << 20;

/// Why a timeline or a decision log cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Not there, or not readable.
    #[error("cannot open {}: {source}; give the path of a timeline.jsonl", .path.display())]
    Open {
        /// What was to be opened.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The system failed in the middle.
    #[error("reading failed at line {line}: {source}")]
    Read {
        /// Counted from 1.
        line: u64,
        /// What the system said.
        source: io::Error,
    },
    /// No first line: it is written with the first frame.
    #[error("the file is empty: what wrote it was ended before the first frame; record again")]
    Empty,
    /// Something else than a timeline.
    #[error("line 1 is not of type 'session': give a timeline.jsonl or music.jsonl as gst-mood writes them")]
    NotATimeline,
    /// Made by a later version.
    #[error("the file has schema {found}, this program reads up to {SCHEMA_VERSION}: use a newer gst-mood")]
    NewerSchema {
        /// The file's.
        found: u64,
    },
    /// Not JSON, or not a line of the schema.
    #[error("line {line} is broken: {source}; remove it or record again")]
    Broken {
        /// Counted from 1.
        line: u64,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// Longer than any line can be.
    #[error("line {line} is longer than {} MiB: this is no timeline", LONGEST_LINE >> 20)]
    TooLong {
        /// Counted from 1.
        line: u64,
    },
}

/// The lines of a timeline or a player's decision log. A last line that a killed process left unfinished is dropped.
pub fn read_lines(reader: impl BufRead) -> Result<Vec<Line>, ReadError> {
    let mut lines = Vec::new();
    for_each_line(reader, |line| lines.push(line))?;
    Ok(lines)
}

/// Gives the lines away one by one, so that hours of them are never held twice.
fn for_each_line(mut reader: impl BufRead, mut take: impl FnMut(Line)) -> Result<(), ReadError> {
    let mut bytes = Vec::new();
    let mut empty = true;
    for number in 1.. {
        bytes.clear();
        let length = (&mut reader)
            .take(LONGEST_LINE)
            .read_until(b'\n', &mut bytes)
            .map_err(|source| ReadError::Read { line: number, source })?;
        if length == 0 {
            break;
        }
        if length as u64 == LONGEST_LINE {
            return Err(ReadError::TooLong { line: number });
        }
        if bytes.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        if empty {
            check_schema(&bytes)?;
        }
        match serde_json::from_slice(&bytes) {
            Ok(line) => take(line),
            Err(_) if bytes.last() != Some(&b'\n') => break,
            Err(source) => return Err(ReadError::Broken { line: number, source }),
        }
        empty = false;
    }
    if empty { Err(ReadError::Empty) } else { Ok(()) }
}

/// Looks at the first line only as far as every version will have it.
fn check_schema(first: &[u8]) -> Result<(), ReadError> {
    #[derive(Deserialize)]
    struct Head {
        r#type: String,
        #[serde(default)]
        schema: u64,
    }
    match serde_json::from_slice::<Head>(first) {
        Ok(head) if head.r#type != "session" => Err(ReadError::NotATimeline),
        Ok(head) if head.schema > u64::from(SCHEMA_VERSION) => {
            Err(ReadError::NewerSchema { found: head.schema })
        }
        Ok(_) => Ok(()),
        Err(_) if first.last() != Some(&b'\n') => Err(ReadError::Empty),
        Err(_) => Err(ReadError::NotATimeline),
    }
}

/// A recorded session.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Timeline {
    /// What produced it.
    pub session: SessionHeader,
    /// Every frame in the order written.
    pub frames: Vec<FrameLine>,
    /// The player's moods, by time.
    pub moods: Vec<MoodLine>,
    /// What happened to the music, by time.
    pub tracks: Vec<TrackLine>,
    /// Where the recording ended, stream time, ns; `None` where the process was cut off.
    pub end: Option<u64>,
}

impl Timeline {
    /// The timeline in a file.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, ReadError> {
        let path = path.as_ref();
        let file = File::open(path).map_err(|source| ReadError::Open { path: path.into(), source })?;
        Self::read(BufReader::new(file))
    }

    /// The timeline that a reader gives.
    pub fn read(reader: impl BufRead) -> Result<Self, ReadError> {
        let mut timeline = Self::default();
        for_each_line(reader, |line| match line {
            Line::Session(session) => timeline.session = session,
            Line::Frame(frame) => timeline.frames.push(frame),
            Line::End(end) => timeline.end = Some(end.pts),
            Line::Mood(mood) => timeline.moods.push(mood),
            Line::Track(track) => timeline.tracks.push(track),
            Line::Safety(_) => {}
        })?;
        Ok(timeline)
    }

    /// Adds the moods and tracks of a player's decision log, as [`read_lines`] gives it. What the timeline has already
    /// is not added twice.
    pub fn add_music(&mut self, lines: impl IntoIterator<Item = Line>) {
        for line in lines {
            match line {
                Line::Mood(mood) if !self.moods.contains(&mood) => self.moods.push(mood),
                Line::Track(track) if !self.tracks.contains(&track) => self.tracks.push(track),
                _ => (),
            }
        }
        self.moods.sort_by_key(|mood| mood.pts);
        self.tracks.sort_by_key(|track| track.pts);
    }

    /// Begin of the first frame and end of the last, stream time, ns.
    pub fn span(&self) -> [u64; 2] {
        let begin = self.frames.iter().map(|frame| frame.pts).min();
        let last =
            self.frames.iter().map(|frame| frame.pts).max().map(|pts| pts.saturating_add(self.period()));
        let music = self.tracks.iter().map(|track| track.pts).max();
        let begin = begin.or_else(|| self.tracks.iter().map(|track| track.pts).min()).unwrap_or_default();
        [begin, self.end.max(last).or(music).unwrap_or(begin).max(begin)]
    }

    /// Each frame and how long it lasts, ns: until the next one. Where the timestamps jump (a seek, a dropped
    /// stretch) a frame counts as long as its neighbours, for nobody knows what was there.
    pub fn frames_with_length(&self) -> impl Iterator<Item = (&FrameLine, u64)> {
        let period = self.period();
        let longest = period.saturating_mul(10).max(1_000_000_000);
        let next = self.frames.iter().skip(1).map(|frame| Some(frame.pts)).chain([None]);
        // The last frame lasts as long as the recording, where its end is known.
        let end = self.end;
        self.frames.iter().zip(next).map(move |(frame, next)| {
            let gap = next
                .or(end)
                .and_then(|next| next.checked_sub(frame.pts))
                .filter(|gap| (1..=longest).contains(gap));
            (frame, gap.unwrap_or(period))
        })
    }

    /// The face of `subject` in a frame.
    pub(crate) fn face(frame: &FrameLine, subject: u32) -> Option<&Face> {
        frame.faces.iter().find(|face| face.id == subject)
    }

    /// The usual distance of two frames, ns: their median, so that jumps do not count. 0 for less than two.
    pub fn period(&self) -> u64 {
        let pairs = self.frames.windows(2);
        let mut gaps: Vec<u64> = pairs.filter_map(|pair| pair[1].pts.checked_sub(pair[0].pts)).collect();
        let middle = gaps.len() / 2;
        if gaps.is_empty() { 0 } else { *gaps.select_nth_unstable(middle).1 }
    }
}
