//! Numbers in words, and texts that stay texts.

use mood_schema::{Emotion, Label};

use crate::clock::spoken;
use crate::{Band, Estimate, Subject, Summary, Trend};

/// Text that stays text in markup, in attributes too. Control characters, which markup forbids, are shown as `�`.
pub(super) fn escape(text: &str) -> String {
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

pub(super) fn percent(share: f64) -> String {
    if share > 0.0 && share < 0.005 { "<1 %".into() } else { format!("{:.0} %", share * 100.0) }
}

fn plural(count: u64, one: &str) -> String {
    match count {
        0 => format!("no {one}s"),
        1 => format!("one {one}"),
        n => format!("{n} {one}s"),
    }
}

fn changed(count: u64) -> String {
    match count {
        0 => "never changed".into(),
        1 => "changed once".into(),
        2 => "changed twice".into(),
        n => format!("changed {n} times"),
    }
}

/// Three sentences: what was recorded, what was seen, what was heard.
pub(super) fn sentences(summary: &Summary) -> [String; 3] {
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
        let (mood, music) = (summary.mood_changes, summary.track_changes);
        format!("The mood {}, and the music {}{failed}.", changed(mood), changed(music))
    };
    [recorded, seen, heard]
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
    let name = &subject.name;
    let mut sentence = match ranked.first() {
        Some(&(label, share)) if rest.is_empty() => {
            format!("{name} looked {} throughout ({})", word(label), percent(share))
        }
        Some(&(label, share)) => format!(
            "{name} looked {} most of all ({} of the time), then {}",
            word(label),
            percent(share),
            rest.join(", ")
        ),
        None => return format!("{name} was in view, but no expression was estimated."),
    };
    match subject.valence_trend.filter(Trend::is_sure) {
        Some(trend) if trend.per_minute > 0.0 => sentence += ", and brightened over the session",
        Some(_) => sentence += ", and darkened over the session",
        None => {}
    }
    sentence + "."
}

/// A value of a scale from -1 to 1.
pub(super) fn signed(value: f64) -> String {
    // No minus zero.
    let value = if value.abs() < 0.005 { 0.0 } else { value };
    format!("{value:+.2}")
}

/// A level, -1 to 1, and its band as far as the scale goes: of a short session it may be wider.
pub(super) fn level(level: &Estimate) -> String {
    let band = level.band.map(|band| Band {
        low: band.low.clamp(-1.0, 1.0),
        high: band.high.clamp(-1.0, 1.0),
        ..band
    });
    estimate(&Estimate { band, ..*level })
}

/// An estimate and its band.
pub(super) fn estimate(estimate: &Estimate) -> String {
    match estimate.band {
        Some(Band { low, high, .. }) => {
            format!("{} <small>({} to {})</small>", signed(estimate.mean), signed(low), signed(high))
        }
        None => signed(estimate.mean),
    }
}

/// A change in a word: nothing is said of what may be chance.
pub(super) fn verdict(change: &Estimate) -> &'static str {
    match change.band {
        None => "too little to tell",
        Some(_) if !change.is_sure() => "no clear change",
        Some(_) if change.mean > 0.0 => "rose",
        Some(_) => "fell",
    }
}

/// How far this session can be trusted, in plain words.
pub(super) fn quality(summary: &Summary) -> String {
    let Some(subject) = summary.main_subject() else { return String::new() };
    let clear = match subject.quality {
        quality if quality >= 0.8 => "good",
        quality if quality >= 0.5 => "fair: small, turned away, dark or blurred at times",
        _ => "poor: small, turned away, dark or blurred for long",
    };
    let share = |time: u64, of: u64| percent(time as f64 / of.max(1) as f64);
    let away = share(subject.absent, subject.absent.saturating_add(subject.seen));
    let unsure = share(subject.uncertain, subject.classified);
    format!(
        "<p>In this session the picture of {}'s face was {clear}; {away} of the time it was not in view, and {unsure} of the time \
         in view the program could not say what it showed. Ranges in brackets are 95 % confidence intervals: how much another \
         stretch of the same session might differ, not how often the program is right.</p>",
        escape(&subject.name)
    )
}
