//! GStreamer plugin `emotionclassify`: what a face shows, as metadata, as a picture, as a timeline.

// The plugin macro makes public items that it does not document.
#![allow(missing_docs)]

mod emotionclassify;
mod emotionlog;
mod emotionoverlay;

fn plugin_init(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    mood_meta::frame::register();
    emotionclassify::register(plugin)?;
    emotionoverlay::register(plugin)?;
    emotionlog::register(plugin)
}

gst::plugin_define!(
    emotionclassify,
    env!("CARGO_PKG_DESCRIPTION"),
    plugin_init,
    concat!(env!("CARGO_PKG_VERSION"), "-", env!("COMMIT_ID")),
    "MIT/X11",
    env!("CARGO_PKG_NAME"),
    env!("CARGO_PKG_NAME"),
    env!("CARGO_PKG_REPOSITORY"),
    env!("BUILD_REL_DATE")
);
