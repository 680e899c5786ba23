//! Tables with a header, separated by commas, semicolons or tabs: our own columns `start, end, label` and optionally `tier`, the
//! events that BORIS exports (rows of START and STOP, or of start and stop times), and ELAN's tab-delimited text.

use std::collections::HashMap;

use super::time::parse_time;
use super::{FileError, Parsed};
use crate::Annotation;

/// Names of the column with the beginning, in lower case; the first that is there is taken.
const START: [&str; 9] = [
    "start",
    "begin",
    "onset",
    "start (s)",
    "begin time - ss.msec",
    "begin time",
    "start time",
    "begin time - hh:mm:ss.ms",
    "from",
];
/// Names of the column with the end.
const END: [&str; 9] = [
    "end",
    "stop",
    "offset",
    "stop (s)",
    "end time - ss.msec",
    "end time",
    "stop time",
    "end time - hh:mm:ss.ms",
    "to",
];
/// Names of the column with the duration, where there is none with the end.
const DURATION: [&str; 4] = ["duration", "duration (s)", "duration - ss.msec", "length"];
/// Names of the column with the label.
const LABEL: [&str; 9] =
    ["label", "behavior", "behaviour", "annotation", "code", "emotion", "expression", "value", "text"];
/// Names of the column with the tier.
const TIER: [&str; 6] = ["tier", "subject", "person", "coder", "name", "track"];
/// Names of the column with the time of an event.
const TIME: [&str; 3] = ["time", "time (s)", "timestamp"];
/// Names of the column that says whether an event starts or stops.
const STATUS: [&str; 3] = ["status", "behavior type", "event"];
/// Name of the tier where no column names one.
const UNNAMED: &str = "annotations";

/// How the rows give their times.
enum Times {
    Span {
        start: usize,
        end: usize,
    },
    Duration {
        start: usize,
        duration: usize,
    },
    /// Rows of starts and stops.
    Events {
        time: usize,
        status: usize,
    },
}

/// Reads the table.
pub(super) fn parse(text: &str) -> Result<Parsed, FileError> {
    // BORIS writes lines about the observation before the header.
    let (header, separator) = text
        .lines()
        .take(40)
        .enumerate()
        .find_map(|(index, line)| {
            let separator = [b'\t', b';', b','].into_iter().find(|&separator| {
                let names = split(line, separator);
                find(&names, &LABEL).is_some() && find_times(&names).is_some()
            })?;
            Some((index, separator))
        })
        .ok_or_else(|| {
            FileError::Content(
                "it is no ELAN, BORIS, Praat or Audacity file, and no table with the columns start, end and label".into(),
            )
        })?;
    let body: String = text.lines().skip(header).flat_map(|line| [line, "\n"]).collect();
    let mut reader =
        csv::ReaderBuilder::new().delimiter(separator).flexible(true).from_reader(body.as_bytes());
    let describe = |error: csv::Error| FileError::Content(format!("its table is broken: {error}"));
    let names: Vec<String> = reader.headers().map_err(describe)?.iter().map(normalize).collect();
    let (Some(label), Some(times)) = (find(&names, &LABEL), find_times(&names)) else {
        return Err(FileError::Content("its table has no columns start, end and label".into()));
    };
    let tier = find(&names, &TIER);
    let mut parsed = Parsed::new();
    let mut open: HashMap<(String, String), u64> = HashMap::new();
    let (mut broken, mut points) = (Vec::new(), 0);
    for row in reader.records() {
        let row = row.map_err(describe)?;
        let line = row.position().map_or(0, |position| position.line() as usize + header);
        let field = |index: usize| row.get(index).unwrap_or_default().trim();
        let name = tier.map(field).filter(|name| !name.is_empty()).unwrap_or(UNNAMED);
        let text = field(label).to_owned();
        let span = match times {
            Times::Span { start, end } => parse_time(field(start)).zip(parse_time(field(end))),
            Times::Duration { start, duration } => parse_time(field(start))
                .zip(parse_time(field(duration)))
                .map(|(start, duration)| (start, start + duration)),
            Times::Events { time, status } => {
                let key = (name.to_owned(), text.clone());
                match (parse_time(field(time)), field(status).to_uppercase().as_str()) {
                    (Some(time), "START") => {
                        open.insert(key, time);
                        continue;
                    }
                    (Some(time), "STOP") => open.remove(&key).map(|start| (start, time)),
                    (Some(_), "POINT") => {
                        points += 1;
                        continue;
                    }
                    _ => None,
                }
            }
        };
        match span {
            Some((start, end)) if start < end => parsed.add(name, Annotation { start, end, label: text }),
            Some((start, end)) if start == end => points += 1,
            _ => broken.push(line),
        }
    }
    if let Some(first) = broken.first() {
        let count = broken.len();
        parsed
            .warnings
            .push(format!("{count} rows have no valid times and are left out, the first in line {first}"));
    }
    parsed.warn_of(points, "rows have no duration and are left out");
    parsed.warn_of(open.len(), "events never stop and are left out");
    Ok(parsed)
}

/// The columns of a line, normalized.
fn split(line: &str, separator: u8) -> Vec<String> {
    let mut reader =
        csv::ReaderBuilder::new().delimiter(separator).has_headers(false).from_reader(line.as_bytes());
    let row = reader.records().next().and_then(Result::ok);
    row.map(|row| row.iter().map(normalize).collect()).unwrap_or_default()
}

/// A column's name in the form in which names are compared.
fn normalize(name: &str) -> String {
    name.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}').to_lowercase()
}

/// The index of the column with the first of the names that is there.
fn find(columns: &[String], names: &[&str]) -> Option<usize> {
    names.iter().find_map(|name| columns.iter().position(|column| column == name))
}

/// Which columns give the times.
fn find_times(columns: &[String]) -> Option<Times> {
    if let Some(start) = find(columns, &START) {
        if let Some(end) = find(columns, &END) {
            return Some(Times::Span { start, end });
        }
        if let Some(duration) = find(columns, &DURATION) {
            return Some(Times::Duration { start, duration });
        }
    }
    let (time, status) = (find(columns, &TIME)?, find(columns, &STATUS)?);
    Some(Times::Events { time, status })
}
