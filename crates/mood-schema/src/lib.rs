//! The data types that the parts of gst-mood exchange, without GStreamer: emotions, faces, frames, and the lines of
//! timelines and decision logs.
//!
//! Units throughout: times in nanoseconds of stream time; boxes in shares of the frame's width and height, 0-1;
//! probabilities 0-1; valence and arousal -1 to 1; angles in degrees, clockwise in the image.

mod address;
mod affect;
mod colour;
mod emotion;
mod frame;
mod line;

pub use address::{Redact, redact_addresses, redacted};
pub use affect::Affect;
pub use emotion::{Emotion, Label, Mood, UnknownNameError};
pub use frame::{Classification, Face, FaceSource, Frame, QualityLimit, Rect};
pub use line::{
    Candidate, ClockLine, CorrectionLine, FacePlace, FrameLine, LabelledSpan, Line, MarkerLine, MoodLine,
    PEOPLE_MEMORY, SCHEMA_VERSION, SafetyLine, SessionEnd, SessionHeader, SettingsLine, TrackEvent,
    TrackLine,
};
