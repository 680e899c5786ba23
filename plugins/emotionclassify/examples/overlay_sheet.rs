//! Draws the overlay on an image, in several sizes and with faces in difficult positions, for visual inspection:
//! `cargo run -p gstemotionclassify --example overlay_sheet -- IMAGE DIR [blur]`. IMAGE is any image that GStreamer
//! decodes.

use std::path::Path;

use gst::prelude::*;
use mood_schema::{Affect, Classification, Emotion, Face, Frame, Label, Line, Rect, TrackEvent, TrackLine};

/// Widths and heights of the frames, pixels.
/// Frame sizes, pixels.
const SIZES: [(i32, i32); 4] = [(320, 240), (640, 360), (1920, 1080), (3840, 2160)];

/// A face with the distribution that its label needs.
/// A face with a box in shares of the frame; without a label it is not classified.
fn face(id: u32, [x, y, w, h]: [f64; 4], label: Option<Label>) -> Face {
    let classification = label.map(|label| {
        let likeliest = if let Label::Known(emotion) = label { emotion.index() } else { 6 };
        let confidence = if label == Label::Uncertain { 0.34 } else { 0.87 };
        let mut probabilities = [(1.0 - confidence) / 6.0; 7];
        if let Some(probability) = probabilities.get_mut(likeliest) {
            *probability = confidence;
        }
        Classification {
            label,
            confidence,
            probabilities,
            raw: None,
            affect: Affect::from_distribution(&probabilities),
        }
    });
    Face {
        id,
        bbox: Rect { x, y, w, h },
        classification,
        quality: 0.9,
        roll: 0.0,
        source: Default::default(),
        resembles: None,
        quality_limit: None,
    }
}

/// Names and faces of the frames.
/// Named arrangements of faces.
fn scenes() -> Vec<(&'static str, Vec<Face>)> {
    use Emotion::{Angry, Disgust, Fear, Happy, Neutral, Sad, Surprise};
    let label = |emotion: Emotion| Some(Label::Known(emotion));
    let crowd = (0..60).map(|n| {
        let (column, row) = (f64::from(n % 10), f64::from(n / 10));
        let label = Emotion::from_index(n as usize % 7).map(Label::Known);
        face(n, [0.02 + 0.097 * column, 0.06 + 0.155 * row, 0.04, 0.071], label)
    });
    vec![
        ("one", vec![face(1, [0.31, 0.18, 0.26, 0.46], label(Happy))]),
        (
            "two",
            vec![
                face(1, [0.12, 0.25, 0.22, 0.39], label(Surprise)),
                face(12, [0.52, 0.3, 0.2, 0.36], Some(Label::Uncertain)),
            ],
        ),
        (
            "edges",
            vec![
                face(1, [-0.03, 0.35, 0.14, 0.25], label(Angry)),
                face(2, [0.43, -0.04, 0.14, 0.25], label(Fear)),
                face(3, [0.89, 0.4, 0.14, 0.25], label(Disgust)),
                face(4, [0.5, 0.8, 0.14, 0.25], label(Sad)),
            ],
        ),
        ("large", vec![face(3, [0.05, 0.02, 0.9, 0.96], label(Neutral))]),
        ("small", vec![face(3, [0.6, 0.4, 0.05, 0.09], label(Sad)), face(4, [0.3, 0.5, 0.03, 0.05], None)]),
        ("crowd", crowd.collect()),
    ]
}

/// Draws one frame and writes it as a PNG file.
fn draw(
    image: &Path,
    output: &Path,
    (w, h): (i32, i32),
    faces: Vec<Face>,
    blur: bool,
) -> Result<(), Box<dyn std::error::Error>> {
    let pipeline = gst::parse::launch(&format!(
        "filesrc name=source ! decodebin ! videoconvert ! videoscale ! \
         video/x-raw,format=I420,width={w},height={h},pixel-aspect-ratio=1/1 ! \
         emotionoverlay name=overlay blur-faces={blur} ! videoconvert ! pngenc snapshot=true ! filesink name=output"
    ))?;
    let pipeline = pipeline.downcast::<gst::Pipeline>().map_err(|_| "not a pipeline")?;
    let element = |name: &str| pipeline.by_name(name).ok_or_else(|| format!("no {name}"));
    element("source")?.set_property("location", image);
    element("output")?.set_property("location", output);
    let overlay = element("overlay")?;
    let sink = overlay.static_pad("sink").ok_or("no sink pad")?;
    let frame = Frame { faces, shot: 0 };
    sink.add_probe(gst::PadProbeType::BUFFER, move |_, probe| {
        if let Some(buffer) = probe.buffer_mut() {
            mood_meta::frame::write(buffer.make_mut(), &frame).ok();
        }
        gst::PadProbeReturn::Ok
    });
    let track = TrackLine {
        pts: 0,
        event: TrackEvent::Started,
        uri: "file:///music/morning.ogg".into(),
        title: "Morning Has Come at Last — Ångström Quintet".into(),
        mood: Some(Emotion::Happy.into()),
        distance: None,
        reason: String::new(),
        runners_up: Vec::new(),
    };
    pipeline.set_state(gst::State::Paused)?;
    overlay
        .static_pad("src")
        .ok_or("no src pad")?
        .send_event(mood_meta::event::build_player_line(&Line::Track(track)));
    pipeline.set_state(gst::State::Playing)?;
    let bus = pipeline.bus().ok_or("no bus")?;
    let message = bus.timed_pop_filtered(
        gst::ClockTime::from_seconds(30),
        &[gst::MessageType::Eos, gst::MessageType::Error],
    );
    pipeline.set_state(gst::State::Null)?;
    match message.ok_or("no answer within 30 s")?.view() {
        gst::MessageView::Error(error) => Err(error.error().into()),
        _ => Ok(()),
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(image), Some(folder)) = (arguments.next(), arguments.next()) else {
        return Err("usage: overlay_sheet IMAGE DIR [blur]".into());
    };
    let blur = arguments.next().is_some_and(|argument| argument == "blur");
    gst::init()?;
    gstemotionclassify::plugin_register_static()?;
    std::fs::create_dir_all(&folder)?;
    for size in SIZES {
        for (name, faces) in scenes() {
            let output = Path::new(&folder).join(format!("{name}-{}x{}.png", size.0, size.1));
            draw(Path::new(&image), &output, size, faces, blur)?;
        }
    }
    Ok(())
}
