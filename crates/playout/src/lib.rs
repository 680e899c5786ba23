//! Turns what music is wanted, and a library of tracks, into one audio signal.
//!
//! - [`Performance`] joins a [`mood::Policy`], a library, a [`Player`] and a [`DecisionLog`]: observations of
//!   faces go in, blocks of audio and [`PerformanceEvent`]s come out.
//! - [`Player`] decides which track sounds when and mixes the tracks that sound, with [`Fade`]s and a
//!   [`Limiter`].
//! - [`TrackAnalyzer`] listens to a track before it is first played, or while it plays, for its [`Loudness`]
//!   and its [`CuePoints`].
//! - [`FormatConverter`] converts the mix where the format of the output changes.
//!
//! Nothing here knows GStreamer, threads of a pipeline or clocks. Tracks are decoded by the caller, behind
//! the traits [`TrackLoader`] and [`TrackSource`].
//!
//! # Units
//!
//! A *sample* is counted per channel: a position or a length of `n` samples is `n / rate` seconds, whatever
//! the number of channels. Buffers are interleaved `f32` with [`AudioFormat::channels`] values a sample, 1.0
//! being full scale. A span of audio that is made in one step is a *block*. Running times and stream times
//! are in nanoseconds.

mod analysis;
mod cue;
mod decision_log;
mod fade;
mod format;
mod format_converter;
mod gain;
mod gapless;
mod input;
mod limiter;
mod listener;
mod loudness;
mod options;
mod performance;
mod player;
mod sample_clock;
#[cfg(test)]
mod test_support;
mod track_source;

pub use analysis::TrackAnalyzer;
pub use cue::{CuePoints, SilenceDetector};
pub use decision_log::DecisionLog;
pub use fade::Fade;
pub use format::AudioFormat;
pub use format_converter::FormatConverter;
pub use gapless::EncoderPadding;
pub use input::{BlockTiming, ClockState, FrameQueue, InputProgress, block_timing};
pub use limiter::Limiter;
pub use listener::{ListenerRecord, ListenerRecordError};
pub use loudness::{Loudness, LoudnessMeter};
pub use options::PlayoutOptions;
pub use performance::{
    AudioBlock, BlockInput, Command, InputFrame, Performance, PerformanceEvent, PerformanceSettings,
    PerformanceStatus, Running, WaitingForFormat, WaitingForStart,
};
pub use player::{Player, PlayerEvent, PlayerStatus, TrackStatus};
pub use sample_clock::{SampleClock, StartTime};
pub use track_source::{
    AnalysisProgress, Interrupted, LoadId, LoadRequest, LoadResult, LoadedTrack, TrackAnalysis, TrackEnd,
    TrackError, TrackLoader, TrackSource, WaitMode,
};
