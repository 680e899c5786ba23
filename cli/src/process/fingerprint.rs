//! What a session was made from: what equals the note in `summary.json` need not be done again.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use mini_xception::{Classifier, Model, Provider, Runtime};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

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

/// Cascade and model are the same for every input.
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
