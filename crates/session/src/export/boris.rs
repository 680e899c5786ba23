//! A project of BORIS (Friard and Gamba 2016, doi:10.1111/2041-210X.12584), project format 7.0: one observation of the
//! video, each episode a state event that starts and stops.

use std::io::{self, Write};

use mood_schema::{Emotion, Label};
use serde_json::{Map, Value, json};

use super::{Kind, Recording, tiers};
use crate::{Summary, Timeline};

const CATEGORY: &str = "expression";

pub(super) fn write(
    timeline: &Timeline,
    summary: &Summary,
    recording: &Recording,
    to: &mut dyn Write,
) -> io::Result<()> {
    let people: Vec<_> =
        tiers(timeline, summary).into_iter().filter(|tier| tier.kind == Kind::Person).collect();
    // At one time a state ends before another starts.
    let mut events: Vec<(u64, u8, &str, &str)> = Vec::new();
    for tier in &people {
        for span in &tier.spans {
            events.push((span.start, 1, &tier.name, &span.text));
            events.push((span.end, 0, &tier.name, &span.text));
        }
    }
    events.sort();
    let seconds = |ms: u64| ms as f64 / 1000.0;
    let events: Vec<Value> = events
        .into_iter()
        .map(|(time, _, subject, label)| json!([seconds(time), subject, label, "", "", "NA"]))
        .collect();
    let subjects = people
        .iter()
        .enumerate()
        .map(|(index, tier)| (index.to_string(), json!({ "key": "", "name": tier.name, "description": "" })));
    let title = if recording.title.is_empty() { "session" } else { &recording.title };
    // BORIS takes times without a zone.
    let date = recording.date.trim_end_matches('Z');
    let project = json!({
        "time_format": "hh:mm:ss",
        "project_date": date,
        "project_name": title,
        "project_description": "Estimates from facial expression, not felt emotion. Made by gst-mood.",
        "project_format_version": "7.0",
        "subjects_conf": subjects.collect::<Map<_, _>>(),
        "behaviors_conf": ethogram(),
        "observations": { title: observation(timeline, summary, recording, date, events) },
        "behavioral_categories": [CATEGORY],
        "independent_variables": {},
        "coding_map": {},
        "behaviors_coding_map": [],
        "converters": {},
    });
    serde_json::to_writer_pretty(&mut *to, &project)?;
    to.write_all(b"\n")
}

fn ethogram() -> Map<String, Value> {
    let labels = Emotion::ALL.map(Label::Known).into_iter().chain([Label::Uncertain]);
    let behavior = |(index, label): (usize, Label)| {
        let behavior = json!({
            "type": "State event",
            "key": (index + 1).to_string(),
            "code": label,
            "description": "",
            "color": "",
            "category": CATEGORY,
            "modifiers": {},
            "excluded": "",
            "coding map": "",
        });
        (index.to_string(), behavior)
    };
    labels.enumerate().map(behavior).collect()
}

fn observation(
    timeline: &Timeline,
    summary: &Summary,
    recording: &Recording,
    date: &str,
    events: Vec<Value>,
) -> Value {
    let file = recording.media.as_deref().map(path);
    let about = |value: Value| file.iter().map(|file| (file.clone(), value.clone())).collect::<Map<_, _>>();
    let length = summary.begin.saturating_add(summary.duration) as f64 / 1e9;
    let fps = match timeline.period() {
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
            "length": about(json!(length)),
            "fps": about(json!(fps)),
            "hasVideo": about(json!(true)),
            "hasAudio": about(json!(false)),
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

/// BORIS wants a path where others want a URI.
fn path(uri: &str) -> String {
    let encoded = uri.strip_prefix("file://").unwrap_or(uri);
    percent_encoding::percent_decode_str(encoded).decode_utf8_lossy().into_owned()
}
