//! The notes beside a recording, `session.mp4.toml` or `session.toml`: who is who, and that they have consented.
//!
//! ```toml
//! subject = "client"                # the person the report is about
//! client = "A. Lovelace"            # keeps the session in this client's history
//! consent = "signed 3 May 2026, in the practice's files"
//!
//! [people.client]
//! name = "Ada"                      # without it, or with --pseudonym, "client"
//! ids = [1, 4]                      # the faces' numbers, as the report shows them
//!
//! [people.therapist]
//! ids = [2]
//! ```

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use session::PersonMap;

use super::{Ids, Reading};
use crate::failure::Failure;

/// What a person wrote beside a recording.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    subject: Option<String>,
    client: Option<String>,
    consent: Option<String>,
    #[serde(default)]
    people: BTreeMap<String, Person>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Person {
    name: Option<String>,
    ids: Vec<u32>,
}

/// Notes and command line together.
#[derive(Clone, Debug, Default)]
pub struct Notes {
    pub cast: PersonMap,
    pub client: Option<Consented>,
}

impl Notes {
    /// The client's name, or nothing.
    pub fn client(&self) -> &str {
        self.client.as_ref().map_or("", |client| &client.name)
    }
}

/// Whose history the session belongs to.
#[derive(Clone, Debug)]
pub struct Consented {
    pub name: String,
    pub consent: String,
}

/// A list of ids on the command line.
pub(super) fn ids(text: &str) -> Result<Ids, String> {
    let ids: Result<Vec<u32>, _> = text.split(',').map(|id| id.trim().parse()).collect();
    match ids {
        Ok(ids) if ids.len() > 1 => Ok(Ids(ids)),
        _ => Err("give the ids of one person, such as 3,7".into()),
    }
}

/// Reads the notes beside a recording; what the command line says comes first.
pub(super) fn read(recording: &Path, reading: &Reading) -> Result<Notes, Failure> {
    let (path, file) = find(recording)?;
    let wrong = |what: String| Failure::Work(format!("{}: {what}", path.display()));
    let consent = reading.consent.clone().or(file.consent).filter(|note| !note.trim().is_empty());
    let named = file.people.values().any(|person| person.name.is_some()) && !reading.pseudonym;
    if named && consent.is_none() {
        return Err(wrong(
            "it names people without a consent note: add consent = \"...\", or use --pseudonym".into(),
        ));
    }
    let mut cast = PersonMap { subject: reading.subject, ..PersonMap::default() };
    for (key, person) in &file.people {
        let Some(&first) = person.ids.first() else {
            return Err(wrong(format!("{key} has no ids: look them up in the report and write ids = [1]")));
        };
        let name = person.name.as_ref().filter(|_| !reading.pseudonym);
        cast.names.insert(first, name.unwrap_or(key).clone());
        cast.merge.push(person.ids.clone());
    }
    if cast.subject.is_none()
        && let Some(key) = &file.subject
    {
        let person = file.people.get(key);
        let person = person.ok_or_else(|| wrong(format!("subject = \"{key}\" is none of the people")))?;
        cast.subject = person.ids.first().copied();
    }
    cast.merge.extend(reading.merge.iter().map(|ids| ids.0.clone()));
    cast.merge = united(cast.merge);
    cast.names = cast.names.iter().map(|(&id, name)| (cast.person_id(id), name.clone())).collect();

    let client = reading.client.clone().or(file.client).filter(|name| !name.trim().is_empty());
    let client = match (client, consent) {
        (None, _) => None,
        (Some(name), Some(consent)) => Some(Consented { name, consent }),
        (Some(_), None) => {
            return Err(Failure::Work(
                "a client's history needs a consent note: --consent NOTE, or consent = \"...\" in the notes"
                    .into(),
            ));
        }
    };
    Ok(Notes { cast, client })
}

/// The notes' place and what they say; nothing where there are none.
fn find(recording: &Path) -> Result<(PathBuf, File), Failure> {
    let mut whole = recording.as_os_str().to_owned();
    whole.push(".toml");
    for path in [PathBuf::from(whole), recording.with_extension("toml")] {
        match fs::read_to_string(&path) {
            Ok(text) => {
                let file = toml::from_str(&text).map_err(|error| {
                    let message = error.message().replace('\n', " ");
                    let line = error.span().and_then(|span| text.get(..span.start));
                    let line = line.map_or(1, |before| before.matches('\n').count() + 1);
                    Failure::Work(format!("{}, line {line}: {message}", path.display()))
                })?;
                return Ok((path, file));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(Failure::file(&path, &error)),
        }
    }
    Ok((PathBuf::new(), File::default()))
}

/// Lists that share an id are one person's.
fn united(lists: Vec<Vec<u32>>) -> Vec<Vec<u32>> {
    let mut people: Vec<Vec<u32>> = Vec::new();
    for mut list in lists {
        while let Some(at) = people.iter().position(|person| person.iter().any(|id| list.contains(id))) {
            let mut person = people.remove(at);
            person.extend(list);
            list = person;
        }
        let mut seen = Vec::new();
        list.retain(|id| {
            !seen.contains(id) && {
                seen.push(*id);
                true
            }
        });
        people.push(list);
    }
    people.retain(|person| person.len() > 1);
    people
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading() -> Reading {
        Reading {
            subject: None,
            merge: vec![],
            baseline: None,
            client: None,
            consent: None,
            pseudonym: false,
        }
    }

    fn notes(text: &str, reading: &Reading) -> Result<Notes, String> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("s.mp4.toml"), text).unwrap();
        read(&folder.path().join("s.mp4"), reading).map_err(|failure| failure.to_string())
    }

    const PEOPLE: &str =
        "subject = \"client\"\n[people.client]\nname = \"Ada\"\nids = [1, 4]\n[people.other]\nids = [2]";

    #[test]
    fn people_get_their_names_and_ids() {
        let consented = format!("consent = \"signed\"\n{PEOPLE}");
        let found = notes(&consented, &reading()).unwrap();
        assert_eq!(
            (found.cast.name(1), found.cast.name(2), found.cast.name(9)),
            ("Ada".into(), "other".into(), "Person 9".into())
        );
        assert_eq!((found.cast.person_id(4), found.cast.subject), (1, Some(1)));
        let more = Reading { merge: vec![Ids(vec![4, 7]), Ids(vec![8, 9])], subject: Some(2), ..reading() };
        let found = notes(&consented, &more).unwrap();
        assert_eq!((found.cast.person_id(7), found.cast.person_id(9), found.cast.subject), (1, 8, Some(2)));
        assert!(found.client.is_none());
    }

    #[test]
    fn names_need_consent() {
        assert!(notes(PEOPLE, &reading()).unwrap_err().contains("consent"));
        let pseudonym = Reading { pseudonym: true, ..reading() };
        assert_eq!(notes(PEOPLE, &pseudonym).unwrap().cast.name(1), "client");
        let client = Reading { client: Some("Ada".into()), ..reading() };
        assert!(notes("", &client).unwrap_err().contains("--consent"));
        assert!(notes("consent = ' '", &client).is_err());
        assert_eq!(notes("consent = 'yes'", &client).unwrap().client.unwrap().consent, "yes");
    }

    #[test]
    fn mistakes_are_told_with_their_line() {
        assert!(notes("\nsubjekt = 1", &reading()).unwrap_err().contains("s.mp4.toml, line 2: "));
        assert!(notes("subject = 'x'", &reading()).unwrap_err().contains("none of the people"));
        assert!(notes("[people.x]\nids = []", &reading()).unwrap_err().contains("no ids"));
        assert!(ids("3").is_err() && ids("3,x").is_err() && ids("3, 7").is_ok());
    }
}
