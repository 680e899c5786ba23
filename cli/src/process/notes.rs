//! The notes beside a recording, `session.mp4.toml` or `session.toml`: the people in it, and their
//! consent.
//!
//! ```toml
//! subject = "client"                # the person the report is about
//! client = "A. Lovelace"            # keeps the session in this client's history
//! consent = "signed 3 May 2026, in the practice's files"
//! date = 2026-05-03T14:05:00        # when it was recorded, where the file does not say it or is wrong
//! note = "The second session after the pause."   # for the report
//!
//! [consent]                         # or all that a form can say, in place of the text
//! by = "Ada Lovelace"               # without it, the client or the people named
//! on = 2026-05-03
//! scope = "analysis of the videos"  # optional
//! until = 2027-05-03                # optional: the last day on which it holds
//! note = "form 12, in the practice's files"
//!
//! [people.client]
//! name = "Ada"                      # without it, or with --pseudonym, "client"
//! ids = [1, 4]                      # the faces' numbers, as the report shows them
//!
//! [people.therapist]
//! ids = [2]
//! ```
//!
//! What the session is to be compared by with others:
//!
//! ```toml
//! condition = "music"               # of the session, or of the time that no part covers
//!
//! [[parts]]
//! condition = "no music"
//! from = "0:00"                     # a time, or the text of a marker of a live session
//! to = "10:00"
//! ```
//!
//! Where nobody is named, `people = 2` says how many there are, as `--people` does.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use session::{
    ConditionPart, Conditions, InvalidTimeError, PersonMap, Recorded, RecordedOrigin, RecordingTime,
};

use super::arguments::ReportOptions;
use crate::clients::Client;
use crate::consent::{self, Consent, ConsentNotes, ConsentedClient, is_blank};
use crate::error::CommandError;

/// The content of a notes file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct NotesFile {
    /// Key in `people` of the person the report is about.
    subject: Option<String>,
    /// Name of the client whose history the session belongs to.
    client: Option<String>,
    /// The consent note.
    consent: Option<ConsentNotes>,
    /// When it was recorded: a date of TOML, or a text.
    date: Option<DateNote>,
    /// What the report is to say about the session.
    note: Option<String>,
    /// The condition of the session, or of the time that no part covers.
    condition: Option<String>,
    /// Parts of the session under other conditions.
    #[serde(default)]
    parts: Vec<ConditionPart>,
    /// The people in the recording.
    #[serde(default)]
    people: PeopleNotes,
}

/// A date as notes may have it.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum DateNote {
    /// As TOML has it.
    Date(toml::value::Datetime),
    /// In quotation marks.
    Text(String),
}

impl DateNote {
    /// The date; a time of the day without a date is none.
    fn parse(&self) -> Result<RecordingTime, InvalidTimeError> {
        match self {
            Self::Date(date) => date.to_string().parse(),
            Self::Text(text) => text.parse(),
        }
    }
}

/// Who is in a recording.
#[derive(Debug)]
enum PeopleNotes {
    /// The people by a key that also serves as their pseudonym.
    Named(BTreeMap<String, Person>),
    /// Only how many there are.
    Count(u32),
}

impl Default for PeopleNotes {
    fn default() -> Self {
        Self::Named(BTreeMap::new())
    }
}

impl<'de> Deserialize<'de> for PeopleNotes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// Tells a number from a table, so that an error names the key that is wrong.
        struct PeopleVisitor;

        impl<'de> Visitor<'de> for PeopleVisitor {
            type Value = PeopleNotes;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("the number of people, or a table of them")
            }

            fn visit_i64<E: serde::de::Error>(self, count: i64) -> Result<Self::Value, E> {
                let count =
                    u32::try_from(count).map_err(|_| E::custom("people = N: give a number from 0 on"));
                count.map(PeopleNotes::Count)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                BTreeMap::deserialize(MapAccessDeserializer::new(map)).map(PeopleNotes::Named)
            }
        }

        deserializer.deserialize_any(PeopleVisitor)
    }
}

/// A person in the recording.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Person {
    /// The person's real name, which needs consent.
    name: Option<String>,
    /// Ids of the person's face, at least one.
    ids: Vec<u32>,
}

/// The notes and the command line combined.
#[derive(Clone, Debug, Default)]
pub struct Notes {
    /// Who is who in the recording.
    pub people: PersonMap,
    /// How many people are in the recording, if that was stated.
    pub people_count: Option<u32>,
    /// The client whose history the session is added to, if there is one.
    pub client: Option<ConsentedClient>,
    /// When it was recorded, if options or notes say it.
    pub recorded: Option<Recorded>,
    /// What the report is to say about the session.
    pub note: Option<String>,
    /// The consent of the client or of the people named.
    pub consent: Option<Consent>,
    /// The session's conditions.
    pub conditions: Conditions,
}

impl Notes {
    /// Reads the notes beside a recording, if there are any, and combines them with the options of the
    /// command line, which have precedence. Fails if the notes are invalid, or name people or a client
    /// without consent.
    pub fn load(recording: &Path, options: &ReportOptions) -> Result<Self, CommandError> {
        let (path, file) = find_notes_file(recording)?;
        let (named, people_count) = match file.people {
            PeopleNotes::Named(named) => (named, None),
            PeopleNotes::Count(count) => (BTreeMap::new(), Some(count)),
        };
        let invalid = |what: String| CommandError::Failed(format!("{}: {what}", path.display()));
        let has_names = named.values().any(|person| person.name.is_some()) && !options.pseudonym;
        let client_name = options.client.clone().or(file.client).filter(|name| !is_blank(name));
        let given = options.consent.clone().filter(|note| !is_blank(note)).map(ConsentNotes::Text);
        let is_option = given.is_some();
        let names: Vec<&str> = named.values().filter_map(|person| person.name.as_deref()).collect();
        let by = client_name.clone().or((!names.is_empty()).then(|| names.join(", ")));
        let is_nobody_named = !has_names && client_name.is_none();
        let parse = |consent: ConsentNotes| match consent.parse(by.as_deref()) {
            // Where nobody is named, it need not say who agreed, and nothing hangs on it; but what it says must be right.
            Err(_) if is_nobody_named => consent.parse(Some("somebody")).map(|_| None),
            parsed => parsed,
        };
        let consent = match given.or(file.consent).map(parse) {
            None => None,
            Some(Ok(consent)) => consent,
            Some(Err(error)) if is_option => return Err(CommandError::Failed(error)),
            Some(Err(error)) => return Err(invalid(error)),
        };
        if has_names && consent.is_none() {
            return Err(invalid(
                "it names people without a consent note: add consent = \"...\", or use --pseudonym".into(),
            ));
        }
        let mut groups = Vec::new();
        let mut people = PersonMap { subject: options.subject, ..PersonMap::default() };
        for (key, person) in &named {
            let Some(&first) = person.ids.first() else {
                return Err(invalid(format!(
                    "{key:?} has no ids: look them up in the report and write ids = [1]"
                )));
            };
            let name = person.name.as_ref().filter(|_| !options.pseudonym);
            people.names.insert(first, name.unwrap_or(key).clone());
            groups.push(person.ids.clone());
        }
        if people.subject.is_none()
            && let Some(key) = &file.subject
        {
            let person = named.get(key);
            let person = person.ok_or_else(|| invalid(format!("subject = {key:?} is none of the people")))?;
            people.subject = person.ids.first().copied();
        }
        groups.extend(options.merge.iter().map(|ids| ids.0.clone()));
        people.set_groups(groups);
        people.names = people.names.iter().map(|(&id, name)| (people.person_id(id), name.clone())).collect();
        let noted =
            file.date.map(|date| date.parse()).transpose().map_err(|error| invalid(error.to_string()))?;
        let recorded = options
            .date
            .map(|at| Recorded { at, origin: RecordedOrigin::Option })
            .or(noted.map(|at| Recorded { at, origin: RecordedOrigin::Notes }));
        // A free text may name somebody.
        let note = file.note.filter(|note| !is_blank(note) && !options.pseudonym);
        let client = match (client_name, &consent) {
            (None, _) => None,
            (Some(name), Some(consent)) => Some(ConsentedClient::new(name, consent.clone())?),
            // What was stored once is not asked for again.
            (Some(name), None) => Some(Client::open(&name)?.consented()?.ok_or_else(consent::missing_error)?),
        };
        let consent = consent.or(client.as_ref().map(ConsentedClient::consent));
        let conditions = Conditions {
            condition: file.condition.filter(|condition| !is_blank(condition)),
            parts: file.parts,
        };
        if conditions.parts.iter().any(|part| is_blank(&part.condition)) {
            return Err(invalid("a part has no condition: write condition = \"...\"".into()));
        }
        Ok(Self { people, people_count, client, recorded, note, consent, conditions })
    }

    /// The client's name, or the empty string without a client, as `music_library` expects it.
    pub fn client_name(&self) -> &str {
        self.client.as_ref().map_or("", |client| &client.name)
    }
}

/// What stands for the recording in the folder of a live session, whose notes are `session.toml` in it.
pub const LIVE_RECORDING: &str = "session";

/// Where the notes of a recording may be; the first that is there counts.
pub fn paths(recording: &Path) -> [PathBuf; 2] {
    let mut full_name = recording.as_os_str().to_owned();
    full_name.push(".toml");
    [PathBuf::from(full_name), recording.with_extension("toml")]
}

/// Path and content of the notes beside a recording; empty if there are none.
fn find_notes_file(recording: &Path) -> Result<(PathBuf, NotesFile), CommandError> {
    for path in paths(recording) {
        match fs::read_to_string(&path) {
            Ok(text) => {
                let file = toml::from_str(&text).map_err(|error| {
                    let message = error.message().replace('\n', " ");
                    let before = error.span().and_then(|span| text.get(..span.start));
                    let line = before.map_or(1, |before| before.matches('\n').count() + 1);
                    CommandError::Failed(format!("{}, line {line}: {message}", path.display()))
                })?;
                return Ok((path, file));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(CommandError::io(&path, &error)),
        }
    }
    Ok((PathBuf::new(), NotesFile::default()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::arguments::MergedIds;

    fn load(text: &str, options: &ReportOptions) -> Result<Notes, String> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("s.mp4.toml"), text).unwrap();
        Notes::load(&folder.path().join("s.mp4"), options).map_err(|error| error.to_string())
    }

    const PEOPLE: &str =
        "subject = \"client\"\n[people.client]\nname = \"Ada\"\nids = [1, 4]\n[people.other]\nids = [2]";

    #[test]
    fn people_get_names_and_merged_ids() {
        let consented = format!("consent = \"signed 3 May 2026\"\n{PEOPLE}");
        let notes = load(&consented, &ReportOptions::default()).unwrap();
        assert_eq!(
            (notes.people.name(1), notes.people.name(2), notes.people.name(9)),
            ("Ada".into(), "other".into(), "Person 9".into())
        );
        assert_eq!((notes.people.person_id(4), notes.people.subject), (1, Some(1)));
        let options = ReportOptions {
            merge: vec![MergedIds(vec![4, 7]), MergedIds(vec![8, 9])],
            subject: Some(2),
            ..ReportOptions::default()
        };
        let notes = load(&consented, &options).unwrap();
        assert_eq!(
            (notes.people.person_id(7), notes.people.person_id(9), notes.people.subject),
            (1, 8, Some(2))
        );
        assert!(notes.client.is_none());
    }

    #[test]
    fn an_error_is_one_line_whatever_it_quotes() {
        for text in [
            r#"subject = "a\nb\u001b[2J""#,
            r#"[people."a\nb"]"#,
            r#"date = "a\nb""#,
            r#"consent = { by = "a", date = "a\nb" }"#,
            r#""a\nb" = 1"#,
            r#"people = "a\nb""#,
        ] {
            let error = load(text, &ReportOptions::default()).err().unwrap_or_else(|| panic!("{text}"));
            assert!(!error.contains(char::is_control), "{text}: {error}");
        }
    }

    #[test]
    fn people_may_be_counted_only() {
        let notes = load("people = 2", &ReportOptions::default()).unwrap();
        assert_eq!((notes.people_count, notes.people), (Some(2), PersonMap::default()));
        assert_eq!(
            load(PEOPLE, &ReportOptions { pseudonym: true, ..Default::default() }).unwrap().people_count,
            None
        );
        for wrong in ["people = -1", "people = 'two'"] {
            assert!(load(wrong, &ReportOptions::default()).unwrap_err().contains("line 1"), "{wrong}");
        }
    }

    #[test]
    fn the_date_of_options_precedes_that_of_the_notes() {
        for date in ["2026-05-03T14:05:00", "'2026-05-03 14:05'"] {
            let text = format!("date = {date}\nnote = '''\nA pause.\n'''");
            let notes = load(&text, &ReportOptions::default()).unwrap();
            let recorded = notes.recorded.unwrap();
            assert_eq!(
                (recorded.at.to_string().as_str(), recorded.origin),
                ("2026-05-03T14:05:00", RecordedOrigin::Notes)
            );
            assert_eq!(notes.note.unwrap().trim(), "A pause.");
            let options = ReportOptions { date: Some("2025-01-02".parse().unwrap()), ..Default::default() };
            let recorded = load(&text, &options).unwrap().recorded.unwrap();
            assert_eq!(
                (recorded.at.to_string().as_str(), recorded.origin),
                ("2025-01-02", RecordedOrigin::Option)
            );
        }
        assert!(load("note = ' '", &ReportOptions::default()).unwrap().note.is_none());
        for wrong in ["'soon'", "14:05:00"] {
            let error = load(&format!("date = {wrong}"), &ReportOptions::default()).unwrap_err();
            assert!(error.contains("s.mp4.toml") && error.contains("no date"), "{error}");
        }
    }

    #[test]
    fn conditions_are_those_of_the_session_or_of_its_parts() {
        let text = "condition = 'music'\n[[parts]]\ncondition = 'none'\nto = '1:30'";
        let conditions = load(text, &ReportOptions::default()).unwrap().conditions;
        assert_eq!((conditions.condition.as_deref(), conditions.parts.len()), (Some("music"), 1));
        assert_eq!(conditions.parts[0].to.as_deref(), Some("1:30"));
        assert!(load("condition = ' '", &ReportOptions::default()).unwrap().conditions.is_empty());
        for wrong in [
            "[[parts]]\ncondition = ''",
            "[[parts]]\nfrom = '1:30'",
            "[[parts]]\ncondition = 'a'\nunto = '1'",
        ] {
            assert!(load(wrong, &ReportOptions::default()).unwrap_err().contains("s.mp4.toml"), "{wrong}");
        }
    }

    #[test]
    fn names_need_consent() {
        assert!(load(PEOPLE, &ReportOptions::default()).unwrap_err().contains("consent"));
        let pseudonym = ReportOptions { pseudonym: true, ..ReportOptions::default() };
        assert_eq!(load(PEOPLE, &pseudonym).unwrap().people.name(1), "client");
        let client = ReportOptions { client: Some("Ada".into()), ..ReportOptions::default() };
        assert!(load("", &client).unwrap_err().contains("--consent"));
        assert!(load("consent = ' '", &client).is_err());
        let nobody = ReportOptions::default();
        assert!(load("consent = 'signed 31.2.2026'", &nobody).unwrap_err().contains("31.2.2026"));
        assert_eq!(load("consent = 'signed 3 May 2026'", &nobody).unwrap().consent, None);
        assert!(load("consent = 'yes'", &client).unwrap_err().contains("when"));
        let consented = load("consent = '3 May 2026'", &client).unwrap().client.unwrap();
        assert_eq!((consented.note.as_str(), consented.terms.by.as_deref()), ("3 May 2026", Some("Ada")));
        let table = "[consent]\non = 2026-05-03\nscope = 'history'\n[people.x]\nname = 'Bo'\nids = [1]";
        let notes = load(table, &ReportOptions::default()).unwrap();
        assert_eq!(
            consent::describe_terms(&notes.consent.unwrap().terms),
            "by Bo, on 2026-05-03, for history"
        );
        let ended = load(
            &format!("{table}\n").replace("scope = 'history'", "until = 2026-05-04"),
            &ReportOptions::default(),
        );
        assert!(ended.unwrap_err().contains("ended on 2026-05-04"));
    }

    #[test]
    fn invalid_notes_are_errors_that_name_the_place() {
        assert!(
            load("\nsubjekt = 1", &ReportOptions::default()).unwrap_err().contains("s.mp4.toml, line 2: ")
        );
        assert!(load("subject = 'x'", &ReportOptions::default()).unwrap_err().contains("none of the people"));
        assert!(load("[people.x]\nids = []", &ReportOptions::default()).unwrap_err().contains("no ids"));
    }
}
