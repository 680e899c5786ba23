//! SECTION:element-moodplayer
//!
//! Plays music that fits the mood that `haarfacedetect` and `emotionclassify` find in a video, with a
//! crossfade when the mood changes. The pads `mood` and `mood_%u` take video with any caps, read the faces
//! from its metadata and drop it. Without a linked mood pad, the `manual-mood` decides, or neutral music
//! plays.
//!
//! The music comes from a folder, a playlist or a database made by `gst-mood library scan`. The mood of a
//! track is in its tag (`TMOO`, `MOOD`, iTunes `MOOD`, `WM/Mood`) or in a file beside it that has `.mood`
//! added to its name. Tracks are brought to `target-lufs` with true peaks below -1 dBTP, and silence at their
//! ends is left out.
//!
//! With live video, the audio runs on the pipeline's clock. With recorded video, it follows the video's
//! timestamps, so that the same video, settings and seed give the same audio and the same decision log at any
//! speed.
//!
//! Before the first mood there is silence. The audio ends with the video, or when EOS is sent to the element;
//! neither silence nor a broken track ends it. A track that cannot be played is reported by a WARNING and
//! `track-failed`, and left out. Where none can be played, the last one is tried again every ten seconds. Files
//! that were not found are played again once they are there.
//!
//! A track is listened to before it is played, for its loudness and the silence at its ends. Without a recorded
//! video, one that is due at once, such as the first one, begins within half a second all the same: with the
//! library's loudness or, where that is not known, one that it hardly exceeds. The rest is heard while it plays,
//! and its gain moves to the right one by 2 dB a second. Without a video, the loudness of such a track in a file
//! that is written faster than real time therefore depends on the machine's speed; scan the library before.
//!
//! The format of the audio may change while it plays, and so may what takes it. The mix is then converted from
//! the format that was negotiated first, without a gap. While nothing takes the audio, live audio is lost, and
//! other audio waits.
//!
//! ## Properties
//!
//! With a database as `library`, the ratings and exclusions of the `client` count, and `rate` writes a
//! rating. With live video, what is played is also added to the client's listening history, which the next
//! session takes into account; recorded video gives the same music whatever was heard before.
//!
//! A playlist may refer to files below its own folder only, unless `allow-outside` or `allow-network` is set.
//!
//! With `strategy=iso`, a step towards the target lasts `min-dwell` or, with `switch-at=track-end`, a track.
//!
//! ## Pads
//!
//! `mood` and `mood_%u` are requested, one for each video. A name that is taken is refused; GStreamer itself prints a CRITICAL
//! about such a request before the element is asked, so ask for `mood_%u` and get the next free number. A pad reports once
//! that no detector or no classifier stands upstream, and refuses audio.
//!
//! ## Signals
//!
//! These are actions, to be emitted by the application. They take effect with the next block of audio, 10 ms
//! long.
//!
//! - `skip()`: fades to another track for the same mood. Ends the silence after `fade-out`.
//! - `fade-out()`: fades to silence, until the mood of the music changes or `skip` is emitted.
//! - `previous()`: fades back to the track before, from its beginning; without one, does nothing.
//! - `rate-track(uri, rating)`: rates the track with this URI as `rate` does, whether it plays or not.
//! - `exclude-track(uri, excluded)`: never plays the track with this URI any more, or allows it again; with a database as
//!   `library`, in the client's later sessions too. A track that plays goes on: emit `skip` to end it.
//! - `rate(rating)`: rates the track that plays. `rating` is an integer from -2 (never while another track fits) to 2 (a
//!   favourite); one beyond counts as the nearest of these.
//!
//! ## Messages
//!
//! Element messages. Each has `timestamp`, the stream time in ns.
//!
//! - `mood-changed`: the mood changed; `from`, `to`, `confidence`, and the time of the evidence.
//! - `track-started`, `crossfade-started`, `crossfade-done`, `track-ended`: `uri`, `title`, `mood`; for
//!   `track-started` also the `distance` between mood and track, the `reason` of the choice and the
//!   `runners-up`.
//! - `track-failed`: a track could not be played; `uri` and `error`.
//! - `safety-limit`: `max-negative-time` was reached; `negative-time` in ns.
//!
//! The properties `mood` and `track` are notified when they change. `status` is a structure, absent before the first block:
//! `mood` and `candidate`, the most probable mood, with `confidence` and `candidate-confidence` 0 to 1;
//! `switch-allowed-in`, the rest of the dwell time in ns; where something holds the music back `restraint`, one of `manual`,
//! `hold-music`, `safety-limit`, `absent`, `uncertain`, `confidence`, `hold-time` and `min-dwell`; where music is asked for
//! `valence` and `arousal` of that; `has-previous`; and, where there are such tracks, the structures `playing` and `next`:
//! `uri`, `title`, `artist`, `rating`, `position` and where known `duration` in ns, `mood`, `distance`, `reason`. `duration` is what
//! sounds of the track, without the silence at its ends, as soon as that is known.
//!
//! ## Example pipelines
//!
//! Music for whoever sits in front of the camera:
//! ```shell
//! gst-launch-1.0 autovideosrc ! videoconvert ! haarfacedetect ! emotionclassify ! player.mood moodplayer name=player library=Music ! audioconvert ! audioresample ! autoaudiosink
//! ```
//!
//! A soundtrack for a recording:
//! ```shell
//! gst-launch-1.0 filesrc location=session.mp4 ! decodebin ! videoconvert ! videoflip video-direction=auto ! haarfacedetect ! emotionclassify ! tee name=t t. ! queue ! videoconvert ! x264enc pass=qual ! queue ! mux. t. ! queue ! player.mood moodplayer name=player library=Music log-location=music.jsonl ! audioconvert ! vorbisenc ! queue ! matroskamux name=mux ! filesink location=soundtrack.mkv
//! ```
//!
//! Music for a mood that is set by hand:
//! ```shell
//! gst-launch-1.0 moodplayer library=Music manual-mood=happy ! audioconvert ! audioresample ! autoaudiosink
//! ```

// How the parts work together:
//
// The mood pads' threads leave frames in `inputs`. One task on the source pad (`task`) hands them to a
// `playout::Performance`, which decides and mixes, and pushes the audio. Each track is decoded by a pipeline
// of its own (`deck`), opened and measured on a thread (`loader`).
//
// This is no GstAggregator. An aggregator makes a buffer when each of its sink pads has one queued, and ends
// with them. Here the audio has its own rate and also plays while no pad is linked. A pad must be able to run
// half a minute ahead of the audio: an encoder that looks ahead, beside the mood pad behind a tee, would
// otherwise wait for ever for a pad that waits for the muxer. An aggregator holds the buffers that wait, here
// full video frames, while a mood pad keeps the faces and drops the rest at once. And live inputs are never
// waited for: whatever has come by the time that the clock gives counts, where an aggregator would wait for
// each pad up to its latency.

mod deck;
mod enums;
mod format;
mod imp;
mod inputs;
mod loader;
mod mood_pad;
mod output;
mod pads;
mod segment;
mod settings;
mod status;
mod task;

use glib::prelude::*;

glib::wrapper! {
    /// The element `moodplayer`.
    pub struct MoodPlayer(ObjectSubclass<imp::MoodPlayer>) @extends gst::Element, gst::Object;
}

/// Registers `moodplayer` and the types of its properties.
pub(crate) fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    enums::mark_as_plugin_api();
    gst::Element::register(Some(plugin), "moodplayer", gst::Rank::NONE, MoodPlayer::static_type())
}
