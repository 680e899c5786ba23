//! Metas of GStreamer's analytics library, with the feature `v1_24`: what others write is classified, and what we write is drawn by
//! GStreamer's own overlay. Needs GStreamer 1.24 with its overlay of object detections, and ONNX Runtime.

#![cfg(feature = "v1_24")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::Once;

use gray_image::PixelRect;
use gst_check::Harness;
use gst_video::{VideoFormat, VideoInfo};
use mood_meta::analytics::{self, FirstSeen};
use mood_meta::region::{self, FaceRegion};
use mood_schema::{Emotion, Frame, Label};

const WIDTH: u32 = 320;
const HEIGHT: u32 = 240;

fn init() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        gst::init().unwrap();
        gstfacedetect::plugin_register_static().unwrap();
        gstemotionclassify::plugin_register_static().unwrap();
    });
}

/// The happy actor, in a format.
fn actor_frame(format: VideoFormat) -> gst::Buffer {
    let actor = mood_demo::Actor::new(WIDTH, HEIGHT).unwrap();
    let scene = actor.script().iter().find(|scene| scene.emotion == Emotion::Happy).unwrap();
    let rgba = actor.render(scene.start + (scene.end - scene.start) / 2);
    let grey =
        |pixel: &[u8]| ((u32::from(pixel[0]) + 2 * u32::from(pixel[1]) + u32::from(pixel[2])) / 4) as u8;
    let pixels: Vec<u8> = match format {
        VideoFormat::Gray8 => rgba.chunks_exact(4).map(grey).collect(),
        VideoFormat::Bgrx => {
            rgba.chunks_exact(4).flat_map(|pixel| [pixel[2], pixel[1], pixel[0], 255]).collect()
        }
        format => panic!("{format:?}"),
    };
    let mut buffer = gst::Buffer::from_mut_slice(pixels);
    buffer.get_mut().unwrap().set_pts(gst::ClockTime::from_seconds(3));
    buffer
}

fn harness(launch: &str, format: VideoFormat) -> Harness {
    init();
    let info = VideoInfo::builder(format, WIDTH, HEIGHT).fps(gst::Fraction::new(25, 1)).build().unwrap();
    let mut harness = Harness::new_parse(launch);
    harness.set_src_caps(info.to_caps().unwrap());
    harness
}

/// Where the detector finds the actor's face in a frame of a format.
fn actor_face(format: VideoFormat) -> FaceRegion {
    let mut detector = harness("haarfacedetect", format);
    let output = detector.push_and_pull(actor_frame(format)).unwrap();
    let regions = region::read_faces(&output);
    let objects = analytics::read_faces(&output);
    assert_eq!((regions.len(), objects.len()), (1, 1));
    assert_eq!((objects[0].region.id, objects[0].region.bbox), (regions[0].id, regions[0].bbox));
    FaceRegion { detector_roll: None, ..regions[0].clone() }
}

fn read_frame(buffer: &gst::BufferRef) -> Frame {
    mood_meta::frame::read(buffer).expect("a GstMoodFrame")
}

#[test]
fn faces_that_another_detector_wrote_are_classified() {
    let face = actor_face(VideoFormat::Gray8);
    // The same face twice: whoever is there is told apart by the tracking.
    let other = FaceRegion { id: 7, bbox: PixelRect { w: face.bbox.w - 8, ..face.bbox }, ..face.clone() };
    let face = FaceRegion { id: 41, ..face };
    let mut input = actor_frame(VideoFormat::Gray8);
    for face in [&face, &other] {
        analytics::add_face(input.get_mut().unwrap(), face, &mut FirstSeen::default()).unwrap();
    }
    assert_eq!(
        mood_meta::read_faces(&input, WIDTH, HEIGHT).unwrap().faces.len(),
        2,
        "for log, overlay and player"
    );
    let mut classifier = harness("emotionclassify", VideoFormat::Gray8);
    let output = classifier.push_and_pull(input).unwrap();
    let faces = read_frame(&output).faces;
    assert_eq!(faces.iter().map(|face| face.id).collect::<Vec<_>>(), [41, 7]);
    assert_eq!(faces[0].bbox.x, f64::from(face.bbox.x) / f64::from(WIDTH));
    assert_eq!(faces[0].classification.as_ref().unwrap().label, Label::Known(Emotion::Happy));
    assert_eq!(region::read_faces(&output), [], "no second set of faces");
    assert_eq!(analytics::read_faces(&output).len(), 2);
    assert!(mood_meta::witness::read(&output).unwrap().is_some());
}

#[test]
fn untracked_faces_of_another_detector_get_ids() {
    let face = FaceRegion { id: 0, ..actor_face(VideoFormat::Gray8) };
    let mut input = actor_frame(VideoFormat::Gray8);
    let distant = FaceRegion { bbox: PixelRect { x: 0, y: 0, w: 40, h: 40 }, ..face.clone() };
    for face in [&face, &distant] {
        analytics::add_face(input.get_mut().unwrap(), face, &mut FirstSeen::default()).unwrap();
    }
    let mut classifier = harness("emotionclassify", VideoFormat::Gray8);
    let faces = read_frame(&classifier.push_and_pull(input).unwrap()).faces;
    assert_eq!(faces.len(), 2);
    assert_ne!(faces[0].id, faces[1].id, "two faces with one id would be averaged as one person's");
}

#[test]
fn regions_of_a_detector_without_object_detections_become_such() {
    let face = actor_face(VideoFormat::Gray8);
    let mut input = actor_frame(VideoFormat::Gray8);
    region::add_face(input.get_mut().unwrap(), &face, WIDTH, HEIGHT);
    let mut classifier = harness("emotionclassify", VideoFormat::Gray8);
    let output = classifier.push_and_pull(input).unwrap();
    let objects = analytics::read_faces(&output);
    assert_eq!(objects.iter().map(|object| object.region.bbox).collect::<Vec<_>>(), [face.bbox]);
}

#[test]
fn objectdetectionoverlay_draws_our_faces() {
    let face = actor_face(VideoFormat::Bgrx).bbox;
    let input = actor_frame(VideoFormat::Bgrx);
    let before = input.map_readable().unwrap().to_vec();
    let draw = |launch: &str| {
        let mut chain = harness(launch, VideoFormat::Bgrx);
        let output = chain.push_and_pull(input.copy()).unwrap();
        output.map_readable().unwrap().to_vec()
    };
    assert_eq!(draw("haarfacedetect ! emotionclassify"), before);
    let is_changed = |after: &[u8], x: u32, y: u32| {
        let start = (y * WIDTH + x) as usize * 4;
        before[start..start + 3] != after[start..start + 3]
    };

    let boxes = draw("haarfacedetect ! objectdetectionoverlay draw-labels=false");
    let (right, bottom) = (face.x + face.w, face.y + face.h);
    let top_and_bottom = (face.x..right).flat_map(|x| [(x, face.y), (x, bottom)]);
    let sides = (face.y..bottom).flat_map(|y| [(face.x, y), (right, y)]);
    let outline: Vec<(u32, u32)> = top_and_bottom.chain(sides).collect();
    let drawn = outline.iter().filter(|&&(x, y)| is_changed(&boxes, x, y)).count();
    assert!(drawn * 10 >= outline.len() * 9, "{drawn} of {} pixels", outline.len());
    // The outline is at most a few pixels wide.
    let is_near = |x: u32, y: u32| {
        let near = |value: u32, edge: u32| value.abs_diff(edge) <= 4;
        near(x, face.x) || near(x, right) || near(y, face.y) || near(y, bottom)
    };
    let elsewhere =
        (0..HEIGHT).flat_map(|y| (0..WIDTH).map(move |x| (x, y))).filter(|&(x, y)| !is_near(x, y));
    assert_eq!(elsewhere.filter(|&(x, y)| is_changed(&boxes, x, y)).count(), 0);

    // "face" or the label, above the box.
    let (detected, classified) = (
        draw("haarfacedetect ! objectdetectionoverlay"),
        draw("haarfacedetect ! emotionclassify ! objectdetectionoverlay"),
    );
    assert_ne!(detected, boxes);
    assert_ne!(classified, detected);
}

#[test]
fn metas_survive_conversion_and_scaling() {
    let face = actor_face(VideoFormat::Bgrx);
    let mut chain = harness(
        "haarfacedetect ! emotionclassify ! videoconvert ! videoscale ! capsfilter caps=video/x-raw,format=I420,width=160,height=120",
        VideoFormat::Bgrx,
    );
    let output = chain.push_and_pull(actor_frame(VideoFormat::Bgrx)).unwrap();
    let scaled = &analytics::read_faces(&output)[0].region;
    assert_eq!(scaled.id, face.id);
    for (one, other) in
        [(scaled.bbox.x, face.bbox.x), (scaled.bbox.y, face.bbox.y), (scaled.bbox.w, face.bbox.w)]
    {
        assert!(one.abs_diff(other / 2) <= 1, "{:?} {:?}", scaled.bbox, face.bbox);
    }
}
