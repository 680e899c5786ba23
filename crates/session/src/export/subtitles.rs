//! Subtitles: WebVTT (<https://www.w3.org/TR/webvtt1/>) and SubRip, which has no formal specification
//! (<https://wiki.videolan.org/SubRip/>). Of cues that overlap in time, some players show one only, and others pile them up over the
//! picture. So a cue has a line for everything that is the case in its time, and ends where any of it does.

use std::io::{self, Write};

use super::{Annotation, Tier, TierKind};

/// Writes WebVTT; the name of a person is a voice tag.
pub(super) fn write_vtt(tiers: &[Tier], writer: &mut dyn Write) -> io::Result<()> {
    writeln!(writer, "WEBVTT\n\nNOTE Estimates from facial expression, not felt emotion")?;
    for cue in find_cues(tiers) {
        let (start, end) = (format_time(cue.start, '.'), format_time(cue.end, '.'));
        writeln!(writer, "\n{start} --> {end}")?;
        for (tier, annotation) in cue.lines {
            let text = escape_vtt(&annotation.text);
            let text = match tier.kind {
                TierKind::Person => format!("<v {}>{text}</v>", escape_vtt(&tier.name)),
                TierKind::Music => format!("♪ {text}"),
                TierKind::Marker => format!("[{text}]"),
                _ => format!("{}: {text}", escape_vtt(&tier.name)),
            };
            writeln!(writer, "{text}")?;
        }
    }
    Ok(())
}

/// Writes SubRip.
pub(super) fn write_srt(tiers: &[Tier], writer: &mut dyn Write) -> io::Result<()> {
    for (index, cue) in find_cues(tiers).into_iter().enumerate() {
        let (start, end) = (format_time(cue.start, ','), format_time(cue.end, ','));
        writeln!(writer, "{}\n{start} --> {end}", index + 1)?;
        for (tier, annotation) in cue.lines {
            let text = match tier.kind {
                TierKind::Music => format!("♪ {}", annotation.text),
                TierKind::Marker => format!("[{}]", annotation.text),
                _ => format!("{}: {}", tier.name, annotation.text),
            };
            // Players interpret angle brackets as tags, and SubRip has no escape for them.
            writeln!(writer, "{}", text.replace('<', "‹").replace('>', "›"))?;
        }
        writeln!(writer)?;
    }
    Ok(())
}

/// What is shown from one time to another, ms: an annotation of each tier that has one there.
struct Cue<'a> {
    start: u64,
    end: u64,
    lines: Vec<(&'a Tier, &'a Annotation)>,
}

/// The cues in order of time, without overlap. What the classifier said where a human says otherwise is not shown, nor what the
/// lines of two people say already.
fn find_cues(tiers: &[Tier]) -> Vec<Cue<'_>> {
    let shown =
        |tier: &&Tier| !matches!(tier.kind, TierKind::Machine | TierKind::Corrector | TierKind::SharedSmile);
    let mut times: Vec<u64> = tiers
        .iter()
        .filter(shown)
        .flat_map(|tier| &tier.annotations)
        .flat_map(|annotation| [annotation.start, annotation.end])
        .collect();
    times.sort_unstable();
    times.dedup();
    // The annotations of a tier are in order of time, so each is looked at from where the last cue found it.
    let mut places = vec![0; tiers.len()];
    let mut cues = Vec::new();
    for (&start, &end) in times.iter().zip(times.iter().skip(1)) {
        let mut lines = Vec::new();
        for (tier, place) in tiers.iter().zip(&mut places).filter(|(tier, _)| shown(tier)) {
            while tier.annotations.get(*place).is_some_and(|annotation| annotation.end <= start) {
                *place += 1;
            }
            let annotation = tier.annotations.get(*place).filter(|annotation| annotation.start <= start);
            lines.extend(annotation.map(|annotation| (tier, annotation)));
        }
        if !lines.is_empty() {
            cues.push(Cue { start, end, lines });
        }
    }
    cues
}

/// `hh:mm:ss.mmm`, with `separator` before the milliseconds.
fn format_time(ms: u64, separator: char) -> String {
    let (hours, minutes, seconds) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60);
    format!("{hours:02}:{minutes:02}:{seconds:02}{separator}{:03}", ms % 1000)
}

/// Escapes cue text as WebVTT requires.
fn escape_vtt(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
