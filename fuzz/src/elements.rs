//! Elements of this workspace that a buffer is pushed through.

use std::sync::Once;

use gst::prelude::*;

/// Starts GStreamer with the elements of this workspace.
pub fn init_gstreamer() {
    static INIT: Once = Once::new();
    INIT.call_once(|| {
        gst::init().unwrap();
        gstfacedetect::plugin_register_static().unwrap();
        gstemotionclassify::plugin_register_static().unwrap();
        mood_meta::frame::register();
    });
}

/// The video formats of an element's sink pad.
pub fn formats(element: &str) -> Vec<gst_video::VideoFormat> {
    let factory = gst::ElementFactory::find(element).unwrap();
    let template = factory.static_pad_templates().into_iter().find(|t| t.direction() == gst::PadDirection::Sink);
    let caps = template.unwrap().caps();
    let structures = caps.iter().filter_map(|structure| structure.get::<gst::List>("format").ok());
    let names = structures.flat_map(|list| list.iter().filter_map(|name| name.get::<String>().ok()).collect::<Vec<_>>());
    let mut formats: Vec<_> = names.filter_map(|name| name.parse().ok()).collect();
    formats.dedup();
    formats
}

/// Pushes one buffer through elements and waits until it has passed or was refused.
pub fn push(elements: &str, caps: &str, buffer: gst::Buffer) {
    let mut harness = gst_check::Harness::new_parse(elements);
    harness.set_src_caps_str(caps);
    let _ = harness.push(buffer);
    harness.push_event(gst::event::Eos::new());
    if let Some(element) = harness.element() {
        let _ = element.set_state(gst::State::Null);
    }
}
