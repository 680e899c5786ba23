//! What the pages ask for.

use mood_schema::Emotion;
use serde::{Deserialize, Serialize};

/// The largest number of markers that have a key of their own: the digits 1 to 9.
pub const MAX_MARKER_KEYS: usize = 9;
/// The longest text of a marker, characters.
pub const MAX_MARKER_CHARACTERS: usize = 500;
/// The longest text on a marker's key, characters.
const MAX_KEY_CHARACTERS: usize = 40;
/// How far back a marker may be set, seconds.
const MAX_MARKER_AGE: f64 = 600.0;
/// The longest limit on the time in negative moods, seconds: a day.
const MAX_NEGATIVE_TIME: u32 = 86_400;

/// A command of the therapist. `track` is [`crate::TrackView::number`] of the track that the page shows, so that a command does
/// not meet the next one when both change at once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Command {
    /// Go on after a pause or stop.
    Play,
    /// Pause camera and music.
    Pause,
    /// Fade out the music and release the camera; [`Self::Play`] starts again.
    Stop,
    /// Keep the music as it is, whatever the mood, until it is let go.
    Hold {
        /// Whether to keep it.
        on: bool,
    },
    /// Change to another track for the same mood.
    Skip {
        /// The track to leave.
        track: u64,
    },
    /// Play the previous track again.
    Previous {
        /// The track to leave.
        track: u64,
    },
    /// Prefer a track from now on.
    Like {
        /// The track.
        track: u64,
    },
    /// Keep a track away from now on as long as another fits.
    Dislike {
        /// The track.
        track: u64,
    },
    /// Leave a track, and leave it out from now on.
    Exclude {
        /// The track.
        track: u64,
    },
    /// Set the volume.
    Volume {
        /// Linear gain, 0 to 1.
        volume: f64,
    },
    /// Override the mood.
    Mood {
        /// The mood that counts, or `None` for that of the face.
        mood: Option<Emotion>,
    },
    /// Change how the music relates to the mood.
    Strategy {
        /// The nick of a strategy, as in [`crate::State::strategies`].
        strategy: String,
        /// A new target at the same time.
        #[serde(default)]
        target: Option<[f64; 2]>,
    },
    /// Change where `target` and `iso` lead.
    Target {
        /// Unpleasant -1 to pleasant 1.
        valence: f64,
        /// Calm -1 to activated 1.
        arousal: f64,
    },
    /// Limit the time in negative moods.
    NegativeLimit {
        /// Seconds; 0 for no limit.
        seconds: u32,
    },
    /// Choose whose face counts.
    Subject {
        /// `largest`, `mean` or `id:N`.
        subject: String,
    },
    /// Mark a moment.
    Mark {
        /// What happened.
        text: String,
        /// How long ago, seconds: a text takes time to write.
        #[serde(default)]
        ago: f64,
    },
    /// Set the texts of the markers that have a key.
    MarkerKeys {
        /// At most [`MAX_MARKER_KEYS`].
        keys: Vec<String>,
    },
    /// Show the camera's picture on the panel.
    Picture {
        /// Whether to show it.
        on: bool,
    },
    /// Change what the client's screen shows.
    Screen {
        /// Whether it shows what plays, or nothing.
        on: bool,
    },
    /// Take back the latest command that can be taken back.
    Undo,
}

/// Why a command cannot be carried out as it stands.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// Not a command.
    #[error("no command: {0}")]
    Syntax(#[from] serde_json::Error),
    /// A value outside its range.
    #[error("{0}")]
    Value(&'static str),
}

impl Command {
    /// Reads a command from JSON. Texts are trimmed, and control characters in them become spaces.
    ///
    /// # Errors
    /// Where the text is no command, or a value is outside its range.
    pub fn parse(json: &[u8]) -> Result<Self, CommandError> {
        let mut command: Self = serde_json::from_slice(json)?;
        command.clean_texts();
        match command.find_fault() {
            Some(fault) => Err(CommandError::Value(fault)),
            None => Ok(command),
        }
    }

    /// Trims the texts and replaces control characters.
    fn clean_texts(&mut self) {
        let clean = |text: &mut String| *text = text.replace(char::is_control, " ").trim().to_owned();
        match self {
            Self::Mark { text, .. } => clean(text),
            Self::MarkerKeys { keys } => keys.iter_mut().for_each(clean),
            _ => {}
        }
    }

    /// What is wrong with a value, if anything is.
    fn find_fault(&self) -> Option<&'static str> {
        let is_coordinate = |value: &f64| (-1.0..=1.0).contains(value);
        let is_short = |text: &str, most: usize| text.chars().count() <= most;
        let (is_valid, fault) = match self {
            Self::Volume { volume } => ((0.0..=1.0).contains(volume), "a volume is 0 to 1"),
            Self::Strategy { target: Some(target), .. } => {
                (target.iter().all(is_coordinate), "a coordinate is -1 to 1")
            }
            Self::Target { valence, arousal } => {
                (is_coordinate(valence) && is_coordinate(arousal), "a coordinate is -1 to 1")
            }
            Self::NegativeLimit { seconds } => (*seconds <= MAX_NEGATIVE_TIME, "the limit is at most a day"),
            Self::Mark { text, ago } => (
                !text.is_empty()
                    && is_short(text, MAX_MARKER_CHARACTERS)
                    && (0.0..=MAX_MARKER_AGE).contains(ago),
                "a marker has a text of at most 500 characters and is at most ten minutes old",
            ),
            Self::MarkerKeys { keys } => (
                keys.len() <= MAX_MARKER_KEYS && keys.iter().all(|key| is_short(key, MAX_KEY_CHARACTERS)),
                "there are at most nine keys, with texts of at most 40 characters",
            ),
            _ => return None,
        };
        (!is_valid).then_some(fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_survive_the_round_trip() {
        for command in [
            Command::Play,
            Command::Hold { on: true },
            Command::Skip { track: 3 },
            Command::Dislike { track: 3 },
            Command::Mood { mood: Some(Emotion::Sad) },
            Command::Mood { mood: None },
            Command::Strategy { strategy: "iso".into(), target: Some([0.5, -1.0]) },
            Command::MarkerKeys { keys: vec!["plays along".into(); 9] },
            Command::Mark { text: "é".repeat(500), ago: 2.5 },
        ] {
            let json = serde_json::to_string(&command).unwrap();
            assert_eq!(Command::parse(json.as_bytes()).unwrap(), command, "{json}");
        }
    }

    #[test]
    fn values_outside_their_range_are_refused() {
        for json in [
            r#"{"command":"volume","volume":1.1}"#,
            r#"{"command":"volume","volume":null}"#,
            r#"{"command":"target","valence":-1.01,"arousal":0}"#,
            r#"{"command":"target","valence":1e999,"arousal":0}"#,
            r#"{"command":"strategy","strategy":"iso","target":[0,2]}"#,
            r#"{"command":"like"}"#,
            r#"{"command":"skip","track":-1}"#,
            r#"{"command":"negative-limit","seconds":86401}"#,
            r#"{"command":"mark","text":" \u0007 "}"#,
            r#"{"command":"mark","text":"x","ago":-1}"#,
            r#"{"command":"marker-keys","keys":["","","","","","","","","",""]}"#,
            r#"{"command":"mood","mood":"cheerful"}"#,
            r#"{"command":"skip","track":1,"uri":"file:///etc/passwd"}"#,
            r#"{"command":"open"}"#,
            "[]",
            "",
        ] {
            assert!(Command::parse(json.as_bytes()).is_err(), "{json}");
        }
        let long = format!(r#"{{"command":"mark","text":"{}"}}"#, "x".repeat(501));
        assert!(Command::parse(long.as_bytes()).is_err());
    }

    #[test]
    fn texts_are_trimmed_and_lose_their_control_characters() {
        let command = Command::parse(br#"{"command":"mark","text":" a\nb\u001b[2J "}"#).unwrap();
        assert_eq!(command, Command::Mark { text: "a b [2J".into(), ago: 0.0 });
    }
}
