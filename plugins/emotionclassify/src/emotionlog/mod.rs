//! SECTION:element-emotionlog
//!
//! Writes the timeline of a session, the emotions of all faces in all frames, and passes every buffer through
//! unchanged. Moods and tracks of a `moodplayer` downstream are written too.
//!
//! ## Properties
//!
//! `format` chooses between
//!
//! - `jsonl`: a `session` line, a `frame` line for every frame with or without faces, `mood` and `track`
//!   lines, an `end` line; see `mood_schema::Line`. Times are nanoseconds of stream time.
//! - `csv`: a header, then a row for each face of each frame; `timestamp` is in seconds of stream time.
//!
//! Each line is written to the file completely and at once, so that a killed process loses at most the last
//! frame. The `session` line is written with the first frame, when all elements upstream have announced their
//! settings: an empty file comes from a process that was killed before its first frame. A `settings` line follows where an
//! element changes its settings later. Addresses are written without user name, password and query.
//!
//! `location` may be a named pipe (FIFO), or `/dev/stdout`. Nobody needs to read from it: lines are dropped, with one
//! WARNING, while there is no reader, or one that has taken nothing for a second. A reader that comes later gets the
//! `session` line and then complete lines. An INFO message at the end has the number of lines that were dropped. A full disk
//! ends the stream with an error; a slow one holds it up, and nothing is lost.
//!
//! Frames after the end of the stream, which a flushing seek brings, are another session in the same file: an `end` line, a
//! `session` line, and frames that are counted from 0 again.
//!
//! ## Example pipelines
//!
//! Record the timeline of a video file:
//! ```shell
//! gst-launch-1.0 filesrc location=session.mp4 ! decodebin ! videoconvert ! videoflip video-direction=auto ! haarfacedetect ! emotionclassify ! emotionlog location=timeline.jsonl ! fakesink
//! ```
//!
//! Record a table of the camera's faces:
//! ```shell
//! gst-launch-1.0 -e autovideosrc ! videoconvert ! haarfacedetect ! emotionclassify ! emotionlog location=faces.csv format=csv ! fakesink
//! ```

mod destination;
mod imp;
mod settings;
mod timeline_writer;

use glib::prelude::*;
use gst::prelude::PluginApiExt;

glib::wrapper! {
    /// The element `emotionlog`.
    pub struct EmotionLog(ObjectSubclass<imp::EmotionLog>)
        @extends gst_base::BaseTransform, gst::Element, gst::Object;
}

/// The property `format`: the format of the timeline's file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstEmotionLogFormat")]
pub enum Format {
    /// One JSON object per line, see `mood_schema::Line`.
    #[default]
    #[enum_value(name = "JSON Lines: one object per line", nick = "jsonl")]
    JsonLines,
    /// A header and one row for each face of each frame.
    #[enum_value(name = "Comma-separated values: one row for each face of each frame", nick = "csv")]
    Csv,
}

/// Registers `emotionlog` and the types of its properties.
pub fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    Format::static_type().mark_as_plugin_api(gst::PluginAPIFlags::empty());
    gst::Element::register(Some(plugin), "emotionlog", gst::Rank::NONE, EmotionLog::static_type())
}
