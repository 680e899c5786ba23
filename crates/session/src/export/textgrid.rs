//! Praat's TextGrid, long form (<https://www.fon.hum.uva.nl/praat/manual/TextGrid_file_formats.html>): each tier covers the
//! whole time, with empty intervals where nothing is annotated.

use std::io::{self, Write};

use super::{Span, Tier};

/// `end` is the recording's, ms. A TextGrid needs a tier and a length: an empty session has an empty tier of 1 ms.
pub(super) fn write(tiers: &[Tier], end: u64, to: &mut dyn Write) -> io::Result<()> {
    let spans = tiers.iter().flat_map(|tier| &tier.spans);
    let end = spans.map(|span| span.end).max().unwrap_or(0).max(end).max(1);
    let nothing = [Tier { name: "people".into(), kind: super::Kind::Person, spans: Vec::new() }];
    let tiers = if tiers.is_empty() { &nothing } else { tiers };
    write!(to, "File type = \"ooTextFile\"\nObject class = \"TextGrid\"\n\n")?;
    write!(to, "xmin = 0\nxmax = {}\ntiers? <exists>\nsize = {}\nitem []:\n", seconds(end), tiers.len())?;
    for (index, tier) in tiers.iter().enumerate() {
        let intervals = covering(&tier.spans, end);
        writeln!(to, "    item [{}]:", index + 1)?;
        writeln!(to, "        class = \"IntervalTier\"\n        name = {}", quoted(&tier.name))?;
        writeln!(to, "        xmin = 0\n        xmax = {}", seconds(end))?;
        writeln!(to, "        intervals: size = {}", intervals.len())?;
        for (index, (start, end, text)) in intervals.iter().enumerate() {
            writeln!(to, "        intervals [{}]:", index + 1)?;
            writeln!(to, "            xmin = {}\n            xmax = {}", seconds(*start), seconds(*end))?;
            writeln!(to, "            text = {}", quoted(text))?;
        }
    }
    Ok(())
}

fn covering(spans: &[Span], end: u64) -> Vec<(u64, u64, &str)> {
    let mut intervals = Vec::new();
    let mut at = 0;
    for span in spans {
        if span.start > at {
            intervals.push((at, span.start, ""));
        }
        intervals.push((span.start.max(at), span.end, span.text.as_str()));
        at = span.end;
    }
    if at < end {
        intervals.push((at, end, ""));
    }
    intervals
}

fn seconds(ms: u64) -> String {
    format!("{}.{:03}", ms / 1000, ms % 1000)
}

/// A quote within a text is written twice.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}
