//! What a player needs of whoever opens and decodes tracks.

use super::format::Format;
use super::loudness::Loudness;

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// Everything, so that the result never depends on the machine's speed.
    Always,
    /// Samples, and a track where nothing else plays; while another plays, a new one begins when it is there.
    Decoding,
    /// Nothing: time runs.
    Never,
}

/// Waiting was cut short: the stream is flushed or stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interrupted;

/// How a track ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    Natural,
    Broken(String),
}

/// An open track.
pub trait Source {
    /// Decodes until `frames` are buffered or the end is known; without `wait`, only what is there.
    fn fill(&mut self, frames: usize, wait: bool) -> Result<(), Interrupted>;
    /// Frames that can be read.
    fn buffered(&self) -> usize;
    /// Known once everything before is buffered.
    fn ending(&self) -> Option<&Ending>;
    /// Fills whole frames of `out`, as many as there are; how many.
    fn read(&mut self, out: &mut [f32]) -> usize;
}

/// What is to be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub uri: String,
    pub format: Format,
    /// From this frame on; from 0, silence at the beginning is left out.
    pub from: u64,
}

/// A track opened and measured.
pub struct Loaded<S> {
    pub source: S,
    /// The frame of the track that the source gives first.
    pub from: u64,
    pub loudness: Loudness,
}

/// Or why not, in words.
pub type Opened<S> = Result<Loaded<S>, String>;

/// Opens tracks, one after the other, away from the caller's thread.
pub trait Stage {
    type Source: Source;
    /// Begins to open a track; the ticket is what [`Stage::take`] asks for.
    fn load(&mut self, request: Request) -> u64;
    /// The opened track, or why it cannot be played; `None` while it is not there. With `wait`, waits.
    fn take(&mut self, ticket: u64, wait: bool) -> Result<Option<Opened<Self::Source>>, Interrupted>;
    /// Has a track measured while nothing is being opened, so that opening it takes less time later.
    fn measure(&mut self, uri: &str, format: Format);
    /// Nobody will ask for this ticket.
    fn cancel(&mut self, ticket: u64);
    /// Closes a track, without waiting for it.
    fn dispose(&mut self, source: Self::Source);
}
