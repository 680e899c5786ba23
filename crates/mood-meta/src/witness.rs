//! The witness in `GstMoodFrame`: what the frame looked like when its faces were found.
//!
//! Nothing moves the boxes of a custom meta when an element flips, crops or borders the frame, and GStreamer 1.22 tells its
//! transform function nothing but that it is copied. So whoever writes the boxes first adds a witness, the field
//! `witness`: bytes in the form of [`frame_witness::Witness`], opaque to other readers. Elements that draw write a new one.

use frame_witness::{Size, Witness};
use gst::meta::CustomMeta;

use crate::frame::NAME;

/// The field of `GstMoodFrame`.
const FIELD: &str = "witness";

/// A `GstMoodFrame` whose witness cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the field `witness` of {NAME} cannot be read: it was written by another version of gst-mood, or by another program"
)]
pub struct InvalidWitnessError;

/// The size of a frame with these caps.
pub fn frame_size(info: &gst_video::VideoInfo) -> Size {
    let (width, height) = (info.width(), info.height());
    let (numerator, denominator) = (info.par().numer(), info.par().denom());
    Size { width, height, pixel_aspect: f64::from(numerator) / f64::from(denominator.max(1)) }
}

/// Adds the witness to a buffer's `GstMoodFrame`, instead of an earlier one. Fails where the buffer has none or it is not
/// writable.
pub fn write(buffer: &mut gst::BufferRef, witness: &Witness) -> Result<(), glib::BoolError> {
    let mut meta = CustomMeta::from_mut_buffer(buffer, NAME)
        .map_err(|_| glib::bool_error!("there is no {NAME} that is writable"))?;
    meta.mut_structure().set(FIELD, glib::Bytes::from_owned(witness.to_bytes()));
    Ok(())
}

/// Reads the witness of a buffer's `GstMoodFrame`. `None` where it has none: another program wrote the boxes.
pub fn read(buffer: &gst::BufferRef) -> Result<Option<Witness>, InvalidWitnessError> {
    if !CustomMeta::is_registered(NAME) {
        return Ok(None);
    }
    let Ok(meta) = CustomMeta::from_buffer(buffer, NAME) else { return Ok(None) };
    if !meta.structure().has_field(FIELD) {
        return Ok(None);
    }
    let bytes = meta.structure().get::<glib::Bytes>(FIELD).map_err(|_| InvalidWitnessError)?;
    Witness::from_bytes(&bytes).map(Some).ok_or(InvalidWitnessError)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame;
    use frame_witness::LumaSample;
    use mood_schema::{Frame, Rect};

    #[test]
    fn witness_survives_the_round_trip_and_a_new_frame() {
        gst::init().unwrap();
        frame::register();
        let info =
            gst_video::VideoInfo::builder(gst_video::VideoFormat::I420, 720, 576).par((16, 15)).build();
        let face = Rect { x: 0.1, y: 0.1, w: 0.2, h: 0.2 };
        let witness = Witness::capture(&LumaSample::default(), frame_size(&info.unwrap()), [(4, face)]);
        assert!((witness.size.pixel_aspect - 16.0 / 15.0).abs() < 1e-9);
        let mut buffer = gst::Buffer::new();
        let buffer = buffer.make_mut();
        assert_eq!(read(buffer), Ok(None));
        assert!(write(buffer, &witness).is_err());
        frame::write(buffer, &Frame::default()).unwrap();
        assert_eq!(read(buffer), Ok(None));
        write(buffer, &witness).unwrap();
        frame::write(buffer, &Frame { faces: vec![frame::tests::happy_face(4)], shot: 0 }).unwrap();
        assert_eq!(read(buffer), Ok(Some(witness)), "a classifier does not change it");
        let mut meta = CustomMeta::from_mut_buffer(buffer, NAME).unwrap();
        meta.mut_structure().set(FIELD, "text");
        assert_eq!(read(buffer), Err(InvalidWitnessError));
    }
}
