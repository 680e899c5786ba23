//! Where a file's sound comes from, for the player's decks and for whoever analyses the same files.

use std::sync::atomic::{AtomicBool, Ordering};

use glib::prelude::*;
use gst::prelude::*;

/// Adds to `pipeline` what decodes the first sound of `uri` as fast as it is taken. Gives the `audioconvert` at its end, to
/// be linked onwards. A medium without sound posts an error.
///
/// Without `allow_network`, formats that only list addresses elsewhere stay unopened: a local file must not send us to
/// the network.
pub fn add_sound(
    pipeline: &gst::Pipeline,
    uri: &str,
    allow_network: bool,
) -> Result<gst::Element, glib::BoolError> {
    // Decoding is as fast as the queue behind allows: no clock takes part.
    pipeline.use_clock(None::<&gst::Clock>);
    let (source, convert) = (make("uridecodebin")?, make("audioconvert")?);
    source.set_property("uri", uri);
    // Sound only: cover pictures and films stay undecoded.
    source.set_property("caps", gst::Caps::new_empty_simple("audio/x-raw"));
    source.set_property("expose-all-streams", false);
    if !allow_network {
        refuse_streaming_formats(&source);
    }
    pipeline.add_many([&source, &convert])?;
    let input = convert.static_pad("sink").ok_or_else(|| glib::bool_error!("audioconvert has no sink"))?;
    leave_out_what_comes_too_early(&input);
    let input = input.downgrade();
    source.connect_pad_added({
        let input = input.clone();
        // The first sound is the track's; a second one finds the input taken.
        move |_, pad| {
            if let Some(input) = input.upgrade().filter(|input| !input.is_linked()) {
                let _ = pad.link(&input);
            }
        }
    });
    source.connect_no_more_pads(move |source| {
        if input.upgrade().is_some_and(|input| !input.is_linked()) {
            gst::element_error!(source, gst::StreamError::WrongType, ["has no sound"]);
        }
    });
    Ok(convert)
}

/// AAC begins with what its encoder needed to get going, and an MP4 file's edit list says how much. Where that ends between
/// two nanoseconds, as at 44.1 kHz, GStreamer 1.22 gives the buffer before a time of one, and leaves all of its samples in.
fn leave_out_what_comes_too_early(pad: &gst::Pad) {
    let begun = AtomicBool::new(false);
    pad.add_probe(gst::PadProbeType::BUFFER, move |pad, info| {
        if begun.swap(true, Ordering::Relaxed) {
            return gst::PadProbeReturn::Remove;
        }
        let audio = pad.current_caps().and_then(|caps| gst_audio::AudioInfo::from_caps(&caps).ok());
        let (Some(audio), Some(gst::PadProbeData::Buffer(buffer))) = (audio, &mut info.data) else {
            return gst::PadProbeReturn::Remove;
        };
        let frames = buffer.size() as u64 / u64::from(audio.bpf().max(1));
        let lasts = buffer.duration().and_then(|time| {
            time.nseconds().mul_div_round(u64::from(audio.rate()), gst::ClockTime::SECOND.nseconds())
        });
        match lasts {
            // Not `Drop`: with gstreamer-rs 0.25, GStreamer 1.22 would then free it a second time.
            Some(0) if frames > 1 => gst::PadProbeReturn::Handled,
            // Rounded times are a frame off at most.
            Some(lasts) if lasts + 1 < frames => {
                let early = (frames - lasts) as usize * audio.bpf() as usize;
                let (flags, size) = (gst::BufferCopyFlags::all(), buffer.size());
                if let Ok(rest) = buffer.copy_region(flags, early..size) {
                    *buffer = rest;
                }
                gst::PadProbeReturn::Remove
            }
            _ => gst::PadProbeReturn::Remove,
        }
    });
}

/// An element of GStreamer's base.
pub(crate) fn make(name: &str) -> Result<gst::Element, glib::BoolError> {
    gst::ElementFactory::make(name)
        .build()
        .map_err(|_| glib::bool_error!("GStreamer has no {name}; install gstreamer1.0-plugins-base"))
}

fn refuse_streaming_formats(source: &gst::Element) {
    let answer = |answers: glib::Type, nick| glib::EnumClass::with_type(answers)?.to_value_by_nick(nick);
    let Some(answers) = glib::Type::from_name("GstAutoplugSelectResult") else { return };
    if answer(answers, "try").is_none() || answer(answers, "skip").is_none() {
        return;
    }
    source.connect("autoplug-select", false, move |values| {
        let factory = values.get(3).and_then(|value| value.get::<gst::ElementFactory>().ok());
        let class =
            factory.and_then(|factory| factory.metadata(gst::ELEMENT_METADATA_KLASS).map(String::from));
        let streaming = class.is_some_and(|class| class.contains("Adaptive"));
        answer(answers, if streaming { "skip" } else { "try" })
    });
}
