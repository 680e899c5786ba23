//! When each track of the music was heard.

use mood_schema::{Mood, TrackEvent, redacted};
use serde::{Deserialize, Serialize};

use crate::Timeline;

/// One playing of a track. Times are stream time, ns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrackPlay {
    /// URI of the file.
    #[serde(with = "redacted")]
    pub uri: String,
    /// Title from the file's tags; the URI where it has none.
    #[serde(with = "redacted")]
    pub title: String,
    /// The mood the track was chosen for; `None` where it was not chosen by mood.
    pub mood: Option<Mood>,
    /// Time of its first audible sample, ns.
    pub start: u64,
    /// Time of its last audible sample, ns; the end of the session where it was still playing.
    pub end: u64,
    /// Why the track was chosen, as the player explains it.
    #[serde(with = "redacted")]
    pub reason: String,
}

/// Pairs the start and end events of the tracks, in order of their starts. `session_end` (ns) ends those that have no end
/// event. Each event of a URI ends the earliest playing of it that still sounds.
pub(crate) fn collect_track_plays(timeline: &Timeline, session_end: u64) -> Vec<TrackPlay> {
    let mut plays: Vec<TrackPlay> = Vec::new();
    let mut playing: Vec<usize> = Vec::new();
    for line in &timeline.tracks {
        match line.event {
            TrackEvent::Started => {
                playing.push(plays.len());
                plays.push(TrackPlay {
                    uri: line.uri.clone(),
                    title: if line.title.is_empty() { line.uri.clone() } else { line.title.clone() },
                    mood: line.mood,
                    start: line.pts,
                    end: session_end.max(line.pts),
                    reason: line.reason.clone(),
                });
            }
            TrackEvent::Ended => {
                let ended =
                    playing.iter().position(|&index| plays.get(index).is_some_and(|p| p.uri == line.uri));
                let index = ended.map(|position| playing.remove(position));
                if let Some(play) = index.and_then(|index| plays.get_mut(index)) {
                    play.end = line.pts.max(play.start);
                }
            }
            TrackEvent::CrossfadeStarted | TrackEvent::CrossfadeDone | TrackEvent::Failed => (),
        }
    }
    plays
}

/// Playings of one track directly one after the other: it was restarted, which is no change of the music.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Piece {
    /// The first playing, with the end of the last.
    pub play: TrackPlay,
    /// How often the track began again.
    pub restarts: u64,
}

/// Joins the restarts of tracks. `plays` are in order of their starts.
pub(crate) fn join_restarts(plays: &[TrackPlay]) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    for play in plays {
        match pieces.last_mut() {
            Some(piece) if piece.play.uri == play.uri => {
                piece.play.end = piece.play.end.max(play.end);
                piece.restarts += 1;
            }
            _ => pieces.push(Piece { play: play.clone(), restarts: 0 }),
        }
    }
    pieces
}
