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

mod finder;
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
