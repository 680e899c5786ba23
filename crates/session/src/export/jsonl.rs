//! The timeline as one file: frames, moods and tracks by time.

use std::io::{self, Write};

use mood_schema::{Line, SCHEMA_VERSION, SessionEnd, SessionHeader};

use crate::Timeline;

pub(super) fn write(timeline: &Timeline, to: &mut dyn Write) -> io::Result<()> {
    let mut line = |line: Line| writeln!(to, "{}", line.to_json());
    line(Line::Session(SessionHeader { schema: SCHEMA_VERSION, ..timeline.session.clone() }))?;
    let (mut moods, mut tracks) = (timeline.moods.iter().peekable(), timeline.tracks.iter().peekable());
    for frame in &timeline.frames {
        while let Some(mood) = moods.next_if(|mood| mood.pts <= frame.pts) {
            line(Line::Mood(mood.clone()))?;
        }
        while let Some(track) = tracks.next_if(|track| track.pts <= frame.pts) {
            line(Line::Track(track.clone()))?;
        }
        line(Line::Frame(frame.clone()))?;
    }
    for mood in moods {
        line(Line::Mood(mood.clone()))?;
    }
    for track in tracks {
        line(Line::Track(track.clone()))?;
    }
    // A recording that was cut off stays one.
    match timeline.end {
        Some(pts) => line(Line::End(SessionEnd { pts, frames: timeline.frames.len() as u64 })),
        None => Ok(()),
    }
}
