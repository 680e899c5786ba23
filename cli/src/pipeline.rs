//! Running a pipeline to its end: progress, errors in words, and a clean end on Ctrl-C.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

use gst::prelude::*;

use crate::failure::Failure;
use crate::progress::Progress;

/// How often position and Ctrl-C are looked at.
pub const TICK: gst::ClockTime = gst::ClockTime::from_mseconds(100);
/// The queue right behind the decoder of a pipeline that [`run_file`] plays.
pub const FRAMES: &str = "frames";
/// The bin that takes the file's own sound, where there is one.
pub const SOUND: &str = "sound-of-recording";
/// How long a file may take to give its first picture while nothing is read.
const PATIENCE: gst::ClockTime = gst::ClockTime::from_seconds(20);
/// How long it may give nothing later on, when it may be waiting for music from a slow disk.
const LATER_PATIENCE: gst::ClockTime = gst::ClockTime::from_seconds(120);
/// How long a pipeline may take to finish its files after Ctrl-C.
const LAST_ORDERS: gst::ClockTime = gst::ClockTime::from_seconds(10);

/// Set by Ctrl-C. Where no handler can be installed, Ctrl-C ends the process as ever.
static INTERRUPTED: LazyLock<Arc<AtomicBool>> = LazyLock::new(|| {
    let flag = Arc::new(AtomicBool::new(false));
    let in_handler = Arc::clone(&flag);
    let _ = ctrlc::set_handler(move || in_handler.store(true, Ordering::Relaxed));
    flag
});

/// Whether Ctrl-C was pressed.
pub fn interrupted() -> bool {
    interrupt().load(Ordering::Relaxed)
}

/// What Ctrl-C sets.
pub fn interrupt() -> &'static AtomicBool {
    &INTERRUPTED
}

/// A pipeline from gst-launch's notation; properties with file names are set afterwards, where no quoting is needed.
pub fn parse(description: &str) -> Result<gst::Pipeline, Failure> {
    let element = gst::parse::launch(description)
        .map_err(|error| Failure::Environment(format!("the pipeline cannot be built: {error}")))?;
    element.downcast().map_err(|_| Failure::Work("not a pipeline".into()))
}

/// The element of that name.
pub fn element(pipeline: &gst::Pipeline, name: &str) -> Result<gst::Element, Failure> {
    pipeline.by_name(name).ok_or_else(|| Failure::Work(format!("no element {name} in the pipeline")))
}

/// Plays the pipeline to its end and stops it, whatever happens. `progress` counts milliseconds of the medium.
///
/// After Ctrl-C the files are finished with what there is, and the result is [`Failure::Interrupted`].
pub fn run(pipeline: &gst::Pipeline, progress: &Progress) -> Result<(), Failure> {
    let end = || _ = pipeline.send_event(gst::event::Eos::new());
    run_until(pipeline, progress, end, || Ok(()))
}

/// The same for a file, whose demuxer takes no end from outside: after Ctrl-C, pictures and sound end behind the decoder,
/// at [`FRAMES`] and [`SOUND`], the sound with the last picture.
pub fn run_file(pipeline: &gst::Pipeline, progress: &Progress) -> Result<(), Failure> {
    let frames = pipeline.by_name(FRAMES).and_then(|frames| frames.static_pad("sink"));
    let last = Arc::new(AtomicU64::new(0));
    if let Some(pad) = &frames {
        let last = Arc::clone(&last);
        pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
            let pts = info.buffer().and_then(|buffer| buffer.pts());
            last.fetch_max(pts.map_or(0, gst::ClockTime::nseconds), Ordering::Relaxed);
            gst::PadProbeReturn::Ok
        });
    }
    let mut watch = Watch::on(pipeline, frames.as_ref());
    let end = || {
        let end = last.load(Ordering::Relaxed);
        let sound = pipeline.by_name(SOUND);
        // It has run ahead by up to a minute.
        if let Some(pad) = sound.as_ref().and_then(|sound| sound.static_pad("src")) {
            pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
                let pts = info.buffer().and_then(|buffer| buffer.pts());
                let late = pts.is_some_and(|pts| pts.nseconds() > end);
                // Not `Drop`: with gstreamer-rs 0.25, GStreamer 1.22 would then free it a second time.
                if late { gst::PadProbeReturn::Handled } else { gst::PadProbeReturn::Ok }
            });
        }
        for pad in frames.iter().cloned().chain(sound.and_then(|sound| sound.static_pad("sink"))) {
            pad.send_event(gst::event::Eos::new());
        }
    };
    run_until(pipeline, progress, end, || watch.tick())
}

/// Notices a file that gives nothing more and does not end: an error of a demuxer's first moment gets lost in decodebin,
/// and a decoder may hang in what is damaged.
struct Watch {
    /// What was read, in buffers.
    read: Arc<AtomicU64>,
    /// What was decoded, in buffers.
    decoded: Arc<AtomicU64>,
    /// Pictures came, and the last of them: from then on only files are finished.
    ended: Arc<AtomicBool>,
    before: [u64; 2],
    idle: u32,
}

impl Watch {
    fn on(pipeline: &gst::Pipeline, frames: Option<&gst::Pad>) -> Self {
        let watch = Self {
            read: Arc::default(),
            decoded: Arc::default(),
            ended: Arc::default(),
            before: [0; 2],
            idle: 0,
        };
        let count = |pad: gst::Pad, counter: &Arc<AtomicU64>| {
            let counter = Arc::clone(counter);
            pad.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
                counter.fetch_add(1, Ordering::Relaxed);
                gst::PadProbeReturn::Ok
            });
        };
        let is_file = |element: &gst::Element| element.factory().is_some_and(|it| it.name() == "filesrc");
        let files = pipeline.iterate_sources().into_iter().flatten().filter(is_file);
        files.filter_map(|file| file.static_pad("src")).for_each(|pad| count(pad, &watch.read));
        if let Some(pad) = frames {
            count(pad.clone(), &watch.decoded);
            let ended = Arc::clone(&watch.ended);
            pad.add_probe(gst::PadProbeType::EVENT_DOWNSTREAM, move |_, info| {
                if info.event().is_some_and(|event| event.type_() == gst::EventType::Eos) {
                    ended.store(true, Ordering::Relaxed);
                }
                gst::PadProbeReturn::Ok
            });
        }
        watch
    }

    /// Called every [`TICK`]. Ticks are counted, because a process that is stopped for a while is no file that stands still.
    fn tick(&mut self) -> Result<(), Failure> {
        let now = [&self.read, &self.decoded].map(|counter| counter.load(Ordering::Relaxed));
        let still = now == self.before && !self.ended.load(Ordering::Relaxed);
        self.idle = if still { self.idle + 1 } else { 0 };
        self.before = now;
        let [_, decoded] = now;
        let patience = if decoded == 0 { PATIENCE } else { LATER_PATIENCE };
        if TICK * u64::from(self.idle) < patience {
            return Ok(());
        }
        Err(Failure::Work("nothing more can be decoded: it is damaged".into()))
    }
}

fn run_until(
    pipeline: &gst::Pipeline,
    progress: &Progress,
    end: impl Fn(),
    tick: impl FnMut() -> Result<(), Failure>,
) -> Result<(), Failure> {
    let result = play(pipeline, progress, end, tick);
    let stopped = pipeline.set_state(gst::State::Null);
    result?;
    stopped.map(|_| ()).map_err(|error| Failure::Work(format!("the pipeline does not stop: {error}")))
}

fn play(
    pipeline: &gst::Pipeline,
    progress: &Progress,
    end: impl Fn(),
    mut tick: impl FnMut() -> Result<(), Failure>,
) -> Result<(), Failure> {
    let bus = pipeline.bus().ok_or_else(|| Failure::Work("a pipeline without a bus".into()))?;
    set_state(pipeline, gst::State::Playing)?;
    let mut ending = false;
    loop {
        let wait = if ending { LAST_ORDERS } else { TICK };
        let types = [gst::MessageType::Error, gst::MessageType::Eos, gst::MessageType::Warning];
        match bus.timed_pop_filtered(wait, &types).as_deref() {
            Some(message) => match message.view() {
                gst::MessageView::Eos(_) => break,
                gst::MessageView::Warning(warning) => warn(warning),
                gst::MessageView::Error(error) => return Err(Failure::Work(in_words(error))),
                _ => {}
            },
            None if ending => return Err(Failure::Interrupted),
            None => tick()?,
        }
        if interrupted() && !ending {
            ending = true;
            end();
        }
        if let Some(position) = pipeline.query_position::<gst::ClockTime>() {
            progress.set_media(position.mseconds());
        }
        if let Some(length) = pipeline.query_duration::<gst::ClockTime>() {
            progress.set_length(length.mseconds());
        }
    }
    if ending { Err(Failure::Interrupted) } else { Ok(()) }
}

/// Takes the pipeline to `state`; the failure has the words of the element that could not go along.
pub fn set_state(pipeline: &gst::Pipeline, state: gst::State) -> Result<(), Failure> {
    let Err(error) = pipeline.set_state(state) else { return Ok(()) };
    let message = pipeline.bus().and_then(|bus| bus.pop_filtered(&[gst::MessageType::Error]));
    Err(Failure::Work(match message.as_deref().map(gst::MessageRef::view) {
        Some(gst::MessageView::Error(error)) => in_words(error),
        _ => error.to_string(),
    }))
}

/// Tells what an element warns of.
pub fn warn(warning: &gst::message::Warning) {
    eprintln!("gst-mood: warning: {}", warning.error().to_string().replace('\n', " "));
}

/// One line for a person: what happened, and, where GStreamer's own words do not say, what to do.
pub fn in_words(error: &gst::message::Error) -> String {
    let what = error.error();
    // The first line of the details is a place in somebody's source.
    let debug = error.debug().unwrap_or_default();
    let detail = debug.lines().nth(1).map(str::trim).filter(|line| !line.is_empty());
    if debug.contains("x-cenc") || what.matches(gst::StreamError::Decrypt) {
        return "it is encrypted: decrypt it first".into();
    }
    if what.matches(gst::StreamError::TypeNotFound) {
        return "it is no video or photograph that GStreamer knows".into();
    }
    if what.matches(gst::CoreError::MissingPlugin) || what.matches(gst::StreamError::CodecNotFound) {
        let missing =
            debug.lines().find(|line| line.starts_with("Missing")).unwrap_or("a decoder is missing");
        return format!("{missing}: install gstreamer1.0-libav and gstreamer1.0-plugins-bad");
    }
    if what.matches(gst::StreamError::Demux) || what.matches(gst::StreamError::Decode) {
        return format!("it is damaged, or nothing that can be played ({what})");
    }
    // Of what the decoder finds in the input it is not the decoder that one wants to hear.
    if what.matches(gst::StreamError::WrongType) {
        return what.to_string();
    }
    let source = error.src().map(|source| source.name().to_string()).unwrap_or_default();
    let detail = detail.map(|detail| format!(" ({detail})")).unwrap_or_default();
    format!("{source}: {}{detail}", what.to_string().replace('\n', " "))
}
