//! Audacity label track: a line per label with start and end in seconds and the text, separated by tabs
//! (<https://manual.audacityteam.org/man/importing_and_exporting_labels.html>).

use std::io::{self, Write};

use super::{Tier, TierKind};

/// Writes the annotations of all tiers in order of time; those of a person or a mood are preceded by the tier's name.
pub(super) fn write(tiers: &[Tier], writer: &mut dyn Write) -> io::Result<()> {
    let mut labels: Vec<_> = tiers
        .iter()
        .flat_map(|tier| tier.annotations.iter().map(move |annotation| (tier, annotation)))
        .collect();
    labels.sort_by_key(|(_, annotation)| (annotation.start, annotation.end));
    let seconds = |ms: u64| format!("{}.{:03}000", ms / 1000, ms % 1000);
    for (tier, annotation) in labels {
        let text = match tier.kind {
            TierKind::Music | TierKind::Marker => annotation.text.clone(),
            _ => format!("{}: {}", tier.name, annotation.text),
        };
        writeln!(writer, "{}\t{}\t{text}", seconds(annotation.start), seconds(annotation.end))?;
    }
    Ok(())
}
