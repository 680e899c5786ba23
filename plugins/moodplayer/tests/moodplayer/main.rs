//! The element in real pipelines.

// Clippy takes only functions marked as tests for tests, not their helpers.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod bad_input;
mod crossfade;
mod cue;
mod files;
mod hand;
mod live;
mod material;
mod night;
mod remembered;
mod studio;
mod trouble;
