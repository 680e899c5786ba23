//! BORIS project (Friard and Gamba 2016, doi:10.1111/2041-210X.12584), project format version 7.0 (<https://www.boris.unito.it>):
//! one observation of the video, in which each episode is a state event that starts and stops.

use std::io::{self, Write};

use mood_schema::{Emotion, Label};
use serde_json::{Map, Value, json};

use super::{Recording, TierKind, build_tiers};
use crate::{Summary, Timeline};

/// Behavioural category of all labels.
const CATEGORY: &str = "expression";

/// Code of the markers of a live session.
const MARKER: &str = "marker";

/// Writes the project. A recording without a video becomes a live observation.
pub(super) fn write(
    timeline: &Timeline,
    summary: &Summary,
    recording: &Recording,
    writer: &mut dyn Write,
) -> io::Result<()> {
    let tiers = build_tiers(timeline, summary);
    let people: Vec<_> =
        tiers.iter().filter(|tier| matches!(tier.kind, TierKind::Person | TierKind::Machine)).collect();
    let markers = tiers.iter().filter(|tier| tier.kind == TierKind::Marker);
    let markers: Vec<_> = markers.flat_map(|tier| &tier.annotations).collect();
    // Sorting by time, then stops (0) before starts (1), so that one state ends before the next starts at the same time.
    let mut events: Vec<(u64, u8, &str, &str, &str)> = Vec::new();
    for tier in &people {
        for annotation in &tier.annotations {
            events.push((annotation.start, 1, &tier.name, &annotation.text, ""));
            events.push((annotation.end, 0, &tier.name, &annotation.text, ""));
        }
    }
    // A point event, with what was marked as its comment.
    events.extend(markers.iter().map(|marker| (marker.start, 1, "", MARKER, marker.text.as_str())));
    events.sort();
    let seconds = |ms: u64| ms as f64 / 1000.0;
    let events: Vec<Value> = events
        .into_iter()
        .map(|(time, _, subject, label, comment)| json!([seconds(time), subject, label, "", comment, "NA"]))
        .collect();
    let subjects = people
        .iter()
        .enumerate()
        .map(|(index, tier)| (index.to_string(), json!({ "key": "", "name": tier.name, "description": "" })));
    let title = if recording.title.is_empty() { "session" } else { &recording.title };
    // BORIS expects times without a time zone.
    let date = recording.date.trim_end_matches('Z');
    let project = json!({
        "time_format": "hh:mm:ss",
        "project_date": date,
        "project_name": title,
        "project_description": "Estimates from facial expression, not felt emotion. Made by gst-mood.",
        "project_format_version": "7.0",
        "subjects_conf": subjects.collect::<Map<_, _>>(),
        "behaviors_conf": ethogram(!markers.is_empty()),
        "observations": { title: observation(timeline, summary, recording, date, events) },
        "behavioral_categories": [CATEGORY],
        "independent_variables": {},
        "coding_map": {},
        "behaviors_coding_map": [],
        "converters": {},
    });
    serde_json::to_writer_pretty(&mut *writer, &project)?;
    writer.write_all(b"\n")
}

/// The behaviours that can be coded: all labels, as state events, on the keys 1 to 8; with markers, these as point events.
fn ethogram(has_markers: bool) -> Map<String, Value> {
    let labels = Emotion::ALL.map(Label::Known).into_iter().chain([Label::Uncertain]);
    let labels = labels.map(|label| ("State event", label.to_string()));
    let marker = has_markers.then(|| ("Point event", MARKER.to_owned()));
    let behavior = |(index, (kind, code)): (usize, (&str, String))| {
        let behavior = json!({
            "type": kind,
            "key": (index + 1).to_string(),
            "code": code,
            "description": "",
            "color": "",
            "category": CATEGORY,
            "modifiers": {},
            "excluded": "",
            "coding map": "",
        });
        (index.to_string(), behavior)
    };
    labels.chain(marker).enumerate().map(behavior).collect()
}

/// The observation of the recording with its events.
fn observation(
    timeline: &Timeline,
    summary: &Summary,
    recording: &Recording,
    date: &str,
    events: Vec<Value>,
) -> Value {
    let file = recording.media.as_deref().map(to_path);
    let per_file =
        |value: Value| file.iter().map(|file| (file.clone(), value.clone())).collect::<Map<_, _>>();
    let duration = summary.begin.saturating_add(summary.duration) as f64 / 1e9;
    let fps = match timeline.frame_period() {
        0 => 0.0,
        period => (1e9 / period as f64 * 1000.0).round() / 1000.0,
    };
    json!({
        "type": if file.is_some() { "MEDIA" } else { "LIVE" },
        "date": date,
        "description": "",
        "time offset": 0.0,
        "file": if file.is_some() { json!({ "1": file.as_slice() }) } else { json!([]) },
        "media_info": {
            "length": per_file(json!(duration)),
            "fps": per_file(json!(fps)),
            "hasVideo": per_file(json!(true)),
            "hasAudio": per_file(json!(false)),
            "offset": { "1": 0.0 },
        },
        "independent_variables": {},
        "visualize_spectrogram": false,
        "visualize_waveform": false,
        "close_behaviors_between_videos": false,
        "scan_sampling_time": 0,
        "events": events,
    })
}

/// The path of a `file` URI, since BORIS expects paths.
fn to_path(uri: &str) -> String {
    let encoded = uri.strip_prefix("file://").unwrap_or(uri);
    percent_encoding::percent_decode_str(encoded).decode_utf8_lossy().into_owned()
}
