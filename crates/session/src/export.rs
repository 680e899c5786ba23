//! Export to the file formats of other programs. Except for `csv` and `jsonl`, which hold the frames, all are made from the
//! same annotation tiers: each person's episodes, the player's moods, the music, and the markers.

mod audacity;
mod bids;
mod boris;
mod csv;
mod eaf;
mod subtitles;
mod textgrid;

use std::fmt;
use std::io::{self, Write};
use std::path::PathBuf;
use std::str::FromStr;

use mood_schema::{Label, Mood};

use crate::{Change, Episode, Summary, Timeline};
pub use bids::describe_columns as describe_bids_columns;

/// An export format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Comma-separated values (RFC 4180), one row per face and frame, for statistics programs.
    Csv,
    /// The timeline itself as JSON Lines (<https://jsonlines.org/>), with the music's events and merged people.
    Jsonl,
    /// ELAN annotation format 3.0, schema <http://www.mpi.nl/tools/elan/EAFv3.0.xsd>.
    Eaf,
    /// Praat TextGrid (<https://www.fon.hum.uva.nl/praat/manual/TextGrid_file_formats.html>).
    TextGrid,
    /// BORIS project, format version 7.0 (<https://www.boris.unito.it>).
    Boris,
    /// WebVTT subtitles (<https://www.w3.org/TR/webvtt1/>), which browsers show.
    Vtt,
    /// SubRip subtitles (<https://wiki.videolan.org/SubRip/>), which media players show.
    Srt,
    /// Events of the Brain Imaging Data Structure, a table separated by tabs
    /// (<https://bids-specification.readthedocs.io/en/stable/modality-agnostic-files/events.html>); [`describe_bids_columns`] is the
    /// file that goes with it.
    Bids,
    /// Audacity label track (<https://manual.audacityteam.org/man/importing_and_exporting_labels.html>).
    Audacity,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 9] = [
        Self::Csv,
        Self::Jsonl,
        Self::Eaf,
        Self::TextGrid,
        Self::Boris,
        Self::Vtt,
        Self::Srt,
        Self::Bids,
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
            Self::Bids => "bids",
            Self::Audacity => "audacity",
        }
    }

    /// File name extension, without a dot, in the case that the format's own program uses.
    pub fn extension(self) -> &'static str {
        match self {
            Self::TextGrid => "TextGrid",
            Self::Audacity => "txt",
            Self::Bids => "tsv",
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
    type Err = UnknownFormatError;

    fn from_str(name: &str) -> Result<Self, UnknownFormatError> {
        let found = Self::ALL.into_iter().find(|format| format.as_str().eq_ignore_ascii_case(name));
        found.ok_or_else(|| UnknownFormatError(name.into()))
    }
}

/// The given name is not that of an export format; holds the name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown format '{0}': use one of csv, jsonl, eaf, textgrid, boris, vtt, srt, bids, audacity")]
pub struct UnknownFormatError(String);

/// Information on the recording that some formats include.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recording {
    /// Title of the session.
    pub title: String,
    /// Time of the export, UTC, in ISO 8601, such as `2026-05-03T10:00:00Z`.
    pub date: String,
    /// URI of the video; `None` where it is unknown or to be kept private.
    pub media: Option<String>,
    /// A video that shows the session and belongs to its files, such as the annotated one; taken where `media` is `None`.
    pub film: Option<PathBuf>,
    /// The folder that the export is written to, absolute, so that videos can be found from there; `None` where it is unknown.
    pub folder: Option<PathBuf>,
}

/// Writes a session in a format. `summary` must have been computed from `timeline`. Times are those of the video.
///
/// # Errors
/// Any error of writing to `writer`.
pub fn write(
    format: Format,
    timeline: &Timeline,
    summary: &Summary,
    recording: &Recording,
    writer: &mut dyn Write,
) -> io::Result<()> {
    match format {
        Format::Csv => csv::write(timeline, summary, writer),
        Format::Jsonl => timeline.write_to(writer),
        Format::Eaf => eaf::write(&build_tiers(timeline, summary), recording, writer),
        Format::TextGrid => textgrid::write(&build_tiers(timeline, summary), recording_end(summary), writer),
        Format::Boris => boris::write(timeline, summary, recording, writer),
        Format::Vtt => subtitles::write_vtt(&build_tiers(timeline, summary), writer),
        Format::Srt => subtitles::write_srt(&build_tiers(timeline, summary), writer),
        Format::Bids => bids::write(timeline, summary, writer),
        Format::Audacity => audacity::write(&build_tiers(timeline, summary), writer),
    }
}

/// A named sequence of annotations in order of time and without overlap.
struct Tier {
    /// Unique among the tiers.
    name: String,
    kind: TierKind,
    annotations: Vec<Annotation>,
}

/// What the annotations of a tier describe.
#[derive(Clone, Copy, PartialEq, Eq)]
enum TierKind {
    /// Episodes of a person.
    Person,
    /// The mood that the player held.
    Mood,
    /// The track playing.
    Music,
    /// What was marked in a live session.
    Marker,
    /// Episodes of a person by the classifier, where the person's record is corrected.
    Machine,
    /// Who corrected which episodes of a person.
    Corrector,
    /// Smiles of two people at the same time.
    SharedSmile,
}

/// How long the annotation of a marker lasts unless another follows sooner, ns.
const MARKER_DURATION: u64 = 1_000_000_000;

/// A text with its time, in milliseconds of stream time.
struct Annotation {
    start: u64,
    /// Above `start`.
    end: u64,
    text: String,
}

impl Annotation {
    /// An annotation of `start` to `end` (ns); `None` where it would be empty after rounding to milliseconds.
    fn from_ns(start: u64, end: u64, text: String) -> Option<Self> {
        let (start, end) = (to_milliseconds(start), to_milliseconds(end));
        (start < end).then_some(Self { start, end, text })
    }
}

/// Rounds nanoseconds to milliseconds, the resolution of EAF, WebVTT and SubRip, which all formats use alike.
fn to_milliseconds(ns: u64) -> u64 {
    ns.saturating_add(500_000) / 1_000_000
}

/// End of the recording, ms of stream time.
fn recording_end(summary: &Summary) -> u64 {
    to_milliseconds(summary.begin.saturating_add(summary.duration))
}

/// Builds the tiers: one per person, one of moods, one of music and one of markers. Tiers without annotations are left out.
fn build_tiers(timeline: &Timeline, summary: &Summary) -> Vec<Tier> {
    let mut tiers: Vec<Tier> = Vec::new();
    let mut add_tier = |name: &str, kind: TierKind, annotations: Vec<Annotation>| {
        if annotations.is_empty() {
            return;
        }
        let name = find_unused_name(tiers.iter().map(|tier| tier.name.as_str()), name);
        tiers.push(Tier { name, kind, annotations });
    };
    for person in &summary.people {
        add_tier(&to_single_line(&person.name), TierKind::Person, annotate_episodes(&person.episodes));
    }
    for person in &summary.people {
        let Some(machine) = &person.machine else { continue };
        let name = to_single_line(&person.name);
        add_tier(&format!("{name}, by gst-mood"), TierKind::Machine, annotate_episodes(&machine.episodes));
        let correctors = person.changes().into_iter().filter_map(|change| {
            let text = describe_change(summary, person.id, &change);
            Annotation::from_ns(change.start, change.end, to_single_line(&text))
        });
        add_tier(&format!("{name}, corrected"), TierKind::Corrector, correctors.collect());
    }
    for dyad in &summary.dyads {
        let name = dyad.names.each_ref().map(|name| to_single_line(name)).join(" and ");
        let smiles = dyad.smiles.smiles.iter();
        let smiles =
            smiles.filter_map(|smile| Annotation::from_ns(smile.start, smile.end, "both smile".into()));
        add_tier(&name, TierKind::SharedSmile, smiles.collect());
    }
    let end = summary.begin.saturating_add(summary.duration);
    let moods = mood_intervals(timeline, summary.begin, end)
        .filter_map(|(start, end, mood)| Annotation::from_ns(start, end, mood.to_string()));
    add_tier("mood", TierKind::Mood, moods.collect());
    // In a crossfade the annotation changes when the later track starts.
    let next_start = summary.tracks.iter().skip(1).map(|play| play.start).chain([u64::MAX]);
    let tracks = summary.tracks.iter().zip(next_start);
    let tracks = tracks.filter_map(|(play, next_start)| {
        Annotation::from_ns(play.start, play.end.min(next_start), to_single_line(&play.title))
    });
    add_tier("music", TierKind::Music, tracks.collect());
    let next = summary.markers.iter().skip(1).map(|marker| marker.pts).chain([u64::MAX]);
    let markers = summary.markers.iter().zip(next);
    let markers = markers.map(|(marker, next)| {
        // Two in the same millisecond would be one after the other.
        let end =
            marker.pts.saturating_add(MARKER_DURATION).min(next.max(marker.pts.saturating_add(1_000_000)));
        Annotation::from_ns(marker.pts, end, to_single_line(&marker.text))
    });
    add_tier("markers", TierKind::Marker, separate(markers.flatten().collect()));
    tiers
}

/// `name`, with a number where another tier is called so: the formats identify tiers by name.
fn find_unused_name<'a>(used: impl Iterator<Item = &'a str>, name: &str) -> String {
    let numbered = format!("{name} (");
    match used.filter(|other| *other == name || other.starts_with(&numbered)).count() {
        0 => name.to_owned(),
        count => format!("{name} ({})", count + 1),
    }
}

/// The people whose episodes the exports have, with the names of their tiers.
pub fn person_tier_names(summary: &Summary) -> Vec<(u32, String)> {
    let mut names: Vec<(u32, String)> = Vec::new();
    for person in summary.people.iter().filter(|person| !annotate_episodes(&person.episodes).is_empty()) {
        let used = names.iter().map(|(_, name)| name.as_str());
        let name = find_unused_name(used, &to_single_line(&person.name));
        names.push((person.id, name));
    }
    names
}

fn annotate_episodes(episodes: &[Episode]) -> Vec<Annotation> {
    let annotate =
        |episode: &Episode| Annotation::from_ns(episode.start, episode.end, episode.label.to_string());
    episodes.iter().filter_map(annotate).collect()
}

/// Who says what in place of what.
fn describe_change(summary: &Summary, person_id: u32, change: &Change) -> String {
    let name = |label: Option<Label>| label.map_or("nothing", Label::as_str);
    let by = corrected_by(summary, person_id, change);
    format!("{by}: {} instead of {}", name(change.label), name(change.machine))
}

/// Who made a change: the one of its correction, for an annotation that was removed the last one who corrected this person.
pub(crate) fn corrected_by<'a>(summary: &'a Summary, person_id: u32, change: &Change) -> &'a str {
    let mut corrections = summary.corrections.iter().rev();
    let found = corrections.find(|correction| {
        correction.person == person_id && change.correction.is_none_or(|id| id == correction.id)
    });
    found.map_or("", |correction| &correction.by)
}

/// Moves annotations that overlap the one before behind it.
fn separate(mut annotations: Vec<Annotation>) -> Vec<Annotation> {
    let mut free = 0;
    for annotation in &mut annotations {
        annotation.start = annotation.start.max(free);
        annotation.end = annotation.end.max(annotation.start + 1);
        free = annotation.end;
    }
    annotations
}

/// The moods the player held between `begin` and `end` (stream time, ns), as (start, end, mood) without gaps; none where the
/// timeline has no mood lines.
pub(crate) fn mood_intervals(
    timeline: &Timeline,
    begin: u64,
    end: u64,
) -> impl Iterator<Item = (u64, u64, Mood)> + '_ {
    let first = timeline.moods.first().map(|line| (begin, line.from));
    let starts = first.into_iter().chain(timeline.moods.iter().map(|line| (line.pts, line.to)));
    let ends = timeline.moods.iter().map(|line| line.pts).chain([end]);
    starts.zip(ends).map(|((start, mood), end)| (start, end, mood))
}

/// Replaces line breaks and other control characters, which XML forbids, by spaces.
fn to_single_line(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    text.trim().to_owned()
}
