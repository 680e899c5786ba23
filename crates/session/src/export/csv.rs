//! Comma-separated values: one row a face a frame, the columns named as in OpenFace, and the person's name last.

use std::collections::HashMap;
use std::io::{self, Write};

use mood_schema::{Emotion, Label};

use crate::{Summary, Timeline};

/// Before the probabilities: the columns of the element `emotionlog`, in its order.
const FIRST: [&str; 10] =
    ["frame", "timestamp", "face_id", "x", "y", "w", "h", "label", "confidence", "success"];
const LAST: [&str; 4] = ["valence", "arousal", "quality", "subject"];

pub(super) fn write(timeline: &Timeline, summary: &Summary, to: &mut dyn Write) -> io::Result<()> {
    let names: HashMap<u32, &str> =
        summary.subjects.iter().map(|subject| (subject.id, subject.name.as_str())).collect();
    let mut rows = csv::Writer::from_writer(to);
    let emotions = Emotion::ALL.iter().map(|emotion| emotion.as_str());
    rows.write_record(FIRST.into_iter().chain(emotions).chain(LAST))?;
    for frame in &timeline.frames {
        let seconds = format!("{}.{:09}", frame.pts / 1_000_000_000, frame.pts % 1_000_000_000);
        for face in &frame.faces {
            let mut row = vec![frame.frame.to_string(), seconds.clone(), face.id.to_string()];
            row.extend(<[f64; 4]>::from(face.bbox).map(number));
            match &face.classification {
                Some(result) => {
                    let success = u8::from(result.label != Label::Uncertain);
                    row.extend([result.label.to_string(), number(result.confidence), success.to_string()]);
                    row.extend(result.probabilities.map(number));
                    row.extend([number(result.affect.valence), number(result.affect.arousal)]);
                }
                // Not classified: no value, and no success.
                None => {
                    row.extend([String::new(), String::new(), "0".into()]);
                    row.extend(vec![String::new(); Emotion::ALL.len() + 2]);
                }
            }
            row.push(number(face.quality));
            row.push(names.get(&face.id).copied().unwrap_or_default().to_owned());
            rows.write_record(&row)?;
        }
    }
    rows.flush()
}

fn number(value: f64) -> String {
    format!("{value:.6}")
}
