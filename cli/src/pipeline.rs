//! Pipelines: built, run to their end with progress, ended early on Ctrl-C or SIGTERM, and their errors put into words.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use gst::prelude::*;

use crate::error::CommandError;
use crate::files::path_to_str;
use crate::interruption::is_interrupted;
use crate::progress::Progress;

/// How often a running pipeline's position and Ctrl-C are checked.
pub const POLL_INTERVAL: gst::ClockTime = gst::ClockTime::from_mseconds(100);
/// The name of the queue right behind the decoder, in a pipeline that [`run_file`] plays.
pub const DECODER_QUEUE: &str = "frames";
/// The name of the bin that takes the file's own audio, in a pipeline that [`run_file`] plays, if there is
/// one.
pub const AUDIO_BIN: &str = "sound-of-recording";
/// How long a file may take to give its first frame while nothing is read from it.
const FIRST_FRAME_TIMEOUT: gst::ClockTime = gst::ClockTime::from_seconds(20);
/// How long it may give nothing after its first frame. That may be the player waiting for music from a slow
/// disk.
const STALL_TIMEOUT: gst::ClockTime = gst::ClockTime::from_seconds(120);
/// How long a pipeline may take to finish its files after Ctrl-C or SIGTERM.
const FINISH_TIMEOUT: gst::ClockTime = gst::ClockTime::from_seconds(if cfg!(test) { 1 } else { 10 });
/// How long a pause lasts at least. The threads of live sources notice it in less than a millisecond on an idle machine.
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);

/// When a pipeline that decodes a file is ended early.
#[derive(Clone, Copy, Debug)]
pub enum RunLimit {
    /// On Ctrl-C or SIGTERM.
    Interruption,
    /// After Ctrl-C was pressed, for what remains to be done about the part before: at a time of the media, and
    /// no later than after some time.
    Remainder {
        /// Time of the last frame, ns.
        last: u64,
        /// The longest that it may take.
        within: Duration,
    },
}

/// Starts GStreamer and registers the elements of this workspace in this process, whatever `GST_PLUGIN_PATH`
/// says.
pub fn init_gstreamer() -> Result<(), CommandError> {
    gst::init().map_err(|error| CommandError::Environment(format!("GStreamer does not start: {error}")))?;
    gstfacedetect::plugin_register_static()
        .and_then(|()| gstemotionclassify::plugin_register_static())
        .and_then(|()| gstmoodplayer::plugin_register_static())
        .map_err(|error| CommandError::Environment(format!("our elements cannot be registered: {error}")))
}

/// The number of threads that the machine runs at the same time.
pub fn available_threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Builds a pipeline from gst-launch's notation. Set file names afterwards with [`set_path`]: they would need
/// quoting.
pub fn parse(description: &str) -> Result<gst::Pipeline, CommandError> {
    let element = gst::parse::launch(description)
        .map_err(|error| CommandError::Environment(format!("the pipeline cannot be built: {error}")))?;
    element.downcast().map_err(|_| CommandError::Failed("not a pipeline".into()))
}

/// Finds the element called `name`.
pub fn element(pipeline: &gst::Pipeline, name: &str) -> Result<gst::Element, CommandError> {
    pipeline.by_name(name).ok_or_else(|| CommandError::Failed(format!("no element {name} in the pipeline")))
}

/// Sets a property of the element called `name` to a path; an error for a path that is not UTF-8.
pub fn set_path(
    pipeline: &gst::Pipeline,
    name: &str,
    property: &str,
    path: &Path,
) -> Result<(), CommandError> {
    element(pipeline, name)?.set_property(property, path_to_str(path)?);
    Ok(())
}

/// Plays a pipeline to its end and stops it, also after an error. `progress` counts milliseconds of the
/// media. On Ctrl-C, the pipeline's files are finished early and the result is [`CommandError::Interrupted`], or
/// [`CommandError::InterruptedUnfinished`] if that takes too long.
pub fn run(pipeline: &gst::Pipeline, progress: &Progress) -> Result<(), CommandError> {
    let end_early = || _ = pipeline.send_event(gst::event::Eos::new());
    run_and_stop(pipeline, progress, is_interrupted, end_early, || Ok(()))
}

/// Does the same for a pipeline that decodes a file. Demuxers do not end early on an event from outside: on
/// Ctrl-C, video and audio are ended behind the decoder instead, at [`DECODER_QUEUE`] and [`AUDIO_BIN`], the
/// audio with the last frame. So they are when the `limit` is reached, with the same result. A file that stalls is
/// an error.
pub fn run_file(pipeline: &gst::Pipeline, progress: &Progress, limit: RunLimit) -> Result<(), CommandError> {
    let started = Instant::now();
    forbid_network(pipeline);
    let frames = pipeline.by_name(DECODER_QUEUE).and_then(|queue| queue.static_pad("sink"));
    let last_pts = Arc::new(AtomicU64::new(0));
    if let Some(pad) = &frames {
        let last_pts = Arc::clone(&last_pts);
        pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
            let pts = info.buffer().and_then(|buffer| buffer.pts());
            last_pts.fetch_max(pts.map_or(0, gst::ClockTime::nseconds), Ordering::Relaxed);
            gst::PadProbeReturn::Ok
        });
    }
    let mut stall_detector = StallDetector::new(pipeline, frames.as_ref());
    let end_early = || {
        let end = last_pts.load(Ordering::Relaxed);
        let audio = pipeline.by_name(AUDIO_BIN);
        // Its queue may hold a minute of audio beyond the last frame.
        if let Some(pad) = audio.as_ref().and_then(|audio| audio.static_pad("src")) {
            pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
                let pts = info.buffer().and_then(|buffer| buffer.pts());
                let is_late = pts.is_some_and(|pts| pts.nseconds() > end);
                // Not `Drop`: with gstreamer-rs 0.25, GStreamer 1.22 would free the buffer a second time.
                if is_late { gst::PadProbeReturn::Handled } else { gst::PadProbeReturn::Ok }
            });
        }
        for pad in frames.iter().cloned().chain(audio.and_then(|audio| audio.static_pad("sink"))) {
            // It waits for what streams there, which may wait for something that comes no more; so it gets a thread of its own.
            pipeline.call_async(move |_| _ = pad.send_event(gst::event::Eos::new()));
        }
    };
    let should_end = || match limit {
        RunLimit::Interruption => is_interrupted(),
        RunLimit::Remainder { last, within } => {
            last_pts.load(Ordering::Relaxed) >= last || started.elapsed() > within
        }
    };
    run_and_stop(pipeline, progress, should_end, end_early, || stall_detector.poll())
}

/// Makes the decoders of a pipeline that reads a file open no connection, whatever the file holds.
pub fn forbid_network(pipeline: &gst::Pipeline) {
    let is_decoder = |element: &gst::Element| {
        element.factory().is_some_and(|factory| matches!(&*factory.name(), "decodebin" | "parsebin"))
    };
    for decoder in pipeline.iterate_recurse().into_iter().flatten().filter(is_decoder) {
        mood_meta::audio::skip_streaming_formats(&decoder);
    }
}

/// Detects a file that gives nothing more without ending: an error that a demuxer posts right at its start
/// gets lost in decodebin, and a decoder may hang in damaged data.
struct StallDetector {
    /// Buffers read from the file.
    read: Arc<AtomicU64>,
    /// Frames decoded.
    decoded: Arc<AtomicU64>,
    /// The last frame was decoded; what remains is finishing the files.
    has_ended: Arc<AtomicBool>,
    /// Values of `read` and `decoded` at the previous poll.
    previous: [u64; 2],
    /// Polls since those values changed.
    idle_polls: u32,
}

impl StallDetector {
    /// Counts the buffers of the pipeline's file sources and those that reach the pad `frames`.
    fn new(pipeline: &gst::Pipeline, frames: Option<&gst::Pad>) -> Self {
        let detector = Self {
            read: Arc::default(),
            decoded: Arc::default(),
            has_ended: Arc::default(),
            previous: [0; 2],
            idle_polls: 0,
        };
        let count_buffers = |pad: &gst::Pad, counter: &Arc<AtomicU64>| {
            let counter = Arc::clone(counter);
            pad.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
                counter.fetch_add(1, Ordering::Relaxed);
                gst::PadProbeReturn::Ok
            });
        };
        let is_file_source =
            |element: &gst::Element| element.factory().is_some_and(|factory| factory.name() == "filesrc");
        let sources = pipeline.iterate_sources().into_iter().flatten().filter(is_file_source);
        for pad in sources.filter_map(|source| source.static_pad("src")) {
            count_buffers(&pad, &detector.read);
        }
        if let Some(pad) = frames {
            count_buffers(pad, &detector.decoded);
            let has_ended = Arc::clone(&detector.has_ended);
            pad.add_probe(gst::PadProbeType::EVENT_DOWNSTREAM, move |_, info| {
                if info.event().is_some_and(|event| event.type_() == gst::EventType::Eos) {
                    has_ended.store(true, Ordering::Relaxed);
                }
                gst::PadProbeReturn::Ok
            });
        }
        detector
    }

    /// To be called every [`POLL_INTERVAL`]. Fails if the file has stalled. Polls are counted instead of
    /// reading a clock: a process that was suspended for a while has not stalled.
    fn poll(&mut self) -> Result<(), CommandError> {
        let counts = [&self.read, &self.decoded].map(|counter| counter.load(Ordering::Relaxed));
        let is_idle = counts == self.previous && !self.has_ended.load(Ordering::Relaxed);
        self.idle_polls = if is_idle { self.idle_polls + 1 } else { 0 };
        self.previous = counts;
        let [_, decoded] = counts;
        let timeout = if decoded == 0 { FIRST_FRAME_TIMEOUT } else { STALL_TIMEOUT };
        if POLL_INTERVAL * u64::from(self.idle_polls) < timeout {
            return Ok(());
        }
        Err(CommandError::Failed("nothing more can be decoded: it is damaged".into()))
    }
}

/// Plays a pipeline to its end, calling `poll` every [`POLL_INTERVAL`] and `end_early` when it `should_end`, and
/// stops it.
fn run_and_stop(
    pipeline: &gst::Pipeline,
    progress: &Progress,
    should_end: impl Fn() -> bool,
    end_early: impl Fn(),
    poll: impl FnMut() -> Result<(), CommandError>,
) -> Result<(), CommandError> {
    let result = play(pipeline, progress, should_end, end_early, poll);
    let stopped = pipeline.set_state(gst::State::Null);
    result?;
    stopped.map(|_| ()).map_err(|error| CommandError::Failed(format!("the pipeline does not stop: {error}")))
}

/// Plays a pipeline to its end without stopping it.
fn play(
    pipeline: &gst::Pipeline,
    progress: &Progress,
    should_end: impl Fn() -> bool,
    end_early: impl Fn(),
    mut poll: impl FnMut() -> Result<(), CommandError>,
) -> Result<(), CommandError> {
    let bus = pipeline.bus().ok_or_else(|| CommandError::Failed("a pipeline without a bus".into()))?;
    set_state(pipeline, gst::State::Playing)?;
    let mut is_ending = false;
    loop {
        let timeout = if is_ending { FINISH_TIMEOUT } else { POLL_INTERVAL };
        let types = [gst::MessageType::Error, gst::MessageType::Eos, gst::MessageType::Warning];
        match bus.timed_pop_filtered(timeout, &types).as_deref() {
            Some(message) => match message.view() {
                gst::MessageView::Eos(_) => break,
                gst::MessageView::Warning(warning) => print_warning(warning),
                gst::MessageView::Error(error) => return Err(CommandError::Failed(describe_error(error))),
                _ => {}
            },
            None if is_ending => return Err(CommandError::InterruptedUnfinished),
            None => poll()?,
        }
        if !is_ending && should_end() {
            is_ending = true;
            end_early();
        }
        if let Some(position) = pipeline.query_position::<gst::ClockTime>() {
            progress.set_media_position(position.mseconds());
        }
        if let Some(length) = pipeline.query_duration::<gst::ClockTime>() {
            progress.set_length(length.mseconds());
        }
    }
    if is_ending { Err(CommandError::Interrupted) } else { Ok(()) }
}

/// Changes the pipeline's state; the error has the text of the element that failed.
pub fn set_state(pipeline: &gst::Pipeline, state: gst::State) -> Result<(), CommandError> {
    let Err(error) = pipeline.set_state(state) else { return Ok(()) };
    let message = pipeline.bus().and_then(|bus| bus.pop_filtered(&[gst::MessageType::Error]));
    Err(CommandError::Failed(match message.as_deref().map(gst::MessageRef::view) {
        Some(gst::MessageView::Error(error)) => describe_error(error),
        _ => error.to_string(),
    }))
}

/// Pauses a pipeline, for so long that its live sources can play again.
///
/// GStreamer 1.26 interrupts a live source that waits for its next buffer when it pauses. If the source plays again before its
/// thread has noticed, the thread takes that for a flush and pauses for good: without an error, the source gives nothing any
/// more (1.26.2; 1.22 does not interrupt it).
pub fn pause(pipeline: &gst::Pipeline) -> Result<(), CommandError> {
    set_state(pipeline, gst::State::Paused)?;
    thread::sleep(SHORTEST_PAUSE);
    Ok(())
}

/// Prints a warning of an element.
pub fn print_warning(warning: &gst::message::Warning) {
    eprintln!("gst-mood: warning: {}", warning.error());
}

/// Whether the error is that no installed plugin decodes the input.
pub fn is_missing_plugin(message: &gst::message::Error) -> bool {
    let error = message.error();
    error.matches(gst::CoreError::MissingPlugin) || error.matches(gst::StreamError::CodecNotFound)
}

/// What to do about a missing decoder: install the packages that may have it, or where they are installed, convert the file.
fn decoder_remedy() -> String {
    // A plugin of each package.
    let packages = [("libav", "gstreamer1.0-libav"), ("videoparsersbad", "gstreamer1.0-plugins-bad")];
    let is_missing = |(plugin, _): &(&str, &str)| gst::Registry::get().find_plugin(plugin).is_none();
    let missing: Vec<&str> = packages.into_iter().filter(is_missing).map(|(_, package)| package).collect();
    if missing.is_empty() {
        "GStreamer's packages have none: convert it, for example with ffmpeg".into()
    } else {
        format!("install {}", missing.join(" and "))
    }
}

/// Describes an error in one line for the user: what happened and, where GStreamer's own text does not say
/// it, what to do.
pub fn describe_error(message: &gst::message::Error) -> String {
    let error = message.error();
    // The first line of the details is a place in the source of the element.
    let debug = message.debug().unwrap_or_default();
    let detail = debug.lines().nth(1).map(str::trim).filter(|line| !line.is_empty());
    if debug.contains("x-cenc") || error.matches(gst::StreamError::Decrypt) {
        return "it is encrypted: decrypt it first".into();
    }
    if ["application/x-hls", "application/dash+xml", "application/vnd.ms-sstr+xml"]
        .iter()
        .any(|list| debug.contains(list))
    {
        return "it is a list of addresses on the network, not a recording".into();
    }
    if error.matches(gst::StreamError::TypeNotFound) {
        return "it is no video or photograph that GStreamer knows".into();
    }
    if is_missing_plugin(message) {
        let missing =
            debug.lines().find(|line| line.starts_with("Missing")).unwrap_or("a decoder is missing");
        return format!("{missing}: {}", decoder_remedy());
    }
    if error.matches(gst::StreamError::Demux) || error.matches(gst::StreamError::Decode) {
        return format!("it is damaged, or nothing that can be played ({error})");
    }
    // An error about the input, in which the name of the decoder would be confusing.
    if error.matches(gst::StreamError::WrongType) {
        return error.to_string();
    }
    let source = message.src().map(|source| source.name().to_string()).unwrap_or_default();
    let detail = detail.map(|detail| format!(" ({detail})")).unwrap_or_default();
    format!("{source}: {}{detail}", error.to_string().replace('\n', " "))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn a_stream_that_waits_for_ever_does_not_hold_up_an_early_end() {
        gst::init().unwrap();
        let pipeline = parse(&format!("videotestsrc ! queue name={DECODER_QUEUE} ! fakesink")).unwrap();
        let pad = element(&pipeline, DECODER_QUEUE).unwrap().static_pad("sink").unwrap();
        pad.add_probe(gst::PadProbeType::BUFFER | gst::PadProbeType::BLOCK, |_, _| gst::PadProbeReturn::Ok);
        let limit = RunLimit::Remainder { last: 0, within: Duration::ZERO };
        let result = run_file(&pipeline, &Progress::start("a stream that waits", 0), limit);
        assert!(matches!(result, Err(CommandError::InterruptedUnfinished)), "{result:?}");
    }

    #[test]
    fn a_live_source_that_waits_for_data_goes_on_after_each_pause() {
        gst::init().unwrap();
        let pipeline =
            parse("appsrc name=feed is-live=true format=time ! fakesink name=end async=false").unwrap();
        let feed = element(&pipeline, "feed").unwrap().downcast::<gst_app::AppSrc>().unwrap();
        let received = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&received);
        let pad = element(&pipeline, "end").unwrap().static_pad("sink").unwrap();
        pad.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
            counter.fetch_add(1, Ordering::Relaxed);
            gst::PadProbeReturn::Ok
        });
        for round in 0..20 {
            set_state(&pipeline, gst::State::Playing).unwrap();
            let before = received.load(Ordering::Relaxed);
            let deadline = Instant::now() + Duration::from_secs(20);
            while received.load(Ordering::Relaxed) == before {
                assert!(Instant::now() < deadline, "nothing came after {round} pauses");
                // Refused until the source's thread goes on.
                let _ = feed.push_buffer(gst::Buffer::new());
                thread::sleep(Duration::from_millis(1));
            }
            pause(&pipeline).unwrap();
        }
        set_state(&pipeline, gst::State::Null).unwrap();
    }
}
