//! Open Sound Control 1.0 (<https://opensoundcontrol.stanford.edu/spec-1_0.html>) over UDP: one bundle a publication.
//!
//! | address | arguments |
//! |---|---|
//! | `/mood` | name of the mood |
//! | `/confidence`, `/valence`, `/arousal` | float; not sent without a classified face |
//! | `/emotion/angry` ... `/emotion/neutral` | probability, float 0-1; not sent without a classified face |
//! | `/people` | number of faces, integer |
//! | `/track` | title and URI; empty where nothing plays |
//! | `/face/ID/box` | x, y, width, height in shares of the frame, floats |
//! | `/face/ID/label` | name of the label |
//! | `/face/ID/affect` | valence and arousal, floats |
//! | `/marker` | text of a marker |
//! | `/safety` | seconds in negative moods, float |

use std::io;
use std::net::UdpSocket;

use mood_schema::{Emotion, Face, Line};
use rosc::{OscBundle, OscMessage, OscPacket, OscTime, OscType};

use crate::delivery::Connection;
use crate::{OscDestination, Publication, State};

/// The time tag of a bundle that the receiver is to act on at once.
const IMMEDIATELY: OscTime = OscTime { seconds: 0, fractional: 1 };

/// Sends bundles to one receiver.
#[derive(Debug)]
pub(crate) struct OscSender {
    socket: UdpSocket,
    prefix: String,
}

impl OscSender {
    /// A socket connected to the receiver, so that the system reports where nobody receives.
    pub fn open(destination: &OscDestination) -> io::Result<Self> {
        let mut last_error = io::Error::other("the host has no address");
        for address in
            std::net::ToSocketAddrs::to_socket_addrs(&(destination.host.as_str(), destination.port))?
        {
            let any = if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
            match UdpSocket::bind(any).and_then(|socket| socket.connect(address).map(|()| socket)) {
                Ok(socket) => return Ok(Self { socket, prefix: destination.prefix.clone() }),
                Err(error) => last_error = error,
            }
        }
        Err(last_error)
    }
}

impl Connection for OscSender {
    fn send(&mut self, publication: &Publication) -> io::Result<()> {
        let content = messages(publication, &self.prefix);
        if content.is_empty() {
            return Ok(());
        }
        let bundle = OscPacket::Bundle(OscBundle { timetag: IMMEDIATELY, content });
        let bytes = rosc::encoder::encode(&bundle).map_err(|error| io::Error::other(format!("{error:?}")))?;
        self.socket.send(&bytes).map(|_| ())
    }
}

/// The messages of a publication; none for kinds that have no address.
fn messages(publication: &Publication, prefix: &str) -> Vec<OscPacket> {
    let message = |address: &str, args: Vec<OscType>| {
        OscPacket::Message(OscMessage { addr: format!("{prefix}{address}"), args })
    };
    match publication {
        Publication::State(state) => state_messages(state, message),
        Publication::Line(Line::Frame(frame)) => {
            frame.faces.iter().flat_map(|face| face_messages(face, message)).collect()
        }
        Publication::Line(Line::Marker(marker)) if !marker.removed => {
            vec![message("/marker", vec![OscType::String(marker.text.clone())])]
        }
        Publication::Line(Line::Safety(safety)) => {
            vec![message("/safety", vec![OscType::Float(safety.negative_time as f32 / 1e9)])]
        }
        Publication::Line(_) => Vec::new(),
    }
}

fn state_messages(state: &State, message: impl Fn(&str, Vec<OscType>) -> OscPacket) -> Vec<OscPacket> {
    let people = i32::try_from(state.people).unwrap_or(i32::MAX);
    let (title, uri) = state.track.as_ref().map_or_else(Default::default, |track| {
        (track.title.clone(), mood_schema::redact_addresses(&track.uri).into_owned())
    });
    let mut messages = vec![
        message("/mood", vec![OscType::String(state.mood.as_str().into())]),
        message("/people", vec![OscType::Int(people)]),
        message("/track", vec![OscType::String(title), OscType::String(uri)]),
    ];
    let values =
        [("/confidence", state.confidence), ("/valence", state.valence), ("/arousal", state.arousal)];
    messages.extend(
        values
            .into_iter()
            .filter_map(|(address, value)| Some(message(address, vec![OscType::Float(value? as f32)]))),
    );
    for (emotion, probability) in Emotion::ALL.into_iter().zip(state.probabilities.into_iter().flatten()) {
        messages.push(message(&format!("/emotion/{emotion}"), vec![OscType::Float(probability as f32)]));
    }
    messages
}

fn face_messages(face: &Face, message: impl Fn(&str, Vec<OscType>) -> OscPacket) -> Vec<OscPacket> {
    let id = face.id;
    let floats = |values: &[f64]| values.iter().map(|&value| OscType::Float(value as f32)).collect();
    let bbox = face.bbox;
    let mut messages = vec![message(&format!("/face/{id}/box"), floats(&[bbox.x, bbox.y, bbox.w, bbox.h]))];
    if let Some(found) = &face.classification {
        messages
            .push(message(&format!("/face/{id}/label"), vec![OscType::String(found.label.as_str().into())]));
        messages.push(message(
            &format!("/face/{id}/affect"),
            floats(&[found.affect.valence, found.affect.arousal]),
        ));
    }
    messages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_one_bundle_below_its_prefix() {
        let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
        receiver.set_read_timeout(Some(std::time::Duration::from_secs(5))).unwrap();
        let port = receiver.local_addr().unwrap().port();
        let destination = OscDestination { host: "127.0.0.1".into(), port, prefix: "/room".into() };
        let state = State {
            mood: Emotion::Happy.into(),
            valence: Some(0.5),
            probabilities: Some([0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0]),
            people: 2,
            ..State::default()
        };
        OscSender::open(&destination).unwrap().send(&Publication::State(state)).unwrap();
        let mut buffer = [0; 2000];
        let length = receiver.recv(&mut buffer).unwrap();
        let (_, OscPacket::Bundle(bundle)) = rosc::decoder::decode_udp(&buffer[..length]).unwrap() else {
            panic!("no bundle")
        };
        let found: Vec<(String, Vec<OscType>)> = bundle
            .content
            .into_iter()
            .map(|packet| match packet {
                OscPacket::Message(message) => (message.addr, message.args),
                OscPacket::Bundle(_) => panic!("a bundle in a bundle"),
            })
            .collect();
        let get =
            |address: &str| found.iter().find(|(found, _)| found == address).map(|(_, args)| args.clone());
        assert_eq!(get("/room/mood"), Some(vec![OscType::String("happy".into())]));
        assert_eq!(get("/room/people"), Some(vec![OscType::Int(2)]));
        assert_eq!(get("/room/valence"), Some(vec![OscType::Float(0.5)]));
        assert_eq!(get("/room/arousal"), None);
        assert_eq!(get("/room/emotion/happy"), Some(vec![OscType::Float(1.0)]));
    }
}
