//! Subtitles: WebVTT (<https://www.w3.org/TR/webvtt1/>) and SubRip, which has no formal specification
//! (<https://wiki.videolan.org/SubRip/>). Cues of people and music overlap in time, which both formats allow.

use std::io::{self, Write};

use super::{Annotation, Tier, TierKind};

/// Writes WebVTT; the name of a person is a voice tag.
pub(super) fn write_vtt(tiers: &[Tier], writer: &mut dyn Write) -> io::Result<()> {
    writeln!(writer, "WEBVTT\n\nNOTE Estimates from facial expression, not felt emotion")?;
    for (tier, annotation) in sorted_cues(tiers) {
        let (start, end) = (format_time(annotation.start, '.'), format_time(annotation.end, '.'));
        let text = escape_vtt(&annotation.text);
        let text = match tier.kind {
            TierKind::Person => format!("<v {}>{text}</v>", escape_vtt(&tier.name)),
            TierKind::Mood => format!("mood: {text}"),
            TierKind::Music => format!("♪ {text}"),
            TierKind::Marker => format!("[{text}]"),
        };
        write!(writer, "\n{start} --> {end}\n{text}\n")?;
    }
    Ok(())
}

/// Writes SubRip.
pub(super) fn write_srt(tiers: &[Tier], writer: &mut dyn Write) -> io::Result<()> {
    for (index, (tier, annotation)) in sorted_cues(tiers).into_iter().enumerate() {
        let (start, end) = (format_time(annotation.start, ','), format_time(annotation.end, ','));
        let text = match tier.kind {
            TierKind::Person | TierKind::Mood => format!("{}: {}", tier.name, annotation.text),
            TierKind::Music => format!("♪ {}", annotation.text),
            TierKind::Marker => format!("[{}]", annotation.text),
        };
        // Players interpret angle brackets as tags, and SubRip has no escape for them.
        let text = text.replace('<', "‹").replace('>', "›");
        write!(writer, "{}\n{start} --> {end}\n{text}\n\n", index + 1)?;
    }
    Ok(())
}

/// The annotations of all tiers in order of time, which both formats require.
fn sorted_cues(tiers: &[Tier]) -> Vec<(&Tier, &Annotation)> {
    let mut cues: Vec<(&Tier, &Annotation)> = tiers
        .iter()
        .flat_map(|tier| tier.annotations.iter().map(move |annotation| (tier, annotation)))
        .collect();
    cues.sort_by_key(|(_, annotation)| (annotation.start, annotation.end));
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
