//! What the end-to-end tests share: real processes with a time limit, the places of things, timelines read back, sound.
//!
//! The tests run GStreamer's own commands against the plugins in `target/release`, each test program with a registry of
//! its own. `make test` builds the plugins first.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "only tests use this, and a test may panic")]

pub mod place;
pub mod practice;
pub mod process;
pub mod reader;
pub mod sound;
pub mod timeline;

pub use place::media;
pub use process::{Done, command, gst_mood, launch, run, script};
pub use timeline::Timeline;
