//! Clients: the history and the baseline of people who agreed to it, in the user's data folder, each under a folder whose
//! name does not tell theirs.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use session::{Baseline, Summary};

use crate::data;
use crate::failure::Failure;
use crate::folder;
use crate::process::{Consented, fingerprint};

const CLIENT: &str = "client.json";
const BASELINE: &str = "baseline.json";
const SESSIONS: &str = "sessions";

/// A client's folder, which need not be there.
pub struct Client {
    folder: PathBuf,
}

/// What `client.json` says.
#[derive(Debug, Serialize, Deserialize)]
struct Card {
    name: String,
    /// The note that was required before anything was stored.
    consent: String,
    /// When the last session was added, or the note, ISO 8601.
    updated: String,
}

/// A client by name.
pub fn open(name: &str) -> Result<Client, Failure> {
    // A hash, because a name may be anything: a path, for example.
    let hash = fingerprint::digest(music_library::called(name).as_bytes());
    Ok(Client { folder: data::folder()?.join("clients").join(hash) })
}

/// Agrees that something is stored of a client: they have consented before, or `consent` is the note that they have.
/// Nobody is asked for everybody, who is `""`.
pub fn agree(name: &str, consent: Option<&str>) -> Result<(), Failure> {
    if name.trim().is_empty() {
        return Ok(());
    }
    let folder = open(name)?.folder;
    let card = folder.join(CLIENT);
    match consent.map(str::trim).filter(|note| !note.is_empty()) {
        Some(note) => {
            folder::keep_private();
            fs::create_dir_all(&folder).map_err(|error| Failure::file(&folder, &error))?;
            write(&card, &Card { name: name.into(), consent: note.into(), updated: folder::now() })
        }
        None if card.exists() => Ok(()),
        None => Err(Failure::Work(format!(
            "what is stored of the client {name} needs a consent note: --consent NOTE, once"
        ))),
    }
}

impl Client {
    /// The baseline of an earlier session.
    pub fn baseline(&self) -> Result<Option<Baseline>, Failure> {
        let path = self.folder.join(BASELINE);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Failure::file(&path, &error)),
        };
        let broken = |error| Failure::Work(format!("{} is broken: {error}", path.display()));
        serde_json::from_slice(&text).map(Some).map_err(broken)
    }

    /// Adds a session, or replaces it; a baseline that was measured becomes the client's.
    pub fn keep(
        &self,
        consented: &Consented,
        summary: &Summary,
        baseline: Option<&Baseline>,
    ) -> Result<(), Failure> {
        let sessions = self.folder.join(SESSIONS);
        fs::create_dir_all(&sessions).map_err(|error| Failure::file(&sessions, &error))?;
        let card =
            Card { name: consented.name.clone(), consent: consented.consent.clone(), updated: folder::now() };
        write(&self.folder.join(CLIENT), &card)?;
        if let Some(baseline) = baseline {
            write(&self.folder.join(BASELINE), baseline)?;
        }
        let input = summary.made_from.as_ref().and_then(|made_from| made_from.pointer("/work/sha256"));
        let name = input.and_then(|input| input.as_str()).unwrap_or("session");
        // The history needs no second by second.
        let mut kept = summary.clone();
        for subject in &mut kept.people {
            subject.episodes.clear();
        }
        kept.source = None;
        write(&sessions.join(format!("{name}.json")), &kept)
    }

    /// The sessions kept, the oldest first.
    pub fn sessions(&self) -> Result<Vec<Summary>, Failure> {
        let folder = self.folder.join(SESSIONS);
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(Failure::file(&folder, &error)),
        };
        let mut files = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|error| Failure::file(&folder, &error))?;
            let changed = entry.metadata().and_then(|metadata| metadata.modified()).ok();
            files.push((changed, entry.path()));
        }
        files.sort();
        files.iter().map(|(_, path)| folder::read_summary(path)).collect()
    }

    /// Removes all of it; says how many sessions that were, or `None` where nothing was kept.
    pub fn forget(&self) -> Result<Option<usize>, Failure> {
        if !self.folder.exists() {
            return Ok(None);
        }
        let count = fs::read_dir(self.folder.join(SESSIONS)).map_or(0, Iterator::count);
        fs::remove_dir_all(&self.folder).map_err(|error| Failure::file(&self.folder, &error))?;
        Ok(Some(count))
    }
}

fn write(path: &Path, value: &impl Serialize) -> Result<(), Failure> {
    folder::write_whole(path, |file| {
        serde_json::to_writer_pretty(&mut *file, value)?;
        writeln!(file)
    })
}
