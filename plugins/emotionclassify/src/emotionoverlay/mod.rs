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
//! With `blur-faces`, every face found becomes a coarse mosaic before anything is drawn. The original cannot be
//! reconstructed, but a face that the detector misses stays visible. A buffer without face metadata becomes a mosaic as a
//! whole, and a warning says so once: either no detector is in the pipeline, or an element behind it, such as
//! `deinterlace` or `compositor`, has dropped what it wrote.
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
//! gst-launch-1.0 filesrc location=session.mp4 ! decodebin ! videoconvert ! haarfacedetect ! emotionoverlay blur-faces=true show-id=false ! videoconvert ! x264enc pass=qual ! mp4mux ! filesink location=hidden.mp4
//! ```

mod geometry;
mod imp;
mod layout;
mod paint;
mod palette;
mod pixelation;
mod settings;

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
