//! Audacity label track (<https://manual.audacityteam.org/man/importing_and_exporting_labels.html>): start, end and text, separated
//! by tabs. A text of the form `NAME: LABEL` belongs to the tier NAME, as `gst-mood export` writes it.

use super::time::parse_time;
use super::{FileError, Parsed};
use crate::Annotation;

/// Name of the tier of labels without a name before them.
const UNNAMED: &str = "labels";

/// Whether the first line is that of a label track.
pub(super) fn is_label_track(content: &str) -> bool {
    content.lines().find(|line| !line.trim().is_empty()).is_some_and(|line| parse_line(line).is_some())
}

/// Reads the labels. Lines that begin with a backslash give frequencies and are passed over.
pub(super) fn parse(text: &str) -> Result<Parsed, FileError> {
    let mut parsed = Parsed::new();
    let (mut broken, mut points) = (0, 0);
    for line in text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('\\')) {
        match parse_line(line) {
            Some((_, annotation)) if annotation.start == annotation.end => points += 1,
            Some((tier, annotation)) => parsed.add(&tier, annotation),
            None => broken += 1,
        }
    }
    parsed.warn_of(broken, "lines have no start, end and text and are left out");
    parsed.warn_of(points, "labels have no duration and are left out");
    Ok(parsed)
}

/// The tier and annotation of a line.
fn parse_line(line: &str) -> Option<(String, Annotation)> {
    let mut fields = line.trim_start_matches('\u{feff}').splitn(3, '\t');
    let (start, end) = (parse_time(fields.next()?)?, parse_time(fields.next()?)?);
    let text = fields.next().unwrap_or_default().trim();
    let (tier, label) = match text.split_once(": ") {
        Some((tier, label)) if !tier.is_empty() => (tier, label),
        _ => (UNNAMED, text),
    };
    Some((tier.to_owned(), Annotation { start, end, label: label.to_owned() }))
}
