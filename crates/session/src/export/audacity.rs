//! Audacity's labels: begin, end and text between tabs (<https://manual.audacityteam.org/man/importing_and_exporting_labels.html>).

use std::io::{self, Write};

use super::{Kind, Tier};

pub(super) fn write(tiers: &[Tier], to: &mut dyn Write) -> io::Result<()> {
    let mut labels: Vec<_> =
        tiers.iter().flat_map(|tier| tier.spans.iter().map(move |span| (tier, span))).collect();
    labels.sort_by_key(|(_, span)| (span.start, span.end));
    let seconds = |ms: u64| format!("{}.{:03}000", ms / 1000, ms % 1000);
    for (tier, span) in labels {
        let text = match tier.kind {
            Kind::Music => span.text.clone(),
            Kind::Person | Kind::Mood => format!("{}: {}", tier.name, span.text),
        };
        writeln!(to, "{}\t{}\t{text}", seconds(span.start), seconds(span.end))?;
    }
    Ok(())
}
