//! Reads metadata that another program wrote: any `GstMoodFrame` and any regions of interest, with fields of wrong types,
//! missing, and numbers that are no box. What is read is shown by the overlay and written by the log.

#![no_main]

use arbitrary::{Result, Unstructured};
use gst::prelude::*;
use libfuzzer_sys::fuzz_target;

const NAMES: [&str; 15] = [
    "id",
    "x",
    "y",
    "w",
    "h",
    "quality",
    "roll",
    "source",
    "resembles",
    "label",
    "confidence",
    "probabilities",
    "raw",
    "valence",
    "arousal",
];

fuzz_target!(|data: &[u8]| {
    fuzz::init_gstreamer();
    let mut data = Unstructured::new(data);
    let _ = run(&mut data);
});

fn run(data: &mut Unstructured) -> Result<()> {
    let (width, height) = (64, 48);
    let mut buffer = gst::Buffer::from_mut_slice(vec![90; width * height * 4]);
    let fields = buffer.make_mut();
    fields.set_pts(gst::ClockTime::ZERO);
    if data.arbitrary()? {
        let mut meta = gst::meta::CustomMeta::add(fields, mood_meta::frame::NAME).unwrap();
        let structure = meta.mut_structure();
        structure.set_value("version", value(data, 0)?);
        let faces = (0..data.int_in_range(0..=6)?).map(|_| face(data, 0)).collect::<Result<Vec<_>>>()?;
        match data.int_in_range(0..=9)? {
            0 => structure.set_value("faces", value(data, 0)?),
            _ => structure.set("faces", gst::Array::new(faces)),
        }
        if data.ratio(1, 4)? {
            structure.set_value("witness", value(data, 0)?);
        }
    }
    for _ in 0..data.int_in_range(0..=4)? {
        let rect = (data.arbitrary()?, data.arbitrary()?, data.arbitrary()?, data.arbitrary()?);
        let name = *data.choose(&["face", "eye", "", "person", "hidden"])?;
        let mut meta = gst_video::VideoRegionOfInterestMeta::add(fields, name, rect);
        meta.set_id(data.arbitrary()?);
        meta.set_parent_id(data.arbitrary()?);
        let mut param = gst::Structure::new_empty(*data.choose(&["detection", "classification", "other"])?);
        for name in ["confidence", "label", "label_id", "x_min", "roll", "source", "resembles"] {
            param.set_value(name, value(data, 0)?);
        }
        meta.add_param(param);
    }
    mood_meta::read_faces(&buffer, width as u32, height as u32);
    let caps = format!("video/x-raw,format=RGBA,width={width},height={height},framerate=25/1");
    fuzz::push("emotionoverlay blur-faces=true ! emotionlog location=/dev/null", &caps, buffer);
    Ok(())
}

/// The structure of a face, mostly as it should be.
fn face(data: &mut Unstructured, depth: u8) -> Result<gst::Structure> {
    let mut structure = gst::Structure::new_empty("face");
    for name in NAMES {
        let value = match (name, data.int_in_range(0..=7)?) {
            (_, 0) => continue,
            (_, 1) => value(data, depth)?,
            ("id" | "resembles", _) => data.arbitrary::<u32>()?.to_send_value(),
            ("source", _) => (*data.choose(&["detected", "followed", "none", ""])?).to_send_value(),
            ("label", _) => (*data.choose(&["happy", "uncertain", "none", ""])?).to_send_value(),
            ("probabilities" | "raw", _) => gst::Array::new([1.0 / 7.0; 7]).to_send_value(),
            _ => number(data)?.to_send_value(),
        };
        structure.set_value(name, value);
    }
    Ok(structure)
}

/// A number that a box may have, or should not.
fn number(data: &mut Unstructured) -> Result<f64> {
    Ok(match data.int_in_range(0..=5)? {
        0 => data.arbitrary()?,
        1 => {
            *data.choose(&[f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, f64::MIN_POSITIVE, -0.0])?
        }
        _ => f64::from(data.arbitrary::<u8>()?) / 200.0 - 0.1,
    })
}

/// A value of any type.
fn value(data: &mut Unstructured, depth: u8) -> Result<glib::SendValue> {
    let kind = data.int_in_range(0..=9)?;
    value_of(kind, data, depth)
}

/// A value of one of ten types.
fn value_of(kind: u8, data: &mut Unstructured, depth: u8) -> Result<glib::SendValue> {
    Ok(match kind {
        0 => data.arbitrary::<i32>()?.to_send_value(),
        1 => data.arbitrary::<u32>()?.to_send_value(),
        2 => data.arbitrary::<u64>()?.to_send_value(),
        3 => data.arbitrary::<bool>()?.to_send_value(),
        4 => data.arbitrary::<f32>()?.to_send_value(),
        5 => String::from_utf8_lossy(data.bytes(data.len().min(20))?).replace('\0', "").to_send_value(),
        6 => None::<&str>.to_send_value(),
        7 if depth < 3 => {
            // GStreamer's arrays hold values of one type, in nested ones too.
            let kind = *data.choose(&[0, 1, 2, 3, 4, 5, 6, 8, 9])?;
            let length = data.int_in_range(0..=9)?;
            let values = (0..length).map(|_| value_of(kind, data, depth + 1)).collect::<Result<Vec<_>>>()?;
            gst::Array::new(values).to_send_value()
        }
        8 if depth < 3 => face(data, depth + 1)?.to_send_value(),
        _ => number(data)?.to_send_value(),
    })
}
