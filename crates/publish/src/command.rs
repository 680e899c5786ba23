//! Commands to a session that come over MQTT.
//!
//! | topic below the destination's | payload |
//! |---|---|
//! | `set/mood` | `automatic`, or an emotion that overrides the camera |
//! | `set/strategy` | `match`, `target`, `iso` or `hold` |
//! | `set/pause`, `set/hold` | `ON` or `OFF` |
//! | `set/skip`, `previous`, `like`, `dislike`, `exclude` | `PRESS` |
//!
//! The session answers with [`ControlState`] in `control`, which the broker keeps.

use mood::Strategy;
use mood_schema::{Emotion, SCHEMA_VERSION};
use serde::{Serialize, Serializer};

use crate::Message;

/// The filter of the topics of commands.
pub const COMMAND_FILTER: &str = "set/+";
/// The topic of [`ControlState`].
pub const CONTROL: &str = "control";
/// The topic that says whether commands are taken, `online` or `offline`.
pub const CONTROL_STATUS: &str = "control/status";
/// The payload of `set/mood` that follows the camera again.
pub(crate) const AUTOMATIC: &str = "automatic";
/// The payload that switches on.
pub(crate) const ON: &str = "ON";
/// The payload that switches off.
pub(crate) const OFF: &str = "OFF";
/// The payload of a button.
pub(crate) const PRESS: &str = "PRESS";

/// What somebody asks a session for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Follow this mood; `None` follows the camera.
    Mood(Option<Emotion>),
    /// Relate the music to the mood in this way.
    Strategy(Strategy),
    /// Pause, or go on after a pause.
    Pause(bool),
    /// Keep the music whatever the mood, or let it change again.
    Hold(bool),
    /// Play another track for the same mood.
    Skip,
    /// Play the track before.
    Previous,
    /// Prefer the track that plays.
    Like,
    /// Keep the track that plays away from now on.
    Dislike,
    /// Never play this track again.
    Exclude,
}

/// Why a message is no command. The text says what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum CommandError {
    /// The broker had kept it.
    #[error(
        "a command that the broker had kept was ignored, since nobody knows how old it is: publish commands without retain, and \
         remove it with mosquitto_pub -r -n"
    )]
    Retained,
    /// There is no such command, or its payload is none of those.
    #[error(
        "a message that is no command was ignored: there are set/mood, set/strategy, set/pause, set/hold, set/skip, set/previous, \
         set/like, set/dislike and set/exclude, as docs/publishing.md describes them"
    )]
    Unknown,
}

impl Command {
    /// Reads a message of [`COMMAND_FILTER`]; `None` for an empty one, which removes what a broker has kept.
    ///
    /// # Errors
    /// What is no command, or was kept by the broker.
    pub fn parse(message: &Message) -> Result<Option<Self>, CommandError> {
        if message.payload.is_empty() {
            return Ok(None);
        }
        if message.retained {
            return Err(CommandError::Retained);
        }
        let text = std::str::from_utf8(&message.payload).map_err(|_| CommandError::Unknown)?;
        let switch = || match text {
            ON => Ok(true),
            OFF => Ok(false),
            _ => Err(CommandError::Unknown),
        };
        let button = |command| if text == PRESS { Ok(command) } else { Err(CommandError::Unknown) };
        let command = match message.topic.as_str() {
            "set/mood" if text == AUTOMATIC => Self::Mood(None),
            "set/mood" => Self::Mood(Some(text.parse().map_err(|_| CommandError::Unknown)?)),
            "set/strategy" => Self::Strategy(text.parse().map_err(|_| CommandError::Unknown)?),
            "set/pause" => Self::Pause(switch()?),
            "set/hold" => Self::Hold(switch()?),
            "set/skip" => button(Self::Skip)?,
            "set/previous" => button(Self::Previous)?,
            "set/like" => button(Self::Like)?,
            "set/dislike" => button(Self::Dislike)?,
            "set/exclude" => button(Self::Exclude)?,
            _ => return Err(CommandError::Unknown),
        };
        Ok(Some(command))
    }
}

/// What commands change, as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename = "control")]
pub struct ControlState {
    /// [`SCHEMA_VERSION`].
    pub schema: u32,
    /// `playing`, `paused` or `stopped`.
    pub status: &'static str,
    /// The mood that was set by hand; `None`, in JSON `automatic`, where the camera's counts.
    #[serde(serialize_with = "mood_or_automatic")]
    pub mood: Option<Emotion>,
    /// How the music relates to the mood.
    pub strategy: &'static str,
    /// Whether the music is kept.
    pub hold: bool,
}

impl ControlState {
    /// A state of the present schema.
    pub fn new(status: &'static str, mood: Option<Emotion>, strategy: Strategy, hold: bool) -> Self {
        Self { schema: SCHEMA_VERSION, status, mood, strategy: strategy.nick(), hold }
    }

    /// The state as a JSON object on one line.
    pub fn to_json(&self) -> String {
        // Serialization cannot fail: there are texts and numbers only.
        serde_json::to_string(self).unwrap_or_default()
    }
}

fn mood_or_automatic<S: Serializer>(mood: &Option<Emotion>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(mood.map_or(AUTOMATIC, Emotion::as_str))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(topic: &str, payload: &[u8]) -> Result<Option<Command>, CommandError> {
        Command::parse(&Message { topic: topic.into(), payload: payload.into(), retained: false })
    }

    #[test]
    fn commands_are_read_and_everything_else_is_refused() {
        for (topic, payload, command) in [
            ("set/mood", "sad", Command::Mood(Some(Emotion::Sad))),
            ("set/mood", "automatic", Command::Mood(None)),
            ("set/strategy", "iso", Command::Strategy(Strategy::Iso)),
            ("set/pause", "ON", Command::Pause(true)),
            ("set/hold", "OFF", Command::Hold(false)),
            ("set/skip", "PRESS", Command::Skip),
            ("set/exclude", "PRESS", Command::Exclude),
        ] {
            assert_eq!(parse(topic, payload.as_bytes()), Ok(Some(command)), "{topic} {payload}");
            let retained = Message { topic: topic.into(), payload: payload.into(), retained: true };
            assert_eq!(Command::parse(&retained), Err(CommandError::Retained));
        }
        for (topic, payload) in [
            ("set/mood", "hapy"),
            ("set/mood", "absent"),
            ("set/strategy", "1"),
            ("set/pause", "on"),
            ("set/skip", "ON"),
            ("set/volume", "1"),
            ("set/skip/again", "PRESS"),
            ("", "PRESS"),
        ] {
            assert_eq!(parse(topic, payload.as_bytes()), Err(CommandError::Unknown), "{topic} {payload}");
        }
        assert_eq!(parse("set/mood", b"\xff"), Err(CommandError::Unknown));
        // This is how a broker is made to forget.
        assert_eq!(parse("set/mood", b""), Ok(None));
    }
}
