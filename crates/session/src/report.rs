//! The report: one page that needs nothing else, for somebody who was not there.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use mood_schema::{Emotion, Label, Mood};
use plotters::style::RGBColor;
use sha2::{Digest, Sha256};

use crate::clock::{spoken, stamp};
use crate::{Subject, Summary, Timeline, chart};

const STYLE: &str = include_str!("report.css");

/// Rows of a table; what is more is only counted.
const ROWS: usize = 50;

/// The page. It loads nothing and runs nothing, and its policy forbids browsers to: even a text that escaped its
/// escaping would stay a text.
pub fn html(timeline: &Timeline, summary: &Summary, title: &str, _video: Option<&str>) -> String {
    let title = escape(title);
    let style = BASE64_STANDARD.encode(Sha256::digest(STYLE));
    let policy =
        format!("default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'");
    let picture = chart::svg(timeline, summary).unwrap_or_else(|error| {
        format!("<p>The picture could not be drawn: {}</p>", escape(&error.to_string()))
    });
    let sentences: String = sentences(summary).iter().fold(String::new(), |mut list, sentence| {
        let _ = write!(list, "<li>{}</li>", escape(sentence));
        list
    });
    format!(
        r#"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<style>{STYLE}</style>
</head>
<body>
<main>
<h1>{title}</h1>
<ul class="said">{sentences}</ul>
<h2>Over time</h2>
<figure>
{key}
<div class="scroll" role="img" aria-label="{aria}" tabindex="0">{picture}</div>
<figcaption>{caption}</figcaption>
</figure>
<h2>Share of time</h2>
<div class="scroll" tabindex="0">{shares}</div>
<h2>Music</h2>
<div class="scroll" tabindex="0">{tracks}</div>
<p class="limits">What you see here is an estimate from facial expression, not felt emotion. A face can hide a feeling or
show one that is not there, and the program is often wrong about single moments; trust long stretches more than short
ones. It is not a medical device and gives no diagnosis.</p>
</main>
<footer>{footer}</footer>
</body>
</html>
"#,
        key = key(),
        aria = escape(&sentences_for_picture(summary)),
        caption = "Top: how likely each expression is. Middle: valence (unpleasant to pleasant) and arousal (calm to \
                   activated), -1 to 1. Bottom: the mood the music followed, and the music.",
        shares = shares(summary),
        tracks = tracks(timeline, summary),
        footer = footer(timeline, summary),
    )
}

/// Text that stays text in markup, in attributes too. Control characters, which markup forbids, are shown as `�`.
fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '\n' | '\t' => safe.push(' '),
            control if control.is_control() => safe.push('\u{fffd}'),
            other => safe.push(other),
        }
    }
    safe
}

fn percent(share: f64) -> String {
    if share > 0.0 && share < 0.005 { "<1 %".into() } else { format!("{:.0} %", share * 100.0) }
}

fn plural(count: u64, one: &str) -> String {
    match count {
        0 => format!("no {one}s"),
        1 => format!("one {one}"),
        n => format!("{n} {one}s"),
    }
}

/// Three sentences: what was recorded, what was seen, what was heard.
fn sentences(summary: &Summary) -> [String; 3] {
    let cut = if summary.complete { "" } else { " (it was cut off)" };
    let recorded = format!(
        "The recording lasts {}{cut}; a face was in view {} of the time.",
        spoken(summary.duration),
        percent(summary.face_share)
    );
    let seen = match summary.main_subject() {
        Some(subject) => seen(subject),
        None => "Nobody was seen.".into(),
    };
    let heard = if summary.tracks.is_empty() {
        "No music took part.".into()
    } else {
        let failed = match summary.failed_tracks {
            0 => String::new(),
            n => format!("; {} could not be played", plural(n, "track")),
        };
        format!(
            "The mood changed {}, and the music changed {}{failed}.",
            times(summary.mood_changes),
            times(summary.track_changes)
        )
    };
    [recorded, seen, heard]
}

fn times(count: u64) -> String {
    match count {
        0 => "never".into(),
        1 => "once".into(),
        2 => "twice".into(),
        n => format!("{n} times"),
    }
}

fn seen(subject: &Subject) -> String {
    let ranked = subject.ranked();
    let word = |label: Label| match label {
        Label::Known(Emotion::Disgust) => "disgusted",
        Label::Known(Emotion::Fear) => "afraid",
        Label::Known(Emotion::Surprise) => "surprised",
        Label::Known(emotion) => emotion.as_str(),
        Label::Uncertain => "hard to read",
    };
    let rest: Vec<String> = ranked
        .iter()
        .skip(1)
        .take(3)
        .map(|&(label, share)| format!("{} {}", word(label), percent(share)))
        .collect();
    match ranked.first() {
        Some(&(label, share)) if rest.is_empty() => {
            format!("{} looked {} throughout ({}).", subject.name, word(label), percent(share))
        }
        Some(&(label, share)) => format!(
            "{} looked {} most of all ({} of the time), then {}.",
            subject.name,
            word(label),
            percent(share),
            rest.join(", ")
        ),
        None => format!("{} was in view, but no expression was estimated.", subject.name),
    }
}

fn sentences_for_picture(summary: &Summary) -> String {
    format!("Timeline. {}", sentences(summary).join(" "))
}

fn swatch(color: RGBColor) -> String {
    let RGBColor(r, g, b) = color;
    format!(
        r##"<svg viewBox="0 0 10 10" aria-hidden="true"><rect width="10" height="10" fill="#{r:02X}{g:02X}{b:02X}"/></svg>"##
    )
}

fn key() -> String {
    let mut list = String::from(r#"<ul class="key">"#);
    for emotion in Emotion::ALL {
        let _ = write!(list, "<li>{}{emotion}</li>", swatch(chart::color(emotion.into())));
    }
    let _ = write!(list, "<li>{}uncertain</li>", swatch(chart::color(Mood::Uncertain)));
    let _ = write!(list, r#"<li class="valence">{}valence (line)</li>"#, swatch(chart::VALENCE));
    let _ = write!(list, r#"<li class="arousal">{}arousal (line)</li></ul>"#, swatch(chart::AROUSAL));
    list
}

fn shares(summary: &Summary) -> String {
    if summary.subjects.is_empty() {
        return "<p>Nobody was seen.</p>".into();
    }
    let labels = Emotion::ALL.map(Label::Known).into_iter().chain([Label::Uncertain]);
    let labels: Vec<Label> = labels
        .filter(|label| summary.subjects.iter().any(|s| s.labels.get(label).is_some_and(|&x| x > 0.0)))
        .collect();
    let mut table = String::from(
        "<table><thead><tr><th scope=\"col\">Person</th><th scope=\"col\" class=\"n\">In view</th>",
    );
    for label in &labels {
        let _ = write!(table, r#"<th scope="col" class="n">{label}</th>"#);
    }
    table +=
        r#"<th scope="col" class="n">Valence</th><th scope="col" class="n">Arousal</th></tr></thead><tbody>"#;
    for subject in summary.subjects.iter().take(ROWS) {
        let _ = write!(
            table,
            r#"<tr><th scope="row">{}</th><td class="n">{}</td>"#,
            subject.id,
            stamp(subject.seen)
        );
        for label in &labels {
            let share = subject.labels.get(label).copied().unwrap_or_default();
            let _ = write!(table, r#"<td class="n">{}</td>"#, escape(&percent(share)));
        }
        let _ = write!(
            table,
            r#"<td class="n">{:+.2}</td><td class="n">{:+.2}</td></tr>"#,
            subject.mean().valence,
            subject.mean().arousal
        );
    }
    table += "</tbody></table>";
    table + &more(summary.subjects.len(), "person or short appearance", "people or short appearances")
}

fn tracks(timeline: &Timeline, summary: &Summary) -> String {
    if summary.tracks.is_empty() {
        return "<p>No music took part.</p>".into();
    }
    let [begin, _] = timeline.span();
    let mut table = String::from(
        r#"<table><thead><tr><th scope="col" class="n">From</th><th scope="col" class="n">To</th><th scope="col">Track</th><th scope="col">For</th><th scope="col">Why</th></tr></thead><tbody>"#,
    );
    for play in summary.tracks.iter().take(ROWS) {
        let _ = write!(
            table,
            r#"<tr><td class="n">{}</td><td class="n">{}</td><td>{}</td><td>{}</td><td>{}</td></tr>"#,
            stamp(play.start.saturating_sub(begin)),
            stamp(play.end.saturating_sub(begin)),
            escape(&play.title),
            play.mood.map(|mood| mood.as_str()).unwrap_or_default(),
            escape(&play.reason)
        );
    }
    table += "</tbody></table>";
    table + &more(summary.tracks.len(), "track", "tracks")
}

fn more(count: usize, one: &str, many: &str) -> String {
    match count.saturating_sub(ROWS) {
        0 => String::new(),
        1 => format!("<p>And 1 more {one}.</p>"),
        n => format!("<p>And {n} more {many}.</p>"),
    }
}

fn footer(timeline: &Timeline, summary: &Summary) -> String {
    let mut text = format!("Made by {}", escape(&timeline.session.generator));
    if let Some(source) = &summary.source {
        let _ = write!(text, " from {}", escape(source));
    }
    text
}

/// The page of a comparison.
pub fn comparison(_comparison: &crate::Comparison) -> String {
    String::new()
}
