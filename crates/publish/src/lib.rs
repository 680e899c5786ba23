//! Publication of moods, faces and tracks to other programs, without GStreamer: MQTT with Home Assistant discovery, Open Sound
//! Control, and JSON Lines to files, sockets and pipes.
//!
//! A [`Tracker`] turns frames and decisions into [`Publication`]s, at most as often as wanted. A [`Publisher`] hands them to one
//! [`Destination`] on a thread of its own, through a bounded queue: whoever publishes never waits, a destination that is gone is
//! tried again, and what was lost meanwhile is counted.

mod backoff;
mod connection;
mod delivery;
mod destination;
mod home_assistant;
mod json_lines;
mod mqtt;
mod osc;
mod outbox;
mod publication;
mod publisher;
mod tracker;

pub use destination::{
    Destination, DestinationError, MqttDestination, OscDestination, PASSWORD_VARIABLE, QualityOfService,
};
pub use outbox::{Notice, Statistics};
pub use publication::{Publication, State, Track};
pub use publisher::Publisher;
pub use tracker::{Pacing, Tracker};
