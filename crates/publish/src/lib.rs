//! Publication of moods, faces and tracks to other programs, without GStreamer: MQTT with Home Assistant discovery, Open Sound
//! Control, LabStreamingLayer, and JSON Lines to files, sockets and pipes.
//!
//! A [`Tracker`] turns frames and decisions into [`Publication`]s, at most as often as wanted. A [`Publisher`] hands them to one
//! [`Destination`] on a thread of its own, through a bounded queue: whoever publishes never waits, a destination that is gone is
//! tried again, and what was lost meanwhile is counted.
//!
//! A [`Listener`] is the other direction: what others publish at an MQTT broker, such as [`Command`]s to a session.

mod backoff;
mod broker;
mod command;
mod connection;
mod delivery;
mod destination;
mod home_assistant;
mod json_lines;
mod listener;
mod lsl;
mod mqtt;
mod osc;
mod outbox;
mod publication;
mod publisher;
mod stream_clock;
mod tls;
mod tracker;

pub use command::{COMMAND_FILTER, CONTROL, CONTROL_STATUS, Command, CommandError, ControlState};
pub use destination::{
    Destination, DestinationError, LslDestination, MqttDestination, OscDestination, PASSWORD_VARIABLE,
    QualityOfService,
};
pub use home_assistant::controls as discover_controls;
pub use listener::{BrokerEvent, Listener, Message, Subscription};
pub use outbox::{Notice, Statistics};
pub use publication::{Publication, State, Track};
pub use publisher::Publisher;
pub use tracker::{Pacing, Tracker};
