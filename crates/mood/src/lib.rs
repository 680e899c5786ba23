//! From classified faces to the music that should play: a temporal filter over the classifier's output, a
//! held mood with hysteresis, and a policy that turns the held mood into a request for music.
//!
//! The crate has no clock, reads no files and draws no random numbers. Times are nanoseconds (`u64`) on any
//! monotonic clock, usually running time; the same observations give the same decisions.
//!
//! # Processing steps
//!
//! 1. [`Subject`] selects one of the faces of all video inputs, or takes their mean, and gives one
//!    [`Observation`].
//! 2. [`MoodFilter`] updates a probability for each of nine moods: the forward algorithm of a hidden Markov
//!    model whose likelihoods are tempered, because the classifier's errors in consecutive frames are not
//!    independent.
//! 3. The held mood changes with hysteresis: another mood must have been the most probable for a hold time
//!    and its probability must be high enough, and two switches of the music are a minimum dwell time
//!    apart.
//! 4. [`Policy`] derives a [`MusicRequest`] from the held mood and the [`Strategy`]: silence, or a
//!    [`MusicTarget`], a point in the plane of valence and arousal.
//!
//! The plane is Russell's circumplex model of affect (1980, doi:10.1037/h0077714). The seven emotions are
//! placed in it by the norms of Warriner, Kuperman and Brysbaert (2013, doi:10.3758/s13428-012-0314-x), see
//! [`Affect::from_emotion`](mood_schema::Affect::from_emotion). [`Strategy::Iso`] follows the iso principle
//! of music therapy (Altshuler 1948): music first matches the listener's mood and then leads away from it in
//! small steps.
//!
//! [`simulation`] compares the policy with simpler methods on simulated classifier errors.
//!
//! ```
//! use mood::{InputId, Policy, PolicyEvent, PolicySettings};
//! use mood_schema::Frame;
//!
//! let mut policy = Policy::new(PolicySettings::default());
//! policy.observe(InputId(0), 40_000_000, &Frame::default());
//! for event in policy.update(40_000_000) {
//!     if let PolicyEvent::MoodChanged(change) = event {
//!         println!("{} -> {}", change.from, change.to);
//!     }
//! }
//! ```

mod confusion;
mod filter;
mod hysteresis;
mod nick;
mod options;
mod policy;
pub mod simulation;
mod subject;
mod trajectory;

pub use confusion::{ConfusionMatrix, EmptyRowError};
pub use filter::{MoodFilter, Observation};
pub use hysteresis::MoodChange;
pub use nick::UnknownNickError;
pub use options::{OnNoFace, Resume, Strategy, SwitchAt};
pub use policy::{
    InputId, MusicRequest, MusicTarget, Policy, PolicyEvent, PolicySettings, PolicyStatus, Restraint,
};
pub use subject::{ParseSubjectError, Subject};
pub use trajectory::STEP_LENGTH;

/// One second in nanoseconds.
pub(crate) const SECOND: u64 = 1_000_000_000;
