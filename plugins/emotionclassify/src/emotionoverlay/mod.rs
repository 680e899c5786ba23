//! SECTION:element-emotionoverlay
//!
//! Draws what is known about the faces of a frame: box, id, label with percentage, and the distribution over the
//! seven emotions, each emotion in its own colour. Where a player downstream reports the music that is playing, it
//! draws the title and the mood too. An application that plays a recorded session sends the player's lines downstream
//! instead, each before the frame at which it begins. Sizes follow the frame's size, so that text is readable from 320x240 to
//! 3840x2160. Faces come from the buffer's `GstMoodFrame`, or from its face regions, which have no label.
//!
//! A frame with nothing to draw passes unchanged; its pixels are neither written nor copied.
//!
//! ## Properties
//!
//! With `blur-faces`, every face found becomes a coarse mosaic before anything is drawn; the original cannot be
//! reconstructed. Hidden are
//!
//! - every face in the buffer's metadata, with a margin of a quarter of its side, at the place where it is now: if the picture
//!   was flipped, turned by quarters, scaled, cropped or given borders since `haarfacedetect`, the boxes are followed by
//!   comparing the picture with the witness in `GstMoodFrame`; where several places are possible, all of them;
//! - for 3 s the place where a lost face is expected, which grows with time;
//! - where `shot` in `GstMoodFrame` changes, behind a cut or where the camera was knocked or turned, which makes the places of
//!   lost faces unknown: the whole picture, without a warning, until as many faces are found as were before, or for 3 s, with
//!   `blur-strict` for 10 s;
//! - the whole picture, with one warning, where the faces' places are unknown: an element behind the detector has turned it by
//!   another angle or distorted it, or has drawn on more than a fifth of it; or the witness cannot be read;
//! - the whole picture, with one warning, of a buffer without face metadata: either no detector is in the pipeline, or an
//!   element behind it, such as `compositor`, has dropped what it wrote.
//!
//! A frame that cannot be read is an error. A face that the detector has never found stays visible, one that is lost for longer
//! does too, and one that appears does until it is found. With `blur-strict` the whole picture is hidden, without a warning,
//! until a face is found in 5 consecutive frames or nobody for 10 s, and whenever a face is lost: until it, or one with another
//! id in its place, is found again, or for 10 s. It needs a `scan-interval` of the detector well below that. A person who is
//! never found beside others stays visible in this mode too.
//!
//! Boxes of other detectors, as regions of interest or in a `GstMoodFrame` without witness, are taken as they are.
//! `emotionclassify` behind such a detector adds a witness. Without `blur-faces`, boxes whose places are unknown are drawn where
//! the metadata says, with one warning.
//!
//! Regions of interest of type `hidden` become a mosaic too, whether or not a face was found in them: for applications
//! that know more than the detector.
//!
//! ## Example pipelines
//!
//! Draw the emotions into the camera's video:
//! ```shell
//! gst-launch-1.0 v4l2src ! videoconvert ! haarfacedetect ! emotionclassify ! emotionoverlay ! videoconvert ! autovideosink
//! ```
//!
//! Hide the faces of a recording:
//! ```shell
//! gst-launch-1.0 filesrc location=session.mp4 ! decodebin ! videoconvert ! videoflip video-direction=auto ! haarfacedetect ! emotionoverlay blur-faces=true show-id=false ! videoconvert ! x264enc pass=qual ! mp4mux ! filesink location=hidden.mp4
//! ```

mod blend;
mod geometry;
mod hiding;
mod imp;
mod layout;
mod paint;
mod palette;
mod pixelation;
mod planes;
mod settings;
mod stretch;

use glib::prelude::*;

glib::wrapper! {
    /// The element `emotionoverlay`.
    pub struct EmotionOverlay(ObjectSubclass<imp::EmotionOverlay>)
        @extends gst_base::BaseTransform, gst::Element, gst::Object;
}

/// Registers `emotionoverlay`.
pub fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    gst::Element::register(Some(plugin), "emotionoverlay", gst::Rank::NONE, EmotionOverlay::static_type())
}
