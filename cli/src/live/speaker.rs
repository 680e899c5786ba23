//! The sound output of a live session, which may fail and return while everything else goes on.

use std::sync::mpsc;
use std::time::Duration;

use gst::prelude::*;

use crate::error::CommandError;
use crate::pipeline;

/// The name of the element before the sound output, which passes none of its failures on.
pub const SPEAKER_GUARD: &str = "speaker-guard";
/// The name of the sink that `autoaudiosink` uses where it has found no device.
const SUBSTITUTE: &str = "fake-audio-sink";

/// How long what sounds is waited for before an output is taken away; one that hangs does not take it.
const FLOW_TIMEOUT: Duration = Duration::from_millis(500);

/// The sound output at the end of a pipeline.
pub struct Speaker {
    pipeline: gst::Pipeline,
    /// What it is made from, in gst-launch's notation.
    description: String,
    /// Where the sound comes from.
    source: gst::Pad,
    /// `None` while it is lost.
    sink: Option<gst::Bin>,
}

impl Speaker {
    /// Adds an output, in gst-launch's notation, to a pipeline that is not running yet and has a [`SPEAKER_GUARD`].
    pub fn new(pipeline: &gst::Pipeline, description: &str) -> Result<Self, CommandError> {
        let guard = pipeline::element(pipeline, SPEAKER_GUARD)?;
        let source = guard.static_pad("src");
        let source = source.ok_or_else(|| unusable(&"no pad for the sound output"))?;
        let mut speaker =
            Self { pipeline: pipeline.clone(), description: description.into(), source, sink: None };
        let sink = speaker.make()?;
        speaker.add(sink)?;
        speaker.link()?;
        Ok(speaker)
    }

    /// Makes an output.
    fn make(&self) -> Result<gst::Bin, CommandError> {
        // What brings the sound waits for no output, however it hangs; a live source gives no more than sounds.
        let description = format!("queue name=sound leaky=downstream ! {}", self.description);
        let sink = gst::parse::bin_from_description(&description, true);
        let sink = sink.map_err(|error| unusable(&error))?;
        // The pipeline waits for no sink while it plays a live source, so that the output itself goes from its first buffer on.
        sink.set_property("async-handling", true);
        Ok(sink)
    }

    fn add(&mut self, sink: gst::Bin) -> Result<(), CommandError> {
        self.pipeline.add(&sink).map_err(|error| unusable(&error))?;
        self.sink = Some(sink);
        Ok(())
    }

    /// Gives the output the sound.
    fn link(&self) -> Result<(), CommandError> {
        let pad = self.sink.as_ref().and_then(|sink| sink.static_pad("sink"));
        let pad = pad.ok_or_else(|| unusable(&"--audio-sink names no sink"))?;
        self.source.link(&pad).map(|_| ()).map_err(|error| unusable(&error))
    }

    /// Whether it is the speaker that a message is about.
    pub fn is_source_of(&self, message: &gst::MessageRef) -> bool {
        let sink = self.sink.as_ref().zip(message.src());
        sink.is_some_and(|(sink, source)| source == sink || source.has_as_ancestor(sink))
    }

    /// Whether no sound comes any more because an output was taken away while it held some: only a new start helps then.
    pub fn is_stalled(&self) -> bool {
        let guard = self.source.parent_element().and_then(|guard| guard.static_pad("sink"));
        let source = guard.and_then(|pad| pad.peer());
        source.is_some_and(|pad| pad.last_flow_result() == Err(gst::FlowError::Flushing))
    }

    /// Whether it is lost, or a stand-in that nobody hears.
    pub fn is_missing(&self) -> bool {
        self.sink.as_ref().is_none_or(has_substitute)
    }

    /// Takes an output that has failed away; the sound goes nowhere from now on.
    pub fn remove(&mut self) {
        let Some(sink) = self.sink.take() else { return };
        // What is held by an output that is stopped comes back as a refusal, at which the thread that brings the sound ends.
        let (blocked, waiting) = mpsc::channel();
        let probe = self.source.add_probe(gst::PadProbeType::BLOCK_DOWNSTREAM, move |_, _| {
            let _ = blocked.send(());
            gst::PadProbeReturn::Ok
        });
        let _ = waiting.recv_timeout(FLOW_TIMEOUT);
        if let Some(pad) = sink.static_pad("sink") {
            let _ = self.source.unlink(&pad);
        }
        if let Some(probe) = probe {
            self.source.remove_probe(probe);
        }
        // It is stopped outside, so that the pipeline does not wait for it to play again. Where it does not stop, it is not
        // worth waiting for.
        let _ = self.pipeline.remove(&sink);
        let _ = sink.set_state(gst::State::Null);
    }

    /// Looks for an output in the place of one that is missing while the pipeline plays. Whether the sound is heard again.
    pub fn restore(&mut self) -> bool {
        let Ok(sink) = self.make() else { return false };
        // Here it opens the device. What fails is not in the pipeline yet.
        if sink.set_state(gst::State::Ready).is_err() || has_substitute(&sink) {
            let _ = sink.set_state(gst::State::Null);
            return false;
        }
        self.remove();
        // Before it plays it would refuse the sound, too.
        let is_playing = self.add(sink.clone()).is_ok()
            && sink.set_state(gst::State::Playing).is_ok()
            && self.link().is_ok();
        if is_playing {
            let _ = self.pipeline.recalculate_latency();
        } else {
            self.remove();
        }
        is_playing
    }
}

/// Whether an output is a stand-in.
fn has_substitute(sink: &gst::Bin) -> bool {
    sink.by_name(SUBSTITUTE).is_some()
}

/// An output that cannot be made.
fn unusable(error: &dyn std::fmt::Display) -> CommandError {
    CommandError::Environment(format!("the pipeline cannot be built: {error}"))
}
