//! `SECTION:element-haarfacedetect`
//!
//! Finds the faces of every frame with an OpenCV Haar cascade and follows them from frame to frame. It never writes a
//! pixel and never copies a frame: it adds a region of interest of type `face` to the buffer, whose id stays with the
//! person and whose param `detection` follows DL Streamer's conventions. With `eyes-cascade`, regions of type `eye`
//! have the face as parent, and a param `pose` of the face's region says how far the head leans (`roll`, degrees,
//! clockwise).
//!
//! A new face that few rectangles agree on is reported from its second frame on, as the first may be a mistake; those of
//! the first frame are all reported.
//!
//! The defaults (`scale-factor=1.2`, three neighbours, faces from a twelfth of the shorter side) are chosen for one or a few
//! people before a camera. On five such clips they find 97.6 % of the faces with a precision of 98.8 %; OpenCV's own
//! defaults (1.1, three neighbours, any size) find 98.8 % with 90.1 %, in 2.5 times the time. On photographs of groups it is
//! 86 % with 100 % against 93 % with 89 %; in wide pictures with small faces, where a twelfth is too large, 53 % against 73 %,
//! with a precision of 96 % against 84 %: there, set `min-size` and `scale-factor=1.1` (`benches/quality.py`,
//! benches/RESULTS.md).
//!
//! Ids go by where each face should be by now (a Kalman filter of constant velocity for centre and size, by timestamps) and
//! the most likely match. They survive crossings and an absence of a second, counted from the first frame without the
//! face. A step back in time, a flush or a new frame size starts a new scene with new ids. Frames without a timestamp are
//! taken to come 40 ms apart.
//!
//! Over simulated crossings with one sighting in ten lost, an id switches in 5 of 1,200, each time for a moment, and in
//! none where faces pass a fifth of a side apart (`cargo test -p face-track --test simulated -- --nocapture`). On eight
//! clips of one, two or no people none switches, with full searches or without.
//!
//! With `scan-interval`, the first frame that comes at least so long after the last full search is searched whole. In the
//! others each face is looked for between where it was last seen and where it should be, with a margin of a third of its
//! side that grows while it is gone, at window sizes up to 1.3 times smaller and larger (faces in one place together);
//! there half of `min-neighbors` is enough. New faces begin in full searches only. A face that a full search misses is in
//! doubt until the next one finds it: it is reported only with full `min-neighbors` and in a second frame running, or at
//! once on three times that. So a new face appears within one interval (and a frame, on weak evidence), and one that left
//! is no longer reported after one.
//!
//! On a talking head of 1280x720 at 24 frames a second, `scan-interval=500000000` takes a ninth of the CPU time of full
//! searches, and boxes the face in more than 99 % of the frames where these find it.
//!
//! Eyes are searched in the rows of a face where eyes are, the best supported one on either side; a pair that would lean by
//! more than 30 degrees is no pair. On a filmed face turned by up to 15 degrees the roll is right within 1.5. A cascade for
//! profiles beside the frontal one is not worth its time: on six clips with people who turn their heads, `profileface`
//! found no face in any frame where `frontalface_default` found none, and took longer.
//!
//! The cascades are OpenCV's own: install opencv-data (Debian, Ubuntu), or name their folder in
//! `GST_MOOD_CASCADE_PATH`.
//!
//! ## Example launch lines
//! ```shell
//! gst-launch-1.0 -m v4l2src ! videoconvert ! haarfacedetect messages=on-change ! videoconvert ! autovideosink
//! ```
//! prints an element message `faces` whenever somebody comes or goes.
//! ```shell
//! gst-launch-1.0 filesrc location=session.mp4 ! decodebin ! videoconvert ! \
//!     haarfacedetect eyes-cascade=eye scan-interval=500000000 ! emotionclassify ! emotionoverlay ! videoconvert ! \
//!     autovideosink
//! ```
//! searches whole frames twice a second, and in between only around the faces it knows.

mod imp;

use glib::prelude::*;
use gst::prelude::PluginApiExt;

glib::wrapper! {
    pub struct HaarFaceDetect(ObjectSubclass<imp::HaarFaceDetect>)
        @extends gst_base::BaseTransform, gst::Element, gst::Object;
}

/// When the element message `faces` is posted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstHaarFaceDetectMessages")]
pub enum Messages {
    #[default]
    #[enum_value(name = "Never", nick = "none")]
    None,
    #[enum_value(name = "When a face comes or goes", nick = "on-change")]
    OnChange,
    #[enum_value(name = "For every frame", nick = "every-frame")]
    EveryFrame,
}

pub fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    Messages::static_type().mark_as_plugin_api(gst::PluginAPIFlags::empty());
    gst::Element::register(Some(plugin), "haarfacedetect", gst::Rank::NONE, HaarFaceDetect::static_type())
}
