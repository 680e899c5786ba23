//! Events as the Brain Imaging Data Structure has them (<https://bids-specification.readthedocs.io/en/stable/modality-agnostic-files/events.html>):
//! a table separated by tabs with `onset` and `duration` in seconds, ordered by onset, `n/a` where there is no value, and a JSON file
//! that describes the columns.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::{Annotation, TierKind, build_tiers, find_unused_name, to_single_line};
use crate::{Summary, Timeline};

/// What stands where there is no value.
const MISSING: &str = "n/a";
/// The columns in their order; onset and duration in seconds.
const COLUMNS: [&str; 6] = ["onset", "duration", "trial_type", "value", "person", "source"];

/// A row: start and end in ms, and the columns from `trial_type` on.
type Row = (u64, u64, &'static str, String, String, &'static str);

/// Writes the table.
pub(super) fn write(timeline: &Timeline, summary: &Summary, writer: &mut dyn Write) -> io::Result<()> {
    let mut rows = expression_rows(summary);
    for tier in &build_tiers(timeline, summary) {
        let trial_type = match tier.kind {
            TierKind::Mood => "mood",
            TierKind::Music => "music",
            TierKind::Marker => "marker",
            TierKind::SharedSmile => "shared_smile",
            // Above, and what the humans replaced.
            TierKind::Person | TierKind::Machine | TierKind::Corrector => continue,
        };
        let people = if tier.kind == TierKind::SharedSmile { &tier.name } else { MISSING };
        rows.extend(tier.annotations.iter().map(|Annotation { start, end, text }| {
            (*start, *end, trial_type, text.clone(), people.to_owned(), MISSING)
        }));
    }
    rows.sort();
    writeln!(writer, "{}", COLUMNS.join("\t"))?;
    let seconds = |ms: u64| format!("{}.{:03}", ms / 1000, ms % 1000);
    for (start, end, trial_type, value, person, source) in rows {
        let [value, person] = [value, person].map(|text| if text.is_empty() { MISSING.into() } else { text });
        let (onset, duration) = (seconds(start), seconds(end - start));
        writeln!(writer, "{onset}\t{duration}\t{trial_type}\t{value}\t{person}\t{source}")?;
    }
    Ok(())
}

/// The rows of everybody's episodes.
fn expression_rows(summary: &Summary) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut names: Vec<String> = Vec::new();
    for person in &summary.people {
        let used = names.iter().map(String::as_str);
        names.push(find_unused_name(used, &to_single_line(&person.name)));
        let name = names.last().cloned().unwrap_or_default();
        for episode in &person.episodes {
            let label = episode.label.to_string();
            let Some(annotation) = Annotation::from_ns(episode.start, episode.end, label) else { continue };
            let source = if episode.correction.is_some() { "human" } else { "machine" };
            rows.push((
                annotation.start,
                annotation.end,
                "expression",
                annotation.text,
                name.clone(),
                source,
            ));
        }
    }
    rows
}

/// The description of the columns, for the JSON file of the same name beside the table.
pub fn describe_columns() -> Value {
    json!({
        "onset": {
            "LongName": "Onset",
            "Description": "Time from the beginning of the recording at which the event begins",
            "Units": "s"
        },
        "duration": { "LongName": "Duration", "Description": "Duration of the event", "Units": "s" },
        "trial_type": {
            "LongName": "Kind of event",
            "Description": "What kind of event it is",
            "Levels": {
                "expression": "A person showed a facial expression for half a second at least; an estimate, not felt emotion",
                "mood": "The mood that the music followed",
                "music": "A track was played",
                "marker": "Something was marked in a live session",
                "shared_smile": "Two people smiled at the same time"
            }
        },
        "value": {
            "LongName": "Value",
            "Description": "The expression or mood (angry, disgust, fear, happy, sad, surprise, neutral; uncertain where image or face \
                            did not allow a label; absent of a mood), the title of the track, or the text of the marker"
        },
        "person": { "LongName": "Person", "Description": "Name of the person, or both names of a shared smile" },
        "source": {
            "LongName": "Source of the label",
            "Description": "Who says it",
            "Levels": { "machine": "The classifier of gst-mood", "human": "A human who corrected the classifier" }
        }
    })
}
