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
        find_date(&text).ok_or_else(|| format!("{key} = \"{line}\" is no date: write one such as 2026-05-03"))
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
        let date = find_date(note).ok_or_else(|| {
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

/// The first date in a text, as ISO 8601: `2026-05-03`, `3.5.2026`, `3 May 2026`, `May 3rd, 2026`, `3. Mai 2026`, `today`.
fn find_date(text: &str) -> Option<String> {
    let words: Vec<String> = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty() && !word.eq_ignore_ascii_case("of"))
        .map(str::to_lowercase)
        .collect();
    if words.iter().any(|word| ["today", "heute"].contains(&word.as_str())) {
        return Some(today());
    }
    // The time of the day of a date of TOML stands behind a t.
    let number = |word: &str| -> Option<u32> {
        let digits = word.find(|c: char| !c.is_ascii_digit()).map_or(word, |end| &word[..end]);
        let rest = &word[digits.len()..];
        let is_number = ["", "st", "nd", "rd", "th"].contains(&rest) || rest.starts_with('t');
        digits.parse().ok().filter(|_| is_number)
    };
    let date = |year: u32, month: u32, day: u32| {
        let is_valid = (1900..=2200).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
        is_valid.then(|| format!("{year:04}-{month:02}-{day:02}"))
    };
    words.windows(3).find_map(|words| {
        let [one, two, three] = words else { return None };
        let numbers = [one, two, three].map(|word| number(word));
        match numbers {
            [Some(year), Some(month), Some(day)] if year > 31 => date(year, month, day),
            [Some(day), Some(month), Some(year)] => date(year, month, day).or_else(|| date(year, day, month)),
            [Some(day), None, Some(year)] => date(year, find_month(two)?, day),
            [None, Some(day), Some(year)] => date(year, find_month(one)?, day),
            _ => None,
        }
    })
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
            "3. Mai 2026",
            "May 3rd, 2026",
            "the 3rd of May 2026",
            "05/03/2026 or so: 3/5/2026",
        ] {
            let expected = if text.starts_with("05/03") { "2026-03-05" } else { "2026-05-03" };
            assert_eq!(find_date(text).as_deref(), Some(expected), "{text}");
        }
        for text in ["yes", "signed", "form 12", "3 Mayo 26", "May 2026", "3 Ma 2026", "99.99.2026", ""] {
            assert_eq!(find_date(text), None, "{text}");
        }
        assert_eq!(find_date("signed today"), Some(today()));
        let now = crate::files::utc_now();
        assert!(now.starts_with(&today()) || now.contains("T00:00:0"), "{now}");
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
        assert_eq!(ConsentNotes::Text(" ".into()).parse(None), Ok(None));
    }
}
