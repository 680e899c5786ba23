//! `SECTION:element-emotionlog`
//!
//! Passes everything through and writes the timeline: what every frame's faces show, and, where a player takes part
//! downstream, its moods and tracks.
//!
//! - `jsonl`: a `session` line, a `frame` line for every frame, faces or none, `mood` and `track` lines, an `end` line;
//!   see `mood_schema::Line`. Times are nanoseconds of stream time.
//! - `csv`: a header, then a row for every face of every frame, `timestamp` in seconds of stream time.
//!
//! Every line reaches the file whole and at once, so that a killed process leaves all but the last frame. The first one
//! comes with the first frame, when all elements upstream have said how they are set: a file that is still empty is of a
//! process that was killed before anything was seen.
//!
//! ## Example launch line
//! ```shell
//! gst-launch-1.0 filesrc location=session.mp4 ! decodebin ! videoconvert ! haarfacedetect ! emotionclassify ! emotionlog location=timeline.jsonl ! fakesink
//! ```

mod imp;
mod timeline;

use glib::prelude::*;
use gst::prelude::PluginApiExt;

glib::wrapper! {
    pub struct EmotionLog(ObjectSubclass<imp::EmotionLog>)
        @extends gst_base::BaseTransform, gst::Element, gst::Object;
}

/// How the timeline is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstEmotionLogFormat")]
pub enum Format {
    #[default]
    #[enum_value(name = "JSON Lines: one object a line", nick = "jsonl")]
    JsonLines,
    #[enum_value(name = "Comma-separated values: one row a face a frame", nick = "csv")]
    Csv,
}

pub fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    Format::static_type().mark_as_plugin_api(gst::PluginAPIFlags::empty());
    gst::Element::register(Some(plugin), "emotionlog", gst::Rank::NONE, EmotionLog::static_type())
}
