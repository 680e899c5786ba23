//! The sentences of the report.

use std::collections::BTreeMap;

use mood_schema::{Emotion, Label};

use super::format::escape_html;
use crate::finding::describe_gaps;
use crate::percent::format_percent;
use crate::time_format::format_duration;
use crate::track_play::join_restarts;
use crate::{
    PersonSummary, Recorded, RecordedOrigin, RestOrigin, Summary, Timeline, Trend, Warning, WarningKind,
};

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

/// Sentences as plain text: when it was recorded, how much of it is known, what the subject showed, the resting face if one was
/// taken off, and the music.
pub(super) fn describe_session(timeline: &Timeline, summary: &Summary) -> Vec<String> {
    let mut sentences = vec![describe_date(summary), describe_recording(timeline, summary)];
    if let Some(subject) = summary.subject() {
        sentences.push(describe_subject(subject));
        sentences.extend(describe_resting_face(subject));
    }
    if !summary.tracks.is_empty() || summary.failed_tracks > 0 {
        sentences.push(describe_music(timeline, summary));
    }
    sentences
}

/// When it was recorded, and who says so.
fn describe_date(summary: &Summary) -> String {
    let Some(Recorded { at, origin }) = summary.recorded else {
        return "When it was recorded is not known: neither the file nor the notes say it.".into();
    };
    let origin = match origin {
        RecordedOrigin::File => ", as its file says",
        RecordedOrigin::Notes => ", as the notes say",
        RecordedOrigin::Option => ", as was stated",
        RecordedOrigin::Clock => "",
    };
    format!("Recorded on {}{origin}.", at.describe())
}

/// How long it lasts, in how much of it the subject was found, and what is known of the rest.
fn describe_recording(timeline: &Timeline, summary: &Summary) -> String {
    let cut_off = if summary.complete { "" } else { " (it was cut off)" };
    let mut text = format!("It lasts {}{cut_off}; ", format_duration(summary.duration));
    let Some(subject) = summary.subject() else { return text + "nobody was found in it." };
    let missing = subject.absent as f64 / subject.found.saturating_add(subject.absent).max(1) as f64;
    text += &format!("the face of {} was found in {} of it", subject.name, format_percent(1.0 - missing));
    // Where more is missing, the page begins with the reason.
    let is_said = summary.warnings.iter().any(|warning| warning.kind == WarningKind::SeldomFound);
    if missing >= 0.01 && !is_said {
        text += &format!("; for the rest: {}", describe_gaps(timeline, subject.id));
    }
    text + "."
}

/// Whose mood the music followed, and how often mood and music changed.
fn describe_music(timeline: &Timeline, summary: &Summary) -> String {
    let whose = match timeline.music_subjects().as_slice() {
        [] => String::new(),
        [subject] => match subject.as_str() {
            "largest" => "The music followed the largest face in the picture. ".into(),
            "mean" => "The music followed the mean of all faces. ".into(),
            ids => {
                let first = ids.trim_start_matches("id:").split(',').next().and_then(|id| id.parse().ok());
                let name = first.map(|id: u32| summary.person_map.name(summary.person_map.person_id(id)));
                name.map(|name| format!("The music followed {name}. ")).unwrap_or_default()
            }
        },
        _ => "Whose face the music followed was changed during the session. ".into(),
    };
    let restarts: u64 = join_restarts(&summary.tracks).iter().map(|piece| piece.restarts).sum();
    let restarts = match restarts {
        0 => String::new(),
        1 => "; one track began again, which is no change of music".into(),
        n => format!("; tracks began again {n} times, which is no change of music"),
    };
    let failed = match summary.failed_tracks {
        0 => String::new(),
        n => format!("; {} could not be played", format_count(n, "track")),
    };
    let mood = describe_change_count(summary.mood_changes);
    let track = describe_change_count(summary.track_changes);
    format!("{whose}The mood {mood}, and the music {track}{restarts}{failed}.")
}

/// One sentence on the resting face that was taken off the subject's labels: on what evidence, and what it changed.
fn describe_resting_face(subject: &PersonSummary) -> Option<String> {
    let resting_face = subject.resting_face.as_ref()?;
    let share_of =
        |labels: &BTreeMap<Label, f64>, label: Label| labels.get(&label).copied().unwrap_or_default();
    // What a human corrected is no effect of the resting face.
    let labels = subject.machine.as_ref().map_or(&subject.labels, |machine| &machine.labels);
    let mut changes: Vec<(Label, f64, f64)> = Emotion::ALL
        .map(Label::Known)
        .into_iter()
        .chain([Label::Uncertain])
        .map(|label| (label, share_of(&resting_face.labels_without, label), share_of(labels, label)))
        .filter(|(_, without, with)| (without - with).abs() >= 0.01)
        .collect();
    changes.sort_by(|a, b| (b.1 - b.2).abs().total_cmp(&(a.1 - a.2).abs()));
    let changes: Vec<String> = changes
        .iter()
        .take(2)
        .map(|&(label, without, with)| {
            let [without, with] = [without, with].map(format_percent);
            format!("{label} {with} of the time instead of {without}")
        })
        .collect();
    let effect = match changes.as_slice() {
        [] => "that changed no label for more than 1 % of the time".to_owned(),
        changes if subject.machine.is_some() => {
            format!("with that, the program says {}", changes.join(" and "))
        }
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

/// One sentence on what the subject showed and for how much of the time, in the words of the labels, and the trend of valence
/// where it is significant.
fn describe_subject(subject: &PersonSummary) -> String {
    let name = &subject.name;
    let labels = subject.labels_by_share();
    let mut shown = labels.iter().filter(|(label, _)| *label != Label::Uncertain).take(4);
    let uncertain = subject.labels.get(&Label::Uncertain).copied().unwrap_or_default();
    let Some((most, share)) = shown.next() else {
        return if labels.is_empty() {
            format!("{name} was found, but no expression was estimated.")
        } else {
            format!("What {name} showed was uncertain throughout.")
        };
    };
    let mut sentence = format!("{name} showed {most} most of all ({} of that time)", format_percent(*share));
    let others: Vec<String> =
        shown.map(|(label, share)| format!("{label} ({})", format_percent(*share))).collect();
    match others.split_last() {
        None => {}
        Some((last, [])) => sentence += &format!(", then {last}"),
        Some((last, others)) => sentence += &format!(", then {} and {last}", others.join(", ")),
    }
    if uncertain > 0.0 {
        sentence += &format!("; {} is uncertain", format_percent(uncertain));
    }
    match subject.valence_trend.filter(Trend::is_significant) {
        Some(trend) if trend.per_minute > 0.0 => sentence += "; valence rose over the session",
        Some(_) => sentence += "; valence fell over the session",
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
    let [uncertain, classified] = match &subject.machine {
        Some(machine) => [machine.uncertain, machine.classified],
        None => [subject.uncertain, subject.classified],
    };
    let uncertain = share(uncertain, classified);
    format!(
        "<p>In this session the picture of {}'s face was {quality}; {absent} of the time it was not found, and {uncertain} of the time \
         it was found the program could not say what it showed. Ranges in brackets are 95 % confidence intervals: how much another \
         stretch of the same session might differ, not how often the program is right.</p>",
        escape_html(&subject.name)
    )
}
