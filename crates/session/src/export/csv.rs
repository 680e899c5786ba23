//! Comma-separated values (RFC 4180, <https://www.rfc-editor.org/rfc/rfc4180>): one row per face and frame, and one for a frame
//! without a face. Columns that
//! OpenFace has too are named as there (<https://github.com/TadasBaltrusaitis/OpenFace/wiki/Output-Format>);
//! `docs/timeline.md` lists all with their units.

use std::collections::HashMap;
use std::io::{self, Write};

use mood_schema::{Emotion, Label};

use crate::{Summary, Timeline};

/// Columns before the probabilities, named and ordered as in the csv of the element `emotionlog`.
const LEADING_COLUMNS: [&str; 10] =
    ["frame", "timestamp", "face_id", "x", "y", "w", "h", "label", "confidence", "success"];
/// Columns after the probabilities; `subject` is the person's name.
const TRAILING_COLUMNS: [&str; 4] = ["valence", "arousal", "quality", "subject"];

/// Writes a header line, a row for every face of every frame, and one with `success` 0 for a frame without a face.
pub(super) fn write(timeline: &Timeline, summary: &Summary, writer: &mut dyn Write) -> io::Result<()> {
    let names: HashMap<u32, &str> =
        summary.people.iter().map(|person| (person.id, person.name.as_str())).collect();
    let mut rows = csv::Writer::from_writer(writer);
    let emotions = Emotion::ALL.iter().map(|emotion| emotion.as_str());
    rows.write_record(LEADING_COLUMNS.into_iter().chain(emotions).chain(TRAILING_COLUMNS))?;
    for frame in &timeline.frames {
        let seconds = format!("{}.{:09}", frame.pts / 1_000_000_000, frame.pts % 1_000_000_000);
        if frame.faces.is_empty() {
            let number = frame.frame.to_string();
            // Without a face there is nothing but the place in the recording.
            let empty = vec![""; LEADING_COLUMNS.len() - 3];
            let row = [number.as_str(), seconds.as_str()].into_iter().chain(empty).chain(["0"]);
            rows.write_record(row.chain(vec![""; Emotion::ALL.len() + TRAILING_COLUMNS.len()]))?;
        }
        for face in &frame.faces {
            let mut row = vec![frame.frame.to_string(), seconds.clone(), face.id.to_string()];
            row.extend(<[f64; 4]>::from(face.bbox).map(format_number));
            match &face.classification {
                Some(result) => {
                    let success = u8::from(result.label != Label::Uncertain);
                    row.extend([
                        result.label.to_string(),
                        format_number(result.confidence),
                        success.to_string(),
                    ]);
                    row.extend(result.probabilities.map(format_number));
                    row.extend([format_number(result.affect.valence), format_number(result.affect.arousal)]);
                }
                // Not classified: empty values, and `success` 0.
                None => {
                    row.extend([String::new(), String::new(), "0".into()]);
                    row.extend(vec![String::new(); Emotion::ALL.len() + 2]);
                }
            }
            row.push(format_number(face.quality));
            row.push(names.get(&face.id).copied().unwrap_or_default().to_owned());
            rows.write_record(&row)?;
        }
    }
    rows.flush()
}

/// A number with six decimals, which every reader of the format parses.
fn format_number(value: f64) -> String {
    format!("{value:.6}")
}
