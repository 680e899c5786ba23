//! Times and durations as text for readers of a report.

/// Formats a time in nanoseconds as `m:ss` or `h:mm:ss`, rounded down: 75 s is `1:15`, 3675 s is `1:01:15`.
pub(crate) fn format_timestamp(ns: u64) -> String {
    let seconds = ns / 1_000_000_000;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

/// Formats a time in nanoseconds as [`format_timestamp`] does, with `tenths` of a second, rounded down: 75.28 s is `1:15.2`.
pub(crate) fn format_time(ns: u64, tenths: bool) -> String {
    let text = format_timestamp(ns);
    if tenths { format!("{text}.{}", ns / 100_000_000 % 10) } else { text }
}

/// Formats a duration in nanoseconds in words, rounded to seconds, below ten to tenths: 1.42 s is `1.4 seconds`, 44 s is
/// `44 seconds`, 3675 s is `1 hour 1 minute`. From one hour on the seconds are left out.
pub(crate) fn format_duration(ns: u64) -> String {
    let count = |n: u64, unit: &str| if n == 1 { format!("1 {unit}") } else { format!("{n} {unit}s") };
    let tenths = ns.saturating_add(50_000_000) / 100_000_000;
    if tenths < 100 && !tenths.is_multiple_of(10) {
        return format!("{}.{} seconds", tenths / 10, tenths % 10);
    }
    let seconds = ns.saturating_add(500_000_000) / 1_000_000_000;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes, seconds) {
        (0, 0, s) => count(s, "second"),
        (0, m, 0) => count(m, "minute"),
        (0, m, s) => format!("{} {}", count(m, "minute"), count(s, "second")),
        (h, 0, _) => count(h, "hour"),
        (h, m, _) => format!("{} {}", count(h, "hour"), count(m, "minute")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_timestamps_and_durations() {
        const S: u64 = 1_000_000_000;
        assert_eq!(
            [format_timestamp(0), format_timestamp(75 * S), format_timestamp(3675 * S)],
            ["0:00", "1:15", "1:01:15"]
        );
        assert_eq!([format_time(75 * S + S / 4, true), format_time(75 * S, false)], ["1:15.2", "1:15"]);
        assert_eq!(format_duration(44 * S + S / 4), "44 seconds");
        let short = [S / 25, S / 2, S, 14 * S / 10, 9 * S + S * 97 / 100].map(format_duration);
        assert_eq!(short, ["0 seconds", "0.5 seconds", "1 second", "1.4 seconds", "10 seconds"]);
        assert_eq!(format_duration(61 * S), "1 minute 1 second");
        assert_eq!(format_duration(3675 * S), "1 hour 1 minute");
        assert_eq!(format_duration(u64::MAX).split(' ').nth(1), Some("hours"));
    }
}
