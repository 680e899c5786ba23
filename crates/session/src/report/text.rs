//! The sentences of the report.

use std::collections::BTreeMap;

use mood_schema::{Emotion, Label};

use super::format::{escape_html, format_percent};
use crate::time_format::format_duration;
use crate::{PersonSummary, RestOrigin, Summary, Trend, Warning, WarningKind};

/// A count with its noun: `no tracks`, `one track`, `2 tracks`.
fn format_count(count: u64, noun: &str) -> String {
    match count {
        0 => format!("no {noun}s"),
        1 => format!("one {noun}"),
        n => format!("{n} {noun}s"),
    }
}

/// How often something changed: `never changed`, `changed once`, ...
fn describe_change_count(count: u64) -> String {
    match count {
        0 => "never changed".into(),
        1 => "changed once".into(),
        2 => "changed twice".into(),
        n => format!("changed {n} times"),
    }
}

/// Sentences as plain text: about the recording, the subject, the resting face if one was taken off, and the music.
pub(super) fn describe_session(summary: &Summary) -> Vec<String> {
    let cut_off = if summary.complete { "" } else { " (it was cut off)" };
    let recording = format!(
        "The recording lasts {}{cut_off}; a face was found {} of the time.",
        format_duration(summary.duration),
        format_percent(summary.face_share)
    );
    let subject = match summary.subject() {
        Some(subject) => describe_subject(subject),
        None => "Nobody was found.".into(),
    };
    let music = if summary.tracks.is_empty() {
        "No music took part.".into()
    } else {
        let failed = match summary.failed_tracks {
            0 => String::new(),
            n => format!("; {} could not be played", format_count(n, "track")),
        };
        let mood = describe_change_count(summary.mood_changes);
        let track = describe_change_count(summary.track_changes);
        format!("The mood {mood}, and the music {track}{failed}.")
    };
    let resting_face = summary.subject().and_then(describe_resting_face);
    [Some(recording), Some(subject), resting_face, Some(music)].into_iter().flatten().collect()
}

/// One sentence on the resting face that was taken off the subject's labels: on what evidence, and what it changed.
fn describe_resting_face(subject: &PersonSummary) -> Option<String> {
    let resting_face = subject.resting_face.as_ref()?;
    let share_of =
        |labels: &BTreeMap<Label, f64>, label: Label| labels.get(&label).copied().unwrap_or_default();
    let mut changes: Vec<(Label, f64, f64)> = Emotion::ALL
        .map(Label::Known)
        .into_iter()
        .chain([Label::Uncertain])
        .map(|label| (label, share_of(&resting_face.labels_without, label), share_of(&subject.labels, label)))
        .filter(|(_, without, with)| (without - with).abs() >= 0.01)
        .collect();
    changes.sort_by(|a, b| (b.1 - b.2).abs().total_cmp(&(a.1 - a.2).abs()));
    let changes: Vec<String> = changes
        .iter()
        .take(2)
        .map(|&(label, without, with)| {
            let [without, with] = [without, with].map(format_percent);
            format!("{} {with} of the time instead of {without}", describe_label(label))
        })
        .collect();
    let effect = match changes.as_slice() {
        [] => "that changed no label for more than 1 % of the time".to_owned(),
        changes => format!("with that, {} is {}", subject.name, changes.join(" and ")),
    };
    let seconds = (resting_face.applied.seconds.max(0.0) * 1e9) as u64;
    let evidence = match resting_face.applied.origin {
        RestOrigin::Found => format!("found in {} of images of the still face", format_duration(seconds)),
        RestOrigin::Told => format!("which {} that were named as rest show", format_duration(seconds)),
    };
    Some(format!(
        "The labels say what differs from the resting face of {}, {evidence}; {effect}.",
        subject.name
    ))
}

/// A label as an adjective.
fn describe_label(label: Label) -> &'static str {
    match label {
        Label::Known(Emotion::Disgust) => "disgusted",
        Label::Known(Emotion::Fear) => "afraid",
        Label::Known(Emotion::Surprise) => "surprised",
        Label::Known(emotion) => emotion.as_str(),
        Label::Uncertain => "hard to read",
    }
}

/// One sentence on what the subject showed and for how much of the time, and the trend of valence where it is significant.
fn describe_subject(subject: &PersonSummary) -> String {
    let labels = subject.labels_by_share();
    let others: Vec<String> = labels
        .iter()
        .skip(1)
        .take(3)
        .map(|&(label, share)| format!("{} {}", describe_label(label), format_percent(share)))
        .collect();
    let name = &subject.name;
    let mut sentence = match labels.first() {
        Some(&(label, share)) if others.is_empty() => {
            format!("{name} looked {} throughout ({})", describe_label(label), format_percent(share))
        }
        Some(&(label, share)) => format!(
            "{name} looked {} most of all ({} of the time), then {}",
            describe_label(label),
            format_percent(share),
            others.join(", ")
        ),
        None => return format!("{name} was found, but no expression was estimated."),
    };
    match subject.valence_trend.filter(Trend::is_significant) {
        Some(trend) if trend.per_minute > 0.0 => sentence += ", and brightened over the session",
        Some(_) => sentence += ", and darkened over the session",
        None => {}
    }
    sentence + "."
}

/// A paragraph of HTML for the head of the page: whom it is about was found seldom. Empty otherwise.
pub(super) fn describe_seldom_found(warnings: &[Warning]) -> String {
    let seldom = warnings.iter().find(|warning| warning.kind == WarningKind::SeldomFound);
    seldom.map_or_else(String::new, |warning| {
        format!("<p class=\"lead\">{}.</p>\n", escape_html(&capitalize(&warning.text)))
    })
}

/// The text with its first letter in upper case.
fn capitalize(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// A list in HTML of what else was passed over, assumed or joined; empty where there is nothing of the kind.
pub(super) fn describe_warnings(warnings: &[Warning]) -> String {
    let others = warnings.iter().filter(|warning| warning.kind != WarningKind::SeldomFound);
    describe_texts(others.map(|warning| warning.text.as_str()))
}

/// Warnings as a list of HTML; empty without any.
pub(super) fn describe_texts<'a>(warnings: impl Iterator<Item = &'a str>) -> String {
    let items: String = warnings.map(|warning| format!("<li>{}.</li>", escape_html(warning))).collect();
    if items.is_empty() { items } else { format!("<ul class=\"warnings\">{items}</ul>\n") }
}

/// A paragraph of HTML on how far the session's results can be trusted; empty without a subject.
pub(super) fn describe_quality(summary: &Summary) -> String {
    let Some(subject) = summary.subject() else { return String::new() };
    let quality = match subject.quality {
        quality if quality >= 0.8 => "good",
        quality if quality >= 0.5 => "fair: small, turned away, dark or blurred at times",
        _ => "poor: small, turned away, dark or blurred for long",
    };
    let share = |time: u64, total: u64| escape_html(&format_percent(time as f64 / total.max(1) as f64));
    let absent = share(subject.absent, subject.absent.saturating_add(subject.found));
    let uncertain = share(subject.uncertain, subject.classified);
    format!(
        "<p>In this session the picture of {}'s face was {quality}; {absent} of the time it was not found, and {uncertain} of the time \
         it was found the program could not say what it showed. Ranges in brackets are 95 % confidence intervals: how much another \
         stretch of the same session might differ, not how often the program is right.</p>",
        escape_html(&subject.name)
    )
}
