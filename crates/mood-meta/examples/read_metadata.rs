//! Prints the faces of a video: `read_metadata VIDEO`. Stream time in seconds, id, label, confidence and box of each, and where it is
//! classified the seven probabilities.

use gst::prelude::*;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let video = std::env::args().nth(1).ok_or("usage: read_metadata VIDEO")?;
    gst::init()?;
    print_faces(&video, |line| println!("{line}"))
}

/// Plays a video and gives `print` a line for each face of each frame.
pub fn print_faces(
    video: &str,
    print: impl Fn(String) + Send + Sync + 'static,
) -> Result<(), Box<dyn std::error::Error>> {
    let pipeline = gst::parse::launch(
        "filesrc name=source ! decodebin ! videoconvert ! videoflip video-direction=auto ! haarfacedetect ! \
         emotionclassify ! fakesink name=sink",
    )?;
    let pipeline = pipeline.downcast::<gst::Pipeline>().map_err(|_| "not a pipeline")?;
    pipeline.by_name("source").ok_or("no source")?.set_property("location", video);
    let pad = pipeline.by_name("sink").and_then(|sink| sink.static_pad("sink")).ok_or("no sink")?;
    pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        let Some(buffer) = info.buffer() else { return gst::PadProbeReturn::Ok };
        // None: no detector has seen this frame. A frame without faces has an empty list.
        let Some(frame) = mood_meta::frame::read(buffer) else { return gst::PadProbeReturn::Ok };
        let seconds = buffer.pts().map_or(0.0, |pts| pts.nseconds() as f64 / 1e9);
        for face in frame.faces {
            let label = face.classification.as_ref().map_or("unclassified", |result| result.label.as_str());
            let confidence = face.classification.as_ref().map_or(0.0, |result| result.confidence);
            let mood_schema::Rect { x, y, w, h } = face.bbox;
            let probabilities = face.classification.iter().flat_map(|result| result.probabilities);
            let probabilities: String = probabilities.map(|value| format!(" {value:.3}")).collect();
            let id = face.id;
            print(format!(
                "{seconds:.3} {id} {label} {confidence:.3} {x:.4} {y:.4} {w:.4} {h:.4}{probabilities}"
            ));
        }
        gst::PadProbeReturn::Ok
    });
    pipeline.set_state(gst::State::Playing)?;
    let bus = pipeline.bus().ok_or("no bus")?;
    let ends = [gst::MessageType::Eos, gst::MessageType::Error];
    let message = bus.timed_pop_filtered(gst::ClockTime::NONE, &ends);
    pipeline.set_state(gst::State::Null)?;
    match message.as_ref().map(|message| message.view()) {
        Some(gst::MessageView::Error(error)) => Err(error.error().into()),
        _ => Ok(()),
    }
}
