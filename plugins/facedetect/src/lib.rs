//! GStreamer plugin `facedetect`: where the faces of a video are, as metadata.

// The plugin macro makes public items that it does not document.
#![allow(missing_docs)]

mod haarfacedetect;

fn plugin_init(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    haarfacedetect::register(plugin)
}

gst::plugin_define!(
    facedetect,
    env!("CARGO_PKG_DESCRIPTION"),
    plugin_init,
    concat!(env!("CARGO_PKG_VERSION"), "-", env!("COMMIT_ID")),
    "MIT/X11",
    env!("CARGO_PKG_NAME"),
    env!("CARGO_PKG_NAME"),
    env!("CARGO_PKG_REPOSITORY"),
    env!("BUILD_REL_DATE")
);
