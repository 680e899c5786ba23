//! The timeline as one JSON Lines file (<https://jsonlines.org/>) in the schema of
//! `docs/timeline.schema.json`, with frame, mood, track and settings lines in order of time.

use std::io::{self, Write};

use mood_schema::{Line, SCHEMA_VERSION, SessionEnd, SessionHeader};

use crate::Timeline;

/// Writes the header, all lines in order of time and, where the recording ended cleanly, the end line.
pub(super) fn write(timeline: &Timeline, writer: &mut dyn Write) -> io::Result<()> {
    let mut write_line = |line: Line| writeln!(writer, "{}", line.to_json());
    write_line(Line::Session(SessionHeader { schema: SCHEMA_VERSION, ..timeline.header.clone() }))?;
    let (mut moods, mut tracks) = (timeline.moods.iter().peekable(), timeline.tracks.iter().peekable());
    let mut settings_changes = timeline.settings_changes.iter().peekable();
    for frame in &timeline.frames {
        while let Some(change) = settings_changes.next_if(|change| change.pts <= frame.pts) {
            write_line(Line::Settings(change.clone()))?;
        }
        while let Some(mood) = moods.next_if(|mood| mood.pts <= frame.pts) {
            write_line(Line::Mood(mood.clone()))?;
        }
        while let Some(track) = tracks.next_if(|track| track.pts <= frame.pts) {
            write_line(Line::Track(track.clone()))?;
        }
        write_line(Line::Frame(frame.clone()))?;
    }
    for change in settings_changes {
        write_line(Line::Settings(change.clone()))?;
    }
    for mood in moods {
        write_line(Line::Mood(mood.clone()))?;
    }
    for track in tracks {
        write_line(Line::Track(track.clone()))?;
    }
    // Readers take a recording without an end line for incomplete.
    match timeline.end {
        Some(pts) => write_line(Line::End(SessionEnd { pts, frames: timeline.frames.len() as u64 })),
        None => Ok(()),
    }
}
