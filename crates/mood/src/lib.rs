//! From what a face shows to what music should play: a filter over time, a mood that is held, and the wish that follows.
//!
//! Pure: no clock, no files, no randomness. Times are nanoseconds on any clock that only moves forward; the same
//! observations give the same decisions. [`simulation`] tells how well it follows, beside simpler ways.
//!
//! ```
//! use mood::{Decision, Policy, Settings};
//! use mood_schema::Frame;
//!
//! let mut policy = Policy::new(Settings::default());
//! policy.observe(0, 40_000_000, &Frame::default());
//! for decision in policy.step(40_000_000) {
//!     if let Decision::Mood(change) = decision {
//!         println!("{} -> {}", change.from, change.to);
//!     }
//! }
//! ```

mod confusion;
mod filter;
mod holder;
mod path;
mod policy;
pub mod simulation;
mod subject;

pub use confusion::{Confusion, EmptyRow};
pub use filter::{Filter, Observation};
pub use holder::MoodChange;
pub use policy::{Decision, Goal, OnNoFace, Policy, Settings, Strategy, Wish};
pub use subject::{ParseSubjectError, Subject};

/// A second in nanoseconds.
pub(crate) const SECOND: u64 = 1_000_000_000;
