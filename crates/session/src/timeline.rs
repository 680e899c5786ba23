//! Reading the timeline of a recorded session: JSON Lines as `docs/timeline.md` describes them.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use mood_schema::{
    ClockLine, CorrectionLine, Face, FrameLine, Line, MarkerLine, MoodLine, SCHEMA_VERSION, SafetyLine,
    SessionEnd, SessionHeader, SettingsLine, TrackLine,
};
use serde::Deserialize;
use serde_json::Value;

/// Largest accepted line, bytes. A line takes some hundred bytes a face, so a file with a longer line is no timeline, and must
/// not fill the memory.
const MAX_LINE_LENGTH: u64 = 16 << 20;

/// The key of the player's settings in headers and changes of settings.
const PLAYER: &str = "moodplayer";

/// Why a timeline or a player's decision log cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file does not exist or cannot be opened.
    #[error("cannot open {}: {source}; give the path of a timeline.jsonl", .path.display())]
    Open {
        /// The file that was to be opened.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// Reading failed after the file was opened.
    #[error("reading failed at line {line}: {source}")]
    Read {
        /// Line number, from 1.
        line: u64,
        /// The system's error.
        source: io::Error,
    },
    /// The file has no line: the first is written with the first frame.
    #[error("the file is empty: what wrote it was ended before the first frame; record again")]
    Empty,
    /// The first line is not a session header.
    #[error("line 1 is not of type 'session': give a timeline.jsonl or music.jsonl as gst-mood writes them")]
    NotATimeline,
    /// The file was written by a newer version of gst-mood.
    #[error("the file has schema {found}, this program reads up to {SCHEMA_VERSION}: use a newer gst-mood")]
    UnsupportedSchema {
        /// Schema version of the file.
        found: u64,
    },
    /// A line is longer than any line of a timeline can be.
    #[error("line {line} is longer than {} MiB: this is no timeline", MAX_LINE_LENGTH >> 20)]
    LineTooLong {
        /// Line number, from 1.
        line: u64,
    },
}

/// The lines of a timeline or decision log, as far as they can be read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReadLines {
    /// The lines in the order of the file.
    pub lines: Vec<Line>,
    /// Those that were passed over.
    pub broken: BrokenLines,
}

/// The lines of a file that are not JSON, or no lines of the schema: one that was cut off by a full disk or a crash, and
/// continued by another run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BrokenLines {
    /// How many there are.
    pub count: u64,
    /// Number of the first of them, from 1; 0 where there is none.
    pub first: u64,
}

impl BrokenLines {
    fn add(&mut self, line: u64) {
        self.count += 1;
        if self.first == 0 {
            self.first = line;
        }
    }
}

/// Reads the lines of a timeline or of a player's decision log. An incomplete last line, as a killed process leaves it, is
/// ignored; a broken line before it is passed over and counted.
///
/// # Errors
/// [`ReadError`] where reading fails, or the first line is not a session header of a known schema.
pub fn read_lines(reader: impl BufRead) -> Result<ReadLines, ReadError> {
    let mut lines = Vec::new();
    let broken = for_each_line(reader, |line| lines.push(line))?;
    Ok(ReadLines { lines, broken })
}

/// Calls `handle` for each line, so that the lines of a long recording are never in memory twice.
fn for_each_line(mut reader: impl BufRead, mut handle: impl FnMut(Line)) -> Result<BrokenLines, ReadError> {
    let mut bytes = Vec::new();
    let mut empty = true;
    let mut broken = BrokenLines::default();
    for number in 1.. {
        bytes.clear();
        let length = (&mut reader)
            .take(MAX_LINE_LENGTH)
            .read_until(b'\n', &mut bytes)
            .map_err(|source| ReadError::Read { line: number, source })?;
        if length == 0 {
            break;
        }
        if length as u64 == MAX_LINE_LENGTH {
            return Err(ReadError::LineTooLong { line: number });
        }
        if bytes.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        if empty {
            check_schema(&bytes)?;
        }
        let is_cut_off = bytes.last() != Some(&b'\n');
        match serde_json::from_slice(&bytes) {
            Ok(line) => handle(line),
            Err(_) if is_cut_off => break,
            Err(_) => {
                broken.add(number);
                // A line that was written behind the rest of one that was cut off.
                if let Some(Ok(line)) = find_last_object(&bytes).map(serde_json::from_slice) {
                    handle(line);
                }
            }
        }
        empty = false;
    }
    if empty { Err(ReadError::Empty) } else { Ok(broken) }
}

/// The part of a line from which on it may be a complete line of its own; `None` where that is the whole line or nothing.
fn find_last_object(bytes: &[u8]) -> Option<&[u8]> {
    const BEGIN: &[u8] = br#"{"type":""#;
    let start = bytes.windows(BEGIN.len()).rposition(|window| window == BEGIN)?;
    bytes.get(start..).filter(|_| start > 0)
}

/// The time of a line of a player or a live session, ns of stream time; 0 for any other line.
pub fn player_line_time(line: &Line) -> u64 {
    match line {
        Line::Mood(mood) => mood.pts,
        Line::Track(track) => track.pts,
        Line::Safety(safety) => safety.pts,
        Line::Marker(marker) => marker.pts,
        Line::Clock(clock) => clock.pts,
        Line::Session(_) | Line::Frame(_) | Line::Settings(_) | Line::Correction(_) | Line::End(_) => 0,
    }
}

/// Checks the first line's type and schema version, and nothing that another schema version may change.
fn check_schema(first: &[u8]) -> Result<(), ReadError> {
    #[derive(Deserialize)]
    struct Header {
        r#type: String,
        #[serde(default)]
        schema: u64,
    }
    match serde_json::from_slice::<Header>(first) {
        Ok(header) if header.r#type != "session" => Err(ReadError::NotATimeline),
        Ok(header) if header.schema > u64::from(SCHEMA_VERSION) => {
            Err(ReadError::UnsupportedSchema { found: header.schema })
        }
        Ok(_) => Ok(()),
        // Cut off, and continued by another run.
        Err(_) if first.starts_with(br#"{"type":"session""#) && first.last() == Some(&b'\n') => Ok(()),
        Err(_) if first.last() != Some(&b'\n') => Err(ReadError::Empty),
        Err(_) => Err(ReadError::NotATimeline),
    }
}

/// Clocks that differ by less than this, ns, from what is expected drift; those that differ by more were stopped meanwhile.
const MAX_CLOCK_DRIFT: u64 = 500_000_000;

/// A part of a timeline file while it is read: from one session line to the next. Stream time and the ids of faces begin anew
/// in each part of a live session; its clock lines say where the part belongs.
#[derive(Debug, Default)]
struct Part {
    /// What is added to stream times, ns.
    shift: u64,
    /// What is added to the numbers of frames.
    frame_shift: u64,
    /// What is added to the ids of faces, so that nobody is taken for somebody in an earlier part.
    id_shift: u32,
    /// The memory in which the detector keeps people, and what is added to their ids.
    people: Option<(String, u32)>,
    /// The memory of the part before, which is the same where the same detector was stopped and started again.
    people_before: Option<(String, u32)>,
    /// Whether it has had a clock line.
    has_clock: bool,
    /// How many items there were of frames, moods, tracks, settings and safety lines at its beginning.
    begins: [usize; 5],
    /// How many parts there were without a clock line.
    without_clock: u64,
    /// How many parts there were.
    count: u64,
}

impl Part {
    /// Begins another part.
    fn begin(&mut self, people_memory: Option<&str>, timeline: &Timeline) {
        // A live session leaves empty parts while it looks for a device that was lost.
        let is_empty = self.count > 0 && !self.has_clock && timeline.frames.len() == self.begins[0];
        let is_further = !(is_empty && self.without_clock > 1);
        let has_frames = timeline.frames.len() > self.begins[0];
        let people_before = if has_frames { self.people.take() } else { self.people_before.take() };
        *self = Self {
            people: people_memory.map(|name| (name.to_owned(), 0)),
            people_before,
            begins: [
                timeline.frames.len(),
                timeline.moods.len(),
                timeline.tracks.len(),
                timeline.settings_changes.len(),
                timeline.safety.len(),
            ],
            // Until its clock line comes.
            without_clock: self.without_clock + u64::from(is_further),
            count: self.count + 1,
            ..Self::default()
        };
    }

    fn shift_id(&self, face: &mut Face) {
        face.id = face.id.saturating_add(self.id_shift);
        face.resembles = face.resembles.map(|id| id.saturating_add(self.id_shift));
    }

    /// Takes in a clock line: the first one of a part moves all of it, a later one what follows where the session was paused.
    fn set_clock(&mut self, clock: &ClockLine, timeline: &mut Timeline) {
        let shift = clock.time.saturating_sub(clock.pts);
        let video = |from| clock.video.clone().map(|file| VideoPart { file, from, shift });
        if std::mem::replace(&mut self.has_clock, true) {
            if shift.abs_diff(self.shift) > MAX_CLOCK_DRIFT {
                self.shift = shift;
                timeline.videos.extend(video(clock.pts));
            }
            return;
        }
        self.shift = shift;
        timeline.videos.extend(video(0));
        if self.count > 1 {
            self.without_clock = self.without_clock.saturating_sub(1);
        }
        let [frames, moods, tracks, settings, safety] = self.begins;
        let frame_count = timeline.frames.len();
        let (before, part) = timeline.frames.split_at_mut(frames.min(frame_count));
        let known = self.people.as_ref().zip(self.people_before.as_ref());
        self.id_shift = match known {
            Some(((name, _), (before, shift))) if name == before => *shift,
            _ => before.iter().flat_map(|frame| &frame.faces).map(|face| face.id).max().unwrap_or(0),
        };
        if let Some((_, shift)) = &mut self.people {
            *shift = self.id_shift;
        }
        self.frame_shift = before.last().map_or(0, |frame| frame.frame + 1);
        for frame in part {
            frame.pts = frame.pts.saturating_add(shift);
            frame.frame = frame.frame.saturating_add(self.frame_shift);
            frame.faces.iter_mut().for_each(|face| self.shift_id(face));
        }
        let times = timeline.moods[moods..].iter_mut().map(|line| &mut line.pts);
        let times = times.chain(timeline.tracks[tracks..].iter_mut().map(|line| &mut line.pts));
        let times = times.chain(timeline.settings_changes[settings..].iter_mut().map(|line| &mut line.pts));
        let times = times.chain(timeline.safety[safety..].iter_mut().map(|line| &mut line.pts));
        times.for_each(|time| *time = time.saturating_add(shift));
    }
}

/// Where a part of a recorded video belongs in a live session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VideoPart {
    /// The file's name.
    pub file: String,
    /// Where the part begins in the file, ns.
    pub from: u64,
    /// What is to be added to the file's times, ns.
    pub shift: u64,
}

/// The timeline of a recorded session.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Timeline {
    /// The first line: program, media and settings that produced the timeline.
    pub header: SessionHeader,
    /// All frames in the order of the file.
    pub frames: Vec<FrameLine>,
    /// Changes of the player's mood, by time.
    pub moods: Vec<MoodLine>,
    /// Events of the music tracks, by time.
    pub tracks: Vec<TrackLine>,
    /// Settings of elements that changed after the header, by time.
    pub settings_changes: Vec<SettingsLine>,
    /// The moments at which the limit on the time in negative moods was reached, by time.
    pub safety: Vec<SafetyLine>,
    /// What was marked in a live session and not taken back, by time.
    pub markers: Vec<MarkerLine>,
    /// The times of the day of a live session, by time.
    pub clocks: Vec<ClockLine>,
    /// What humans said in place of the classifier and did not take back, in the order of their numbers.
    pub corrections: Vec<CorrectionLine>,
    /// The videos that a live session has recorded, in their order.
    pub videos: Vec<VideoPart>,
    /// End of the recording, stream time, ns; `None` where the recording process was killed.
    pub end: Option<u64>,
    /// The lines of the file that were passed over.
    pub broken_lines: BrokenLines,
    /// The settings of the player by its decision log, where there is one.
    pub player_settings: Option<Value>,
    /// How many further sessions the file holds: it was continued, or the video was played again. Parts of a live session
    /// that was stopped and started again are no further sessions: their clock lines say how they follow each other.
    pub further_sessions: u64,
}

impl Timeline {
    /// Reads the timeline in a file.
    ///
    /// # Errors
    /// [`ReadError::Open`] where the file cannot be opened; otherwise as [`read_lines`].
    pub fn load(path: impl AsRef<Path>) -> Result<Self, ReadError> {
        let path = path.as_ref();
        let file = File::open(path).map_err(|source| ReadError::Open { path: path.into(), source })?;
        Self::from_reader(BufReader::new(file))
    }

    /// Reads a timeline from any reader.
    ///
    /// # Errors
    /// As [`read_lines`].
    pub fn from_reader(reader: impl BufRead) -> Result<Self, ReadError> {
        let mut timeline = Self::default();
        let mut part = Part::default();
        let broken_lines = for_each_line(reader, |line| timeline.push(line, &mut part))?;
        timeline.broken_lines = broken_lines;
        timeline.further_sessions = part.without_clock.saturating_sub(1);
        timeline.markers.sort_by_key(|marker| marker.pts);
        Ok(timeline)
    }

    /// Adds a line of the `part` that is being read.
    fn push(&mut self, line: Line, part: &mut Part) {
        let at = |pts: u64| pts.saturating_add(part.shift);
        match line {
            Line::Session(session) => {
                let is_first = part.count == 0;
                part.begin(session.people_memory(), self);
                // A part in which nothing came knows no settings.
                if !session.settings.is_empty() || is_first {
                    self.header = session;
                }
            }
            Line::Settings(change) => {
                self.settings_changes.push(SettingsLine { pts: at(change.pts), ..change });
            }
            Line::Frame(mut frame) => {
                (frame.pts, frame.frame) = (at(frame.pts), frame.frame.saturating_add(part.frame_shift));
                frame.faces.iter_mut().for_each(|face| part.shift_id(face));
                self.frames.push(frame);
            }
            Line::End(end) => self.end = Some(at(end.pts)),
            Line::Mood(mut mood) => {
                (mood.pts, mood.evidence) = (at(mood.pts), mood.evidence.map(at));
                self.moods.push(mood);
            }
            Line::Track(track) => self.tracks.push(TrackLine { pts: at(track.pts), ..track }),
            Line::Safety(safety) => self.safety.push(SafetyLine { pts: at(safety.pts), ..safety }),
            // Markers have the time of the session's clock.
            Line::Marker(marker) => self.add_marker(marker),
            Line::Correction(correction) => self.add_correction(correction),
            Line::Clock(clock) => {
                part.set_clock(&clock, self);
                // Once the parts are one, so are their videos.
                self.clocks.push(ClockLine { pts: clock.time, video: None, ..clock });
            }
        }
    }

    /// Adds a marker, or takes it back.
    fn add_marker(&mut self, marker: MarkerLine) {
        if marker.removed {
            self.markers.retain(|other| other.id != marker.id);
        } else if !self.markers.contains(&marker) {
            self.markers.push(marker);
        }
    }

    /// Adds a correction, or takes it back.
    fn add_correction(&mut self, correction: CorrectionLine) {
        self.corrections.retain(|other| other.id != correction.id);
        if !correction.removed {
            self.corrections.push(correction);
            self.corrections.sort_by_key(|correction| correction.id);
        }
    }

    /// The lines of the player and of a live session's user, in order of time.
    pub fn player_lines(&self) -> Vec<Line> {
        let moods = self.moods.iter().cloned().map(Line::Mood);
        let tracks = self.tracks.iter().cloned().map(Line::Track);
        let mut lines: Vec<Line> = moods
            .chain(tracks)
            .chain(self.safety.iter().copied().map(Line::Safety))
            .chain(self.markers.iter().cloned().map(Line::Marker))
            .chain(self.clocks.iter().cloned().map(Line::Clock))
            .collect();
        lines.sort_by_key(player_line_time);
        lines
    }

    /// Writes the timeline as JSON Lines (<https://jsonlines.org/>) in the schema of `docs/timeline.schema.json`: the header,
    /// all lines in order of time and, where the recording ended cleanly, the end line.
    ///
    /// # Errors
    /// Any error of writing to `writer`.
    pub fn write_to(&self, writer: &mut dyn Write) -> io::Result<()> {
        let mut write_line = |line: Line| writeln!(writer, "{}", line.to_json());
        write_line(Line::Session(SessionHeader { schema: SCHEMA_VERSION, ..self.header.clone() }))?;
        let mut player_lines = self.player_lines().into_iter().peekable();
        let mut settings_changes = self.settings_changes.iter().peekable();
        for frame in &self.frames {
            while let Some(change) = settings_changes.next_if(|change| change.pts <= frame.pts) {
                write_line(Line::Settings(change.clone()))?;
            }
            while let Some(line) = player_lines.next_if(|line| player_line_time(line) <= frame.pts) {
                write_line(line)?;
            }
            write_line(Line::Frame(frame.clone()))?;
        }
        for change in settings_changes {
            write_line(Line::Settings(change.clone()))?;
        }
        for line in player_lines {
            write_line(line)?;
        }
        for correction in &self.corrections {
            write_line(Line::Correction(correction.clone()))?;
        }
        // Readers take a recording without an end line for incomplete.
        match self.end {
            Some(pts) => write_line(Line::End(SessionEnd { pts, frames: self.frames.len() as u64 })),
            None => Ok(()),
        }
    }

    /// Adds the lines of a player's decision log, the markers of a live session, or corrections, as [`read_lines`] returns
    /// them. Lines that the timeline already has are not added again.
    pub fn add_music(&mut self, lines: impl IntoIterator<Item = Line>) {
        for line in lines {
            match line {
                Line::Mood(mood) if !self.moods.contains(&mood) => self.moods.push(mood),
                Line::Track(track) if !self.tracks.contains(&track) => self.tracks.push(track),
                Line::Safety(safety) if !self.safety.contains(&safety) => self.safety.push(safety),
                Line::Marker(marker) => self.add_marker(marker),
                Line::Session(mut header) => {
                    self.player_settings = header.settings.remove(PLAYER).or(self.player_settings.take());
                }
                Line::Correction(correction) => self.add_correction(correction),
                _ => (),
            }
        }
        self.moods.sort_by_key(|mood| mood.pts);
        self.tracks.sort_by_key(|track| track.pts);
        self.safety.sort_by_key(|safety| safety.pts);
        self.markers.sort_by_key(|marker| marker.pts);
    }

    /// Whom the music followed, as the player's property `subject` names them, each once: several where that was changed in
    /// a live session. Empty where it is unknown.
    pub fn music_subjects(&self) -> Vec<String> {
        let changes = self.settings_changes.iter().filter_map(|change| change.settings.get(PLAYER));
        let settings = [self.header.settings.get(PLAYER), self.player_settings.as_ref()];
        let mut subjects: Vec<String> = Vec::new();
        for settings in settings.into_iter().flatten().chain(changes) {
            if let Some(subject) = settings.get("subject").and_then(Value::as_str)
                && !subjects.iter().any(|known| known == subject)
            {
                subjects.push(subject.to_owned());
            }
        }
        subjects
    }

    /// Start of the first frame and end of the last, stream time, ns. Without frames, the times of the first and the last
    /// track event; without these, twice 0.
    pub fn span(&self) -> [u64; 2] {
        let begin = self.frames.iter().map(|frame| frame.pts).min();
        let last = self
            .frames
            .iter()
            .map(|frame| frame.pts)
            .max()
            .map(|pts| pts.saturating_add(self.frame_period()));
        let music = self.tracks.iter().map(|track| track.pts).max();
        let begin = begin.or_else(|| self.tracks.iter().map(|track| track.pts).min()).unwrap_or_default();
        [begin, self.end.max(last).or(music).unwrap_or(begin).max(begin)]
    }

    /// Each frame with its duration in ns, which is the time until the next frame. Where the timestamps jump (a seek, dropped
    /// frames) a frame gets the usual frame period instead, since nothing is known about the gap.
    pub fn frames_with_duration(&self) -> impl Iterator<Item = (&FrameLine, u64)> {
        let period = self.frame_period();
        let max_gap = period.saturating_mul(10).max(1_000_000_000);
        let next = self.frames.iter().skip(1).map(|frame| Some(frame.pts)).chain([None]);
        // The last frame lasts until the end of the recording where that is known.
        let end = self.end;
        self.frames.iter().zip(next).map(move |(frame, next)| {
            let gap = next
                .or(end)
                .and_then(|next| next.checked_sub(frame.pts))
                .filter(|gap| (1..=max_gap).contains(gap));
            (frame, gap.unwrap_or(period))
        })
    }

    /// The face of a person in a frame; `None` where it was not found.
    pub(crate) fn find_face(frame: &FrameLine, person_id: u32) -> Option<&Face> {
        frame.faces.iter().find(|face| face.id == person_id)
    }

    /// The usual time between two frames, ns: the median, so that jumps of the timestamps have no influence. 0 with fewer
    /// than two frames.
    pub fn frame_period(&self) -> u64 {
        let pairs = self.frames.windows(2);
        let mut gaps: Vec<u64> = pairs.filter_map(|pair| pair[1].pts.checked_sub(pair[0].pts)).collect();
        let middle = gaps.len() / 2;
        if gaps.is_empty() { 0 } else { *gaps.select_nth_unstable(middle).1 }
    }
}
