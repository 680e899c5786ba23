//! The custom meta `GstMoodFrame`: the faces of a video frame with all their attributes, one meta a buffer.
//!
//! Its structure: `version` uint; `shot` uint, the number of the shot, from 0, which changes where places of faces before say
//! nothing of those after: at a cut, or where the camera was moved; `faces` array of structures `face` {`id` uint; `x` `y` `w` `h` double, shares of the
//! frame; `quality` double 0-1; `roll` double, degrees; `source` string, `detected` or `followed`}, where an earlier
//! face looks alike {`resembles` uint, its id}, where the quality is low {`quality-limit` string, what keeps it so} and,
//! where the face is classified, {`label` string; `label-id` int;
//! `confidence` double; `probabilities` array of 7 doubles; `valence` `arousal` double} and, where the person's
//! resting face was taken off, {`raw` array of 7 doubles, the probabilities before that}. C reads it with
//! `gst_buffer_get_custom_meta()`, Python with `buffer.get_custom_meta()`.
//!
//! It is registered without tags, because GStreamer 1.22 then keeps it through conversion, scaling and cropping. No
//! transformation rescales it, so its boxes are shares of the frame. Where the frame is flipped, cropped or bordered they are
//! wrong, which the field of [`crate::witness`] shows.

use std::sync::Mutex;

use gst::meta::CustomMeta;
use mood_schema::{Affect, Classification, Face, FaceSource, Frame, Label, QualityLimit, Rect};

use crate::lock;

/// The name under which the meta is registered with GStreamer.
pub const NAME: &str = "GstMoodFrame";
/// The version written. A reader accepts any version: later versions may add fields, but keep those listed above.
pub const VERSION: u32 = 1;

/// Registers the meta with GStreamer. Every plugin that reads or writes it calls this when it is loaded; further calls
/// do nothing.
pub fn register() {
    // Registering twice is a GLib CRITICAL. The lock excludes that within one plugin; each plugin has its own copy of
    // the lock, so two plugins loaded at the same moment may still both register, and GStreamer keeps the first.
    static REGISTRATION: Mutex<()> = Mutex::new(());
    let _guard = lock(&REGISTRATION);
    if !CustomMeta::is_registered(NAME) {
        CustomMeta::register(NAME, &[]);
    }
}

/// Writes `frame` as the buffer's meta and replaces an earlier one. Fails where [`register`] has not been called or the
/// meta is not writable.
pub fn write(buffer: &mut gst::BufferRef, frame: &Frame) -> Result<(), glib::BoolError> {
    let mut meta = if CustomMeta::from_buffer(buffer, NAME).is_ok() {
        CustomMeta::from_mut_buffer(buffer, NAME).map_err(|_| glib::bool_error!("{NAME} is not writable"))?
    } else {
        CustomMeta::add(buffer, NAME)?
    };
    let structure = meta.mut_structure();
    structure.set("version", VERSION);
    structure.set("shot", frame.shot);
    structure.set("faces", faces_to_array(&frame.faces));
    Ok(())
}

/// Reads a buffer's meta; `None` where it has none. A face that cannot be read is left out.
pub fn read(buffer: &gst::BufferRef) -> Option<Frame> {
    if !CustomMeta::is_registered(NAME) {
        return None;
    }
    let meta = CustomMeta::from_buffer(buffer, NAME).ok()?;
    let structure = meta.structure();
    Some(Frame {
        faces: faces_from_array(&structure.get::<gst::Array>("faces").ok()?),
        // Earlier versions wrote none.
        shot: structure.get("shot").unwrap_or_default(),
    })
}

/// Builds the structure of a face, for the meta and for messages; `name` is the structure's name.
pub(crate) fn face_to_structure(name: &str, face: &Face) -> gst::Structure {
    let mut structure = gst::Structure::builder(name)
        .field("id", face.id)
        .field("x", face.bbox.x)
        .field("y", face.bbox.y)
        .field("w", face.bbox.w)
        .field("h", face.bbox.h)
        .field("quality", face.quality)
        .field("roll", face.roll)
        .field("source", face.source.as_str())
        .field_if_some("resembles", face.resembles)
        .field_if_some("quality-limit", face.quality_limit.map(QualityLimit::as_str))
        .build();
    if let Some(result) = &face.classification {
        structure.set("label", result.label.as_str());
        structure.set("label-id", result.label.id());
        structure.set("confidence", result.confidence);
        structure.set("probabilities", gst::Array::new(result.probabilities));
        if let Some(raw) = result.raw {
            structure.set("raw", gst::Array::new(raw));
        }
        structure.set("valence", result.affect.valence);
        structure.set("arousal", result.affect.arousal);
    }
    structure
}

/// Builds the array of faces in the meta and in the message `faces`.
pub(crate) fn faces_to_array(faces: &[Face]) -> gst::Array {
    gst::Array::new(faces.iter().map(|face| face_to_structure("face", face)))
}

/// Reads an array made by [`faces_to_array`]. A face that cannot be read is left out.
pub(crate) fn faces_from_array(faces: &[glib::SendValue]) -> Vec<Face> {
    let parse_face = |face: &glib::SendValue| face_from_structure(face.get::<&gst::StructureRef>().ok()?);
    faces.iter().filter_map(parse_face).collect()
}

/// Reads a structure made by [`face_to_structure`], or by somebody else. `None` where id or box is missing or no number.
pub(crate) fn face_from_structure(structure: &gst::StructureRef) -> Option<Face> {
    let number = |name: &str| structure.get(name).ok().filter(|number: &f64| number.is_finite());
    Some(Face {
        id: structure.get("id").ok()?,
        bbox: Rect { x: number("x")?, y: number("y")?, w: number("w")?, h: number("h")? },
        classification: classification_from_structure(structure),
        quality: number("quality").unwrap_or(0.0),
        roll: number("roll").unwrap_or(0.0),
        source: structure.get::<&str>("source").map(FaceSource::from_name).unwrap_or_default(),
        resembles: structure.get("resembles").ok(),
        quality_limit: structure.get::<&str>("quality-limit").ok().map(QualityLimit::from_name),
    })
}

fn classification_from_structure(structure: &gst::StructureRef) -> Option<Classification> {
    let is_finite = |number: &f64| number.is_finite();
    let number = |name: &str| structure.get(name).ok().filter(is_finite);
    let distribution = |name: &str| -> Option<[f64; 7]> {
        let array = structure.get::<gst::Array>(name).ok()?;
        let values: Vec<f64> = array.iter().filter_map(|value| value.get().ok()).filter(is_finite).collect();
        values.try_into().ok()
    };
    Some(Classification {
        label: structure.get::<&str>("label").ok()?.parse::<Label>().ok()?,
        confidence: number("confidence")?,
        probabilities: distribution("probabilities")?,
        raw: distribution("raw"),
        affect: Affect { valence: number("valence")?, arousal: number("arousal")? },
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use gst::prelude::*;

    use super::*;
    use mood_schema::Emotion;

    pub(crate) fn happy_face(id: u32) -> Face {
        let probabilities = [0.02, 0.02, 0.02, 0.88, 0.02, 0.02, 0.02];
        Face {
            id,
            bbox: Rect { x: 0.25, y: 0.125, w: 0.5, h: 0.75 },
            classification: Some(Classification {
                label: Emotion::Happy.into(),
                confidence: 0.88,
                probabilities,
                // Odd ids stand for people whose resting face was taken off.
                raw: (id % 2 == 1).then_some([0.1, 0.02, 0.02, 0.8, 0.02, 0.02, 0.02]),
                affect: Affect::from_distribution(&probabilities),
            }),
            quality: 0.9,
            roll: -4.5,
            source: FaceSource::Detected,
            resembles: None,
            quality_limit: None,
        }
    }

    #[test]
    fn faces_of_numbers_that_are_none_are_left_out() {
        gst::init().unwrap();
        for number in [f64::NAN, f64::INFINITY] {
            let mut face = happy_face(1);
            face.bbox.x = number;
            assert_eq!(face_from_structure(&face_to_structure("face", &face)), None);
            let mut face = happy_face(1);
            face.classification.as_mut().unwrap().probabilities[2] = number;
            let expected = Face { classification: None, ..happy_face(1) };
            assert_eq!(face_from_structure(&face_to_structure("face", &face)), Some(expected));
        }
    }

    #[test]
    fn frame_survives_the_round_trip() {
        gst::init().unwrap();
        register();
        register();
        let unclassified = Face {
            classification: None,
            source: FaceSource::Followed,
            resembles: Some(1),
            quality_limit: Some(QualityLimit::Turned),
            ..happy_face(2)
        };
        let frame = Frame { faces: vec![happy_face(1), unclassified], shot: 3 };
        let mut buffer = gst::Buffer::new();
        assert_eq!(read(&buffer), None);
        write(buffer.make_mut(), &frame).unwrap();
        assert_eq!(read(&buffer), Some(frame));
        write(buffer.make_mut(), &Frame::default()).unwrap();
        assert_eq!(read(&buffer), Some(Frame::default()), "the second frame replaces the first");
    }

    #[test]
    fn meta_survives_conversion_scaling_and_cropping() {
        gst::init().unwrap();
        register();
        let info = gst_video::VideoInfo::builder(gst_video::VideoFormat::I420, 64, 48).build().unwrap();
        let mut buffer = gst::Buffer::from_slice(vec![0u8; info.size()]);
        let frame = Frame { faces: vec![happy_face(1)], shot: 1 };
        write(buffer.get_mut().unwrap(), &frame).unwrap();
        let pipeline = gst::parse::launch(
            "appsrc name=in format=time ! videoconvert ! videoscale ! videocrop left=4 ! \
             video/x-raw,format=RGB,width=320,height=200 ! fakesink name=out sync=false",
        );
        let pipeline = pipeline.unwrap().downcast::<gst::Pipeline>().unwrap();
        let (sender, receiver) = std::sync::mpsc::channel();
        pipeline.by_name("out").unwrap().static_pad("sink").unwrap().add_probe(
            gst::PadProbeType::BUFFER,
            move |_, probe| {
                sender.send(probe.buffer().map(|buffer| read(buffer))).unwrap();
                gst::PadProbeReturn::Ok
            },
        );
        let source = pipeline.by_name("in").unwrap();
        source.set_property("caps", info.to_caps().unwrap());
        pipeline.set_state(gst::State::Playing).unwrap();
        let pushed = source.emit_by_name::<gst::FlowReturn>("push-buffer", &[&buffer]);
        assert_eq!(pushed, gst::FlowReturn::Ok);
        let output = receiver.recv_timeout(std::time::Duration::from_secs(10)).unwrap();
        pipeline.set_state(gst::State::Null).unwrap();
        assert_eq!(output, Some(Some(frame)));
    }
}
