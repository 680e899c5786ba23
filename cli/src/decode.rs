//! Sound for the analysis of a library, decoded by the same elements that play it later.

use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, Instant};

use gst::prelude::*;
use music_library::{Block, Decode};

use crate::failure::Failure;
use crate::start_gstreamer;

/// Blocks of sound that may wait.
const QUEUE: u32 = 16;
/// How long at once is waited for sound, and how long in all.
const LOOK: gst::ClockTime = gst::ClockTime::from_mseconds(100);
const PATIENCE: Duration = Duration::from_secs(20);

/// GStreamer's decoders.
pub struct Decoder(());

impl Decoder {
    /// Starts GStreamer.
    pub fn new() -> Result<Self, Failure> {
        start_gstreamer()?;
        Ok(Self(()))
    }
}

impl Decode for Decoder {
    fn decode(&self, file: &Path, take: &mut dyn FnMut(Block<'_>) -> ControlFlow<()>) -> Result<(), String> {
        let (pipeline, sink) = build(file).map_err(|error| error.to_string())?;
        let result = match pipeline.set_state(gst::State::Playing) {
            Ok(_) => pull(&pipeline, &sink, take),
            Err(_) => Err(error(&pipeline).unwrap_or_else(|| "cannot be opened".into())),
        };
        // Nothing can be done about a decoder that does not stop.
        let _ = pipeline.set_state(gst::State::Null);
        result
    }
}

fn build(file: &Path) -> Result<(gst::Pipeline, gst_app::AppSink), gst::glib::BoolError> {
    let pipeline = gst::Pipeline::new();
    let uri = gst::glib::filename_to_uri(file, None).map_err(|error| gst::glib::bool_error!("{error}"))?;
    let convert = mood_meta::audio::add_audio_decoder(&pipeline, &uri, false)?;
    let caps = gst::Caps::builder("audio/x-raw").field("format", "F32LE").field("layout", "interleaved");
    let sink = gst_app::AppSink::builder().caps(&caps.build()).sync(false).max_buffers(QUEUE).build();
    pipeline.add(&sink)?;
    convert.link(&sink)?;
    Ok((pipeline, sink))
}

fn pull(
    pipeline: &gst::Pipeline,
    sink: &gst_app::AppSink,
    take: &mut dyn FnMut(Block<'_>) -> ControlFlow<()>,
) -> Result<(), String> {
    let mut samples = Vec::new();
    let mut heard = Instant::now();
    loop {
        if let Some(sample) = sink.try_pull_sample(LOOK) {
            let (rate, channels) = format(&sample).ok_or("gives sound of no known format")?;
            let map = sample.buffer().and_then(|buffer| buffer.map_readable().ok());
            let bytes = map.as_deref().unwrap_or_default();
            samples.clear();
            samples.extend(bytes.as_chunks().0.iter().map(|sample| f32::from_le_bytes(*sample)));
            if take(Block { rate, channels, samples: &samples }).is_break() {
                return Ok(());
            }
            heard = Instant::now();
        } else if let Some(error) = error(pipeline) {
            return Err(error);
        } else if sink.is_eos() {
            return Ok(());
        } else if heard.elapsed() > PATIENCE {
            return Err("gave no sound for too long".into());
        }
    }
}

fn format(sample: &gst::Sample) -> Option<(u32, u32)> {
    let caps = sample.caps()?.structure(0)?;
    let number = |name| u32::try_from(caps.get::<i32>(name).ok()?).ok().filter(|number| *number > 0);
    Some((number("rate")?, number("channels")?))
}

/// The first error on the bus, in words.
fn error(pipeline: &gst::Pipeline) -> Option<String> {
    let message = pipeline.bus()?.pop_filtered(&[gst::MessageType::Error])?;
    match message.view() {
        gst::MessageView::Error(error) => Some(error.error().message().trim_end_matches('.').to_owned()),
        _ => None,
    }
}
