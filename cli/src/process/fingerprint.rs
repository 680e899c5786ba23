//! What a session was made from: what equals the note in `summary.json` need not be done again.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::UNIX_EPOCH;

use mini_xception::{Classifier, Model, Provider, Runtime};
use music_library::{Access, Database, Library};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use walkdir::{DirEntry, WalkDir};

use super::Arguments;
use super::notes::Notes;
use crate::failure::Failure;

/// The note, in two parts: `work` needs the video, `reading` only the timeline.
pub fn of(path: &Path, arguments: &Arguments, notes: &Notes) -> Result<Value, Failure> {
    let cascade =
        haar::find("frontalface_default").map_err(|error| Failure::Environment(error.to_string()))?;
    let baseline = match &arguments.reading.baseline {
        Some(text) if text.parse::<f64>().is_err() => Some(hash(&super::outputs::baseline_file(text))?),
        other => other.clone(),
    };
    Ok(json!({
        "input": { "name": name(path) },
        "work": {
            "program": concat!("gst-mood ", env!("CARGO_PKG_VERSION")),
            "sha256": hash(path)?,
            "model": model(arguments.settings.model.as_deref())?,
            "cascade": once(&CASCADE, || hash(&cascade))?,
            "settings": arguments.settings,
            "library": arguments.settings.library.as_deref().map(|source| library(source, notes)).transpose()?,
            "pseudonym": arguments.reading.pseudonym,
        },
        "reading": {
            "cast": notes.cast,
            "baseline": baseline,
            "client": notes.client.as_ref().map(|client| digest(client.name.as_bytes())),
        },
    }))
}

/// Tells a file from others without telling what it is called.
pub fn name(path: &Path) -> String {
    let whole = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    digest(whole.as_os_str().as_encoded_bytes())
}

/// The first half of a text's SHA-256, hexadecimal.
pub fn digest(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes)).chars().take(32).collect()
}

fn hash(path: &Path) -> Result<String, Failure> {
    let failed = |error: io::Error| Failure::file(path, &error);
    let mut file = File::open(path).map_err(failed)?;
    let mut hasher = Sha256::new();
    let mut block = vec![0; 1 << 20];
    loop {
        match file.read(&mut block) {
            Ok(0) => return Ok(hexadecimal(&hasher.finalize())),
            Ok(length) => hasher.update(block.get(..length).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(error)),
        }
    }
}

/// What music there is: of a database what it offers to the client, whatever else it remembers; the content of a playlist;
/// of a folder every file's name, size and time, for what lies beside the music says how it feels.
fn library(source: &Path, notes: &Notes) -> Result<String, Failure> {
    let source = local(source);
    if let Some(name) = source.to_str().filter(|_| Database::is_one(&source)) {
        let offered = Library::open_for(name, notes.client(), Access::default());
        let offered = offered.map_err(|error| Failure::Work(error.to_string()))?;
        return Ok(digest(format!("{:?}", offered.tracks).as_bytes()));
    }
    once(&LIBRARY, || match source.is_dir() {
        true => Ok(digest(contents(&source).join("\0").as_bytes())),
        false => hash(&source),
    })
}

/// A path that may be given as an address.
pub fn local(source: &Path) -> PathBuf {
    let address = source.to_str().and_then(|text| text.strip_prefix("file:").and(url::Url::parse(text).ok()));
    address.and_then(|address| address.to_file_path().ok()).unwrap_or_else(|| source.to_path_buf())
}

/// What lies in a folder and below. What cannot be read cannot be played either.
fn contents(folder: &Path) -> Vec<String> {
    let is_hidden =
        |entry: &DirEntry| entry.depth() > 0 && entry.file_name().as_encoded_bytes().starts_with(b".");
    let entries = WalkDir::new(folder).follow_links(true).sort_by_file_name().into_iter();
    let files = entries.filter_entry(|entry| !is_hidden(entry)).flatten();
    let describe = |entry: DirEntry| {
        let metadata = entry.metadata().ok().filter(std::fs::Metadata::is_file)?;
        let changed = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let changed = changed.unwrap_or_default().as_nanos();
        Some(format!("{}\0{}\0{changed}", entry.path().display(), metadata.len()))
    };
    files.filter_map(describe).collect()
}

/// Cascade, model and library are the same for every input.
static LIBRARY: Mutex<Option<String>> = Mutex::new(None);
static CASCADE: Mutex<Option<String>> = Mutex::new(None);
static MODEL: Mutex<Option<String>> = Mutex::new(None);

fn once(
    known: &Mutex<Option<String>>,
    find: impl FnOnce() -> Result<String, Failure>,
) -> Result<String, Failure> {
    let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
    match &*known {
        Some(hash) => Ok(hash.clone()),
        None => Ok(known.insert(find()?).clone()),
    }
}

/// A model's hash is the one that the timeline's first line names.
fn model(file: Option<&Path>) -> Result<String, Failure> {
    once(&MODEL, || {
        let runtime = Runtime::load(None, &[]).map_err(|error| Failure::Environment(error.to_string()))?;
        let model = file.map_or(Model::BuiltIn, |file| Model::File(file.into()));
        let classifier = Classifier::load(&runtime, &model, Provider::Cpu);
        Ok(classifier.map_err(|error| Failure::Work(error.to_string()))?.sha256().to_owned())
    })
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
