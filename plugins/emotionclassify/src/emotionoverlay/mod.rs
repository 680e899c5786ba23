//! The element `emotionoverlay`: draws what is known of a frame's faces, and the music that plays, into the picture.
//!
//! # SECTION:element-emotionoverlay
//!
//! Draws for every face its box, id, label with percentage and the distribution over the seven emotions, each emotion
//! in its own colour (Okabe and Ito's palette), and the music playing, once a player downstream has told of it. Sizes
//! follow from the frame's, so that words can be read from 320x240 to 3840x2160. Faces come from the buffer's
//! `GstMoodFrame`, or from its face regions, which bring no label.
//!
//! With `blur-faces` every face found becomes a coarse mosaic first, beyond recovery; a face that the detector misses
//! is not hidden.
//!
//! A frame with nothing to draw passes as it is, its pixels neither written nor copied.
//!
//! ```text
//! gst-launch-1.0 v4l2src ! videoconvert ! haarfacedetect ! emotionclassify ! emotionoverlay ! videoconvert ! autovideosink
//! ```

mod area;
mod blur;
mod imp;
mod layout;
mod paint;
mod palette;

use glib::prelude::*;

glib::wrapper! {
    /// Draws faces, emotions and the music playing.
    pub struct EmotionOverlay(ObjectSubclass<imp::EmotionOverlay>)
        @extends gst_base::BaseTransform, gst::Element, gst::Object;
}

/// Makes `emotionoverlay` known to GStreamer.
pub fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    gst::Element::register(Some(plugin), "emotionoverlay", gst::Rank::NONE, EmotionOverlay::static_type())
}
