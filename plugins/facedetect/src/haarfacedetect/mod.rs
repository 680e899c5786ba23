//! SECTION:element-haarfacedetect
//!
//! Finds the faces of every frame with an OpenCV Haar cascade and follows them from frame to frame. It writes
//! no pixel and copies no frame: it adds a region of interest of type `face`, whose id stays with the person
//! and whose param `detection` follows DL Streamer's conventions. With `eyes-cascade`, regions of type `eye`
//! have the face as their parent, so that the roll of the head is exact. The roll (degrees, clockwise) is in
//! the param `pose` of the face's region (`roll`). Built with the feature `v1_24`, it also writes the metas of GStreamer's analytics
//! library (docs/METADATA.md).
//!
//! ## Properties
//!
//! - The cascades are OpenCV's own: install opencv-data (Debian, Ubuntu), or name their folder in
//!   `GST_MOOD_CASCADE_PATH`.
//! - The defaults (`scale-factor=1.2`, three neighbours, faces from a twelfth of the shorter side on) suit
//!   one or a few people in front of a camera. For wide views with small faces set `min-size` and
//!   `scale-factor=1.1`. Precision and recall under different settings are in benches/RESULTS.md.
//! - With `roll-range` above 10 degrees, heads that lean are found too: the frame is also searched in copies that
//!   are turned by up to 10 degrees less than the range, at most 35 degrees apart. Boxes stay upright squares around
//!   the face; `roll` in the param `detection` says how it leans, off by 5 to 15 degrees unless the eyes refine it. A
//!   head found only in a turned copy needs twice `min-neighbors`. With `roll-range=0` the rectangles are
//!   those of OpenCV.
//! - A new face that few rectangles agree on is reported from its second frame on, since the first may be a
//!   false detection. The faces of the first frame are all reported.
//! - Ids are assigned by the predicted motion of each face, and survive crossings. Who was gone for more than a
//!   second, or comes back elsewhere or after a cut, gets the old id where the looks of the face and the clothes
//!   decide clearly; otherwise a new one, and the field `resembles` of the face, and of its param `detection`, has
//!   the earlier id. `people` states how many people there are and decides doubtful cases. A step back in time or a
//!   flush starts a new scene with new ids, and forgets what people look like, unless `keep-people` is set. A new frame
//!   shape starts a new scene with the same people. Frames without a timestamp are taken to be 40 ms apart.
//! - A face that is no longer detected is followed by its appearance for `follow` at most, as long as the place
//!   looks like the face, if it was detected often enough before. `source`, in the param `detection` and in
//!   `GstMoodFrame`, is `followed` then and otherwise `detected`. It is a face that is turned away or hidden in
//!   part: `emotionclassify` gives it a low quality.
//! - With `scan-interval`, the first frame that comes at least so long after the last full search is searched
//!   completely. In the others each face is searched for near its predicted place and size, where half of
//!   `min-neighbors` is enough. A face that a full search misses is reported again only on the evidence of a
//!   new face. So a new face appears within one interval, and one that left is no longer reported after one
//!   interval. The searches for heads that lean are spread over the interval; while faces are known and none is
//!   missed, they have their turn in every second one, and at most every 2 s, so that another head that leans appears within
//!   two intervals, or 2.5 s where that is longer. While nothing moves but the known people, head and shoulders, their turn comes a third
//!   as often: who comes moves.
//! - With `roi`, only rectangles of the frame are searched, each as if it were a frame: a new face must lie inside one
//!   completely, and a known one is reported while its centre lies inside. A rectangle outside the frame, or smaller than the
//!   smallest face, is warned about; the element does not start with a text that is no list of rectangles. Sizes, such as the default of `min-size`, remain those of the frame.
//! - With `witness=false` frames lack the coarse copy of their luma that lets `emotionoverlay` notice a changed picture, and
//!   metadata is trusted: for pipelines that show no picture.
//! - Eyes are searched in the rows of a face where eyes are, at most one on either side. A pair that leans by
//!   more than 30 degrees is no pair.
//! - The settings and the cascades' SHA-256 go downstream as a sticky event, at the start and after each
//!   change, and `emotionlog` writes them into its timeline.
//!
//! ## Messages
//!
//! `faces`, for the faces of one frame: `count`, `faces` (an array of structures like those of
//! `GstMoodFrame`), and `timestamp` in nanoseconds of stream time. The property `messages` chooses when it is
//! posted.
//!
//! ## Example pipelines
//!
//! Print a message whenever a face comes or goes:
//! ```shell
//! gst-launch-1.0 -m autovideosrc ! videoconvert ! haarfacedetect messages=on-change ! videoconvert ! autovideosink
//! ```
//!
//! Search complete frames twice a second, and only around known faces in between:
//! ```shell
//! gst-launch-1.0 filesrc location=session.mp4 ! decodebin ! videoconvert ! videoflip video-direction=auto ! haarfacedetect eyes-cascade=eye scan-interval=500000000 ! emotionclassify ! emotionoverlay ! videoconvert ! autovideosink
//! ```
//!
//! Search only the left half of the frame, and a corner at the right:
//! ```shell
//! gst-launch-1.0 -m filesrc location=session.mp4 ! decodebin ! videoconvert ! videoflip video-direction=auto ! haarfacedetect roi="0,0,50%,100%;75%,0,25%,50%" messages=on-change ! fakesink
//! ```

mod imp;
mod settings;

use glib::prelude::*;
use gst::prelude::PluginApiExt;

glib::wrapper! {
    /// The element `haarfacedetect`.
    pub struct HaarFaceDetect(ObjectSubclass<imp::HaarFaceDetect>)
        @extends gst_base::BaseTransform, gst::Element, gst::Object;
}

/// The property `messages`: when the element message `faces` is posted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstHaarFaceDetectMessages")]
pub enum Messages {
    /// No messages are posted.
    #[default]
    #[enum_value(name = "Never", nick = "none")]
    None,
    /// When the set of face ids differs from that of the frame before.
    #[enum_value(name = "When a face comes or goes", nick = "on-change")]
    OnChange,
    /// For each frame.
    #[enum_value(name = "For every frame", nick = "every-frame")]
    EveryFrame,
}

/// Registers `haarfacedetect` and the types of its properties.
pub fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    Messages::static_type().mark_as_plugin_api(gst::PluginAPIFlags::empty());
    gst::Element::register(Some(plugin), "haarfacedetect", gst::Rank::NONE, HaarFaceDetect::static_type())
}
