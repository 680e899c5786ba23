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

/// A share (0-1) in whole percent; `<1 %` where it would round to 0 % but is not 0. To be escaped.
pub(super) fn format_percent(share: f64) -> String {
    if share > 0.0 && share < 0.005 { "<1 %".into() } else { format!("{:.0} %", share * 100.0) }
}

/// A value with its sign and two decimals.
pub(super) fn format_signed(value: f64) -> String {
    // Avoids "-0.00".
    let value = if value.abs() < 0.005 { 0.0 } else { value };
    format!("{value:+.2}")
}

/// A mean on the scale from -1 to 1 with its confidence interval as HTML. The interval is clipped to the scale, which that of a
/// short session may exceed.
pub(super) fn format_level(level: &Estimate) -> String {
    let interval = level.interval.map(|interval| ConfidenceInterval {
        low: interval.low.clamp(-1.0, 1.0),
        high: interval.high.clamp(-1.0, 1.0),
        ..interval
    });
    format_estimate(&Estimate { interval, ..*level })
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
