//! Where a session without a camera gets its faces.

use std::convert::Infallible;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use mood_schema::Frame;
use publish::{Destination, MqttDestination};

use crate::arguments::local_path;

/// Where the mood comes from, as a user names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceAddress {
    /// A timeline, or a folder with one.
    Recorded(PathBuf),
    /// A broker to which another session publishes.
    Mqtt(MqttDestination),
    /// Moods by their names, one a line.
    StandardInput,
}

impl FromStr for SourceAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "-" => Ok(Self::StandardInput),
            _ if text.starts_with("mqtt://") || text.starts_with("mqtts://") => match text.parse() {
                Ok(Destination::Mqtt(broker)) => Ok(Self::Mqtt(broker)),
                Ok(other) => Err(format!("{other} is no broker")),
                Err(error) => Err(error.to_string()),
            },
            _ => {
                let Ok(path) = text.parse::<PathBuf>() as Result<PathBuf, Infallible>;
                Ok(Self::Recorded(local_path(&path)))
            }
        }
    }
}

/// What gives the faces of a session, frame by frame.
pub trait FaceSource: Send {
    /// The faces `elapsed` after the session began to play; `None` after the end.
    fn faces(&mut self, elapsed: Duration) -> Option<Frame>;
}

/// Nobody is there: the mood is set by hand.
pub struct NoFaces;

impl FaceSource for NoFaces {
    fn faces(&mut self, _elapsed: Duration) -> Option<Frame> {
        Some(Frame::default())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_a_path_a_broker_or_standard_input() {
        assert_eq!("-".parse(), Ok(SourceAddress::StandardInput));
        assert_eq!("a b/x.jsonl".parse(), Ok(SourceAddress::Recorded("a b/x.jsonl".into())));
        assert_eq!("file:///a%20b".parse(), Ok(SourceAddress::Recorded("/a b".into())));
        let broker = "mqtts://me@h/room".parse::<SourceAddress>();
        assert!(matches!(broker, Ok(SourceAddress::Mqtt(broker)) if broker.tls && broker.topic == "room"));
        assert!("mqtt://h/#".parse::<SourceAddress>().unwrap_err().contains("wildcard"));
    }
}
