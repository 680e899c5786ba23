//! A deck: the private pipeline that decodes one track.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use glib::prelude::*;
use gst::prelude::*;
use playout::{AudioFormat, CuePoints, Interrupted, TrackEnd, TrackError, TrackSource};

use super::format;
use mood_meta::audio::{add_audio_decoder, make_element};

/// A track whose decoder gives no samples for this long counts as broken. A busy machine or a disk that spins
/// up causes shorter delays.
const STALL_TIMEOUT: Duration = Duration::from_secs(30);
/// How often a wait checks whether it is interrupted: short enough for a state change to seem immediate.
const POLL_INTERVAL: gst::ClockTime = gst::ClockTime::from_mseconds(20);
/// The most decoded buffers that are queued in the sink.
const MAX_BUFFERS: u32 = 32;
/// A track counts as open once this fraction of a second is decoded: 1/4, that is 250 ms, so that live audio
/// does not run dry at once.
const PREROLL_DIVISOR: u32 = 4;
/// A start later than this, in seconds, is reached by seeking. For an earlier one the audio before it is
/// decoded and dropped, which takes a second at most and is exact where seeking is not, as in MP3.
const MIN_SEEK_SECONDS: u64 = 5 * 60;
/// How much of a track can be read a second time, at least, in seconds: as much as is listened to before a track begins
/// whose loudness is not known. Less than 8 MB at 48 kHz in stereo, until it has been played.
pub(crate) const REWINDABLE_SECONDS: u64 = 20;
/// Why a track was not opened whose request was given up. Nobody sees it.
const INTERRUPTED: &str = "interrupted";

/// Whether the address is that of a local file that is not there.
pub(crate) fn is_missing(uri: &str) -> bool {
    glib::filename_from_uri(uri).is_ok_and(|(path, _)| matches!(path.try_exists(), Ok(false)))
}

/// An open track and the pipeline that decodes it.
pub(crate) struct Deck {
    uri: String,
    pipeline: gst::Pipeline,
    sink: gst_app::AppSink,
    format: AudioFormat,
    /// The part of the track to decode.
    cue: CuePoints,
    /// The position in the track of the next sample from the sink; `None` until the first buffer after a
    /// seek.
    position: Option<u64>,
    /// Values of decoded samples that have not been read yet, interleaved.
    samples: VecDeque<f32>,
    /// Values that were read, from the track's beginning on, so that [`Self::rewind`] can give them again; `None` where
    /// they are not kept.
    read: Option<Vec<f32>>,
    end: Option<TrackEnd>,
    /// Set by another thread to end a wait early.
    interrupt: Arc<AtomicBool>,
}

impl Drop for Deck {
    fn drop(&mut self) {
        // A change to NULL does not fail.
        let _ = self.pipeline.set_state(gst::State::Null);
    }
}

impl Deck {
    /// Opens the part `cue` of a track and waits for its first samples. With `allow_network`, the track may
    /// make decoders open other addresses.
    ///
    /// # Errors
    /// Why the track cannot be played, or that `interrupt` was set.
    pub fn open(
        uri: &str,
        format: AudioFormat,
        cue: CuePoints,
        allow_network: bool,
        interrupt: Arc<AtomicBool>,
    ) -> Result<Self, TrackError> {
        if is_missing(uri) {
            return Err(TrackError::NotFound);
        }
        let mut deck = Self::build(uri, format, cue, allow_network, interrupt)
            .map_err(|error| TrackError::from(error.to_string()))?;
        if cue.start > MIN_SEEK_SECONDS * u64::from(format.rate) {
            deck.seek_to_start()?;
        } else {
            deck.position = Some(0);
        }
        deck.set_state(gst::State::Playing)?;
        match deck.fill((format.rate / PREROLL_DIVISOR) as usize, true) {
            Err(Interrupted) => return Err(INTERRUPTED.into()),
            Ok(()) if deck.buffered() > 0 => {}
            Ok(()) => {
                return Err(match deck.end.take() {
                    Some(TrackEnd::Broken(error)) => error,
                    Some(TrackEnd::Complete) | None => "has no sound".into(),
                });
            }
        }
        Ok(deck)
    }

    /// Replaces the flag that ends waits early.
    pub fn set_interrupt(&mut self, interrupt: Arc<AtomicBool>) {
        self.interrupt = interrupt;
    }

    /// Keeps what is read from now on for [`Self::rewind`], up to [`REWINDABLE_SECONDS`]. Nothing must have been read.
    pub fn keep_read(&mut self) {
        self.read = Some(Vec::new());
    }

    /// Goes back to the sample `start` of a track that was opened as a whole, and waits for the first samples as
    /// [`Self::open`] does. False where what was read has not been kept, or the track does not go that far: it must then
    /// be opened again.
    pub fn rewind(&mut self, start: u64) -> bool {
        let Some(read) = self.read.take() else { return false };
        let skipped =
            usize::try_from(start).unwrap_or(usize::MAX).saturating_mul(self.format.channels as usize);
        if skipped > read.len() + self.samples.len() {
            return false;
        }
        let unread = std::mem::replace(&mut self.samples, read.into());
        self.samples.extend(unread);
        self.samples.drain(..skipped);
        self.cue.start = start;
        self.fill((self.format.rate / PREROLL_DIVISOR) as usize, true).is_ok() && self.buffered() > 0
    }

    fn build(
        uri: &str,
        format: AudioFormat,
        cue: CuePoints,
        allow_network: bool,
        interrupt: Arc<AtomicBool>,
    ) -> Result<Self, glib::BoolError> {
        let pipeline = gst::Pipeline::new();
        let convert = add_audio_decoder(&pipeline, uri, allow_network)?;
        let resample = make_element("audioresample")?;
        let caps = format::deck_caps(format);
        let sink = gst_app::AppSink::builder().caps(&caps).sync(false).max_buffers(MAX_BUFFERS).build();
        pipeline.add_many([&resample, sink.upcast_ref()])?;
        gst::Element::link_many([&convert, &resample, sink.upcast_ref()])?;
        if let Some(bus) = pipeline.bus() {
            // The others are not read, and those of tags may hold large images.
            bus.set_sync_handler(|_, message| match message.type_() {
                gst::MessageType::Error => gst::BusSyncReply::Pass,
                _ => gst::BusSyncReply::Drop,
            });
        }
        let samples = VecDeque::new();
        let uri = uri.to_owned();
        Ok(Self {
            uri,
            pipeline,
            sink,
            format,
            cue,
            position: None,
            samples,
            read: None,
            end: None,
            interrupt,
        })
    }

    fn set_state(&self, state: gst::State) -> Result<(), TrackError> {
        match self.pipeline.set_state(state) {
            Ok(_) => Ok(()),
            Err(_) => Err(self.pop_error().unwrap_or_else(|| "cannot be opened".into())),
        }
    }

    /// Prerolls the pipeline and seeks to the start of the cue.
    fn seek_to_start(&self) -> Result<(), TrackError> {
        use gst::StateChangeSuccess::{NoPreroll, Success};
        self.set_state(gst::State::Paused)?;
        let started = Instant::now();
        loop {
            match self.pipeline.state(POLL_INTERVAL) {
                (Ok(Success | NoPreroll), gst::State::Paused, _) => break,
                (Err(_), ..) => return Err(self.pop_error().unwrap_or_else(|| "cannot be opened".into())),
                _ => {}
            }
            if let Some(error) = self.pop_error() {
                return Err(error);
            }
            if self.interrupt.load(Ordering::Acquire) {
                return Err(INTERRUPTED.into());
            }
            if started.elapsed() > STALL_TIMEOUT {
                return Err("took too long to open".into());
            }
        }
        let rate = u64::from(self.format.rate);
        let time = self.cue.start.mul_div_floor(1_000_000_000, rate).unwrap_or(0);
        let flags = gst::SeekFlags::FLUSH | gst::SeekFlags::ACCURATE;
        // A track that cannot seek is decoded from its beginning.
        let _ = self.pipeline.seek_simple(flags, gst::ClockTime::from_nseconds(time));
        Ok(())
    }

    /// Takes the next error from the bus and returns its text.
    fn pop_error(&self) -> Option<TrackError> {
        let message = self.pipeline.bus()?.pop_filtered(&[gst::MessageType::Error])?;
        match message.view() {
            gst::MessageView::Error(_) if is_missing(&self.uri) => Some(TrackError::NotFound),
            gst::MessageView::Error(error) => {
                Some(error.error().message().trim_end_matches('.').to_owned().into())
            }
            _ => None,
        }
    }

    /// Appends the part of a decoded buffer that lies within the cue.
    fn append(&mut self, sample: &gst::Sample) {
        let Some(map) = sample.buffer().and_then(|buffer| buffer.map_readable().ok()) else { return };
        let bytes_per_sample = self.format.channels as usize * size_of::<f32>();
        let samples = map.len() / bytes_per_sample;
        let start = self.position.unwrap_or_else(|| self.track_position(sample));
        let index_in_buffer = |position: u64| (position.saturating_sub(start)).min(samples as u64) as usize;
        let (first, last) = (index_in_buffer(self.cue.start), self.cue.end.map_or(samples, index_in_buffer));
        if let Some(part) = map.get(first * bytes_per_sample..last * bytes_per_sample) {
            self.samples.extend(format::decode(part));
        }
        let end = start + samples as u64;
        self.position = Some(end);
        if self.cue.end.is_some_and(|cue_end| end >= cue_end) {
            self.end = Some(TrackEnd::Complete);
        }
    }

    /// The position in the track at which a decoded buffer begins, by its timestamp.
    fn track_position(&self, sample: &gst::Sample) -> u64 {
        let segment = sample.segment().and_then(|segment| segment.downcast_ref::<gst::ClockTime>());
        let pts = sample.buffer().and_then(|buffer| buffer.pts());
        let time = segment.zip(pts).and_then(|(segment, pts)| segment.to_stream_time(pts));
        time.and_then(|time| time.nseconds().mul_div_round(u64::from(self.format.rate), 1_000_000_000))
            .unwrap_or(self.cue.start)
    }
}

impl TrackSource for Deck {
    fn fill(&mut self, samples: usize, wait: bool) -> Result<(), Interrupted> {
        let started = Instant::now();
        while self.end.is_none() && self.buffered() < samples {
            let timeout = if wait { POLL_INTERVAL } else { gst::ClockTime::ZERO };
            if let Some(sample) = self.sink.try_pull_sample(timeout) {
                self.append(&sample);
            } else if let Some(error) = self.pop_error() {
                self.end = Some(TrackEnd::Broken(error));
            } else if self.sink.is_eos() {
                self.end = Some(TrackEnd::Complete);
            } else if !wait {
                break;
            } else if self.interrupt.load(Ordering::Acquire) {
                return Err(Interrupted);
            } else if started.elapsed() > STALL_TIMEOUT {
                self.end = Some(TrackEnd::Broken("gave no sound for too long".into()));
            }
        }
        Ok(())
    }

    fn buffered(&self) -> usize {
        self.samples.len() / self.format.channels as usize
    }

    fn end(&self) -> Option<&TrackEnd> {
        self.end.as_ref()
    }

    fn read(&mut self, out: &mut [f32]) -> usize {
        let channels = self.format.channels as usize;
        let samples = (out.len() / channels).min(self.buffered());
        for (out, value) in out.iter_mut().zip(self.samples.drain(..samples * channels)) {
            *out = value;
        }
        let max = (self.format.seconds(REWINDABLE_SECONDS + 1) as usize) * channels;
        self.read = self.read.take().filter(|read| read.len() + samples * channels <= max);
        if let Some(read) = &mut self.read {
            read.extend_from_slice(&out[..samples * channels]);
        }
        samples
    }

    fn set_end(&mut self, end: u64) {
        self.cue.end = Some(end);
        // The samples that are buffered end at the position, or at an end that was known before.
        let Some(position) = self.position.filter(|position| *position >= end) else { return };
        let kept = (self.buffered() as u64).saturating_sub(position - end) as usize;
        self.samples.truncate(kept * self.format.channels as usize);
        self.end = Some(TrackEnd::Complete);
    }
}
