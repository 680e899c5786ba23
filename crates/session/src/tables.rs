//! Tidy tables (Wickham 2014, doi:10.18637/jss.v059.i10) for statistics programs: a row for every session and person, and a row for every
//! session, person and second. `docs/data-dictionary.md` describes the columns. What is unknown is empty.

use std::io::{self, Write};

use mood_schema::{Emotion, Label};

use crate::correction::change_at;
use crate::{PersonSummary, Summary, Timeline, export};

/// Nanoseconds of a second, the time that a row of [`SecondsTable`] stands for.
const SECOND: u64 = 1_000_000_000;

/// The columns of [`SessionsTable`] before the shares of the labels.
const SESSION_COLUMNS: [&str; 13] = [
    "session",
    "date",
    "conditions",
    "duration",
    "complete",
    "person",
    "name",
    "is_subject",
    "found",
    "classified",
    "quality",
    "corrected",
    "share_uncertain",
];
/// The columns of [`SessionsTable`] behind the shares of the labels.
const ESTIMATE_COLUMNS: [&str; 6] =
    ["valence", "valence_low", "valence_high", "arousal", "arousal_low", "arousal_high"];
/// The columns of [`SecondsTable`] before the probabilities.
const SECOND_COLUMNS: [&str; 14] = [
    "session",
    "date",
    "condition",
    "person",
    "name",
    "is_subject",
    "second",
    "found",
    "label",
    "corrected",
    "quality",
    "valence",
    "arousal",
    "mood",
];

/// Writes a row for every session and person.
pub struct SessionsTable<W: Write>(csv::Writer<W>);

impl<W: Write> SessionsTable<W> {
    /// Begins the table with its header.
    ///
    /// # Errors
    /// Any error of writing.
    pub fn new(writer: W) -> io::Result<Self> {
        let mut rows = csv::Writer::from_writer(writer);
        let shares = Emotion::ALL.map(|emotion| format!("share_{emotion}"));
        let columns = SESSION_COLUMNS.into_iter().chain(shares.iter().map(String::as_str));
        rows.write_record(columns.chain(ESTIMATE_COLUMNS))?;
        Ok(Self(rows))
    }

    /// Adds a session. `name` tells it from others.
    ///
    /// # Errors
    /// Any error of writing.
    pub fn add(&mut self, name: &str, summary: &Summary) -> io::Result<()> {
        for person in &summary.people {
            self.0.write_record(session_row(name, summary, person))?;
        }
        Ok(())
    }

    /// Ends the table.
    ///
    /// # Errors
    /// Any error of writing.
    pub fn finish(mut self) -> io::Result<()> {
        self.0.flush()
    }
}

fn session_row(session: &str, summary: &Summary, person: &PersonSummary) -> Vec<String> {
    let share = |label: Label| match person.classified {
        0 => String::new(),
        _ => format_number(person.labels.get(&label).copied().unwrap_or_default()),
    };
    let conditions: Vec<&str> =
        summary.conditions.iter().map(|condition| condition.condition.as_str()).collect();
    let mut row = vec![
        session.to_owned(),
        summary.date().unwrap_or_default(),
        conditions.join(";"),
        format_seconds(summary.duration),
        format_flag(summary.complete),
        person.id.to_string(),
        person.name.clone(),
        format_flag(summary.subject_id == Some(person.id)),
        format_seconds(person.found),
        format_seconds(person.classified),
        format_number(person.quality),
        format_flag(person.machine.is_some()),
        share(Label::Uncertain),
    ];
    row.extend(Emotion::ALL.map(|emotion| share(Label::Known(emotion))));
    for estimate in [&person.valence, &person.arousal] {
        let mean = estimate.as_ref().map(|estimate| estimate.mean);
        let interval = estimate.as_ref().and_then(|estimate| estimate.interval.as_ref());
        let values = [mean, interval.map(|interval| interval.low), interval.map(|interval| interval.high)];
        row.extend(values.map(|value| value.map_or_else(String::new, format_number)));
    }
    row
}

/// Writes a row for every session, person and second.
pub struct SecondsTable<W: Write>(csv::Writer<W>);

/// What a person showed in one second; times in ns.
#[derive(Clone, Default)]
struct Second {
    found: u64,
    quality: f64,
    classified: u64,
    probabilities: [f64; 7],
    affect: [f64; 2],
    labels: Vec<(Label, u64)>,
    corrected: u64,
}

impl<W: Write> SecondsTable<W> {
    /// Begins the table with its header.
    ///
    /// # Errors
    /// Any error of writing.
    pub fn new(writer: W) -> io::Result<Self> {
        let mut rows = csv::Writer::from_writer(writer);
        let probabilities = Emotion::ALL.map(|emotion| format!("p_{emotion}"));
        let columns = SECOND_COLUMNS.into_iter().chain(["track"]);
        rows.write_record(columns.chain(probabilities.iter().map(String::as_str)))?;
        Ok(Self(rows))
    }

    /// Adds a session. `name` tells it from others, and `summary` must be that of the timeline.
    ///
    /// # Errors
    /// Any error of writing.
    pub fn add(&mut self, name: &str, timeline: &Timeline, summary: &Summary) -> io::Result<()> {
        let date = summary.date().unwrap_or_default();
        let end = summary.begin.saturating_add(summary.duration);
        let moods: Vec<_> = export::mood_intervals(timeline, summary.begin, end).collect();
        for person in &summary.people {
            for (index, second) in (0u64..).zip(collect_seconds(timeline, summary, person)) {
                let time = summary.begin.saturating_add(index.saturating_mul(SECOND));
                // What is the case at the beginning of the second.
                let mood = moods.iter().rfind(|(start, _, _)| *start <= time);
                let track = summary.tracks.iter().rfind(|play| play.start <= time && time < play.end);
                let mut row = vec![
                    name.to_owned(),
                    date.clone(),
                    summary.condition_at(time).unwrap_or_default().to_owned(),
                    person.id.to_string(),
                    person.name.clone(),
                    format_flag(summary.subject_id == Some(person.id)),
                    index.to_string(),
                    format_number(second.found as f64 / SECOND as f64),
                ];
                row.extend(second_values(&second));
                row.push(mood.map_or_else(String::new, |(_, _, mood)| mood.to_string()));
                row.push(track.map_or_else(String::new, |track| track.title.clone()));
                let time = second.classified as f64;
                let probability = |sum: f64| match second.classified {
                    0 => String::new(),
                    _ => format_number(sum / time),
                };
                row.extend(second.probabilities.map(probability));
                self.0.write_record(row)?;
            }
        }
        Ok(())
    }

    /// Ends the table.
    ///
    /// # Errors
    /// Any error of writing.
    pub fn finish(mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// The columns from `label` to `arousal`.
fn second_values(second: &Second) -> [String; 5] {
    // Of labels that were shown equally long, the first one.
    let longest = second.labels.iter().rev().max_by_key(|(_, time)| *time);
    let mean = |sum: f64, time: u64| if time == 0 { String::new() } else { format_number(sum / time as f64) };
    [
        longest.map_or_else(String::new, |(label, _)| label.to_string()),
        format_flag(second.corrected > 0),
        mean(second.quality, second.found),
        mean(second.affect[0], second.classified),
        mean(second.affect[1], second.classified),
    ]
}

/// A person's seconds from the beginning of the recording; a frame belongs to the second in which it begins.
fn collect_seconds(timeline: &Timeline, summary: &Summary, person: &PersonSummary) -> Vec<Second> {
    let count = usize::try_from(summary.duration.div_ceil(SECOND)).unwrap_or(0);
    let mut seconds = vec![Second::default(); count];
    let changes = person.changes();
    for (frame, duration) in timeline.frames_with_duration() {
        let index = (frame.pts.saturating_sub(summary.begin) / SECOND) as usize;
        let Some(second) = seconds.get_mut(index) else { continue };
        let face = Timeline::find_face(frame, person.id);
        let classification = face.and_then(|face| face.classification.as_ref());
        if let Some(face) = face {
            second.found += duration;
            second.quality += face.quality * duration as f64;
        }
        if let Some(classification) = classification {
            second.classified += duration;
            for (sum, probability) in second.probabilities.iter_mut().zip(classification.probabilities) {
                *sum += probability * duration as f64;
            }
            second.affect[0] += classification.affect.valence * duration as f64;
            second.affect[1] += classification.affect.arousal * duration as f64;
        }
        let change = change_at(&changes, frame.pts.saturating_add(duration / 2));
        let label = match change {
            Some(change) => change.label,
            None => classification.map(|classification| classification.label),
        };
        second.corrected += if change.is_some() { duration } else { 0 };
        if let Some(label) = label {
            match second.labels.iter_mut().find(|(other, _)| *other == label) {
                Some((_, time)) => *time += duration,
                None => second.labels.push((label, duration)),
            }
        }
    }
    seconds
}

/// Nanoseconds as seconds with three decimals.
fn format_seconds(ns: u64) -> String {
    format!("{:.3}", ns as f64 / 1e9)
}

/// A number with six decimals.
fn format_number(value: f64) -> String {
    format!("{value:.6}")
}

/// 1 or 0.
fn format_flag(flag: bool) -> String {
    u8::from(flag).to_string()
}
