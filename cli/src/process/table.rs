//! One table over all recordings of an output folder: a row for every person of every recording.

use std::fs;
use std::path::{Path, PathBuf};

use atomic_file::FileLock;
use mood_schema::{Emotion, Label};
use session::{PersonSummary, Summary};

use crate::error::CommandError;
use crate::files::write_atomically;
use crate::folder::{SUMMARY, TIMELINE, read_summary};
use crate::lock::lock_folder;

/// The table's name.
const TABLE: &str = "recordings.csv";

/// The columns that describe a recording.
const RECORDING_COLUMNS: [&str; 8] =
    ["folder", "file", "begin", "duration", "frames", "complete", "face_share", "warnings"];
/// The columns that describe a person, before the shares of the labels.
const PERSON_COLUMNS: [&str; 8] =
    ["person", "name", "is_subject", "seen", "absent", "classified", "quality", "share_uncertain"];
/// The columns behind the shares of the labels.
const ESTIMATE_COLUMNS: [&str; 6] =
    ["valence", "valence_low", "valence_high", "arousal", "arousal_low", "arousal_high"];

/// Writes the table over all recordings in the folder `output`, of this run and of earlier ones, if there are at least two or
/// it exists. A recording without a person has one row, in which only the columns of the recording are filled.
pub fn write(output: &Path) -> Result<(), CommandError> {
    // Of two runs that end together, the second one has the results of both.
    let _lock = lock_table(output)?;
    let entries = fs::read_dir(output).map_err(|error| CommandError::io(output, &error))?;
    let mut folders: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    folders.retain(|folder| folder.join(TIMELINE).is_file() && folder.join(SUMMARY).is_file());
    folders.sort();
    let table = output.join(TABLE);
    if folders.len() < 2 && !table.exists() {
        return Ok(());
    }
    let mut rows = Vec::new();
    for folder in &folders {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        match read_summary(&folder.join(SUMMARY)) {
            Ok(summary) => rows.extend(session_rows(&name, &summary)),
            // Another run processes it again, and writes the table after that.
            Err(_) if !folder.join(SUMMARY).exists() => {}
            Err(error) => return Err(error),
        }
    }
    write_atomically(&table, |file| {
        let mut writer = csv::Writer::from_writer(file);
        let shares = Emotion::ALL.map(|emotion| format!("share_{}", emotion.as_str()));
        let columns =
            RECORDING_COLUMNS.into_iter().chain(PERSON_COLUMNS).chain(shares.iter().map(String::as_str));
        writer.write_record(columns.chain(ESTIMATE_COLUMNS))?;
        for row in &rows {
            writer.write_record(row)?;
        }
        writer.flush()
    })
}

/// Keeps other runs from writing a table of the folder `output` meanwhile, which takes milliseconds.
pub fn lock_table(output: &Path) -> Result<FileLock, CommandError> {
    lock_folder(output, || eprintln!("gst-mood: waits for another gst-mood that writes a table"))
}

/// Writes the table of a folder again if it has one.
pub fn update(output: &Path) -> Result<(), CommandError> {
    if output.join(TABLE).exists() { write(output) } else { Ok(()) }
}

/// The rows of a recording.
fn session_rows(folder: &str, summary: &Summary) -> Vec<Vec<String>> {
    let path = summary.source.as_ref().and_then(|uri| url::Url::parse(uri).ok()?.to_file_path().ok());
    let mut kinds: Vec<String> = summary
        .warnings
        .iter()
        .filter_map(|warning| Some(serde_json::to_value(warning.kind).ok()?.as_str()?.to_owned()))
        .collect();
    kinds.dedup();
    let recording = vec![
        folder.to_owned(),
        path.unwrap_or_default().display().to_string(),
        format_seconds(summary.begin),
        format_seconds(summary.duration),
        summary.frames.to_string(),
        u8::from(summary.complete).to_string(),
        format_number(summary.face_share),
        kinds.join(" "),
    ];
    let width = PERSON_COLUMNS.len() + Emotion::ALL.len() + ESTIMATE_COLUMNS.len();
    if summary.people.is_empty() {
        return vec![[recording, vec![String::new(); width]].concat()];
    }
    let person_row = |person| [recording.clone(), person_values(person, summary.subject_id)].concat();
    summary.people.iter().map(person_row).collect()
}

/// The values of a person; those that are unknown are empty.
fn person_values(person: &PersonSummary, subject: Option<u32>) -> Vec<String> {
    let share = |label: Label| match person.classified {
        0 => String::new(),
        _ => format_number(person.labels.get(&label).copied().unwrap_or_default()),
    };
    let mut values = vec![
        person.id.to_string(),
        person.name.clone(),
        u8::from(subject == Some(person.id)).to_string(),
        format_seconds(person.found),
        format_seconds(person.absent),
        format_seconds(person.classified),
        format_number(person.quality),
        share(Label::Uncertain),
    ];
    values.extend(Emotion::ALL.map(|emotion| share(Label::Known(emotion))));
    for estimate in [&person.valence, &person.arousal] {
        let mean = estimate.as_ref().map(|estimate| estimate.mean);
        let band = estimate.as_ref().and_then(|estimate| estimate.interval.as_ref());
        values.extend([mean, band.map(|band| band.low), band.map(|band| band.high)].map(format_optional));
    }
    values
}

/// Nanoseconds as seconds with three decimals.
fn format_seconds(nanoseconds: u64) -> String {
    format!("{:.3}", nanoseconds as f64 / 1e9)
}

/// A number with six decimals, as in `timeline.csv`.
fn format_number(value: f64) -> String {
    format!("{value:.6}")
}

/// A number, or nothing.
fn format_optional(value: Option<f64>) -> String {
    value.map_or_else(String::new, format_number)
}
