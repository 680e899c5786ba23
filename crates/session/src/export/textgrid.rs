//! Praat TextGrid in its long text form (<https://www.fon.hum.uva.nl/praat/manual/TextGrid_file_formats.html>): each tier covers
//! the time of the recording completely, with empty intervals where nothing is annotated.

use std::io::{self, Write};

use super::{Annotation, Tier, TierKind};

/// Writes the tiers; `end` is the end of the recording, ms. A TextGrid must have a tier and a duration, so an empty session gets
/// an empty tier of 1 ms.
pub(super) fn write(tiers: &[Tier], end: u64, writer: &mut dyn Write) -> io::Result<()> {
    let annotations = tiers.iter().flat_map(|tier| &tier.annotations);
    let end = annotations.map(|annotation| annotation.end).max().unwrap_or(0).max(end).max(1);
    let empty_tier = [Tier { name: "people".into(), kind: TierKind::Person, annotations: Vec::new() }];
    let tiers = if tiers.is_empty() { &empty_tier } else { tiers };
    write!(writer, "File type = \"ooTextFile\"\nObject class = \"TextGrid\"\n\n")?;
    write!(
        writer,
        "xmin = 0\nxmax = {}\ntiers? <exists>\nsize = {}\nitem []:\n",
        format_seconds(end),
        tiers.len()
    )?;
    for (index, tier) in tiers.iter().enumerate() {
        let intervals = fill_gaps(&tier.annotations, end);
        writeln!(writer, "    item [{}]:", index + 1)?;
        writeln!(writer, "        class = \"IntervalTier\"\n        name = {}", quote(&tier.name))?;
        writeln!(writer, "        xmin = 0\n        xmax = {}", format_seconds(end))?;
        writeln!(writer, "        intervals: size = {}", intervals.len())?;
        for (index, (start, end, text)) in intervals.iter().enumerate() {
            writeln!(writer, "        intervals [{}]:", index + 1)?;
            writeln!(
                writer,
                "            xmin = {}\n            xmax = {}",
                format_seconds(*start),
                format_seconds(*end)
            )?;
            writeln!(writer, "            text = {}", quote(text))?;
        }
    }
    Ok(())
}

/// The annotations as (start, end, text), with intervals of empty text between them, from 0 to `end` (ms).
fn fill_gaps(annotations: &[Annotation], end: u64) -> Vec<(u64, u64, &str)> {
    let mut intervals = Vec::new();
    let mut covered_until = 0;
    for annotation in annotations {
        if annotation.start > covered_until {
            intervals.push((covered_until, annotation.start, ""));
        }
        intervals.push((annotation.start.max(covered_until), annotation.end, annotation.text.as_str()));
        covered_until = annotation.end;
    }
    if covered_until < end {
        intervals.push((covered_until, end, ""));
    }
    intervals
}

/// Milliseconds as seconds with three decimals.
fn format_seconds(ms: u64) -> String {
    format!("{}.{:03}", ms / 1000, ms % 1000)
}

/// Text in double quotes, with those inside it doubled.
fn quote(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}
