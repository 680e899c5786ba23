//! The stored history, baseline and resting face of each client who consented to it. They are kept in the user's data
//! folder, each client's in a folder named by a hash of the client's name, so that a listing reveals nobody.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use atomic_file::FileLock;
use mini_xception::resting_face::RestingProfile;
use serde::{Deserialize, Serialize};
use session::{Baseline, Summary};

use crate::consent::{self, Consent, ConsentedClient, is_blank};
use crate::error::CommandError;
use crate::folder::{read_summary, write_resting_face};
use crate::lock::lock_folder;
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
/// What the client heard in live sessions, and how they rated it, JSON Lines, in a client's folder.
const MUSIC: &str = "music.jsonl";
/// The folder of the sessions' summaries in a client's folder.
const SESSIONS: &str = "sessions";

/// A client's folder, which need not exist.
///
/// Several processes may store something of the same client, so whatever changes the folder holds the
/// [lock](Client::lock), and whatever reads from it takes a file that is gone for one that was forgotten.
pub struct Client {
    folder: PathBuf,
    /// The folder of all clients.
    clients: PathBuf,
}

/// The content of `client.json`.
#[derive(Debug, Serialize, Deserialize)]
struct ClientRecord {
    /// Name and consent note, without which nothing is stored.
    #[serde(flatten)]
    client: ConsentedClient,
    /// When the last session or consent note was added, ISO 8601.
    updated: String,
    /// The folders with results of the client's sessions, as far as they are known.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    folders: BTreeSet<PathBuf>,
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
            let consent = Consent::parse(note, Some(name)).map_err(CommandError::Failed)?;
            let _lock = client.lock()?;
            fs::create_dir_all(&client.folder).map_err(|error| CommandError::io(&client.folder, &error))?;
            client.write_record(ConsentedClient::new(name.into(), consent)?)
        }
        None if client.consented()?.is_some() => Ok(()),
        None => Err(CommandError::Failed(format!(
            "what is stored of the client {name} needs a consent note: --consent NOTE, once"
        ))),
    }
}

/// What is stored of a client, for `gst-mood clients`.
#[derive(Debug, Serialize)]
pub struct ClientDescription {
    /// Name and consent.
    #[serde(flatten)]
    client: ConsentedClient,
    /// Whether the consent is over.
    consent_has_ended: bool,
    /// When something was stored last, ISO 8601.
    updated: String,
    /// The folders with results of the client's sessions, as far as they are known and there.
    folders: Vec<PathBuf>,
    /// Number of sessions.
    sessions: usize,
    /// Whether a usual expression is stored.
    has_baseline: bool,
    /// Evidence for the resting face, seconds; 0 where nothing is known of it.
    resting_face_seconds: f64,
    /// Number of times that a track was begun in live sessions.
    tracks_heard: usize,
    /// Number of tracks with a rating from live sessions.
    tracks_rated: usize,
}

/// What happened to a track in a live session.
#[derive(Debug, Serialize, Deserialize)]
struct MusicEvent {
    /// When, ISO 8601.
    utc: String,
    /// Address of the track, without credentials.
    uri: String,
    /// Its title; may be empty.
    title: String,
    /// The rating that it got, -2 to 2, 0 where one was taken back; `None` where the track was begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rating: Option<i32>,
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
    let all = data_folder::path()?.join(CLIENTS);
    for folder in sorted_files(&all)? {
        clients.extend(Client { folder, clients: all.clone() }.describe()?);
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
        let terms = consent::describe_terms(&client.client.terms);
        let terms = if terms.is_empty() { terms } else { format!(" ({terms})") };
        let music = match (client.tracks_heard, client.tracks_rated) {
            (0, 0) => String::new(),
            (heard, rated) => format!(", {heard} tracks heard and {rated} rated in live sessions"),
        };
        println!(
            "{}: {} sessions{baseline}{resting_face}{music}; {}; consent: {}{terms}",
            client.client.name, client.sessions, client.updated, client.client.note
        );
        for folder in &client.folders {
            println!("  results in {}", folder.display());
        }
    }
    Ok(())
}

impl Client {
    /// Describes what is stored; `None` where nothing is.
    fn describe(&self) -> Result<Option<ClientDescription>, CommandError> {
        let Some(ClientRecord { client, updated, folders }) = self.read_record()? else { return Ok(None) };
        let events = self.music()?;
        let mut ratings = BTreeMap::new();
        for event in &events {
            ratings.extend(event.rating.map(|rating| (&event.uri, rating)));
        }
        Ok(Some(ClientDescription {
            tracks_heard: events.iter().filter(|event| event.rating.is_none()).count(),
            tracks_rated: ratings.values().filter(|rating| **rating != 0).count(),
            consent_has_ended: consent::has_ended(&client.terms),
            client,
            updated,
            folders: folders.into_iter().filter(|folder| folder.exists()).collect(),
            sessions: sorted_files(&self.folder.join(SESSIONS))?.len(),
            has_baseline: self.folder.join(BASELINE).exists(),
            resting_face_seconds: self.resting_faces("")?.iter().map(RestingProfile::seconds).sum(),
        }))
    }

    /// The client called `name`, whether or not anything is stored of them. Fails if there is no data
    /// folder.
    pub fn open(name: &str) -> Result<Self, CommandError> {
        Ok(Self::in_data_folder(&data_folder::path()?, name))
    }

    fn in_data_folder(data: &Path, name: &str) -> Self {
        // A hash also because a name may be anything, a path for example.
        let hash = digest::short_sha256(music_library::normalize_client_name(name).as_bytes());
        let clients = data.join(CLIENTS);
        Self { folder: clients.join(hash), clients }
    }

    /// Keeps other processes from changing what is stored of clients. What is done meanwhile takes milliseconds.
    fn lock(&self) -> Result<FileLock, CommandError> {
        lock_folder(&self.clients, || {
            eprintln!("gst-mood: waits for another gst-mood that stores something of a client");
        })
    }

    /// Who consented to being stored, and how; `None` where nothing is stored. Fails for a consent that is over.
    pub fn consented(&self) -> Result<Option<ConsentedClient>, CommandError> {
        let Some(ClientRecord { client, .. }) = self.read_record()? else { return Ok(None) };
        let ConsentedClient { name, note, terms } = client;
        ConsentedClient::new(name, Consent { note, terms }).map(Some)
    }

    /// The folders with results of the client's sessions, as far as they are known and there.
    pub fn folders(&self) -> Result<Vec<PathBuf>, CommandError> {
        let folders = self.read_record()?.map(|record| record.folders).unwrap_or_default();
        Ok(folders.into_iter().filter(|folder| folder.exists()).collect())
    }

    /// Remembers a folder with results of a session of the client, to name it when the client withdraws. The client must have
    /// consented.
    pub fn remember_folder(&self, folder: &Path) -> Result<(), CommandError> {
        let folder = folder.canonicalize().map_err(|error| CommandError::io(folder, &error))?;
        let _lock = self.lock()?;
        // Forgotten meanwhile.
        let Some(mut record) = self.read_record()? else { return Ok(()) };
        record.folders.retain(|known| known.exists());
        record.folders.insert(folder);
        files::write_json(&self.folder.join(RECORD), &record)
    }

    /// Records that a track was begun in a live session, or with a `rating` that it was rated.
    pub fn add_music(&self, uri: &str, title: &str, rating: Option<i32>) -> Result<(), CommandError> {
        let path = self.folder.join(MUSIC);
        let event = MusicEvent { utc: files::utc_now(), uri: uri.into(), title: title.into(), rating };
        let append = || {
            let line = format!("{}\n", serde_json::to_string(&event)?);
            File::options().append(true).create(true).open(&path)?.write_all(line.as_bytes())
        };
        append().map_err(|error| CommandError::io(&path, &error))
    }

    /// What the client heard and rated in live sessions. A line that was cut off is left out.
    fn music(&self) -> Result<Vec<MusicEvent>, CommandError> {
        let path = self.folder.join(MUSIC);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(CommandError::io(&path, &error)),
        };
        Ok(text.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect())
    }

    /// The baseline that an earlier session measured, if any.
    pub fn baseline(&self) -> Result<Option<Baseline>, CommandError> {
        let path = self.folder.join(BASELINE);
        let Some(text) = files::read_if_present(&path)? else { return Ok(None) };
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
            let Some(text) = files::read_if_present(&path)? else { continue };
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
        let _lock = self.lock()?;
        match self.known_resting_face("", model_sha256)? {
            Some(profile) => write_resting_face(&path, &profile).map(|()| Some(path)),
            None => files::remove_if_present(&path).map(|()| None),
        }
    }

    /// Adds what a part of a live session has taught about the resting face; `session` tells sessions apart, as in
    /// [`Self::add_session`], which replaces it. Fails for a client of whom nothing is stored, who has not consented.
    pub fn add_resting_face(&self, session: &str, profile: &RestingProfile) -> Result<(), CommandError> {
        let _lock = self.lock()?;
        let record = self.read_record()?.ok_or_else(|| {
            CommandError::Failed(
                "the client was forgotten meanwhile: what the session has learnt is not stored".into(),
            )
        })?;
        let folder = self.folder.join(RESTING_FACES);
        fs::create_dir_all(&folder).map_err(|error| CommandError::io(&folder, &error))?;
        let path = folder.join(format!("{session}.json"));
        let earlier = fs::read(&path).ok().and_then(|text| RestingProfile::from_json(&text).ok());
        let mut all = profile.clone();
        if let Some(earlier) = earlier {
            all = earlier;
            all.merge(profile);
        }
        write_resting_face(&path, &all)?;
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
        let _lock = self.lock()?;
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
        files::write_json(&sessions.join(format!("{recording_sha256}.json")), &without_moments(summary))
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
            if is_hidden(&entry.path()) {
                continue;
            }
            let modified = entry.metadata().and_then(|metadata| metadata.modified()).ok();
            stored.push((modified, entry.path()));
        }
        stored.sort();
        let read = stored.iter().map(|(_, path)| (path, read_summary(path)));
        // What is gone meanwhile was forgotten.
        read.filter(|(path, read)| read.is_ok() || path.exists()).map(|(_, read)| read).collect()
    }

    /// Removes everything stored of the client. Returns how many sessions that were, or `None` if nothing was
    /// stored.
    pub fn forget(&self) -> Result<Option<usize>, CommandError> {
        if !self.folder.exists() {
            return Ok(None);
        }
        let _lock = self.lock()?;
        let count = sorted_files(&self.folder.join(SESSIONS))?.len();
        fs::remove_dir_all(&self.folder).map_err(|error| CommandError::io(&self.folder, &error))?;
        Ok(Some(count))
    }

    /// Reads `client.json`; `None` where nothing is stored of the client.
    fn read_record(&self) -> Result<Option<ClientRecord>, CommandError> {
        let path = self.folder.join(RECORD);
        let Some(text) = files::read_if_present(&path)? else { return Ok(None) };
        serde_json::from_slice(&text)
            .map(Some)
            .map_err(|error| CommandError::Failed(format!("{} is broken: {error}", path.display())))
    }

    /// Writes `client.json` with the current time; the folder must exist.
    fn write_record(&self, client: ConsentedClient) -> Result<(), CommandError> {
        // Of a record that cannot be read, consent is given anew.
        let folders = self.read_record().ok().flatten().map(|record| record.folders).unwrap_or_default();
        let record = ClientRecord { client, updated: files::utc_now(), folders };
        files::write_json(&self.folder.join(RECORD), &record)
    }
}

/// Replaces a session in the histories in which it is, after a human corrected it.
pub fn update_session(summary: &Summary) -> Result<(), CommandError> {
    // Without a data folder there is no history.
    let Ok(data) = data_folder::path() else { return Ok(()) };
    let identify = |summary: &Summary| {
        let Summary { title, made_from, begin, duration, frames, .. } = summary;
        (title.clone(), made_from.clone(), *begin, *duration, *frames)
    };
    let clients = data.join(CLIENTS);
    for folder in sorted_files(&clients)? {
        let client = Client { folder, clients: clients.clone() };
        let _lock = client.lock()?;
        for path in sorted_files(&client.folder.join(SESSIONS))? {
            if identify(&read_summary(&path)?) == identify(summary) {
                files::write_json(&path, &without_moments(summary))?;
            }
        }
    }
    Ok(())
}

/// What a history keeps of a session: comparing sessions takes neither single episodes nor the recording's name.
fn without_moments(summary: &Summary) -> Summary {
    let mut stored = summary.clone();
    for subject in &mut stored.people {
        subject.episodes.clear();
        if let Some(machine) = &mut subject.machine {
            machine.episodes.clear();
        }
    }
    stored.dyads.iter_mut().for_each(|dyad| dyad.smiles.smiles.clear());
    stored.source = None;
    stored
}

/// The files in a folder by name, without those that are being written; none if there is no such folder.
fn sorted_files(folder: &Path) -> Result<Vec<PathBuf>, CommandError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(CommandError::io(folder, &error)),
    };
    let paths: Result<Vec<PathBuf>, _> = entries.map(|entry| entry.map(|entry| entry.path())).collect();
    let mut paths = paths.map_err(|error| CommandError::io(folder, &error))?;
    paths.retain(|path| !is_hidden(path));
    paths.sort();
    Ok(paths)
}

/// Whether a path is that of a lock or of a file that is being written.
fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_stored_of_a_client_at_one_time_is_lost() {
        let data = tempfile::tempdir().unwrap();
        let client = Client::in_data_folder(data.path(), "Ada");
        // What a killed process leaves.
        let leftover = client.folder.join(SESSIONS).join(".gst-mood-killed.part");
        fs::create_dir_all(leftover.parent().unwrap()).unwrap();
        fs::write(&leftover, "{").unwrap();
        assert_eq!(client.sessions().unwrap().len(), 0);
        let mut profile = RestingProfile::new("model");
        profile.observe(&[0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.4], 2.0);
        std::thread::scope(|scope| {
            for number in 0..8 {
                let (data, profile) = (data.path(), &profile);
                scope.spawn(move || {
                    let client = Client::in_data_folder(data, "ada");
                    let consented = ConsentedClient {
                        name: "Ada".into(),
                        note: format!("form {number}"),
                        terms: Default::default(),
                    };
                    for session in 0..5 {
                        let hash = format!("{number}{session}");
                        client.add_session(&consented, &hash, &Summary::default(), None, None).unwrap();
                    }
                    // Sessions that end in the same second have one name.
                    client.add_resting_face("live", profile).unwrap();
                    client.write_known_resting_face("model").unwrap().unwrap();
                });
            }
        });
        assert_eq!(client.sessions().unwrap().len(), 40);
        assert_eq!(client.known_resting_face("", "model").unwrap().unwrap().seconds(), 16.0);
        let description = client.describe().unwrap().unwrap();
        assert_eq!((description.sessions, description.resting_face_seconds), (40, 16.0));
        assert!(description.client.note.starts_with("form "));
        assert!(!leftover.exists() && fs::read_dir(&client.clients).unwrap().count() == 1);
        assert_eq!(client.forget().unwrap(), Some(40));
        assert!(client.describe().unwrap().is_none() && client.add_resting_face("live", &profile).is_err());
    }
}
