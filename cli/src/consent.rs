//! Consent: nothing that identifies a person is stored without a note of who agreed to it, and when.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use session::{ConsentRecord, ConsentTerms, RecordingTime};

use crate::error::CommandError;

/// A therapy client who has consented to being stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentedClient {
    /// The client's name, not blank.
    pub name: String,
    /// The consent note: who agreed, when, and where the signed form is.
    #[serde(rename = "consent")]
    pub note: String,
    /// What the note says in particular.
    #[serde(flatten)]
    pub terms: ConsentTerms,
}

/// A consent with its note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    /// The note as it was given; may be empty where the rest is known.
    pub note: String,
    /// What is known.
    pub terms: ConsentTerms,
}

/// A consent as the notes beside a recording have it: a text, or a table.
#[derive(Clone, Debug)]
pub enum ConsentNotes {
    /// Such as `signed 3 May 2026, in the practice's files`.
    Text(String),
    /// With a key for everything.
    Table(ConsentTable),
}

/// A consent with a key for everything.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsentTable {
    /// Who agreed, where that is not the client or the people named.
    by: Option<String>,
    /// The date of the agreement.
    on: DateNotes,
    /// To what.
    scope: Option<String>,
    /// The last day on which it holds.
    until: Option<DateNotes>,
    /// Where the signed form is, or what else there is to say.
    note: Option<String>,
}

/// A date of TOML, or a text.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum DateNotes {
    Date(toml::value::Datetime),
    Text(String),
}

impl DateNotes {
    fn parse(&self, key: &str) -> Result<String, String> {
        let text = match self {
            Self::Date(date) => date.to_string(),
            Self::Text(text) => text.clone(),
        };
        let line = to_line(&text);
        match find_date(&text) {
            Ok(Some(date)) => Ok(date),
            Ok(None) => Err(format!("{key} = \"{line}\" is no date: write one such as 2026-05-03")),
            Err(error) => Err(format!("{key} = \"{line}\": {error}")),
        }
    }
}

impl<'de> Deserialize<'de> for ConsentNotes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// Tells a text from a table, so that an error names the key that is wrong.
        struct ConsentVisitor;

        impl<'de> Visitor<'de> for ConsentVisitor {
            type Value = ConsentNotes;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a consent note, or a table with on = 2026-05-03")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(ConsentNotes::Text(text.into()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                ConsentTable::deserialize(MapAccessDeserializer::new(map)).map(ConsentNotes::Table)
            }
        }

        deserializer.deserialize_any(ConsentVisitor)
    }
}

impl ConsentNotes {
    /// The consent, where there is any; `by` is who agreed where the notes do not say it. Fails for one without a date or that
    /// nobody gave, and for one that is over.
    pub fn parse(&self, by: Option<&str>) -> Result<Option<Consent>, String> {
        let consent = match self {
            Self::Text(text) if is_blank(text) => return Ok(None),
            Self::Text(text) => Consent::parse(text, by)?,
            Self::Table(table) => {
                let by = table.by.as_deref().filter(|by| !is_blank(by)).or(by);
                let by = by.ok_or("the consent says not who agreed: write by = \"...\" in it")?;
                let terms = ConsentTerms {
                    by: Some(by.trim().to_owned()),
                    date: Some(table.on.parse("on")?),
                    scope: table.scope.clone().filter(|scope| !is_blank(scope)),
                    until: table.until.as_ref().map(|until| until.parse("until")).transpose()?,
                };
                Consent { note: table.note.clone().unwrap_or_default(), terms }
            }
        };
        consent.check()?;
        Ok(Some(consent))
    }
}

impl Consent {
    /// The consent of a note; `by` is who agreed.
    pub fn parse(note: &str, by: Option<&str>) -> Result<Self, String> {
        let date =
            find_date(note).map_err(|error| format!("the consent note '{}': {error}", to_line(note)))?;
        let date = date.ok_or_else(|| {
            format!(
                "the consent note '{}' says not when they agreed: write the date in it, such as \"signed 3 May 2026, in the \
                 practice's files\"",
                to_line(note)
            )
        })?;
        let by = by.map(|by| by.trim().to_owned()).filter(|by| !by.is_empty());
        if by.is_none() {
            return Err("the consent says not who agreed: name the client, or the people in the notes".into());
        }
        let terms = ConsentTerms { by, date: Some(date), ..ConsentTerms::default() };
        Ok(Self { note: note.trim().to_owned(), terms })
    }

    /// Fails for a consent that is over.
    fn check(&self) -> Result<(), String> {
        match &self.terms.until {
            Some(until) if has_ended(&self.terms) => {
                let by = to_line(self.terms.by.as_deref().unwrap_or_default());
                Err(format!("the consent of {by} ended on {until}: ask again, and write the new date"))
            }
            _ => Ok(()),
        }
    }

    /// As a session's summary has it; without names if it `is_anonymous`.
    pub fn to_record(&self, is_anonymous: bool) -> ConsentRecord {
        let ConsentTerms { by, date, scope, until } = self.terms.clone();
        let is_shown = |_: &String| !is_anonymous;
        ConsentRecord {
            terms: ConsentTerms { by: by.filter(is_shown), date, scope: scope.filter(is_shown), until },
            note: Some(self.note.clone()).filter(|note| !note.is_empty()).filter(is_shown),
        }
    }
}

/// Whether the last day on which a consent holds is over.
pub fn has_ended(terms: &ConsentTerms) -> bool {
    terms.until.as_deref().is_some_and(|until| until < today().as_str())
}

/// What is known of a consent, in words, behind its note.
pub fn describe_terms(terms: &ConsentTerms) -> String {
    let mut parts = Vec::new();
    parts.extend(terms.by.as_ref().map(|by| format!("by {by}")));
    parts.extend(terms.date.as_ref().map(|date| format!("on {date}")));
    parts.extend(terms.scope.as_ref().map(|scope| format!("for {scope}")));
    let ended = if has_ended(terms) { ", which is over" } else { "" };
    parts.extend(terms.until.as_ref().map(|until| format!("until {until}{ended}")));
    parts.join(", ")
}

impl ConsentedClient {
    /// A client who gave a consent. Fails for one that is over.
    pub fn new(name: String, consent: Consent) -> Result<Self, CommandError> {
        consent.check().map_err(CommandError::Failed)?;
        let Consent { note, terms } = consent;
        Ok(Self { name, note, terms })
    }

    /// The consent.
    pub fn consent(&self) -> Consent {
        Consent { note: self.note.clone(), terms: self.terms.clone() }
    }
}

/// The error that a client's history needs a consent.
pub fn missing_error() -> CommandError {
    CommandError::Failed(
        "a client's history needs a consent note with its date, once: --consent NOTE, or consent = \"...\" in the notes".into(),
    )
}

/// A text for an error, which has one line.
fn to_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>().trim().to_owned()
}

/// Whether a name or a note has nothing but white space; such a one counts as none.
pub fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}

/// The current date, UTC, ISO 8601.
fn today() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let now = RecordingTime::from_unix(i64::try_from(seconds).unwrap_or_default(), 0).to_string();
    now.split('T').next().unwrap_or_default().into()
}

/// Why the first date of a text cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum DateError {
    /// The calendar has no such day.
    #[error("{0} is no date: there is no such day")]
    Impossible(String),
    /// Day and month may each be the first number.
    #[error("{text} may be {} or {}: write {} or {}, or the month in words",
        .readings[0].describe_date(), .readings[1].describe_date(), .readings[0], .readings[1])]
    Ambiguous {
        /// The date as it is written.
        text: String,
        /// With the day first, and with the month first.
        readings: [RecordingTime; 2],
    },
}

/// A part of a text between characters that are neither letters nor digits.
struct Word {
    /// In lower case.
    text: String,
    /// Such a character before it, without white space; `None` where there is none or several.
    separator: Option<char>,
}

fn split_words(text: &str) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut between = String::new();
    for c in text.chars() {
        if !c.is_alphanumeric() {
            between.push(c);
        } else if between.is_empty()
            && let Some(word) = words.last_mut()
        {
            word.text.extend(c.to_lowercase());
        } else {
            let mut separators = between.chars().filter(|c| !c.is_whitespace());
            let separator = separators.next().filter(|_| separators.next().is_none());
            words.push(Word { text: c.to_lowercase().collect(), separator });
            between.clear();
        }
    }
    words.retain(|word| word.text != "of");
    words
}

/// Years that a date may have; other numbers are none.
const YEARS: std::ops::RangeInclusive<u32> = 1900..=2200;

/// The first date in a text, as ISO 8601: `2026-05-03`, `3.5.2026`, `3 May 2026`, `May 3rd, 2026`, `3. Mai 2026`, or without one
/// `today`. With dots the day comes first, as where dates are written so; of other numbers nobody knows, so they are an
/// error if both may be the month.
fn find_date(text: &str) -> Result<Option<String>, DateError> {
    let words = split_words(text);
    for words in words.windows(3) {
        if let [one, two, three] = words
            && let Some(date) = read_date([one, two, three])
        {
            return date.map(|date| Some(date.to_string()));
        }
    }
    let is_today = |word: &Word| ["today", "heute"].contains(&word.text.as_str());
    Ok(words.iter().any(is_today).then(today))
}

/// The date of three words; `None` where they are none.
fn read_date(words: [&Word; 3]) -> Option<Result<RecordingTime, DateError>> {
    let [one, two, three] = words;
    // The time of the day of a date of TOML stands behind a t.
    let number = |word: &Word| -> Option<u32> {
        let text = word.text.as_str();
        let digits = text.find(|c: char| !c.is_ascii_digit()).map_or(text, |end| &text[..end]);
        let rest = &text[digits.len()..];
        let is_number = ["", "st", "nd", "rd", "th"].contains(&rest) || rest.starts_with('t');
        digits.parse().ok().filter(|_| is_number)
    };
    let separator = two.separator.filter(|separator| three.separator == Some(*separator));
    let written = || {
        let separator = separator.map_or_else(|| " ".into(), String::from);
        let day = three.text.split('t').next().unwrap_or_default();
        [&one.text, &two.text, day].join(&separator)
    };
    let date = |year: u32, month: u32, day: u32| {
        // The calendar of recording times knows the days of a month.
        format!("{year:04}-{month:02}-{day:02}").parse::<RecordingTime>()
    };
    let possible =
        |year, month, day| Some(date(year, month, day).map_err(|_| DateError::Impossible(written())));
    match [one, two, three].map(number) {
        [Some(year), Some(month), Some(day)] if YEARS.contains(&year) && separator.is_some() => {
            possible(year, month, day)
        }
        [Some(one), Some(two), Some(year)] if YEARS.contains(&year) => match separator? {
            '.' => possible(year, two, one),
            _ => match (date(year, two, one), date(year, one, two)) {
                (Ok(day_first), Ok(month_first)) if day_first != month_first => {
                    Some(Err(DateError::Ambiguous { text: written(), readings: [day_first, month_first] }))
                }
                (Ok(date), _) | (_, Ok(date)) => Some(Ok(date)),
                (Err(_), Err(_)) => Some(Err(DateError::Impossible(written()))),
            },
        },
        [Some(day), None, Some(year)] if YEARS.contains(&year) => possible(year, find_month(&two.text)?, day),
        [None, Some(day), Some(year)] if YEARS.contains(&year) => possible(year, find_month(&one.text)?, day),
        _ => None,
    }
}

/// The number of a month by its English or German name or its first three letters.
fn find_month(name: &str) -> Option<u32> {
    const MONTHS: [[&str; 2]; 12] = [
        ["january", "januar"],
        ["february", "februar"],
        ["march", "märz"],
        ["april", "april"],
        ["may", "mai"],
        ["june", "juni"],
        ["july", "juli"],
        ["august", "august"],
        ["september", "september"],
        ["october", "oktober"],
        ["november", "november"],
        ["december", "dezember"],
    ];
    let is_month =
        |names: &[&str; 2]| name.chars().count() >= 3 && names.iter().any(|month| month.starts_with(name));
    MONTHS.iter().position(is_month).and_then(|index| u32::try_from(index + 1).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_found_in_notes() {
        for text in [
            "signed 3 May 2026, in the practice's files",
            "2026-05-03",
            "on 2026-05-03T10:00:00, form 12",
            "unterschrieben am 3.5.2026",
            "unterschrieben am 03. 05. 2026, heute eingescannt",
            "3. Mai 2026",
            "May 3rd, 2026",
            "the 3rd of May 2026",
            "room 12, 7; form 4/2026/05/03",
            "2026/5/3",
        ] {
            assert_eq!(find_date(text), Ok(Some("2026-05-03".into())), "{text}");
        }
        // One of the numbers is no month, or both are the same.
        for (text, date) in [
            ("5/13/2026", "2026-05-13"),
            ("13/5/2026", "2026-05-13"),
            ("13-5-2026", "2026-05-13"),
            ("5/5/2026", "2026-05-05"),
            ("29.2.2024", "2024-02-29"),
            ("Feb 29, 2024", "2024-02-29"),
        ] {
            assert_eq!(find_date(text), Ok(Some(date.into())), "{text}");
        }
        for text in
            ["yes", "signed", "form 12", "3 Mayo 26", "May 2026", "3 Ma 2026", "rooms 5 3 2026", "3/5/26", ""]
        {
            assert_eq!(find_date(text), Ok(None), "{text}");
        }
        assert_eq!(find_date("signed today"), Ok(Some(today())));
        let now = crate::files::utc_now();
        assert!(now.starts_with(&today()) || now.contains("T00:00:0"), "{now}");
    }

    #[test]
    fn dates_with_two_readings_or_of_no_day_are_refused() {
        for (text, written) in [("signed 5/3/2026", "5/3/2026"), ("on 05-03-2026, today", "05-03-2026")] {
            let error = find_date(text).unwrap_err().to_string();
            assert_eq!(
                error,
                format!(
                    "{written} may be 5 March 2026 or 3 May 2026: write 2026-03-05 or 2026-05-03, or the month in words"
                )
            );
        }
        for text in [
            "31.2.2026",
            "2026-02-31",
            "29.2.2025",
            "31/6/2026",
            "13/13/2026",
            "5.13.2026",
            "0.5.2026",
            "31 April 2026",
            "April 31st, 2026",
            "99.99.2026",
            "signed 31.2.2026, checked 3 May 2026",
        ] {
            let error = find_date(text).unwrap_err();
            assert!(matches!(error, DateError::Impossible(_)), "{text}: {error}");
        }
        assert_eq!(
            find_date("31. 2. 2026").unwrap_err().to_string(),
            "31.2.2026 is no date: there is no such day"
        );
    }

    #[test]
    fn a_yes_without_who_or_when_and_one_that_is_over_are_refused() {
        let parse = |text: &str| Consent::parse(text, Some("Ada"));
        assert_eq!(parse("signed 3 May 2026").unwrap().terms.by.as_deref(), Some("Ada"));
        assert!(parse("yes").unwrap_err().contains("when"));
        assert!(Consent::parse("3 May 2026", None).unwrap_err().contains("who"));
        let table = |text: &str| toml::from_str::<ConsentTable>(text).map(ConsentNotes::Table);
        let consent = table("by = 'Ada'\non = 2026-05-03\nscope = 'history'\nuntil = '1.1.2199'").unwrap();
        let consent = consent.parse(None).unwrap().unwrap();
        assert_eq!(describe_terms(&consent.terms), "by Ada, on 2026-05-03, for history, until 2199-01-01");
        assert_eq!(consent.to_record(true).terms.by, None);
        let ended = table("by = 'Ada'\non = 2020-05-03\nuntil = 2021-05-03").unwrap();
        assert!(ended.parse(None).unwrap_err().contains("ended on 2021-05-03"));
        assert!(table("on = 2026-05-03").unwrap().parse(None).unwrap_err().contains("who"));
        assert!(table("by = 'Ada'").is_err() && table("on = 2026-05-03\nyes = true").is_err());
        assert!(table("by = 'Ada'\non = 'soon'").unwrap().parse(None).is_err());
        // Also the last day is a date like any other, and TOML has a calendar.
        for (until, part) in [("'5/3/2199'", "5 March 2199 or 3 May 2199"), ("'31.4.2199'", "no such day")] {
            let consent = table(&format!("by = 'Ada'\non = 2026-05-03\nuntil = {until}")).unwrap();
            let error = consent.parse(None).unwrap_err();
            assert!(error.starts_with("until = ") && error.contains(part), "{error}");
        }
        assert!(table("by = 'Ada'\non = 2026-02-31").is_err());
        assert!(parse("signed 5/3/2026").unwrap_err().contains("5 March 2026 or 3 May 2026"));
        assert_eq!(ConsentNotes::Text(" ".into()).parse(None), Ok(None));
    }
}
