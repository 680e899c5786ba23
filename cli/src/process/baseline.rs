//! `--baseline`: what the labels, and the means of the report, are measured against.
//!
//! Two things follow from it. Labels say what differs from the person's *resting face* ([`RestSource`]). The report gives the
//! difference of the session's means from the subject's *usual expression* ([`BaselineSource`]).

use std::fs;
use std::path::{Path, PathBuf};

use mini_xception::resting_face::RestingProfile;
use serde_json::Value;
use session::{Baseline, BaselineSource};

use super::resting::RestSource;
use crate::clients::Client;
use crate::digest::{file_sha256, short_sha256};
use crate::error::CommandError;
use crate::folder::{BASELINE, RESTING_FACE};

/// The longest start of a session that may be named as rest, seconds: a day.
const MAX_SECONDS: f64 = 86_400.0;

/// The value of `--baseline`.
#[derive(Clone, Debug, PartialEq)]
pub enum BaselineOption {
    /// The network's own labels; no comparison.
    Off,
    /// Resting faces are found in the recording, the client's known one included; comparison with the client's usual
    /// expression, if there is one.
    Automatic,
    /// The subject is at rest in these first seconds.
    Seconds(f64),
    /// A `baseline.json`, a `resting_face.json`, or a session's folder with either.
    Path(PathBuf),
    /// The name of a client of whom there is a history.
    Client(String),
}

impl BaselineOption {
    /// Reads the option; without it, it is [`Self::Automatic`].
    pub fn parse(argument: Option<&str>) -> Result<Self, CommandError> {
        let argument = match argument {
            None | Some("automatic") => return Ok(Self::Automatic),
            Some("off") => return Ok(Self::Off),
            Some(argument) => argument,
        };
        if let Ok(seconds) = argument.parse::<f64>() {
            return match (1.0..=MAX_SECONDS).contains(&seconds) {
                true => Ok(Self::Seconds(seconds)),
                false => Err(CommandError::Failed(format!(
                    "--baseline {argument}: give at least 1 second, or a baseline.json"
                ))),
            };
        }
        if Path::new(argument).exists() {
            return Ok(Self::Path(argument.into()));
        }
        if Client::open(argument)?.has_history() {
            return Ok(Self::Client(argument.into()));
        }
        Err(CommandError::Failed(format!(
            "--baseline {argument}: no such file, and no client of that name has a history; give off, automatic, seconds, a \
             baseline.json, a session's folder or a client"
        )))
    }

    /// What it adds to the fingerprint of a session; `None` for the default. `recording_sha256` is the recording's.
    pub fn fingerprint(&self, recording_sha256: &str) -> Result<Option<String>, CommandError> {
        Ok(match self {
            Self::Off => Some("off".into()),
            Self::Automatic => None,
            Self::Seconds(seconds) => Some(seconds.to_string()),
            Self::Path(path) => {
                let files = files_of(path);
                let hashes: Vec<String> =
                    files.iter().map(|file| file_sha256(file)).collect::<Result<_, _>>()?;
                Some(hashes.join(" "))
            }
            Self::Client(name) => {
                let profiles = Client::open(name)?.resting_faces(recording_sha256)?;
                let text: Vec<String> = profiles.iter().map(RestingProfile::to_json).collect();
                Some(short_sha256([name.as_str(), &text.concat()].concat().as_bytes()))
            }
        })
    }

    /// What the session's means are compared with; `own` is the client whose history the session joins.
    pub fn usual_expression(&self, own: Option<&Client>) -> Result<BaselineSource, CommandError> {
        let of_client = |client: Option<&Client>| {
            let stored = client.map(Client::baseline).transpose()?.flatten();
            Ok(stored.map_or(BaselineSource::None, BaselineSource::Existing))
        };
        match self {
            Self::Off => Ok(BaselineSource::None),
            Self::Automatic => of_client(own),
            Self::Seconds(seconds) => Ok(BaselineSource::SessionStart(*seconds)),
            Self::Client(name) => of_client(Some(&Client::open(name)?)),
            Self::Path(path) => {
                for file in files_of(path) {
                    if let BaselineFile::UsualExpression(baseline) = BaselineFile::load(&file)? {
                        return Ok(BaselineSource::Existing(baseline));
                    }
                }
                Ok(BaselineSource::None)
            }
        }
    }

    /// Where the subject's resting face comes from, for a timeline of the network with this SHA-256. Profiles of another
    /// network are an error if a file was named, and otherwise left out.
    pub fn resting_face(
        &self,
        own: Option<&Client>,
        recording_sha256: &str,
        model_sha256: &str,
    ) -> Result<RestSource, CommandError> {
        let of_client = |client: Option<&Client>| {
            let known =
                client.map(|client| client.known_resting_face(recording_sha256, model_sha256)).transpose()?;
            let known = known.flatten();
            Ok(known.map_or(RestSource::Automatic, RestSource::Known))
        };
        match self {
            Self::Off => Ok(RestSource::Off),
            Self::Automatic => of_client(own),
            Self::Seconds(seconds) => Ok(RestSource::SessionStart(*seconds)),
            Self::Client(name) => of_client(Some(&Client::open(name)?)),
            Self::Path(path) => {
                for file in files_of(path) {
                    if let BaselineFile::RestingFace(profile) = BaselineFile::load(&file)? {
                        let failed =
                            |error| CommandError::Failed(format!("--baseline {}: {error}", file.display()));
                        profile.require_model(model_sha256).map_err(failed)?;
                        return Ok(RestSource::Known(profile));
                    }
                }
                Ok(RestSource::Automatic)
            }
        }
    }
}

/// The files that a path stands for: itself, or those of a session's folder that are there.
fn files_of(path: &Path) -> Vec<PathBuf> {
    if !path.is_dir() {
        return vec![path.into()];
    }
    let files = [BASELINE, RESTING_FACE].map(|name| path.join(name));
    let present: Vec<PathBuf> = files.iter().filter(|file| file.exists()).cloned().collect();
    // The error of the missing file says what was expected.
    if present.is_empty() { files.into_iter().take(1).collect() } else { present }
}

/// A file that `--baseline` can name.
enum BaselineFile {
    UsualExpression(Baseline),
    RestingFace(RestingProfile),
}

impl BaselineFile {
    fn load(path: &Path) -> Result<Self, CommandError> {
        let text = fs::read(path).map_err(|error| CommandError::io(path, &error))?;
        let broken = |error: &dyn std::fmt::Display| {
            CommandError::Failed(format!("{} is no baseline ({error})", path.display()))
        };
        let value: Value = serde_json::from_slice(&text).map_err(|error| broken(&error))?;
        if value.get("bins").is_some() {
            return Ok(Self::RestingFace(RestingProfile::from_json(&text).map_err(|error| broken(&error))?));
        }
        Ok(Self::UsualExpression(serde_json::from_value(value).map_err(|error| broken(&error))?))
    }
}
