//! GStreamer plugin `moodplayer`: music that follows a mood.

#![allow(missing_docs, reason = "what gst::plugin_define! makes public has none")]

mod moodplayer;

fn plugin_init(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    mood_meta::frame::register();
    moodplayer::register(plugin)
}

gst::plugin_define!(
    moodplayer,
    env!("CARGO_PKG_DESCRIPTION"),
    plugin_init,
    concat!(env!("CARGO_PKG_VERSION"), "-", env!("COMMIT_ID")),
    "MIT/X11",
    env!("CARGO_PKG_NAME"),
    env!("CARGO_PKG_NAME"),
    env!("CARGO_PKG_REPOSITORY"),
    env!("BUILD_REL_DATE")
);
