//! The faces that another session publishes over MQTT.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mood_meta::lock;
use mood_schema::{Frame, Line};
use publish::{BrokerEvent, Destination, Listener, Message, MqttDestination, Subscription};

use super::source::FaceSource;
use crate::error::CommandError;
use crate::live::control::SessionControl;

/// A broker that is listened to.
pub struct MqttSource {
    /// The faces that count now: none before the first, and none while nobody publishes.
    latest: Arc<Mutex<Frame>>,
    _listener: Listener,
}

impl MqttSource {
    /// Listens to what a session publishes at a broker, which need not be there yet.
    pub fn start(broker: &MqttDestination, control: &SessionControl) -> Result<Self, CommandError> {
        let latest = Arc::<Mutex<Frame>>::default();
        let subscription = Subscription {
            broker: broker.clone(),
            filters: vec!["frame".into(), "status".into()],
            status: None,
        };
        let name = Destination::Mqtt(broker.clone()).to_string();
        let (control, shown) = (control.clone(), latest.clone());
        let mut refused = HashSet::new();
        let mut is_lost = false;
        let listener = Listener::start(subscription, move |event| match event {
            BrokerEvent::Connected => {
                if std::mem::take(&mut is_lost) {
                    control.update(|state| state.warning = None);
                }
            }
            BrokerEvent::Lost(text) => {
                is_lost = true;
                *lock(&shown) = Frame::default();
                control.warn(text);
            }
            BrokerEvent::Message(message) => match read(&message) {
                Ok(Some(frame)) => *lock(&shown) = frame,
                Ok(None) => {}
                Err(reason) => {
                    if reason == Refusal::Offline {
                        *lock(&shown) = Frame::default();
                    }
                    // Once for each reason, except that a session may end several times.
                    if refused.insert(reason) || reason == Refusal::Offline {
                        control.warn(format!("{name}: {reason}"));
                    }
                }
            },
        });
        Ok(Self { latest, _listener: listener.map_err(CommandError::thread)? })
    }
}

impl FaceSource for MqttSource {
    fn faces(&mut self, _elapsed: Duration) -> Option<Frame> {
        Some(lock(&self.latest).clone())
    }
}

/// Why a message gives no faces, for the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
enum Refusal {
    /// The session that is followed has ended.
    #[error("nobody publishes there at present; the music follows again as soon as somebody does")]
    Offline,
    /// It is old.
    #[error("a frame that the broker had kept was ignored, since nobody knows how old it is")]
    Retained,
    /// It is something else.
    #[error(
        "a message was ignored that is no frame of a timeline; let emotionpublish or gst-mood live publish there"
    )]
    Unknown,
}

/// The faces in a message; `None` where it says nothing about faces.
fn read(message: &Message) -> Result<Option<Frame>, Refusal> {
    match (message.topic.as_str(), message.payload.as_slice()) {
        ("status", b"offline") => Err(Refusal::Offline),
        ("status", _) => Ok(None),
        _ if message.retained => Err(Refusal::Retained),
        (_, payload) => match serde_json::from_slice::<Line>(payload) {
            Ok(Line::Frame(frame)) => Ok(Some(Frame { faces: frame.faces, shot: frame.shot })),
            _ => Err(Refusal::Unknown),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_frames_that_come_now_have_faces() {
        let read = |topic: &str, payload: &str, retained| {
            read(&Message { topic: topic.into(), payload: payload.into(), retained })
        };
        let frame = r#"{"type":"frame","frame":0,"pts":0,"faces":[]}"#;
        assert_eq!(read("frame", frame, false), Ok(Some(Frame::default())));
        assert_eq!(read("frame", frame, true), Err(Refusal::Retained));
        assert_eq!(read("frame", r#"{"type":"end","frames":1}"#, false), Err(Refusal::Unknown));
        assert_eq!(read("frame", "", false), Err(Refusal::Unknown));
        assert_eq!(
            (read("status", "online", true), read("status", "offline", true)),
            (Ok(None), Err(Refusal::Offline))
        );
    }
}
