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

use std::collections::VecDeque;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs, UdpSocket};

use mood_schema::{Emotion, Face, Line};
use rosc::{OscBundle, OscMessage, OscPacket, OscTime, OscType};

use crate::delivery::Connection;
use crate::{OscDestination, Publication, State};

/// The time tag of a bundle that the receiver is to act on at once.
const IMMEDIATELY: OscTime = OscTime { seconds: 0, fractional: 1 };

/// Sends bundles to one receiver.
#[derive(Debug)]
pub(crate) struct OscSender {
    /// One for each address of the host, connected, so that the system reports where nobody receives. `localhost` mostly has two,
    /// of IPv6 and IPv4, and a program listens on one of them. The first is in use.
    sockets: VecDeque<UdpSocket>,
    prefix: String,
}

impl OscSender {
    /// Finds out the addresses of the receiver.
    pub fn open(destination: &OscDestination) -> io::Result<Self> {
        let addresses = (destination.host.as_str(), destination.port).to_socket_addrs()?;
        Self::connect(addresses, &destination.prefix)
    }

    fn connect(addresses: impl Iterator<Item = SocketAddr>, prefix: &str) -> io::Result<Self> {
        let mut last_error = io::Error::other("the host has no address");
        let mut sockets = VecDeque::new();
        for address in addresses {
            let any = if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
            match UdpSocket::bind(any).and_then(|socket| socket.connect(address).map(|()| socket)) {
                Ok(socket) => sockets.push_back(socket),
                Err(error) => last_error = error,
            }
        }
        if sockets.is_empty() { Err(last_error) } else { Ok(Self { sockets, prefix: prefix.to_owned() }) }
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
        let mut result = Ok(());
        for _ in 0..self.sockets.len() {
            result = deliver(&self.sockets[0], &bytes);
            if result.is_ok() {
                break;
            }
            self.sockets.rotate_left(1);
        }
        result
    }
}

/// Sends, and asks whether it was refused: this computer says so at once, another one with the next that is sent.
fn deliver(socket: &UdpSocket, bytes: &[u8]) -> io::Result<()> {
    socket.send(bytes)?;
    socket.take_error()?.map_or(Ok(()), Err)
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
    fn of_several_addresses_of_a_host_that_which_receives_is_found() {
        let receive = || UdpSocket::bind("127.0.0.1:0").unwrap();
        let (receiver, silent) = (receive(), receive());
        receiver.set_read_timeout(Some(std::time::Duration::from_secs(5))).unwrap();
        let addresses = [&silent, &receiver].map(|socket| socket.local_addr().unwrap());
        drop(silent);
        let publication = Publication::State(State::default());
        let mut sender = OscSender::connect(addresses.into_iter(), "").unwrap();
        for _ in 0..3 {
            sender.send(&publication).unwrap();
            assert!(receiver.recv(&mut [0; 2000]).unwrap() > 0);
        }
        drop(receiver);
        let error = sender.send(&publication).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    }

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
