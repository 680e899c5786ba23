//! What the sections of a session's page have in common.

use crate::{Summary, Timeline};

/// A video file beside the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Film {
    /// Its name in the folder of the page.
    pub file: String,
    /// The stream time of the session at its beginning, ns.
    pub start: u64,
    /// Whether the classifier's labels are drawn in it.
    pub has_labels: bool,
}

/// What the sections of a page are made from.
#[derive(Clone, Copy)]
pub(super) struct SessionPage<'a> {
    pub timeline: &'a Timeline,
    pub summary: &'a Summary,
}

/// Whether the film shows labels that humans have corrected since.
pub(super) fn has_outdated_labels(summary: &Summary, films: &[Film]) -> bool {
    !summary.corrections.is_empty() && films.iter().any(|film| film.has_labels)
}

/// Whether the session is so short that its times have tenths of a second: less than two minutes.
pub(super) fn is_short(summary: &Summary) -> bool {
    summary.duration < 120_000_000_000
}

/// A section with its heading; empty where the body is.
pub(super) fn section(title: &str, body: &str) -> String {
    if body.is_empty() { String::new() } else { format!("<section>\n<h2>{title}</h2>\n{body}\n</section>\n") }
}
