//! Decodes music for the analysis of a library, with the same elements that play it later: what can be
//! analysed can be played.

use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, Instant};

use gst::prelude::*;
use music_library::{AudioDecoder, DecodedAudio};

use crate::error::CommandError;
use crate::pipeline;

/// The most decoded buffers that are queued in the sink.
const MAX_BUFFERS: u32 = 16;
/// How long the sink is waited for before the bus is checked for an error.
const POLL_INTERVAL: gst::ClockTime = gst::ClockTime::from_mseconds(100);
/// A decoder that gives no samples for this long counts as stalled.
const STALL_TIMEOUT: Duration = Duration::from_secs(20);

/// Decodes with GStreamer. A value exists only after GStreamer was initialised.
pub struct Decoder(());

impl Decoder {
    /// Initialises GStreamer.
    pub fn new() -> Result<Self, CommandError> {
        pipeline::init_gstreamer()?;
        Ok(Self(()))
    }
}

impl AudioDecoder for Decoder {
    fn decode(
        &self,
        file: &Path,
        consume: &mut dyn FnMut(DecodedAudio<'_>) -> ControlFlow<()>,
    ) -> Result<(), String> {
        let (pipeline, sink) = build_pipeline(file).map_err(|error| error.to_string())?;
        let result = match pipeline.set_state(gst::State::Playing) {
            Ok(_) => pull_blocks(&pipeline, &sink, consume),
            Err(_) => Err(pop_error(&pipeline).unwrap_or_else(|| "cannot be opened".into())),
        };
        // Nothing can be done about a decoder that does not stop.
        let _ = pipeline.set_state(gst::State::Null);
        result
    }
}

/// Builds a pipeline that decodes `file` to interleaved 32-bit floats.
fn build_pipeline(file: &Path) -> Result<(gst::Pipeline, gst_app::AppSink), gst::glib::BoolError> {
    let pipeline = gst::Pipeline::new();
    let uri = gst::glib::filename_to_uri(file, None).map_err(|error| gst::glib::bool_error!("{error}"))?;
    let convert = mood_meta::audio::add_audio_decoder(&pipeline, &uri, false)?;
    let caps = gst::Caps::builder("audio/x-raw").field("format", "F32LE").field("layout", "interleaved");
    let sink = gst_app::AppSink::builder().caps(&caps.build()).sync(false).max_buffers(MAX_BUFFERS).build();
    pipeline.add(&sink)?;
    convert.link(&sink)?;
    Ok((pipeline, sink))
}

/// Passes the decoded audio to `consume` block by block, until the file ends or `consume` returns `Break`. An
/// error if decoding fails or stalls.
fn pull_blocks(
    pipeline: &gst::Pipeline,
    sink: &gst_app::AppSink,
    consume: &mut dyn FnMut(DecodedAudio<'_>) -> ControlFlow<()>,
) -> Result<(), String> {
    let mut samples = Vec::new();
    let mut last_sample = Instant::now();
    loop {
        if let Some(sample) = sink.try_pull_sample(POLL_INTERVAL) {
            let (rate, channels) = read_format(&sample).ok_or("gives sound of no known format")?;
            let map = sample.buffer().and_then(|buffer| buffer.map_readable().ok());
            let bytes = map.as_deref().unwrap_or_default();
            samples.clear();
            samples.extend(bytes.as_chunks().0.iter().map(|sample| f32::from_le_bytes(*sample)));
            if consume(DecodedAudio { rate, channels, samples: &samples }).is_break() {
                return Ok(());
            }
            last_sample = Instant::now();
        } else if let Some(error) = pop_error(pipeline) {
            return Err(error);
        } else if sink.is_eos() {
            return Ok(());
        } else if last_sample.elapsed() > STALL_TIMEOUT {
            return Err("gave no sound for too long".into());
        }
    }
}

/// Sample rate and number of channels; `None` if the caps lack one of them.
fn read_format(sample: &gst::Sample) -> Option<(u32, u32)> {
    let caps = sample.caps()?.structure(0)?;
    let number = |name| u32::try_from(caps.get::<i32>(name).ok()?).ok().filter(|number| *number > 0);
    Some((number("rate")?, number("channels")?))
}

/// Takes the next error from the bus and returns its text.
fn pop_error(pipeline: &gst::Pipeline) -> Option<String> {
    let message = pipeline.bus()?.pop_filtered(&[gst::MessageType::Error])?;
    match message.view() {
        gst::MessageView::Error(error) if pipeline::is_missing_plugin(error) => {
            Some(pipeline::describe_error(error))
        }
        gst::MessageView::Error(error) => Some(error.error().message().trim_end_matches('.').to_owned()),
        _ => None,
    }
}
