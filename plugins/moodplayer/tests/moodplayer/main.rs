//! `moodplayer` in pipelines, with tracks made by the tests.

// Clippy exempts functions marked as tests, but not their helpers.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod bad_input;
mod client_history;
mod crossfade;
mod disappearing_files;
mod events;
mod harness;
mod live;
mod many_switches;
mod no_input;
mod noise_files;
mod recorded_video;
mod renegotiation;
mod slow_tracks;
mod track_boundaries;
