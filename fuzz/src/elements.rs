//! Elements of this workspace that a buffer is pushed through.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Once;

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
    let template =
        factory.static_pad_templates().into_iter().find(|t| t.direction() == gst::PadDirection::Sink);
    let caps = template.unwrap().caps();
    let structures = caps.iter().filter_map(|structure| structure.get::<gst::List>("format").ok());
    let names = structures
        .flat_map(|list| list.iter().filter_map(|name| name.get::<String>().ok()).collect::<Vec<_>>());
    let mut formats: Vec<_> = names.filter_map(|name| name.parse().ok()).collect();
    formats.dedup();
    formats
}

/// Pushes one buffer through elements and waits until it has passed or was refused. Elements are kept from input to input and
/// flushed in between, because models and cascades take long to load.
pub fn push(elements: &'static str, caps: &str, buffer: gst::Buffer) {
    thread_local! {
        static HARNESSES: RefCell<HashMap<&'static str, gst_check::Harness>> = RefCell::default();
    }
    HARNESSES.with_borrow_mut(|harnesses| {
        let harness = harnesses.entry(elements).or_insert_with(|| gst_check::Harness::new_parse(elements));
        harness.push_event(gst::event::FlushStart::new());
        harness.push_event(gst::event::FlushStop::new(true));
        harness.set_src_caps_str(caps);
        harness.push_event(gst::event::Segment::new(&gst::FormattedSegment::<gst::ClockTime>::new()));
        let _ = harness.push(buffer);
        while harness.try_pull().is_some() {}
        while harness.try_pull_event().is_some() {}
    });
}
