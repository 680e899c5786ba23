//! What a player needs of whoever opens and decodes tracks.

use crate::{AudioFormat, CuePoints, Loudness};

/// What a player waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitMode {
    /// Every track and every sample, so that the result never depends on the machine's speed: for recordings.
    Always,
    /// Samples, and a track where nothing else plays. While another plays, a new one begins once it is open:
    /// for playing without an input.
    UnlessPlaying,
    /// Nothing, because the audio must go out in real time: for live inputs.
    Never,
}

/// A wait was cut short because the stream is being flushed or stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("interrupted")]
pub struct Interrupted;

/// What is known of a track that has been listened to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrackAnalysis {
    /// How loud it is.
    pub loudness: Loudness,
    /// Which part of it is played.
    pub cue: CuePoints,
}

/// What is known of a track so far.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AnalysisProgress {
    /// An estimate until it is complete, without the end of the audible part.
    pub analysis: TrackAnalysis,
    /// Whether the track has been listened to.
    pub is_complete: bool,
}

/// Why a track cannot be played.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrackError {
    /// There is no such file, or no longer. It is tried again once it is there.
    #[error("not found; it is played again once it is there")]
    NotFound,
    /// It cannot be decoded. Holds the reason, a text for the user.
    #[error("{0}")]
    Unplayable(String),
}

impl From<String> for TrackError {
    fn from(reason: String) -> Self {
        Self::Unplayable(reason)
    }
}

impl From<&str> for TrackError {
    fn from(reason: &str) -> Self {
        Self::Unplayable(reason.into())
    }
}

/// How a track ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrackEnd {
    /// All of it was decoded.
    Complete,
    /// It cannot be decoded any further.
    Broken(TrackError),
}

/// An open track.
pub trait TrackSource {
    /// Decodes until `samples` are buffered or the end is known. With `wait` false, takes only what is
    /// decoded already.
    fn fill(&mut self, samples: usize, wait: bool) -> Result<(), Interrupted>;
    /// The number of samples that can be read.
    fn buffered(&self) -> usize;
    /// How the track ends, once everything before its end is buffered.
    fn end(&self) -> Option<&TrackEnd>;
    /// Moves buffered samples to the beginning of the interleaved `out`, as many as are there and fit.
    /// Returns how many.
    fn read(&mut self, out: &mut [f32]) -> usize;
    /// Sets the position in the track of the sample after the last one to play. Where that has been passed,
    /// the track ends now.
    fn set_end(&mut self, end: u64);
}

/// A track to open.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadRequest {
    /// Its address.
    pub uri: String,
    /// What to decode it to.
    pub format: AudioFormat,
    /// The first sample to play. Where 0, silence at the beginning is left out.
    pub start: u64,
    /// Its loudness according to the library; `None` where the library does not know it.
    pub known: Option<Loudness>,
}

/// A track, opened and measured.
pub struct LoadedTrack<S> {
    /// Gives its samples.
    pub source: S,
    /// The position in the track of the first sample that the source gives.
    pub start: u64,
    /// The position in the track of the sample after the last one that the source gives; `None` where that is not known
    /// yet.
    pub end: Option<u64>,
    /// Of the track.
    pub loudness: Loudness,
    /// Whether the loudness is an estimate, which [`TrackLoader::analysis`] will correct, and the end of its
    /// audible part is not known.
    pub is_estimate: bool,
}

/// A loaded track, or why it cannot be played.
pub type LoadResult<S> = Result<LoadedTrack<S>, TrackError>;

/// Identifies a request to a [`TrackLoader`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LoadId(
    /// Unique among the requests of one loader.
    pub u64,
);

/// Opens tracks, one after the other, without making its caller wait.
pub trait TrackLoader {
    /// What it opens.
    type Source: TrackSource;
    /// Begins to open a track. The result is taken with [`TrackLoader::take`], or given up with
    /// [`TrackLoader::cancel`].
    fn load(&mut self, request: LoadRequest) -> LoadId;
    /// Has a request answered soon: with an estimate of the loudness, where the track cannot be listened to as
    /// quickly. Asking again changes nothing.
    fn expedite(&mut self, id: LoadId);
    /// What has been found out since the last call about a track that was loaded with an estimate.
    fn analysis(&mut self, uri: &str) -> Option<Result<AnalysisProgress, TrackError>>;
    /// Looks whether files are there that were not. Returns those that were found now or since the last call.
    /// With `wait`, they are looked for now; without, soon, without making the caller wait.
    fn look_for(&mut self, uris: Vec<String>, wait: bool) -> Vec<String>;
    /// Takes the result of a request, or `None` while there is none. With `wait`, waits for it.
    fn take(&mut self, id: LoadId, wait: bool) -> Result<Option<LoadResult<Self::Source>>, Interrupted>;
    /// Has a track measured while nothing is being opened, so that opening it takes less time later.
    fn measure(&mut self, uri: &str, format: AudioFormat);
    /// Gives a request up.
    fn cancel(&mut self, id: LoadId);
    /// Closes a track without waiting for that.
    fn close(&mut self, source: Self::Source);
}
