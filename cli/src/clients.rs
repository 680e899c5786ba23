//! The stored history, baseline and resting face of each client who consented to it. They are kept in the user's data
//! folder, each client's in a folder named by a hash of the client's name, so that a listing reveals nobody.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use mini_xception::resting_face::RestingProfile;
use serde::{Deserialize, Serialize};
use session::{Baseline, Summary};

use crate::consent::{ConsentedClient, is_blank};
use crate::error::CommandError;
use crate::folder::{read_summary, write_resting_face};
use crate::{data_folder, digest, files};

/// The folder of all clients in the user's data folder.
const CLIENTS: &str = "clients";
/// The [`ClientRecord`] in a client's folder.
const RECORD: &str = "client.json";
/// The client's baseline in their folder, where one was measured.
const BASELINE: &str = "baseline.json";
/// The folder of the resting profiles that were learnt from each session, in a client's folder. They are kept apart, so that a
/// session that is processed again does not count twice.
const RESTING_FACES: &str = "resting_faces";
/// The sum of those, for a live session to begin with; written anew before each.
const RESTING_FACE: &str = "resting_face.json";
/// The folder of the sessions' summaries in a client's folder.
const SESSIONS: &str = "sessions";

/// A client's folder, which need not exist.
pub struct Client {
    folder: PathBuf,
}

/// The content of `client.json`.
#[derive(Debug, Serialize, Deserialize)]
struct ClientRecord {
    /// Name and consent note, without which nothing is stored.
    #[serde(flatten)]
    client: ConsentedClient,
    /// When the last session or consent note was added, ISO 8601.
    updated: String,
}

/// Fails unless something may be stored of the client called `name`: they consented earlier, or `note` is
/// their consent, which is then stored. The empty name stands for everybody and needs no consent.
pub fn require_consent(name: &str, note: Option<&str>) -> Result<(), CommandError> {
    if is_blank(name) {
        return Ok(());
    }
    let client = Client::open(name)?;
    match note.map(str::trim).filter(|note| !note.is_empty()) {
        Some(note) => {
            fs::create_dir_all(&client.folder).map_err(|error| CommandError::io(&client.folder, &error))?;
            client.write_record(ConsentedClient { name: name.into(), note: note.into() })
        }
        None if client.folder.join(RECORD).exists() => Ok(()),
        None => Err(CommandError::Failed(format!(
            "what is stored of the client {name} needs a consent note: --consent NOTE, once"
        ))),
    }
}

/// What is stored of a client, for `gst-mood clients`.
#[derive(Debug, Serialize)]
pub struct ClientDescription {
    /// Name and consent note.
    #[serde(flatten)]
    client: ConsentedClient,
    /// When something was stored last, ISO 8601.
    updated: String,
    /// Number of sessions.
    sessions: usize,
    /// Whether a usual expression is stored.
    has_baseline: bool,
    /// Evidence for the resting face, seconds; 0 where nothing is known of it.
    resting_face_seconds: f64,
}

/// The arguments of `clients`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Print them as JSON
    #[arg(long)]
    json: bool,
}

/// Lists everybody of whom something is stored, by name.
pub fn run(arguments: &Arguments) -> Result<(), CommandError> {
    let mut clients = Vec::new();
    for folder in sorted_files(&data_folder::path()?.join(CLIENTS))? {
        if folder.join(RECORD).exists() {
            clients.push(Client { folder }.describe()?);
        }
    }
    clients.sort_by(|one, other| one.client.name.cmp(&other.client.name));
    if arguments.json {
        println!("{:#}", serde_json::json!(clients));
        return Ok(());
    }
    for client in clients {
        let baseline = if client.has_baseline { ", a baseline" } else { "" };
        let resting_face = match client.resting_face_seconds {
            seconds if seconds > 0.0 => format!(", the resting face from {seconds:.0} s"),
            _ => String::new(),
        };
        println!(
            "{}: {} sessions{baseline}{resting_face}; {}; consent: {}",
            client.client.name, client.sessions, client.updated, client.client.note
        );
    }
    Ok(())
}

impl Client {
    /// Describes what is stored; fails where nothing is.
    fn describe(&self) -> Result<ClientDescription, CommandError> {
        let ClientRecord { client, updated } = self.read_record()?;
        Ok(ClientDescription {
            client,
            updated,
            sessions: sorted_files(&self.folder.join(SESSIONS))?.len(),
            has_baseline: self.folder.join(BASELINE).exists(),
            resting_face_seconds: self.resting_faces("")?.iter().map(RestingProfile::seconds).sum(),
        })
    }

    /// The client called `name`, whether or not anything is stored of them. Fails if there is no data
    /// folder.
    pub fn open(name: &str) -> Result<Self, CommandError> {
        // A hash also because a name may be anything, a path for example.
        let hash = digest::short_sha256(music_library::normalize_client_name(name).as_bytes());
        Ok(Self { folder: data_folder::path()?.join(CLIENTS).join(hash) })
    }

    /// The baseline that an earlier session measured, if any.
    pub fn baseline(&self) -> Result<Option<Baseline>, CommandError> {
        let path = self.folder.join(BASELINE);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(CommandError::io(&path, &error)),
        };
        let broken = |error| CommandError::Failed(format!("{} is broken: {error}", path.display()));
        serde_json::from_slice(&text).map(Some).map_err(broken)
    }

    /// Whether anything is stored of the client.
    pub fn has_history(&self) -> bool {
        self.folder.join(RECORD).exists()
    }

    /// What the sessions have taught about the client's resting face, without the recording of this content.
    pub fn resting_faces(&self, recording_sha256: &str) -> Result<Vec<RestingProfile>, CommandError> {
        let mut profiles = Vec::new();
        // Of more than a profile remembers, what was learnt last counts for most.
        let mut paths = sorted_files(&self.folder.join(RESTING_FACES))?;
        paths.sort_by_key(|path| fs::metadata(path).and_then(|metadata| metadata.modified()).ok());
        for path in paths {
            if path.file_stem().is_some_and(|stem| stem == recording_sha256) {
                continue;
            }
            let text = fs::read(&path).map_err(|error| CommandError::io(&path, &error))?;
            let broken = |error| CommandError::Failed(format!("{}: {error}; remove it", path.display()));
            profiles.push(RestingProfile::from_json(&text).map_err(broken)?);
        }
        Ok(profiles)
    }

    /// What is known of the client's resting face from sessions with the network of this SHA-256, without the recording of
    /// this content; `None` where nothing is.
    pub fn known_resting_face(
        &self,
        recording_sha256: &str,
        model_sha256: &str,
    ) -> Result<Option<RestingProfile>, CommandError> {
        let mut known: Option<RestingProfile> = None;
        for profile in self.resting_faces(recording_sha256)? {
            if profile.require_model(model_sha256).is_ok() {
                known.get_or_insert_with(|| RestingProfile::new(model_sha256)).merge(&profile);
            }
        }
        Ok(known)
    }

    /// Writes [`Self::known_resting_face`] into a file of the client's folder for `emotionclassify` to read. `None` where
    /// nothing is known.
    pub fn write_known_resting_face(&self, model_sha256: &str) -> Result<Option<PathBuf>, CommandError> {
        let path = self.folder.join(RESTING_FACE);
        match self.known_resting_face("", model_sha256)? {
            Some(profile) => write_resting_face(&path, &profile).map(|()| Some(path)),
            None => files::remove_if_present(&path).map(|()| None),
        }
    }

    /// Adds what a session that was not recorded has taught about the resting face; `session` is its name, one for each.
    /// Fails for a client of whom nothing is stored, who has not consented.
    pub fn add_resting_face(&self, session: &str, profile: &RestingProfile) -> Result<(), CommandError> {
        let record = self.read_record()?;
        let folder = self.folder.join(RESTING_FACES);
        fs::create_dir_all(&folder).map_err(|error| CommandError::io(&folder, &error))?;
        write_resting_face(&folder.join(format!("{session}.json")), profile)?;
        self.write_record(record.client)
    }

    /// Adds a session to the history, or replaces it if a recording of the same content (`recording_sha256`)
    /// was added before. A baseline that the session measured becomes the client's; what it taught about the resting face is
    /// added to what other sessions did.
    pub fn add_session(
        &self,
        client: &ConsentedClient,
        recording_sha256: &str,
        summary: &Summary,
        baseline: Option<&Baseline>,
        resting_face: Option<&RestingProfile>,
    ) -> Result<(), CommandError> {
        let sessions = self.folder.join(SESSIONS);
        fs::create_dir_all(&sessions).map_err(|error| CommandError::io(&sessions, &error))?;
        self.write_record(client.clone())?;
        if let Some(baseline) = baseline {
            files::write_json(&self.folder.join(BASELINE), baseline)?;
        }
        let profiles = self.folder.join(RESTING_FACES);
        let profile_path = profiles.join(format!("{recording_sha256}.json"));
        match resting_face {
            Some(profile) => {
                fs::create_dir_all(&profiles).map_err(|error| CommandError::io(&profiles, &error))?;
                write_resting_face(&profile_path, profile)?;
            }
            None => files::remove_if_present(&profile_path)?,
        }
        // Comparing sessions takes neither single episodes nor the recording's name.
        let mut stored = summary.clone();
        for subject in &mut stored.people {
            subject.episodes.clear();
        }
        stored.source = None;
        files::write_json(&sessions.join(format!("{recording_sha256}.json")), &stored)
    }

    /// The stored sessions, the one added first first; none if nothing is stored.
    pub fn sessions(&self) -> Result<Vec<Summary>, CommandError> {
        let folder = self.folder.join(SESSIONS);
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(CommandError::io(&folder, &error)),
        };
        let mut stored = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|error| CommandError::io(&folder, &error))?;
            let modified = entry.metadata().and_then(|metadata| metadata.modified()).ok();
            stored.push((modified, entry.path()));
        }
        stored.sort();
        stored.iter().map(|(_, path)| read_summary(path)).collect()
    }

    /// Removes everything stored of the client. Returns how many sessions that were, or `None` if nothing was
    /// stored.
    pub fn forget(&self) -> Result<Option<usize>, CommandError> {
        if !self.folder.exists() {
            return Ok(None);
        }
        let count = fs::read_dir(self.folder.join(SESSIONS)).map_or(0, Iterator::count);
        fs::remove_dir_all(&self.folder).map_err(|error| CommandError::io(&self.folder, &error))?;
        Ok(Some(count))
    }

    /// Reads `client.json`; fails where nothing is stored of the client.
    fn read_record(&self) -> Result<ClientRecord, CommandError> {
        let path = self.folder.join(RECORD);
        let text = fs::read(&path).map_err(|error| CommandError::io(&path, &error))?;
        serde_json::from_slice(&text)
            .map_err(|error| CommandError::Failed(format!("{} is broken: {error}", path.display())))
    }

    /// Writes `client.json` with the current time; the folder must exist.
    fn write_record(&self, client: ConsentedClient) -> Result<(), CommandError> {
        files::write_json(&self.folder.join(RECORD), &ClientRecord { client, updated: files::utc_now() })
    }
}

/// The files in a folder by name; none if there is no such folder.
fn sorted_files(folder: &Path) -> Result<Vec<PathBuf>, CommandError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(CommandError::io(folder, &error)),
    };
    let paths: Result<Vec<PathBuf>, _> = entries.map(|entry| entry.map(|entry| entry.path())).collect();
    let mut paths = paths.map_err(|error| CommandError::io(folder, &error))?;
    paths.sort();
    Ok(paths)
}
