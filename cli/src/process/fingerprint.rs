//! What a session was made from: what equals the note in `summary.json` need not be done again.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::{LazyLock, Mutex, PoisonError};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::Arguments;
use super::notes::Notes;
use crate::failure::Failure;

/// The note, in two parts: `work` needs the video, `reading` only the timeline.
pub fn of(path: &Path, arguments: &Arguments, notes: &Notes) -> Result<Value, Failure> {
    let model = match &arguments.settings.model {
        Some(file) => hash(file)?,
        None => "built-in".into(),
    };
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
            "model": model,
            "cascade": cached(&cascade)?,
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

/// The cascade is the same for every input.
fn cached(path: &Path) -> Result<String, Failure> {
    static CASCADE: LazyLock<Mutex<Option<String>>> = LazyLock::new(Mutex::default);
    let mut known = CASCADE.lock().unwrap_or_else(PoisonError::into_inner);
    if known.is_none() {
        *known = Some(hash(path)?);
    }
    Ok(known.clone().unwrap_or_default())
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
