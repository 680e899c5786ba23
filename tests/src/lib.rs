//! Helpers shared by the end-to-end tests: processes with a timeout, paths, timelines read back, audio, a
//! drawn actor, a pipeline whose camera and loudspeaker a test controls.
//!
//! The tests run GStreamer's own commands against the plugins in `target/release`; each test program uses its
//! own plugin registry. `make test` builds the plugins first.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "used by tests only, and a test may panic")]

pub mod actor;
pub mod audio;
pub mod broker;
pub mod browser;
pub mod bus;
pub mod chain;
pub mod element_docs;
pub mod panel;
pub mod paths;
pub mod process;
pub mod readers;
pub mod resources;
pub mod sandbox;
pub mod session_folder;
pub mod stacks;
pub mod timeline;

pub use paths::media;
pub use process::{ProcessOutput, command, gst_launch, gst_mood, pipeline_script, run};
pub use timeline::Timeline;
