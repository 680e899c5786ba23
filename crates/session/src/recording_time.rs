//! When a session was recorded, as far as that is known.

use std::fmt;
use std::str::FromStr;

use mood_schema::ClockLine;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// When a session was recorded, and how that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// The date, and where it is known the time of the day.
    pub at: RecordingTime,
    /// How it is known.
    pub origin: RecordedOrigin,
}

/// How it is known when a session was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RecordedOrigin {
    /// It stands in the recording's file.
    File,
    /// It stands in the notes.
    Notes,
    /// An option gave it.
    Option,
    /// The clock of the computer on which a live session ran.
    Clock,
}

impl Recorded {
    /// The beginning of a live session; `None` where its clock line has no valid time.
    pub(crate) fn from_clock(clock: &ClockLine) -> Option<Self> {
        let written: RecordingTime = clock.utc.parse().ok()?;
        let zone = parse_zone(&clock.zone)?;
        let begin = written.unix_seconds() - i64::try_from(clock.time / 1_000_000_000).ok()?;
        Some(Self { at: RecordingTime::from_unix(begin, zone), origin: RecordedOrigin::Clock })
    }
}

/// A date with or without the time of the day, to the second, in the proleptic Gregorian calendar. As text it is
/// `2026-05-03`, `2026-05-03T14:05:00` or `2026-05-03T14:05:00+02:00` (ISO 8601).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordingTime {
    /// Days from 1 January 1970 to the date.
    day: i64,
    /// Seconds since midnight.
    second: Option<u32>,
    /// Minutes by which the zone is ahead of UTC; `None` where the zone is not known.
    zone: Option<i32>,
}

/// The text is no date; holds the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no date: give one such as 2026-05-03 or 2026-05-03T14:05+02:00")]
pub struct InvalidTimeError(String);

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
/// From the weekday of 1 January 1970 on.
const WEEKDAYS: [&str; 7] = ["Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday"];
/// Seconds of a day.
const DAY: i64 = 86_400;

impl RecordingTime {
    /// The time `seconds` after the beginning of 1970 (UTC), in a zone that is `zone` minutes ahead of UTC.
    pub fn from_unix(seconds: i64, zone: i32) -> Self {
        let local = seconds.saturating_add(i64::from(zone) * 60);
        Self { day: local.div_euclid(DAY), second: Some(local.rem_euclid(DAY) as u32), zone: Some(zone) }
    }

    /// Seconds since the beginning of 1970, UTC. Without a time of the day that of midnight is taken, without a zone UTC.
    pub fn unix_seconds(&self) -> i64 {
        let second = i64::from(self.second.unwrap_or_default());
        self.day * DAY + second - i64::from(self.zone.unwrap_or_default()) * 60
    }

    /// The year, such as 2026.
    pub fn year(&self) -> i64 {
        to_date(self.day)[0]
    }

    /// The date in words, such as `3 May 2026`.
    pub fn describe_date(&self) -> String {
        let [year, month, day] = to_date(self.day);
        let month = MONTHS.get((month - 1).max(0) as usize).copied().unwrap_or_default();
        format!("{day} {month} {year}")
    }

    /// In words, such as `Sunday 3 May 2026, 14:05 (UTC+02:00)`.
    pub fn describe(&self) -> String {
        let weekday = WEEKDAYS.get(self.day.rem_euclid(7) as usize).copied().unwrap_or_default();
        let mut text = format!("{weekday} {}", self.describe_date());
        if let Some(second) = self.second {
            text += &format!(", {:02}:{:02}", second / 3600, second / 60 % 60);
        }
        match self.zone {
            Some(0) => text += " (UTC)",
            Some(zone) => text += &format!(" (UTC{})", format_zone(zone)),
            None => {}
        }
        text
    }
}

impl fmt::Display for RecordingTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [year, month, day] = to_date(self.day);
        write!(f, "{year:04}-{month:02}-{day:02}")?;
        if let Some(second) = self.second {
            write!(f, "T{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)?;
        }
        match self.zone {
            Some(0) => write!(f, "Z"),
            Some(zone) => write!(f, "{}", format_zone(zone)),
            None => Ok(()),
        }
    }
}

impl FromStr for RecordingTime {
    type Err = InvalidTimeError;

    fn from_str(text: &str) -> Result<Self, InvalidTimeError> {
        parse(text.trim()).ok_or_else(|| InvalidTimeError(text.into()))
    }
}

impl Serialize for RecordingTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RecordingTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Parses a date with or without time and zone; fractions of a second are dropped.
fn parse(text: &str) -> Option<RecordingTime> {
    let (date, time) = match text.split_once(['T', 't', ' ']) {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let [year, month, day] = parse_numbers(date, '-', [4, 2, 2])?;
    let number = from_date([year, month, day]);
    // A day that the month does not have comes back as another.
    if !(1..=12).contains(&month) || to_date(number) != [year, month, day] {
        return None;
    }
    let Some(time) = time else { return Some(RecordingTime { day: number, second: None, zone: None }) };
    let zone_start = time.find(['Z', 'z', '+', '-']);
    let (time, zone) = zone_start.map_or((time, None), |at| (&time[..at], Some(&time[at..])));
    let zone = match zone {
        Some(zone) => Some(parse_zone(zone)?),
        None => None,
    };
    let (time, fraction) = time.split_once('.').map_or((time, "0"), |(time, fraction)| (time, fraction));
    let [hour, minute, second] = match time.matches(':').count() {
        1 => parse_numbers(&format!("{time}:00"), ':', [2, 2, 2])?,
        _ => parse_numbers(time, ':', [2, 2, 2])?,
    };
    // 60 is a leap second.
    if hour > 23 || minute > 59 || second > 60 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let second = (hour * 3600 + minute * 60 + second).min(DAY - 1);
    Some(RecordingTime { day: number, second: Some(second as u32), zone })
}

/// Three numbers of the given numbers of digits, with `separator` between them.
fn parse_numbers(text: &str, separator: char, digits: [usize; 3]) -> Option<[i64; 3]> {
    let mut numbers = [0; 3];
    let mut parts = text.split(separator);
    for (number, digits) in numbers.iter_mut().zip(digits) {
        let part =
            parts.next().filter(|part| part.len() == digits && part.bytes().all(|b| b.is_ascii_digit()))?;
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(numbers)
}

/// Minutes ahead of UTC of a zone such as `Z`, `+02:00` or `-0530`.
fn parse_zone(text: &str) -> Option<i32> {
    if text.eq_ignore_ascii_case("Z") {
        return Some(0);
    }
    let sign = match text.chars().next()? {
        '+' => 1,
        '-' => -1,
        _ => return None,
    };
    let digits: String = text.chars().skip(1).filter(|c| *c != ':').collect();
    if digits.len() != 4 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: i32 = digits.parse().ok()?;
    let (hours, minutes) = (number / 100, number % 100);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 60 + minutes))
}

fn format_zone(zone: i32) -> String {
    let sign = if zone < 0 { '-' } else { '+' };
    format!("{sign}{:02}:{:02}", zone.abs() / 60, zone.abs() % 60)
}

/// Days from 1 January 1970 to a date (year, month from 1, day from 1), by eras of 400 years that begin in March (Hinnant 2013,
/// <https://howardhinnant.github.io/date_algorithms.html>).
fn from_date([year, month, day]: [i64; 3]) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year * 365 + year / 4 - year / 100 + day_of_year - 719_468
}

/// The date of a number of days from 1 January 1970: the inverse of [`from_date`].
fn to_date(number: i64) -> [i64; 3] {
    let number = number + 719_468;
    let (era, day) = (number.div_euclid(146_097), number.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    [era * 400 + year + i64::from(month <= 2), month, day]
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_written_and_described() {
        for (text, written, words) in [
            ("2026-05-03", "2026-05-03", "Sunday 3 May 2026"),
            ("2024-02-29 08:05", "2024-02-29T08:05:00", "Thursday 29 February 2024, 08:05"),
            ("2026-05-03T14:05:09.25Z", "2026-05-03T14:05:09Z", "Sunday 3 May 2026, 14:05 (UTC)"),
            (
                "1969-12-31T23:59:59-05:30",
                "1969-12-31T23:59:59-05:30",
                "Wednesday 31 December 1969, 23:59 (UTC-05:30)",
            ),
            (
                "2000-03-01T00:00+0200",
                "2000-03-01T00:00:00+02:00",
                "Wednesday 1 March 2000, 00:00 (UTC+02:00)",
            ),
        ] {
            let time: RecordingTime = text.parse().unwrap();
            assert_eq!((time.to_string().as_str(), time.describe().as_str()), (written, words));
            assert_eq!(written.parse(), Ok(time));
        }
        for wrong in [
            "",
            "2026",
            "2026-5-3",
            "2026-02-30",
            "2026-13-01",
            "2026-05-03T25:00",
            "2026-05-03T10:00+2",
            "yesterday",
            "2026-05-03T",
            "2026-05-03T10:00:00.x",
            "+026-05-03",
        ] {
            assert!(
                wrong.parse::<RecordingTime>().is_err_and(|error| error.to_string().contains("2026-05-03")),
                "{wrong}"
            );
        }
    }

    #[test]
    fn days_count_on_over_centuries() {
        let mut expected = [1899, 12, 31];
        for number in from_date([1900, 1, 1])..from_date([2101, 1, 1]) {
            let date = to_date(number);
            assert_eq!(from_date(date), number);
            let follows = date[2] == expected[2] + 1 || date[2] == 1 && date[1] != expected[1];
            assert!(follows, "{expected:?} is followed by {date:?}");
            expected = date;
        }
        assert_eq!(RecordingTime::from_unix(0, 0).to_string(), "1970-01-01T00:00:00Z");
        assert_eq!(RecordingTime::from_unix(-60, 120).to_string(), "1970-01-01T01:59:00+02:00");
        assert_eq!("1970-01-02T01:00+01:00".parse::<RecordingTime>().unwrap().unix_seconds(), DAY);
    }

    #[test]
    fn a_live_session_began_before_its_first_clock_line() {
        let clock = |utc: &str, zone: &str| ClockLine {
            pts: 0,
            time: 90_000_000_000,
            utc: utc.into(),
            zone: zone.into(),
            video: None,
        };
        let recorded = Recorded::from_clock(&clock("2026-05-03T22:01:00.000Z", "+02:00")).unwrap();
        assert_eq!(
            (recorded.at.to_string().as_str(), recorded.origin),
            ("2026-05-03T23:59:30+02:00", RecordedOrigin::Clock)
        );
        assert!(Recorded::from_clock(&clock("?", "+02:00")).is_none());
        assert!(Recorded::from_clock(&clock("2026-05-03T22:01:00Z", "")).is_none());
    }
}
