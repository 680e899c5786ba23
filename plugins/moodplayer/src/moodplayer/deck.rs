//! One track being decoded, in a pipeline of its own.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use glib::prelude::*;
use gst::prelude::*;

use super::cue::Cue;
use super::format::{self, Format};
use super::stage::{Ending, Interrupted, Source};
use crate::source::{add_sound, make};

/// A track that gives nothing for this long is broken: longer than a busy machine or a disk that wakes up takes.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often a wait looks whether it should end.
const LOOK: gst::ClockTime = gst::ClockTime::from_mseconds(20);
/// Decoded buffers that wait to be taken.
const QUEUE: u32 = 32;
/// A track is open once this part of a second is decoded: live, the first moments must not run dry.
const READY: u32 = 4;
/// What begins later than this, in seconds, is sought; before, it is decoded and dropped: that takes a second at most, and
/// is exact where seeking is not, as in MP3.
const SOUGHT_SECONDS: u64 = 5 * 60;

/// An open track.
pub struct Deck {
    pipeline: gst::Pipeline,
    sink: gst_app::AppSink,
    format: Format,
    cue: Cue,
    /// The frame of the track that is decoded next, once that is known.
    position: Option<u64>,
    samples: VecDeque<f32>,
    ending: Option<Ending>,
    /// Set when waiting must end.
    interrupt: Arc<AtomicBool>,
}

impl Drop for Deck {
    fn drop(&mut self) {
        // Only fails on the way up.
        let _ = self.pipeline.set_state(gst::State::Null);
    }
}

impl Deck {
    /// Opens what `cue` says of a track, until its first samples are there. Why not, in words, where it cannot be played
    /// or `interrupt` is set.
    pub fn open(
        uri: &str,
        format: Format,
        cue: Cue,
        allow_network: bool,
        interrupt: Arc<AtomicBool>,
    ) -> Result<Self, String> {
        let mut deck =
            Self::build(uri, format, cue, allow_network, interrupt).map_err(|error| error.to_string())?;
        if cue.from > SOUGHT_SECONDS * u64::from(format.rate) {
            deck.seek()?;
        } else {
            deck.position = Some(0);
        }
        deck.set_state(gst::State::Playing)?;
        match deck.fill((format.rate / READY) as usize, true) {
            Err(Interrupted) => return Err("interrupted".into()),
            Ok(()) if deck.buffered() > 0 => {}
            Ok(()) => {
                return Err(match deck.ending.take() {
                    Some(Ending::Broken(error)) => error,
                    Some(Ending::Natural) | None => "has no sound".into(),
                });
            }
        }
        Ok(deck)
    }

    /// From now on waits end when this is set.
    pub fn set_interrupt(&mut self, interrupt: Arc<AtomicBool>) {
        self.interrupt = interrupt;
    }

    fn build(
        uri: &str,
        format: Format,
        cue: Cue,
        allow_network: bool,
        interrupt: Arc<AtomicBool>,
    ) -> Result<Self, glib::BoolError> {
        let pipeline = gst::Pipeline::new();
        let convert = add_sound(&pipeline, uri, allow_network)?;
        let resample = make("audioresample")?;
        let sink =
            gst_app::AppSink::builder().caps(&format.deck_caps()).sync(false).max_buffers(QUEUE).build();
        pipeline.add_many([&resample, sink.upcast_ref()])?;
        gst::Element::link_many([&convert, &resample, sink.upcast_ref()])?;
        Ok(Self {
            pipeline,
            sink,
            format,
            cue,
            position: None,
            samples: VecDeque::new(),
            ending: None,
            interrupt,
        })
    }

    fn set_state(&self, state: gst::State) -> Result<(), String> {
        match self.pipeline.set_state(state) {
            Ok(_) => Ok(()),
            Err(_) => Err(self.error().unwrap_or_else(|| "cannot be opened".into())),
        }
    }

    fn seek(&self) -> Result<(), String> {
        self.set_state(gst::State::Paused)?;
        let begun = Instant::now();
        loop {
            match self.pipeline.state(LOOK) {
                (
                    Ok(gst::StateChangeSuccess::Success | gst::StateChangeSuccess::NoPreroll),
                    gst::State::Paused,
                    _,
                ) => {
                    break;
                }
                (Err(_), ..) => return Err(self.error().unwrap_or_else(|| "cannot be opened".into())),
                _ => {}
            }
            if let Some(error) = self.error() {
                return Err(error);
            }
            if self.interrupt.load(Ordering::Acquire) || begun.elapsed() > PATIENCE {
                return Err("took too long to open".into());
            }
        }
        let rate = u64::from(self.format.rate);
        let time = self.cue.from.mul_div_floor(1_000_000_000, rate).unwrap_or(0);
        let flags = gst::SeekFlags::FLUSH | gst::SeekFlags::ACCURATE;
        // What cannot seek is played from its beginning.
        let _ = self.pipeline.seek_simple(flags, gst::ClockTime::from_nseconds(time));
        Ok(())
    }

    /// The first error on the bus, in words.
    fn error(&self) -> Option<String> {
        let message = self.pipeline.bus()?.pop_filtered(&[gst::MessageType::Error])?;
        match message.view() {
            gst::MessageView::Error(error) => Some(error.error().message().trim_end_matches('.').to_owned()),
            _ => None,
        }
    }

    /// Takes of decoded sound what is to be played.
    fn take(&mut self, sample: &gst::Sample) {
        let Some(map) = sample.buffer().and_then(|buffer| buffer.map_readable().ok()) else { return };
        let bytes = self.format.width() * size_of::<f32>();
        let frames = map.len() / bytes;
        let begin = self.position.unwrap_or_else(|| self.frame_of(sample));
        let within = |frame: u64| (frame.saturating_sub(begin)).min(frames as u64) as usize;
        let (first, last) = (within(self.cue.from), self.cue.until.map_or(frames, within));
        if let Some(wanted) = map.get(first * bytes..last * bytes) {
            self.samples.extend(format::decode(wanted));
        }
        let end = begin + frames as u64;
        self.position = Some(end);
        if self.cue.until.is_some_and(|until| end >= until) {
            self.ending = Some(Ending::Natural);
        }
    }

    /// Where in the track a sample begins, by its timestamp.
    fn frame_of(&self, sample: &gst::Sample) -> u64 {
        let segment = sample.segment().and_then(|segment| segment.downcast_ref::<gst::ClockTime>());
        let pts = sample.buffer().and_then(|buffer| buffer.pts());
        let time = segment.zip(pts).and_then(|(segment, pts)| segment.to_stream_time(pts));
        time.and_then(|time| time.nseconds().mul_div_round(u64::from(self.format.rate), 1_000_000_000))
            .unwrap_or(self.cue.from)
    }
}

impl Source for Deck {
    fn fill(&mut self, frames: usize, wait: bool) -> Result<(), Interrupted> {
        let begun = Instant::now();
        while self.ending.is_none() && self.buffered() < frames {
            let patience = if wait { LOOK } else { gst::ClockTime::ZERO };
            if let Some(sample) = self.sink.try_pull_sample(patience) {
                self.take(&sample);
            } else if let Some(error) = self.error() {
                self.ending = Some(Ending::Broken(error));
            } else if self.sink.is_eos() {
                self.ending = Some(Ending::Natural);
            } else if !wait {
                break;
            } else if self.interrupt.load(Ordering::Acquire) {
                return Err(Interrupted);
            } else if begun.elapsed() > PATIENCE {
                self.ending = Some(Ending::Broken("gave no sound for too long".into()));
            }
        }
        Ok(())
    }

    fn buffered(&self) -> usize {
        self.samples.len() / self.format.width()
    }

    fn ending(&self) -> Option<&Ending> {
        self.ending.as_ref()
    }

    fn read(&mut self, out: &mut [f32]) -> usize {
        let width = self.format.width();
        let frames = (out.len() / width).min(self.buffered());
        for (out, sample) in out.iter_mut().zip(self.samples.drain(..frames * width)) {
            *out = sample;
        }
        frames
    }
}
