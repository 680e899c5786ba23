//! Shares as text, in the same words everywhere.

/// A share (0-1) in whole percent, such as `41 %`; `<1 %` and `>99 %` where rounding would make it nothing or everything.
pub fn format_percent(share: f64) -> String {
    match share * 100.0 {
        percent if percent > 0.0 && percent < 0.5 => "<1 %".into(),
        percent if (99.5..100.0).contains(&percent) => ">99 %".into(),
        percent => format!("{percent:.0} %"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_not_rounded_to_nothing_or_everything() {
        let texts = [0.0, 0.004, 0.006, 0.414, 0.994, 0.9999, 1.0].map(format_percent);
        assert_eq!(texts, ["0 %", "<1 %", "1 %", "41 %", "99 %", ">99 %", "100 %"]);
    }
}
