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
    format_signed_to(value, 2)
}

/// A value with its sign and so many decimals; minus is the mathematical sign, as wide as plus.
pub(super) fn format_signed_to(value: f64, decimals: usize) -> String {
    // Avoids "-0.00".
    let value = if value.abs() < 0.5 * 0.1_f64.powi(decimals as i32) { 0.0 } else { value };
    format!("{value:+.decimals$}").replace('-', "\u{2212}")
}

/// A label of an axis that has values of both signs.
pub(super) fn format_tick(value: f64) -> String {
    if value.abs() < 1e-9 { "0".into() } else { format_signed_to(value, 1) }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_a_sign_as_wide_as_the_other_and_nothing_has_plus() {
        let texts = [-0.07, 0.07, -0.004, 0.0, -1.0].map(format_signed);
        assert_eq!(texts, ["\u{2212}0.07", "+0.07", "+0.00", "+0.00", "\u{2212}1.00"]);
        assert_eq!(
            [-0.06, -0.04, 2.26].map(|value| format_signed_to(value, 1)),
            ["\u{2212}0.1", "+0.0", "+2.3"]
        );
    }
}
