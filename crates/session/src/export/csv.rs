//! Comma-separated values (RFC 4180, <https://www.rfc-editor.org/rfc/rfc4180>): one row per face and frame, and one for a frame
//! without a face. Columns that
//! OpenFace has too are named as there (<https://github.com/TadasBaltrusaitis/OpenFace/wiki/Output-Format>);
//! `docs/timeline.md` lists all with their units.

use std::collections::HashMap;
use std::io::{self, Write};

use mood_schema::{Emotion, Label};

use super::corrected_by;
use crate::correction::change_at;
use crate::{Change, Summary, Timeline};

/// Columns before the probabilities, named and ordered as in the csv of the element `emotionlog`.
const LEADING_COLUMNS: [&str; 10] =
    ["frame", "timestamp", "face_id", "x", "y", "w", "h", "label", "confidence", "success"];
/// Columns after the probabilities; `subject` is the person's name.
const TRAILING_COLUMNS: [&str; 4] = ["valence", "arousal", "quality", "subject"];

/// Columns at the end where humans corrected the labels: the classifier's label, and who replaced it.
const CORRECTION_COLUMNS: [&str; 2] = ["machine_label", "corrected_by"];

/// Writes a header line, a row for every face of every frame, one for each person who was not found but whom a human labelled, and
/// one with `success` 0 for a frame without any.
pub(super) fn write(timeline: &Timeline, summary: &Summary, writer: &mut dyn Write) -> io::Result<()> {
    let names: HashMap<u32, &str> =
        summary.people.iter().map(|person| (person.id, person.name.as_str())).collect();
    let changes: HashMap<u32, Vec<Change>> =
        summary.people.iter().map(|person| (person.id, person.changes())).collect();
    let correction_columns = if summary.corrections.is_empty() { &[][..] } else { &CORRECTION_COLUMNS };
    let mut rows = csv::Writer::from_writer(writer);
    let emotions = Emotion::ALL.iter().map(|emotion| emotion.as_str());
    let columns = LEADING_COLUMNS.into_iter().chain(emotions).chain(TRAILING_COLUMNS);
    rows.write_record(columns.chain(correction_columns.iter().copied()))?;
    for (frame, duration) in timeline.frames_with_duration() {
        let seconds = format!("{}.{:09}", frame.pts / 1_000_000_000, frame.pts % 1_000_000_000);
        let middle = frame.pts.saturating_add(duration / 2);
        let is_found = |id: u32| frame.faces.iter().any(|face| face.id == id);
        // What a human saw of people whose face was not found.
        let mut seen: Vec<(u32, &Change)> = changes
            .iter()
            .filter(|(id, _)| !is_found(**id))
            .filter_map(|(id, changes)| {
                Some((*id, change_at(changes, middle).filter(|c| c.label.is_some())?))
            })
            .collect();
        seen.sort_by_key(|(id, _)| *id);
        for (id, change) in &seen {
            let mut row = vec![frame.frame.to_string(), seconds.clone(), id.to_string()];
            row.extend(vec![String::new(); 4]);
            row.extend([describe_label(change.label), String::new(), success(change.label)]);
            row.extend(vec![String::new(); Emotion::ALL.len() + 3]);
            row.push(names.get(id).copied().unwrap_or_default().to_owned());
            row.extend([String::new(), corrected_by(summary, *id, change).to_owned()]);
            rows.write_record(&row)?;
        }
        if frame.faces.is_empty() && seen.is_empty() {
            let number = frame.frame.to_string();
            // Without a face there is nothing but the place in the recording.
            let empty = vec![""; LEADING_COLUMNS.len() - 3];
            let row = [number.as_str(), seconds.as_str()].into_iter().chain(empty).chain(["0"]);
            let rest = Emotion::ALL.len() + TRAILING_COLUMNS.len() + correction_columns.len();
            rows.write_record(row.chain(vec![""; rest]))?;
        }
        for face in &frame.faces {
            let change = changes.get(&face.id).and_then(|changes| change_at(changes, middle));
            let machine = face.classification.as_ref().map(|result| result.label);
            let label = change.map_or(machine, |change| change.label);
            let mut row = vec![frame.frame.to_string(), seconds.clone(), face.id.to_string()];
            row.extend(<[f64; 4]>::from(face.bbox).map(format_number));
            row.push(describe_label(label));
            let success = success(label);
            match &face.classification {
                Some(result) => {
                    row.extend([format_number(result.confidence), success]);
                    row.extend(result.probabilities.map(format_number));
                    row.extend([format_number(result.affect.valence), format_number(result.affect.arousal)]);
                }
                // Not classified: empty values.
                None => {
                    row.extend([String::new(), success]);
                    row.extend(vec![String::new(); Emotion::ALL.len() + 2]);
                }
            }
            row.push(format_number(face.quality));
            row.push(names.get(&face.id).copied().unwrap_or_default().to_owned());
            if !correction_columns.is_empty() {
                let by = change.map_or("", |change| corrected_by(summary, face.id, change));
                row.extend([describe_label(machine), by.to_owned()]);
            }
            rows.write_record(&row)?;
        }
    }
    rows.flush()
}

/// The column `success`: whether there is a label other than `uncertain`.
fn success(label: Option<Label>) -> String {
    u8::from(label.is_some_and(|label| label != Label::Uncertain)).to_string()
}

/// The label's name, or nothing.
fn describe_label(label: Option<Label>) -> String {
    label.map_or_else(String::new, |label| label.to_string())
}

/// A number with six decimals, which every reader of the format parses.
fn format_number(value: f64) -> String {
    format!("{value:.6}")
}
