//! SECTION:element-emotionpublish
//!
//! Publishes moods, faces and tracks to other programs while the video plays, and passes every buffer through unchanged. Put it
//! behind `emotionclassify`; moods and tracks of a `moodplayer` downstream and an application's markers are published too.
//!
//! ## Properties
//!
//! `uri` is one destination, or several separated by blanks:
//!
//! - `mqtt://[USER@]HOST[:1883][/TOPIC]`, or `mqtts://` over TLS (port 8883): an MQTT 3.1.1 broker. `TOPIC` is `gst-mood` by default.
//!   Below it: `status` (`online` or `offline`, retained, with a last will), `state` (retained), `frame`, `mood`, `track`, `safety`
//!   and `marker`. Parameters: `qos` (0, 1, the default, or 2), `retain=false`, `ca=PATH` (certificates to trust, PEM),
//!   `password-file=PATH`, and `discovery=homeassistant`, which makes mood, confidence, valence, arousal, people and track
//!   appear in Home Assistant. The password is read from the file or from the environment variable
//!   `GST_MOOD_MQTT_PASSWORD`; in the URI it is refused, because others could read it there.
//! - `osc://HOST:PORT[/PREFIX]`: Open Sound Control over UDP, a bundle for each publication, below `/gst-mood` by default: `/mood`,
//!   `/confidence`, `/valence`, `/arousal`, `/emotion/happy` and the others, `/people`, `/track`, `/face/ID/box`, `/face/ID/label`,
//!   `/face/ID/affect`, `/marker`, `/safety`.
//! - `lsl:`: two streams of LabStreamingLayer, `gst-mood` (probabilities, valence, arousal, number of faces) and `gst-mood-markers`
//!   (moods, tracks, an application's markers). Parameters: `name=NAME`, `source-id=ID`. The library liblsl has to be installed, or its
//!   path to be in the environment variable `PYLSL_LIB`; everyone on the network can record the streams.
//! - `file:///PATH` (continued), `unix:///PATH` (a socket on which another program listens), `stdout:`: JSON Lines.
//!
//! A blank within a URI is written `%20`. With a URI that names no destination the element does not start.
//!
//! The JSON is described by docs/publication.schema.json.
//!
//! The video never waits: each destination has a thread and a queue of `queue-size` publications, of which the oldest are dropped
//! where it is full. A destination that is missing or leaves is tried again, after half a second at first and half a minute at last.
//! A WARNING message says so once, another when publications are dropped for the first time, an INFO message when it is back; `stats`
//! and a last INFO message have the number of publications that were dropped.
//!
//! ## Example pipelines
//!
//! Show a camera's mood in Home Assistant:
//! ```shell
//! gst-launch-1.0 autovideosrc ! videoconvert ! haarfacedetect ! emotionclassify ! emotionpublish uri='mqtt://mood@homeassistant.local/living-room?discovery=homeassistant&password-file=/etc/mood-password' changes-only=true ! fakesink
//! ```
//!
//! Let LabRecorder record every frame's mood beside other instruments:
//! ```shell
//! gst-launch-1.0 autovideosrc ! videoconvert ! haarfacedetect ! emotionclassify ! emotionpublish uri=lsl: interval=0 ! fakesink
//! ```
//!
//! Send a recording's faces to a program for stage lighting, every frame:
//! ```shell
//! gst-launch-1.0 filesrc location=session.mp4 ! decodebin ! videoconvert ! videoflip video-direction=auto ! haarfacedetect ! emotionclassify ! emotionpublish uri=osc://127.0.0.1:9000 interval=0 ! fakesink sync=true
//! ```

mod imp;
mod settings;

use glib::prelude::*;

glib::wrapper! {
    /// The element `emotionpublish`.
    pub struct EmotionPublish(ObjectSubclass<imp::EmotionPublish>)
        @extends gst_base::BaseTransform, gst::Element, gst::Object;
}

/// Registers `emotionpublish`.
pub fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    gst::Element::register(Some(plugin), "emotionpublish", gst::Rank::NONE, EmotionPublish::static_type())
}
