//! The GStreamer plugin `facedetect`: the element `haarfacedetect`, which finds faces in video and attaches
//! them as metadata.

mod haarfacedetect;

/// Registers the plugin's elements.
fn plugin_init(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    mood_meta::frame::register();
    haarfacedetect::register(plugin)
}

/// The plugin's description and entry points.
#[allow(missing_docs, reason = "gst::plugin_define! generates public items without docs")]
mod plugin {
    use super::plugin_init;

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
}

pub use plugin::plugin_register_static;
