//! The formats of other programs. All are made of the same tiers: each person's episodes, then moods, then music.

mod audacity;
mod boris;
mod csv;
mod eaf;
mod jsonl;
mod subtitles;
mod textgrid;

use std::fmt;
use std::io::{self, Write};
use std::str::FromStr;

use mood_schema::Mood;

use crate::{Summary, Timeline};

/// A format of another program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// One row a face a frame, for statistics programs.
    Csv,
    /// The timeline itself, with music and merged people: JSON Lines.
    Jsonl,
    /// ELAN's annotation format 3.0.
    Eaf,
    /// Praat's TextGrid.
    TextGrid,
    /// A project of BORIS, format 7.0.
    Boris,
    /// WebVTT, subtitles that browsers show.
    Vtt,
    /// SubRip, subtitles that players show.
    Srt,
    /// Labels of Audacity.
    Audacity,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 8] = [
        Self::Csv,
        Self::Jsonl,
        Self::Eaf,
        Self::TextGrid,
        Self::Boris,
        Self::Vtt,
        Self::Srt,
        Self::Audacity,
    ];

    /// The name on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
            Self::Eaf => "eaf",
            Self::TextGrid => "textgrid",
            Self::Boris => "boris",
            Self::Vtt => "vtt",
            Self::Srt => "srt",
            Self::Audacity => "audacity",
        }
    }

    /// What its files' names end in.
    pub fn extension(self) -> &'static str {
        match self {
            Self::TextGrid => "TextGrid",
            Self::Audacity => "txt",
            other => other.as_str(),
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, UnknownFormat> {
        let found = Self::ALL.into_iter().find(|format| format.as_str().eq_ignore_ascii_case(name));
        found.ok_or_else(|| UnknownFormat(name.into()))
    }
}

/// A word that names no format.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown format '{0}': use one of csv, jsonl, eaf, textgrid, boris, vtt, srt, audacity")]
pub struct UnknownFormat(String);

/// What some formats say of the recording besides what was seen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recording {
    /// Title of the session.
    pub title: String,
    /// When the export is made, as ISO 8601 says it, such as `2026-05-03T10:00:00Z`.
    pub date: String,
    /// URI of the video, where it is known.
    pub media: Option<String>,
}

impl Recording {
    /// The name of the video's file.
    fn file_name(&self) -> Option<&str> {
        self.media.as_deref().and_then(|uri| uri.rsplit('/').next()).filter(|name| !name.is_empty())
    }
}

/// Writes a session in a format. `timeline` and `summary` belong together; times are the video's.
pub fn write(
    format: Format,
    timeline: &Timeline,
    summary: &Summary,
    recording: &Recording,
    to: &mut dyn Write,
) -> io::Result<()> {
    match format {
        Format::Csv => csv::write(timeline, summary, to),
        Format::Jsonl => jsonl::write(timeline, to),
        Format::Eaf => eaf::write(&tiers(timeline, summary), recording, to),
        Format::TextGrid => textgrid::write(&tiers(timeline, summary), last(summary), to),
        Format::Boris => boris::write(timeline, summary, recording, to),
        Format::Vtt => subtitles::vtt(&tiers(timeline, summary), to),
        Format::Srt => subtitles::srt(&tiers(timeline, summary), to),
        Format::Audacity => audacity::write(&tiers(timeline, summary), to),
    }
}

/// A row of annotations, none over another.
struct Tier {
    name: String,
    kind: Kind,
    spans: Vec<Span>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Person,
    Mood,
    Music,
}

/// An annotation, from the beginning of a millisecond to the beginning of another.
struct Span {
    start: u64,
    end: u64,
    text: String,
}

/// Milliseconds: what all these formats have in common.
fn milliseconds(ns: u64) -> u64 {
    ns.saturating_add(500_000) / 1_000_000
}

/// Where the recording ends, ms.
fn last(summary: &Summary) -> u64 {
    milliseconds(summary.begin.saturating_add(summary.duration))
}

fn span(start: u64, end: u64, text: String) -> Option<Span> {
    let (start, end) = (milliseconds(start), milliseconds(end));
    (start < end).then_some(Span { start, end, text })
}

/// Everything there is to annotate. People who never showed anything for long have no tier.
fn tiers(timeline: &Timeline, summary: &Summary) -> Vec<Tier> {
    let mut tiers: Vec<Tier> = Vec::new();
    let mut add = |name: &str, kind: Kind, spans: Vec<Span>| {
        if spans.is_empty() {
            return;
        }
        // Tiers are told apart by their names.
        let same = tiers
            .iter()
            .filter(|tier| tier.name == name || tier.name.starts_with(&format!("{name} (")))
            .count();
        let name = if same == 0 { name.to_owned() } else { format!("{name} ({})", same + 1) };
        tiers.push(Tier { name, kind, spans });
    };
    for subject in &summary.subjects {
        let spans = subject.episodes.iter();
        let spans = spans.filter_map(|episode| span(episode.start, episode.end, episode.label.to_string()));
        add(&one_line(&subject.name), Kind::Person, spans.collect());
    }
    let end = summary.begin.saturating_add(summary.duration);
    let held = moods(timeline, summary.begin, end);
    add(
        "mood",
        Kind::Mood,
        held.filter_map(|(start, end, mood)| span(start, end, mood.to_string())).collect(),
    );
    let next = summary.tracks.iter().skip(1).map(|play| play.start).chain([u64::MAX]);
    let music = summary.tracks.iter().zip(next);
    // In a crossfade the later track is the one that is named.
    let music = music.filter_map(|(play, next)| span(play.start, play.end.min(next), one_line(&play.title)));
    add("music", Kind::Music, music.collect());
    tiers
}

/// What the player held from when to when.
pub(crate) fn moods(
    timeline: &Timeline,
    begin: u64,
    end: u64,
) -> impl Iterator<Item = (u64, u64, Mood)> + '_ {
    let first = timeline.moods.first().map(|line| (begin, line.from));
    let starts = first.into_iter().chain(timeline.moods.iter().map(|line| (line.pts, line.to)));
    let ends = timeline.moods.iter().map(|line| line.pts).chain([end]);
    starts.zip(ends).map(|((start, mood), end)| (start, end, mood))
}

/// Text without line breaks and without the control characters that XML forbids.
fn one_line(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    text.trim().to_owned()
}
