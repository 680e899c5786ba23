//! Running a pipeline to its end: progress, errors in words, and a clean end on Ctrl-C.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

use gst::prelude::*;

use crate::failure::Failure;
use crate::progress::Progress;

/// How often position and Ctrl-C are looked at.
pub const TICK: gst::ClockTime = gst::ClockTime::from_mseconds(100);
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
    let result = play(pipeline, progress);
    let stopped = pipeline.set_state(gst::State::Null);
    result?;
    stopped.map(|_| ()).map_err(|error| Failure::Work(format!("the pipeline does not stop: {error}")))
}

fn play(pipeline: &gst::Pipeline, progress: &Progress) -> Result<(), Failure> {
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
            None => {}
        }
        if interrupted() && !ending {
            ending = true;
            pipeline.send_event(gst::event::Eos::new());
        }
        if let Some(position) = pipeline.query_position::<gst::ClockTime>() {
            progress.set(position.mseconds());
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

/// One line for a person.
pub fn in_words(error: &gst::message::Error) -> String {
    let source = error.src().map(|source| source.name().to_string()).unwrap_or_default();
    let detail = error.debug().map(|text| format!(" ({text})")).unwrap_or_default();
    // One line, whatever the element wrote.
    format!("{source}: {}{detail}", error.error()).replace('\n', " ")
}
