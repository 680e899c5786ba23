//! The element `moodplayer`.
//!
//! The mood pads' threads leave what they receive in [`input`]. One task on the source pad ([`task`]) hands it to a
//! [`playout::Performance`], which decides and mixes, and pushes the audio. Each track is decoded by a pipeline of its own
//! ([`deck`]), opened and measured on a thread ([`loader`]).

mod deck;
mod enums;
mod format;
mod imp;
mod input;
mod loader;
mod pads;
mod segment;
mod settings;
mod task;

use glib::prelude::*;

glib::wrapper! {
    /// SECTION:element-moodplayer
    ///
    /// Plays music that fits the mood that `haarfacedetect` and `emotionclassify` see, and fades from one piece to the
    /// next when it changes. The pads `mood` and `mood_%u` take pictures of any kind, read the faces on them and drop
    /// them; without any, music plays by hand: the `manual-mood`, or neutral music.
    ///
    /// The music comes from a folder, a playlist or a database made by `gst-mood library scan` (`library`). A piece's mood
    /// is what its tag says (`TMOO`, `MOOD`, iTunes `MOOD`, `WM/Mood`), or the file beside it with `.mood` added to its
    /// name. A playlist leads to files below its own folder only, unless `allow-outside` or `allow-network` is set.
    ///
    /// Of a database, the ratings and exclusions of the `client` count, and `rate` is kept there. What is played to live
    /// pictures is written into the client's history, which the next time begins with; recorded pictures give the same
    /// music whatever was heard before.
    ///
    /// Live pictures: the music runs on the pipeline's clock. Recorded pictures: in lock step with their timestamps, so
    /// that the same pictures, settings and seed give the same audio and the same decision log at any speed.
    ///
    /// Tracks are brought to `target-lufs` with true peaks below -1 dBTP, and silence at their ends is left out. Under
    /// `strategy=iso`, a step towards the target lasts `min-dwell` or, with `switch-at=track-end`, a track.
    ///
    /// Before the first mood is held there is silence; `on-no-face` says what happens while nobody is there. Neither a
    /// broken track nor silence ends the audio: it ends with the pictures, or by an EOS event sent to the element.
    ///
    /// A track that cannot be played is told by a WARNING and `track-failed`, and left out; where none is left, the last one
    /// heard is tried again every ten seconds.
    ///
    /// Element messages: `mood-changed`, `track-started`, `crossfade-started`, `crossfade-done`, `track-ended`,
    /// `track-failed`, `safety-limit`. Actions: `skip`, `fade-out`, `rate` (-2, never while anything else fits, to 2, a
    /// favourite).
    ///
    /// ## Music for whoever sits at the camera
    /// ```text
    /// gst-launch-1.0 v4l2src ! videoconvert ! haarfacedetect ! emotionclassify ! p.mood
    ///     moodplayer name=p library=$HOME/Music ! audioconvert ! audioresample ! autoaudiosink
    /// ```
    /// ## A soundtrack for a recording
    /// ```text
    /// gst-launch-1.0 filesrc location=in.mp4 ! decodebin ! videoconvert ! haarfacedetect ! emotionclassify ! tee name=t
    ///     t. ! queue ! videoconvert ! x264enc ! queue ! mux.
    ///     t. ! queue ! p.mood moodplayer name=p library=Music log-location=music.jsonl
    ///     ! audioconvert ! vorbisenc ! queue ! matroskamux name=mux ! filesink location=out.mkv
    /// ```
    /// ## By hand
    /// ```text
    /// gst-launch-1.0 moodplayer library=Music manual-mood=happy ! audioconvert ! audioresample ! autoaudiosink
    /// ```
    pub struct MoodPlayer(ObjectSubclass<imp::MoodPlayer>) @extends gst::Element, gst::Object;
}

pub(crate) fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    enums::mark_as_plugin_api();
    gst::Element::register(Some(plugin), "moodplayer", gst::Rank::NONE, MoodPlayer::static_type())
}
