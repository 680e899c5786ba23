//! The panel: a web page from which a live session is watched and steered, and a second page for the client's screen that shows
//! what plays or nothing.
//!
//! [`Panel`] serves both on a socket of its own thread. A session publishes its [`State`], the faces of each frame and samples
//! for the chart; the pages get them as server-sent events (<https://html.spec.whatwg.org/multipage/server-sent-events.html>)
//! and send [`Command`]s back. All state is here, so that any number of pages show the same, and a page that is loaded again
//! loses nothing.
//!
//! Times are seconds since the beginning of the session, [`Options::origin`], unless a field says otherwise.

mod access;
mod command;
mod connections;
mod content;
mod history;
mod pages;
mod server;
mod state;
mod timed_stream;

pub use command::{Command, CommandError, MAX_MARKER_CHARACTERS, MAX_MARKER_KEYS};
pub use history::{SECONDS_SHOWN, SpanKind};
pub use server::{HandleCommand, Links, Options, Panel, PanelError, Refusal};
pub use state::{
    FaceView, MarkerView, MoodView, NextTrackView, Notice, PlaybackStatus, ScreenContent, State, TrackView,
};
