//! What a session's results were made from. The fingerprint is stored in `summary.json` under `made_from`; an
//! input whose stored fingerprint equals the current one need not be processed again.
//!
//! The serialized form must not change, or finished results would not be recognised any more.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::UNIX_EPOCH;

use mini_xception::{Classifier, Model, Provider, Runtime};
use mood_schema::{Affect, Emotion};
use music_library::{Database, Library, SourceAccess};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use session::{Conditions, PersonMap, Recorded, Summary};
use walkdir::{DirEntry, WalkDir};

use super::arguments::{AnalysisOptions, Arguments};
use super::baseline::BaselineOption;
use super::notes::Notes;
use crate::digest::{file_sha256, path_hash, short_sha256};
use crate::error::CommandError;

/// The input and everything that influences its results.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fingerprint {
    /// Which file it is.
    pub input: InputId,
    /// What the timeline, videos and soundtrack depend on: a change needs the recording to be decoded again.
    #[serde(rename = "work")]
    pub analysis: AnalysisFingerprint,
    /// What only the statistics and the files made from the timeline depend on.
    #[serde(rename = "reading")]
    pub report: ReportFingerprint,
}

/// Identifies an input by where it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputId {
    /// Hash of the canonical path, which does not reveal it.
    #[serde(rename = "name")]
    pub path_hash: String,
}

/// What the analysis of a recording depends on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnalysisFingerprint {
    /// `gst-mood` and its version.
    pub program: String,
    /// SHA-256 of the input's content.
    pub sha256: String,
    /// SHA-256 of the emotion model.
    pub model: String,
    /// SHA-256 of the face cascade.
    pub cascade: String,
    /// The options, with the paths as they were given.
    pub settings: AnalysisOptions,
    /// Hash of the music that the library offers, if there is one.
    pub library: Option<String>,
    /// Whom the music follows, if there is music and somebody is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Whether the timeline must not name the input.
    pub pseudonym: bool,
}

/// What the statistics of a session depend on beyond its timeline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReportFingerprint {
    /// Merged ids, names, subject.
    #[serde(rename = "cast")]
    pub people: PersonMap,
    /// See [`BaselineOption::fingerprint`].
    pub baseline: Option<String>,
    /// Hash of the name of the client whose history the session belongs to.
    pub client: Option<String>,
    /// When it was recorded, if options or notes say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded: Option<Recorded>,
    /// Hash of the note for the report, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Hash of the consent that the results show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<String>,
    /// What the notes say of the session's conditions.
    #[serde(default, skip_serializing_if = "Conditions::is_empty")]
    pub conditions: Conditions,
}

impl Fingerprint {
    /// Computes the fingerprint of `input`, for which its content is read once. Fails if a file cannot be
    /// read, if cascade or ONNX Runtime are missing, or if the library cannot be opened.
    pub fn compute(input: &Path, arguments: &Arguments, notes: &Notes) -> Result<Self, CommandError> {
        let options = &arguments.analysis;
        let cascade = haar::find("frontalface_default")
            .map_err(|error| CommandError::Environment(error.to_string()))?;
        let sha256 = file_sha256(input)?;
        let baseline = BaselineOption::parse(arguments.report.baseline.as_deref())?.fingerprint(&sha256)?;
        let library = options.library.as_deref().map(|source| library_hash(source, notes)).transpose()?;
        Ok(Self {
            input: InputId { path_hash: path_hash(input) },
            analysis: AnalysisFingerprint {
                program: concat!("gst-mood ", env!("CARGO_PKG_VERSION")).into(),
                sha256,
                model: model_hash(options.model.as_deref())?,
                cascade: compute_once(&CASCADE, || file_sha256(&cascade))?,
                settings: AnalysisOptions { people: people_count(options, notes), ..options.clone() },
                library,
                subject: options.library.is_some().then(|| music_subject(notes)).flatten(),
                pseudonym: arguments.report.pseudonym,
            },
            report: ReportFingerprint {
                people: notes.people.clone(),
                baseline,
                client: notes.client.as_ref().map(|client| short_sha256(client.name.as_bytes())),
                recorded: notes.recorded,
                note: notes.note.as_ref().map(|note| short_sha256(note.as_bytes())),
                consent: notes
                    .consent
                    .as_ref()
                    .map(|consent| short_sha256(format!("{consent:?}").as_bytes())),
                conditions: notes.conditions.clone(),
            },
        })
    }

    /// The fingerprint stored in a summary; `None` if there is none or if another version of this program
    /// wrote a form that this one does not know.
    pub fn from_summary(summary: &Summary) -> Option<Self> {
        serde_json::from_value(summary.made_from.clone()?).ok()
    }

    /// As [`Summary::made_from`] holds it.
    pub fn to_value(&self) -> Result<Value, CommandError> {
        serde_json::to_value(self)
            .map_err(|error| CommandError::Failed(format!("the settings cannot be stored: {error}")))
    }
}

impl InputId {
    /// The input named in a summary's fingerprint, whatever else that contains.
    pub fn from_summary(summary: &Summary) -> Option<Self> {
        /// The part of a fingerprint that all versions share.
        #[derive(Deserialize)]
        struct Part {
            /// See [`Fingerprint::input`].
            input: InputId,
        }
        let part: Part = serde_json::from_value(summary.made_from.clone()?).ok()?;
        Some(part.input)
    }
}

/// How many people are in a recording, by the option or else the notes.
pub fn people_count(options: &AnalysisOptions, notes: &Notes) -> Option<u32> {
    options.people.or(notes.people_count)
}

/// Whom the music follows, as the player's property `subject` has it: the person that options or notes name. `None` where
/// nobody is named.
pub fn music_subject(notes: &Notes) -> Option<String> {
    let subject = notes.people.subject?;
    Some(mood::Subject::of_ids(notes.people.ids_of(subject)).to_string())
}

/// Hashes what the library offers. For a database that is what it offers to the client, whatever else it
/// stores; for a playlist its content; for a folder the name, size and time of every file, because files
/// beside the music may contain its mood.
fn library_hash(source: &Path, notes: &Notes) -> Result<String, CommandError> {
    if let Some(name) = source.to_str().filter(|_| Database::is_database(source)) {
        let library = Library::open_for_client(name, notes.client_name(), SourceAccess::default())?;
        return Ok(short_sha256(describe_tracks(&library.tracks).as_bytes()));
    }
    compute_once(&LIBRARY, || match source.is_dir() {
        true => Ok(short_sha256(describe_files(source).join("\0").as_bytes())),
        false => file_sha256(source),
    })
}

/// Everything that a library stores about its tracks, as text. Part of the stored fingerprint: the names of the types
/// and fields below appear in the text, which must not change with those of `music-library`.
fn describe_tracks(tracks: &[music_library::Track]) -> String {
    /// See [`music_library::Track`].
    #[derive(Debug)]
    #[allow(dead_code, reason = "read by Debug only")]
    struct Track<'a> {
        uri: &'a str,
        title: &'a str,
        artist: &'a str,
        album: &'a str,
        genre: &'a str,
        moods: &'a [String],
        affect: Option<Affect>,
        doubt: f64,
        emotions: &'a [Emotion],
        bpm: Option<f64>,
        key: Option<Key>,
        energy: Option<f64>,
        loudness: Option<f64>,
        true_peak: Option<f64>,
        duration: Option<f64>,
        rating: i32,
        excluded: bool,
    }
    /// See [`music_library::MusicalKey`].
    #[derive(Debug)]
    #[allow(dead_code, reason = "read by Debug only")]
    struct Key {
        tonic: u8,
        minor: bool,
    }
    let tracks: Vec<Track> = tracks
        .iter()
        .map(|track| Track {
            uri: &track.uri,
            title: &track.title,
            artist: &track.artist,
            album: &track.album,
            genre: &track.genre,
            moods: &track.moods,
            affect: track.affect,
            doubt: track.uncertainty,
            emotions: &track.emotions,
            bpm: track.bpm,
            key: track.key.map(|key| Key { tonic: key.tonic, minor: key.minor }),
            energy: track.energy,
            loudness: track.loudness,
            true_peak: track.true_peak,
            duration: track.duration,
            rating: track.rating,
            excluded: track.excluded,
        })
        .collect();
    format!("{tracks:?}")
}

/// Path, size and modification time of every file in a folder and below, except hidden ones. What cannot be
/// read is left out: it cannot be played either.
fn describe_files(folder: &Path) -> Vec<String> {
    let is_hidden =
        |entry: &DirEntry| entry.depth() > 0 && entry.file_name().as_encoded_bytes().starts_with(b".");
    let entries = WalkDir::new(folder).follow_links(true).sort_by_file_name().into_iter();
    let files = entries.filter_entry(|entry| !is_hidden(entry)).flatten();
    let describe = |entry: DirEntry| {
        let metadata = entry.metadata().ok().filter(std::fs::Metadata::is_file)?;
        let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let nanoseconds = modified.unwrap_or_default().as_nanos();
        Some(format!("{}\0{}\0{nanoseconds}", entry.path().display(), metadata.len()))
    };
    files.filter_map(describe).collect()
}

/// Hash of a library that is no database. Like the two below, it is the same for every input of a run; no two
/// of these locks are held together.
static LIBRARY: Mutex<Option<String>> = Mutex::new(None);
/// Hash of the cascade.
static CASCADE: Mutex<Option<String>> = Mutex::new(None);
/// Hash of the model.
static MODEL: Mutex<Option<String>> = Mutex::new(None);

/// Returns the stored hash, computing it first if there is none. Jobs that need it meanwhile wait.
fn compute_once(
    stored: &Mutex<Option<String>>,
    compute: impl FnOnce() -> Result<String, CommandError>,
) -> Result<String, CommandError> {
    let mut stored = stored.lock().unwrap_or_else(PoisonError::into_inner);
    match &*stored {
        Some(hash) => Ok(hash.clone()),
        None => Ok(stored.insert(compute()?).clone()),
    }
}

/// SHA-256 of the model, as the timeline's first line names it.
fn model_hash(file: Option<&Path>) -> Result<String, CommandError> {
    compute_once(&MODEL, || {
        let runtime =
            Runtime::load(None, &[]).map_err(|error| CommandError::Environment(error.to_string()))?;
        let model = file.map_or(Model::BuiltIn, |file| Model::File(file.into()));
        let classifier = Classifier::load(&runtime, &model, Provider::Cpu);
        Ok(classifier.map_err(|error| CommandError::Failed(error.to_string()))?.sha256().to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As earlier versions wrote it.
    const STORED: &str = r#"{
  "input": {
    "name": "0123"
  },
  "reading": {
    "baseline": null,
    "cast": {
      "merge": [
        [
          1,
          4
        ]
      ],
      "names": {
        "1": "Ada"
      },
      "subject": 1
    },
    "client": "89ab"
  },
  "work": {
    "cascade": "cc",
    "library": null,
    "model": "dd",
    "program": "gst-mood 0.1.0",
    "pseudonym": false,
    "settings": {
      "audio": "duck",
      "blur_faces": false,
      "classify_interval": 0.2,
      "library": null,
      "model": "m.onnx",
      "overlay": true,
      "scan_interval": 1.0,
      "video": 0
    },
    "sha256": "4567"
  }
}"#;

    #[test]
    fn fingerprints_of_earlier_versions_are_read_and_written_unchanged() {
        let value: Value = serde_json::from_str(STORED).unwrap();
        let summary = Summary { made_from: Some(value), ..Summary::default() };
        let fingerprint = Fingerprint::from_summary(&summary).unwrap();
        assert_eq!(fingerprint.report.people.name(1), "Ada");
        assert_eq!(fingerprint.analysis.settings.scan_interval, 1.0);
        assert_eq!(serde_json::to_string_pretty(&fingerprint.to_value().unwrap()).unwrap(), STORED);
        assert_eq!(InputId::from_summary(&summary), Some(fingerprint.input));
    }

    #[test]
    fn the_description_of_tracks_is_that_of_earlier_versions() {
        let track = music_library::Track {
            uri: "file:///a.ogg".into(),
            title: "A".into(),
            moods: vec!["calm".into()],
            affect: Some(Affect { valence: 0.5, arousal: -0.25 }),
            uncertainty: 0.125,
            emotions: vec![Emotion::Neutral],
            bpm: Some(120.0),
            key: "F#m".parse().ok(),
            rating: -1,
            ..music_library::Track::default()
        };
        assert_eq!(
            describe_tracks(&[track]),
            "[Track { uri: \"file:///a.ogg\", title: \"A\", artist: \"\", album: \"\", genre: \"\", moods: [\"calm\"], \
             affect: Some(Affect { valence: 0.5, arousal: -0.25 }), doubt: 0.125, emotions: [Neutral], \
             bpm: Some(120.0), key: Some(Key { tonic: 6, minor: true }), energy: None, loudness: None, \
             true_peak: None, duration: None, rating: -1, excluded: false }]"
        );
    }

    #[test]
    fn an_unknown_form_still_names_its_input() {
        let value: Value = serde_json::json!({ "input": { "name": "0123" }, "work": { "new": 1 } });
        let summary = Summary { made_from: Some(value), ..Summary::default() };
        assert_eq!(Fingerprint::from_summary(&summary), None);
        assert_eq!(InputId::from_summary(&summary).unwrap().path_hash, "0123");
        assert_eq!(InputId::from_summary(&Summary::default()), None);
    }
}
