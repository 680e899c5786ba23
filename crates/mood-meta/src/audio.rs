//! Decodes the audio of a file, for a player's decks and for the analysis of the same files.

mod aiff;
mod file_source;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use glib::prelude::*;
use gst::prelude::*;
use media_container::FileView;

use crate::lock;

/// Adds elements to `pipeline` that decode the first audio stream of `uri`, as fast as it is taken. Returns
/// the last of them, an `audioconvert`, for the caller to link onwards.
///
/// If the medium turns out to have no audio, an error is posted on the pipeline's bus. Without `allow_network`, formats that
/// only list other addresses (HLS, DASH) are not opened, so that no local file makes GStreamer connect to the
/// network. Large tags of a local file are not read: demuxers would keep their pictures in memory.
///
/// # Errors
///
/// Where an element of gstreamer1.0-plugins-base is missing, and for AIFF files with compressed samples.
pub fn add_audio_decoder(
    pipeline: &gst::Pipeline,
    uri: &str,
    allow_network: bool,
) -> Result<gst::Element, glib::BoolError> {
    // The queue behind the decoder sets the pace, not a clock.
    pipeline.use_clock(None::<&gst::Clock>);
    let path = glib::filename_from_uri(uri).map(|(path, _)| path).ok();
    // `aiffparse` refuses them, and `decodebin` then waits in some runs for a pad that never comes.
    if let Some(kind) = path.as_deref().and_then(aiff::find_compression) {
        return Err(glib::bool_error!(
            "has compressed samples ({kind}), which GStreamer does not read in AIFF: convert it (ffmpeg -i FILE FILE.flac)"
        ));
    }
    let convert = make_element("audioconvert")?;
    let source = match path.as_deref().and_then(FileView::open_without_large_tags) {
        Some(view) => {
            let (file, decoder) = (file_source::make(view), make_element("decodebin")?);
            pipeline.add_many([&file, &decoder])?;
            file.link(&decoder)?;
            decoder
        }
        None => {
            let source = make_element("uridecodebin")?;
            source.set_property("uri", uri);
            pipeline.add(&source)?;
            source
        }
    };
    // Cover images and videos are not decoded.
    source.set_property("caps", gst::Caps::new_empty_simple("audio/x-raw"));
    source.set_property("expose-all-streams", false);
    if !allow_network {
        skip_streaming_formats(&source);
    }
    pipeline.add(&convert)?;
    let input = convert.static_pad("sink").ok_or_else(|| glib::bool_error!("audioconvert has no sink"))?;
    trim_samples_before_start(&input);
    let held = HeldPads::watch(&source);
    let input = input.downgrade();
    source.connect_pad_added({
        let input = input.clone();
        // Only the first stream is linked: a second one finds the input taken.
        move |_, pad| {
            if let Some(input) = input.upgrade().filter(|input| !input.is_linked()) {
                let _ = pad.link(&input);
            }
            held.release();
        }
    });
    source.connect_no_more_pads(move |source| {
        if input.upgrade().is_some_and(|input| !input.is_linked()) {
            gst::element_error!(source, gst::StreamError::WrongType, ["has no sound"]);
        }
    });
    Ok(convert)
}

/// Pads inside a `decodebin` whose first buffer waits until the decoder's pad is linked.
///
/// `decodebin` starts an element before it blocks and exposes the element's pad. An element that reads from a thread of its own and
/// has its only pad from the beginning, such as `sfdec` (W64) and `aiffparse`, may push a buffer in between; nothing is
/// linked then, the element stops, and the file never begins.
#[derive(Clone, Debug, Default)]
struct HeldPads {
    pads: Arc<Mutex<Vec<(gst::Pad, gst::PadProbeId)>>>,
}

impl HeldPads {
    /// Holds the pads of all elements that `decoder`, a `decodebin` or `uridecodebin`, will add and expose at once.
    fn watch(decoder: &gst::Element) -> Self {
        let held = Self::default();
        if let Some(bin) = decoder.downcast_ref::<gst::Bin>() {
            let held = held.clone();
            bin.connect_deep_element_added(move |_, _, element| {
                element.src_pads().into_iter().filter(has_raw_audio_only).for_each(|pad| held.hold(pad));
            });
        }
        held
    }

    fn hold(&self, pad: gst::Pad) {
        let mask = gst::PadProbeType::BLOCK | gst::PadProbeType::BUFFER | gst::PadProbeType::BUFFER_LIST;
        if let Some(probe) = pad.add_probe(mask, |_, _| gst::PadProbeReturn::Ok) {
            lock(&self.pads).push((pad, probe));
        }
    }

    /// Lets the buffers pass.
    fn release(&self) {
        let pads = std::mem::take(&mut *lock(&self.pads));
        pads.into_iter().for_each(|(pad, probe)| pad.remove_probe(probe));
    }
}

/// Whether nothing but raw audio can leave a pad, so that `decodebin` exposes it before it knows the format.
fn has_raw_audio_only(pad: &gst::Pad) -> bool {
    let caps = pad.pad_template_caps();
    !caps.is_empty() && !caps.is_any() && caps.iter().all(|format| format.name() == "audio/x-raw")
}

/// Makes an element of gstreamer1.0-plugins-base. The error names that package.
pub fn make_element(name: &str) -> Result<gst::Element, glib::BoolError> {
    gst::ElementFactory::make(name)
        .build()
        .map_err(|_| glib::bool_error!("GStreamer has no {name}; install gstreamer1.0-plugins-base"))
}

/// Removes samples that an edit list excludes and GStreamer leaves in the first buffer of `pad`.
///
/// AAC begins with samples that only its encoder needed, and an MP4 file's edit list says how many. Where
/// they end between two nanoseconds, as at 44.1 kHz, GStreamer 1.22 shortens the buffer's duration, but not
/// its contents.
fn trim_samples_before_start(pad: &gst::Pad) {
    let is_after_first = AtomicBool::new(false);
    pad.add_probe(gst::PadProbeType::BUFFER, move |pad, info| {
        if is_after_first.swap(true, Ordering::Relaxed) {
            return gst::PadProbeReturn::Remove;
        }
        let audio = pad.current_caps().and_then(|caps| gst_audio::AudioInfo::from_caps(&caps).ok());
        let (Some(audio), Some(gst::PadProbeData::Buffer(buffer))) = (audio, &mut info.data) else {
            return gst::PadProbeReturn::Remove;
        };
        let samples = buffer.size() as u64 / u64::from(audio.bpf().max(1));
        let samples_in_duration = buffer.duration().and_then(|time| {
            time.nseconds().mul_div_round(u64::from(audio.rate()), gst::ClockTime::SECOND.nseconds())
        });
        match samples_in_duration {
            // Not `Drop`: with gstreamer-rs 0.25, GStreamer 1.22 would then free the buffer a second time.
            Some(0) if samples > 1 => gst::PadProbeReturn::Handled,
            // A difference of one sample may come from rounding.
            Some(kept) if kept + 1 < samples => {
                let excluded = (samples - kept) as usize * audio.bpf() as usize;
                let (flags, size) = (gst::BufferCopyFlags::all(), buffer.size());
                if let Ok(trimmed) = buffer.copy_region(flags, excluded..size) {
                    *buffer = trimmed;
                }
                gst::PadProbeReturn::Remove
            }
            _ => gst::PadProbeReturn::Remove,
        }
    });
}

/// Makes a `decodebin` or `uridecodebin` skip the demuxers of formats that are lists of addresses (HLS, DASH), whatever the
/// name of the file: decoding a local file then opens no connection.
pub fn skip_streaming_formats(source: &gst::Element) {
    let result_by_nick =
        |result_type: glib::Type, nick| glib::EnumClass::with_type(result_type)?.to_value_by_nick(nick);
    let Some(result_type) = glib::Type::from_name("GstAutoplugSelectResult") else { return };
    if result_by_nick(result_type, "try").is_none() || result_by_nick(result_type, "skip").is_none() {
        return;
    }
    source.connect("autoplug-select", false, move |values| {
        let factory = values.get(3).and_then(|value| value.get::<gst::ElementFactory>().ok());
        let class =
            factory.and_then(|factory| factory.metadata(gst::ELEMENT_METADATA_KLASS).map(String::from));
        let is_adaptive = class.is_some_and(|class| class.contains("Adaptive"));
        result_by_nick(result_type, if is_adaptive { "skip" } else { "try" })
    });
}
