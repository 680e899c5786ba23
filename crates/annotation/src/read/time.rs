//! Times as annotation programs write them.

/// Parses a time: seconds with a decimal point or comma, `mm:ss` or `hh:mm:ss` with decimals. The result is in ns; `None` where
/// it is no time, negative, or above a thousand hours.
pub(super) fn parse_time(text: &str) -> Option<u64> {
    let text = text.trim().replace(',', ".");
    let parts: Vec<&str> = text.split(':').collect();
    let (whole, seconds) = match parts[..] {
        [seconds] => (0.0, seconds),
        [minutes, seconds] => (60.0 * f64::from(minutes.parse::<u32>().ok()?), seconds),
        [hours, minutes, seconds] => (
            3600.0 * f64::from(hours.parse::<u32>().ok()?) + 60.0 * f64::from(minutes.parse::<u32>().ok()?),
            seconds,
        ),
        _ => return None,
    };
    let seconds: f64 = seconds.trim().parse().ok()?;
    seconds_to_ns(whole + seconds)
}

/// Seconds as ns; `None` where they are negative, above a thousand hours, or no number. ELAN and BORIS write times that are
/// negative by less than a millisecond, which are taken for 0.
pub(super) fn seconds_to_ns(seconds: f64) -> Option<u64> {
    let seconds = if (-0.001..0.0).contains(&seconds) { 0.0 } else { seconds };
    (0.0..3.6e6).contains(&seconds).then(|| (seconds * 1e9).round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_all_programs_are_read() {
        for (text, ns) in [
            ("1.5", Some(1_500_000_000)),
            ("1,5", Some(1_500_000_000)),
            (" 00:00:01.500 ", Some(1_500_000_000)),
            ("01:30", Some(90_000_000_000)),
            ("1:00:00", Some(3_600_000_000_000)),
            ("-0.0004", Some(0)),
            ("-1", None),
            ("nan", None),
            ("inf", None),
            ("1e300", None),
            ("", None),
            ("1:2:3:4", None),
            ("NA", None),
        ] {
            assert_eq!(parse_time(text), ns, "{text:?}");
        }
    }
}
