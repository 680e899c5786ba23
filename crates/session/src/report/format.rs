//! Numbers as text, and text as HTML.

use crate::{ConfidenceInterval, Estimate};

/// Escapes text for HTML content and attribute values. Line breaks and tabs become spaces; other control characters, which
/// HTML forbids, become U+FFFD.
pub(super) fn escape_html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\n' | '\t' => escaped.push(' '),
            control if control.is_control() => escaped.push('\u{fffd}'),
            other => escaped.push(other),
        }
    }
    escaped
}

/// A value with its sign and two decimals.
pub(super) fn format_signed(value: f64) -> String {
    // Avoids "-0.00".
    let value = if value.abs() < 0.005 { 0.0 } else { value };
    format!("{value:+.2}")
}

/// An estimate with its confidence interval as HTML.
pub(super) fn format_estimate(estimate: &Estimate) -> String {
    match estimate.interval {
        Some(ConfidenceInterval { low, high, .. }) => format!(
            "{} <small>({} to {})</small>",
            format_signed(estimate.mean),
            format_signed(low),
            format_signed(high)
        ),
        None => format_signed(estimate.mean),
    }
}

/// The direction of a change in words; a change that is not significant has no direction.
pub(super) fn describe_change(change: &Estimate) -> &'static str {
    match change.interval {
        None => "too little to tell",
        Some(_) if !change.is_significant() => "no clear change",
        Some(_) if change.mean > 0.0 => "rose",
        Some(_) => "fell",
    }
}

/// A count with what is counted, such as `1 more person was` or `3 more people were`.
pub(super) fn count_of(count: usize, singular: &str, plural: &str) -> String {
    format!("{count} {}", if count == 1 { singular } else { plural })
}

/// A time as a button on which the page's script goes there. `ns` is from the session's begin.
pub(super) fn seek_button(ns: u64, text: &str) -> String {
    format!(r#"<button type="button" class="go" data-at="{:.3}">{text}</button>"#, ns as f64 / 1e9)
}
