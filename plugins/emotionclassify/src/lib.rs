//! The GStreamer plugin `emotionclassify`: elements that classify the emotions of faces, draw, log and publish them.

mod emotionclassify;
mod emotionlog;
mod emotionoverlay;
mod emotionpublish;

/// Registers the elements of the plugin.
fn plugin_init(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    mood_meta::frame::register();
    emotionclassify::register(plugin)?;
    emotionoverlay::register(plugin)?;
    emotionlog::register(plugin)?;
    emotionpublish::register(plugin)
}

/// The plugin's description and entry points.
#[allow(missing_docs, reason = "gst::plugin_define! generates public items without docs")]
mod plugin {
    use super::plugin_init;

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
}

pub use plugin::plugin_register_static;
