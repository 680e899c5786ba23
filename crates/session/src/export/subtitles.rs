//! Subtitles: WebVTT (<https://www.w3.org/TR/webvtt1/>) and SubRip. People and music overlap, which both allow.

use std::io::{self, Write};

use super::{Kind, Span, Tier};

pub(super) fn vtt(tiers: &[Tier], to: &mut dyn Write) -> io::Result<()> {
    writeln!(to, "WEBVTT\n\nNOTE Estimates from facial expression, not felt emotion")?;
    for (tier, span) in cues(tiers) {
        let (start, end) = (time(span.start, '.'), time(span.end, '.'));
        let text = escape(&span.text);
        let text = match tier.kind {
            Kind::Person => format!("<v {}>{text}</v>", escape(&tier.name)),
            Kind::Mood => format!("mood: {text}"),
            Kind::Music => format!("♪ {text}"),
        };
        write!(to, "\n{start} --> {end}\n{text}\n")?;
    }
    Ok(())
}

pub(super) fn srt(tiers: &[Tier], to: &mut dyn Write) -> io::Result<()> {
    for (index, (tier, span)) in cues(tiers).into_iter().enumerate() {
        let (start, end) = (time(span.start, ','), time(span.end, ','));
        let text = match tier.kind {
            Kind::Person | Kind::Mood => format!("{}: {}", tier.name, span.text),
            Kind::Music => format!("♪ {}", span.text),
        };
        // Players take angle brackets for tags, and SubRip knows no escape.
        let text = text.replace('<', "‹").replace('>', "›");
        write!(to, "{}\n{start} --> {end}\n{text}\n\n", index + 1)?;
    }
    Ok(())
}

/// By time, as both formats want them.
fn cues(tiers: &[Tier]) -> Vec<(&Tier, &Span)> {
    let mut cues: Vec<(&Tier, &Span)> =
        tiers.iter().flat_map(|tier| tier.spans.iter().map(move |span| (tier, span))).collect();
    cues.sort_by_key(|(_, span)| (span.start, span.end));
    cues
}

fn time(ms: u64, point: char) -> String {
    let (hours, minutes, seconds) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60);
    format!("{hours:02}:{minutes:02}:{seconds:02}{point}{:03}", ms % 1000)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
