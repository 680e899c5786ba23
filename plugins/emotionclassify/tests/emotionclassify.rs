//! `emotionclassify` on frames with face regions: metadata, messages, announced settings and errors. Needs the ONNX
//! Runtime that `make setup` installs.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::Once;

use gray_image::PixelRect;
use gst::prelude::*;
use gst_check::Harness;
use gst_video::{VideoFormat, VideoInfo};
use mini_xception::resting_face::RestingProfile;
use mood_meta::region::FaceRegion;
use mood_schema::{Affect, Emotion, Face, FaceSource, Frame, Label};

fn init() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        gst::init().unwrap();
        gstemotionclassify::plugin_register_static().unwrap();
    });
}

const FRAME_TIME: gst::ClockTime = gst::ClockTime::from_mseconds(40);

fn info(format: VideoFormat, width: u32, height: u32) -> VideoInfo {
    init();
    VideoInfo::builder(format, width, height).fps(gst::Fraction::new(25, 1)).build().unwrap()
}

/// An element in a harness with the caps of `info`, and the bus for its messages.
fn harness(info: &VideoInfo, configure: impl FnOnce(&gst::Element)) -> (Harness, gst::Bus) {
    let element = gst::ElementFactory::make("emotionclassify").build().unwrap();
    configure(&element);
    let bus = gst::Bus::new();
    element.set_bus(Some(&bus));
    let mut harness = Harness::with_element(&element, Some("sink"), Some("src"));
    harness.play();
    harness.set_src_caps(info.to_caps().unwrap());
    (harness, bus)
}

/// A textured frame with face regions; `index` is its number.
fn frame(info: &VideoInfo, index: u64, faces: &[FaceRegion]) -> gst::Buffer {
    let bytes: Vec<u8> = (0..info.size()).map(|i| ((i * 13) ^ (i / 97 * 29)) as u8).collect();
    let mut buffer = gst::Buffer::from_mut_slice(bytes);
    let buffer_ref = buffer.get_mut().unwrap();
    buffer_ref.set_pts(FRAME_TIME * index);
    buffer_ref.set_duration(FRAME_TIME);
    for face in faces {
        mood_meta::region::add_face(buffer_ref, face, info.width(), info.height());
    }
    buffer
}

fn face(id: u32, x: u32, y: u32, side: u32) -> FaceRegion {
    FaceRegion {
        id,
        bbox: PixelRect { x, y, w: side, h: side },
        confidence: Some(0.9),
        detector_roll: None,
        source: Default::default(),
        resembles: None,
        eyes: Vec::new(),
    }
}

fn read_frame(buffer: &gst::BufferRef) -> Frame {
    mood_meta::frame::read(buffer).expect("a GstMoodFrame on every frame")
}

/// The messages `emotion` posted so far.
fn emotion_messages(bus: &gst::Bus) -> Vec<gst::Structure> {
    std::iter::from_fn(|| bus.pop())
        .filter_map(|message| message.structure().map(|structure| structure.to_owned()))
        .filter(|structure| structure.name() == "emotion")
        .collect()
}

#[test]
fn each_face_is_classified_and_no_pixel_changes() {
    let info = info(VideoFormat::I420, 320, 240);
    let (mut harness, _) = harness(&info, |_| {});
    let input = frame(&info, 0, &[face(1, 10, 10, 60), face(2, 120, 40, 150)]);
    let before = input.map_readable().unwrap().to_vec();
    let output = harness.push_and_pull(input).unwrap();
    assert_eq!(output.map_readable().unwrap().as_slice(), before);

    let Frame { faces, .. } = read_frame(&output);
    assert_eq!(faces.iter().map(|face| face.id).collect::<Vec<_>>(), [2, 1], "largest first");
    for Face { bbox, classification, quality, .. } in &faces {
        let result = classification.as_ref().unwrap();
        assert!((result.probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-6);
        assert!((0.0..=1.0).contains(quality) && bbox.w > 0.0);
    }
    assert_eq!(faces[0].bbox.x, 120.0 / 320.0);

    let metas: Vec<_> = output.iter_meta::<gst_video::VideoRegionOfInterestMeta>().collect();
    assert_eq!(metas.len(), 2);
    for meta in metas {
        let param = meta.param("classification").unwrap();
        let face = faces.iter().find(|face| face.id == meta.id() as u32).unwrap();
        let result = face.classification.as_ref().unwrap();
        assert_eq!(param.get::<&str>("label").unwrap(), result.label.as_str());
        assert_eq!(param.get::<f64>("confidence").unwrap(), result.confidence);
        assert_eq!(param.get::<&str>("model_name").unwrap(), "mini_xception");
    }
}

#[test]
fn frame_without_faces_keeps_what_the_detector_wrote() {
    let info = info(VideoFormat::Rgb, 64, 48);
    let (mut harness, bus) = harness(&info, |_| {});
    let not_searched = harness.push_and_pull(frame(&info, 0, &[])).unwrap();
    assert_eq!(mood_meta::frame::read(&not_searched), None, "no detector has looked");

    let mut searched = frame(&info, 1, &[]);
    mood_meta::frame::write(searched.get_mut().unwrap(), &Frame::default()).unwrap();
    assert_eq!(read_frame(&harness.push_and_pull(searched).unwrap()), Frame::default());

    // videocrop drops regions: the face is still there.
    let lost = face(1, 10, 10, 20).to_face(64, 48);
    let mut cropped = frame(&info, 2, &[face(2, 30, 10, 30)]);
    mood_meta::frame::write(cropped.get_mut().unwrap(), &Frame { faces: vec![lost.clone()], shot: 0 })
        .unwrap();
    let faces = read_frame(&harness.push_and_pull(cropped).unwrap()).faces;
    assert_eq!(faces.iter().map(|face| face.id).collect::<Vec<_>>(), [2, 1], "the largest first");
    assert_eq!(faces[1], lost);
    assert_eq!(emotion_messages(&bus).len(), 1);
}

#[test]
fn all_formats_and_sizes_are_accepted() {
    for format in mood_meta::luma::FORMATS {
        for (width, height) in [(1, 1), (17, 13), (320, 240)] {
            let info = info(format, width, height);
            let (mut harness, _) = harness(&info, |_| {});
            let larger_than_frame = face(1, 0, 0, 400);
            let outside = face(2, 500, 500, 10);
            let output = harness.push_and_pull(frame(&info, 0, &[larger_than_frame, outside])).unwrap();
            assert_eq!(read_frame(&output).faces.len(), 2, "{format:?} {width}x{height}");
        }
    }
}

#[test]
fn caps_can_change_while_streaming() {
    let first = info(VideoFormat::I420, 320, 240);
    let (mut harness, _) = harness(&first, |_| {});
    harness.push_and_pull(frame(&first, 0, &[face(1, 10, 10, 60)])).unwrap();
    let second = info(VideoFormat::Bgrx, 161, 99);
    harness.set_src_caps(second.to_caps().unwrap());
    let output = harness.push_and_pull(frame(&second, 1, &[face(1, 10, 10, 60)])).unwrap();
    assert_eq!(read_frame(&output).faces[0].bbox.x, 10.0 / 161.0);
}

#[test]
fn messages_are_posted_as_the_property_says() {
    let info = info(VideoFormat::Gray8, 320, 240);
    for (setting, expected) in [("none", 0), ("on-change", 1), ("every-frame", 5)] {
        let (mut harness, bus) = harness(&info, |element| element.set_property_from_str("messages", setting));
        for index in 0..5 {
            harness.push_and_pull(frame(&info, index, &[face(7, 50, 50, 100)])).unwrap();
        }
        let messages = emotion_messages(&bus);
        assert_eq!(messages.len(), expected, "messages={setting}");
        for message in messages {
            assert_eq!(message.get::<u32>("id").unwrap(), 7);
        }
    }
}

#[test]
fn thresholds_make_the_label_uncertain() {
    let info = info(VideoFormat::Gray8, 320, 240);
    for (property, threshold) in [("min-confidence", 1.0), ("min-quality", 1.0)] {
        let (mut harness, _) = harness(&info, |element| element.set_property(property, threshold));
        // The face is too small for full quality and its texture too unusual for full confidence.
        let output = harness.push_and_pull(frame(&info, 0, &[face(1, 50, 50, 30)])).unwrap();
        let result = read_frame(&output).faces[0].classification.clone().unwrap();
        assert_eq!(result.label, Label::Uncertain, "{property}");
        assert!(result.confidence > 0.0);
    }
}

#[test]
fn face_keeps_its_classification_within_the_interval() {
    let info = info(VideoFormat::Gray8, 320, 240);
    let (mut harness, _) =
        harness(&info, |element| element.set_property("interval", gst::ClockTime::SECOND.nseconds()));
    let first = read_frame(&harness.push_and_pull(frame(&info, 0, &[face(1, 10, 10, 60)])).unwrap());
    // The texture at the new position would be classified differently.
    let second = read_frame(&harness.push_and_pull(frame(&info, 1, &[face(1, 200, 120, 80)])).unwrap());
    assert_eq!(first.faces[0].classification, second.faces[0].classification);
    let later = read_frame(&harness.push_and_pull(frame(&info, 26, &[face(1, 200, 120, 80)])).unwrap());
    assert_ne!(first.faces[0].classification, later.faces[0].classification);
}

#[test]
fn face_is_levelled_by_its_eyes() {
    let info = info(VideoFormat::Gray8, 320, 240);
    let (mut harness, _) = harness(&info, |_| {});
    let eye = |x, y| PixelRect { x, y, w: 10, h: 10 };
    let tilted = FaceRegion { eyes: vec![eye(80, 90), eye(120, 130)], ..face(1, 60, 60, 100) };
    let output = harness.push_and_pull(frame(&info, 0, &[tilted, face(2, 60, 60, 100)])).unwrap();
    let Frame { faces, .. } = read_frame(&output);
    let face_with_id = |id| faces.iter().find(|face| face.id == id).unwrap();
    assert!((face_with_id(1).roll - 45.0).abs() < 1e-6);
    assert_ne!(face_with_id(1).classification, face_with_id(2).classification);
}

/// A smooth picture that fills a frame of any size, with as much fine detail as `detail` says, and with face regions.
fn smooth_frame(info: &VideoInfo, detail: f64, faces: &[FaceRegion]) -> gst::Buffer {
    let (width, height) = (info.width() as usize, info.height() as usize);
    let value = |i: usize| {
        let x = (i % width) as f64 / width as f64;
        let y = (i / width) as f64 / height as f64;
        let waves = (31.0 * x + 9.0 * y).sin() + (23.0 * y - 7.0 * x * x).cos() + (40.0 * x * y).sin();
        let waves = waves + detail * (85.0 * x - 40.0 * y).sin();
        (128.0 + 40.0 * waves).clamp(0.0, 255.0) as u8
    };
    let mut buffer = gst::Buffer::from_mut_slice((0..width * height).map(value).collect::<Vec<_>>());
    for face in faces {
        mood_meta::region::add_face(buffer.get_mut().unwrap(), face, info.width(), info.height());
    }
    buffer
}

#[test]
fn crop_is_square_where_pixels_are_not() {
    init();
    let classify = |width: u32, par: (i32, i32), bbox: PixelRect| {
        let info = VideoInfo::builder(VideoFormat::Gray8, width, 240).par(gst::Fraction::new(par.0, par.1));
        let info = info.build().unwrap();
        let (mut harness, _) = harness(&info, |element| element.set_property_from_str("baseline", "off"));
        let face = FaceRegion { bbox, ..face(1, 0, 0, 0) };
        let output = harness.push_and_pull(smooth_frame(&info, 0.0, &[face])).unwrap();
        read_frame(&output).faces[0].classification.clone().unwrap().probabilities
    };
    let difference = |a: &[f64; 7], b: &[f64; 7]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum::<f64>();
    let square = classify(320, (1, 1), PixelRect { x: 100, y: 60, w: 120, h: 120 });
    let narrow = PixelRect { x: 50, y: 60, w: 60, h: 120 };
    let anamorphic = classify(160, (2, 1), narrow);
    let not_squared = classify(160, (1, 1), narrow);
    println!("{square:.3?}\n{anamorphic:.3?}\n{not_squared:.3?}");
    assert!(difference(&square, &anamorphic) < 0.05, "{square:?} {anamorphic:?}");
    assert!(difference(&square, &not_squared) > 0.15, "{square:?} {not_squared:?}");
}

#[test]
fn followed_face_is_seen_and_not_judged() {
    let info = info(VideoFormat::Gray8, 320, 240);
    let (mut harness, _) = harness(&info, |element| element.set_property("min-confidence", 0.0));
    let followed = FaceRegion { source: FaceSource::Followed, ..face(2, 170, 60, 120) };
    let output = harness.push_and_pull(smooth_frame(&info, 0.7, &[face(1, 170, 60, 120), followed])).unwrap();
    let faces = read_frame(&output).faces;
    let by_id = |id: u32| faces.iter().find(|face| face.id == id).unwrap();
    let label = |face: &Face| face.classification.as_ref().unwrap().label;
    let (detected, followed) = (by_id(1), by_id(2));
    assert!(matches!(label(detected), Label::Known(_)) && detected.quality > 0.3, "{detected:?}");
    assert_eq!(label(followed), Label::Uncertain, "{followed:?}");
    assert!(followed.quality > 0.0 && followed.quality < 0.3, "{followed:?}");
    assert_eq!(followed.source, FaceSource::Followed);
}

/// The settings announced downstream since the last call.
fn announced_settings(harness: &mut Harness) -> Vec<(String, serde_json::Map<String, serde_json::Value>)> {
    let events = std::iter::from_fn(|| harness.try_pull_event());
    events.filter_map(|event| mood_meta::event::parse_settings(&event)).collect()
}

#[test]
fn settings_are_announced_at_the_start_and_after_each_change() {
    let info = info(VideoFormat::Gray8, 64, 48);
    let (mut harness, _) = harness(&info, |element| element.set_property("min-confidence", 0.25));
    harness.push_and_pull(frame(&info, 0, &[])).unwrap();
    harness.push_and_pull(frame(&info, 1, &[])).unwrap();
    let announced = announced_settings(&mut harness);
    assert_eq!(announced.len(), 1, "once, not with every frame: {announced:?}");
    let (element, settings) = &announced[0];
    assert_eq!(element, "emotionclassify");
    assert_eq!(settings["min-confidence"], 0.25);
    assert_eq!(settings["model-sha256"].as_str().unwrap().len(), 64);

    harness.element().unwrap().set_property("min-quality", 0.5);
    harness.push_and_pull(frame(&info, 2, &[])).unwrap();
    harness.push_and_pull(frame(&info, 3, &[])).unwrap();
    let announced = announced_settings(&mut harness);
    assert_eq!(announced.len(), 1, "once after a change: {announced:?}");
    assert_eq!(announced[0].1["min-quality"], 0.5);

    // This setting does not influence the labels, so it is not announced.
    harness.element().unwrap().set_property_from_str("messages", "none");
    harness.push_and_pull(frame(&info, 4, &[])).unwrap();
    assert_eq!(announced_settings(&mut harness).len(), 0);
}

#[test]
fn known_resting_face_is_taken_off_at_once_and_the_raw_distribution_kept() {
    let info = info(VideoFormat::Gray8, 320, 240);
    let classification = |harness: &mut Harness, index| {
        let output = harness.push_and_pull(frame(&info, index, &[face(1, 50, 50, 100)])).unwrap();
        read_frame(&output).faces[0].classification.clone().unwrap()
    };
    let (mut plain, _) = harness(&info, |element| element.set_property_from_str("baseline", "off"));
    let expected = classification(&mut plain, 0);
    assert_eq!(expected.raw, None);
    let model = announced_settings(&mut plain)[0].1["model-sha256"].as_str().unwrap().to_owned();

    // Without a profile nothing is taken off the first image.
    let (mut learning, _) = harness(&info, |_| {});
    assert_eq!(classification(&mut learning, 0), expected);

    let mut profile = RestingProfile::new_for_known_rest(&model);
    profile.observe(&expected.probabilities, 1e3);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), profile.to_json()).unwrap();
    let location = file.path().to_str().unwrap();
    let (mut known, bus) = harness(&info, |element| {
        element.set_property("baseline-location", location);
        // The texture is no good image of a face.
        element.set_property("min-quality", 0.0);
        element.set_property("min-confidence", 0.0);
        element.set_property_from_str("messages", "every-frame");
    });
    let adjusted = classification(&mut known, 0);
    assert_eq!(adjusted.label, Label::Known(Emotion::Neutral), "it is the face at rest");
    assert_eq!(adjusted.raw, Some(expected.probabilities));
    assert_eq!(adjusted.affect, Affect::from_distribution(&adjusted.probabilities));
    assert_eq!(announced_settings(&mut known)[0].1["baseline-profile"], "told");
    let message = &emotion_messages(&bus)[0];
    assert_eq!(message.get::<&str>("label").unwrap(), "neutral");
    assert_eq!(message.get::<gst::Array>("raw").unwrap().len(), 7);
    // Off takes effect at once.
    known.element().unwrap().set_property_from_str("baseline", "off");
    let off = classification(&mut known, 1);
    assert_eq!((off.raw, off.probabilities), (None, expected.probabilities));
}

/// The drawn actor in grey, 320x240, in the middle of the scene with this emotion.
fn actor_image(emotion: Emotion) -> Vec<u8> {
    let actor = mood_demo::Actor::new(320, 240).unwrap();
    let scene = actor.script().iter().find(|scene| scene.emotion == emotion).unwrap();
    let rgba = actor.render(scene.start + (scene.end - scene.start) / 2);
    let grey = rgba
        .chunks_exact(4)
        .map(|pixel| (u32::from(pixel[0]) + 2 * u32::from(pixel[1]) + u32::from(pixel[2])) / 4);
    grey.map(|value| value as u8).collect()
}

#[test]
fn smile_for_a_minute_stays_happy_and_no_distribution_jumps() {
    let info = info(VideoFormat::Gray8, 320, 240);
    gstfacedetect::plugin_register_static().unwrap();
    let mut detector = Harness::new("haarfacedetect");
    detector.set_src_caps(info.to_caps().unwrap());
    let (smile, rest) = (actor_image(Emotion::Happy), actor_image(Emotion::Neutral));
    let found = detector.push_and_pull(gst::Buffer::from_slice(smile.clone())).unwrap();
    let region = mood_meta::region::read_faces(&found).into_iter().next().expect("the actor's face");

    let (mut harness, _) = harness(&info, |element| element.set_property_from_str("messages", "none"));
    // A minute of the smile and half a minute at rest, 5 frames a second.
    let faces: Vec<_> = (0..450)
        .map(|index| {
            let image = if index < 300 { &smile } else { &rest };
            let mut buffer = gst::Buffer::from_slice(image.clone());
            let buffer_ref = buffer.get_mut().unwrap();
            buffer_ref.set_pts(FRAME_TIME * 5 * index);
            mood_meta::region::add_face(buffer_ref, &region, 320, 240);
            let output = harness.push_and_pull(buffer).unwrap();
            read_frame(&output).faces[0].classification.clone().unwrap()
        })
        .collect();
    let (smiling, resting) = faces.split_at(300);
    assert!(smiling.iter().all(|face| face.label == Label::Known(Emotion::Happy)), "{:?}", smiling[299]);
    // Two seconds after the change the smoothing has followed it; the network itself is not sure that this face is at rest.
    let resting = &resting[10..];
    assert_eq!(resting[139].label, Label::Known(Emotion::Neutral), "{:?}", resting[139]);
    let changes = resting.windows(2).filter(|pair| pair[0].label != pair[1].label).count();
    assert!(changes <= 1, "the label changes once by what is learnt, not {changes} times");
    for steady in [smiling, resting] {
        for pair in steady.windows(2) {
            let [one, other] = [pair[0].probabilities, pair[1].probabilities];
            let step: f64 = one.iter().zip(other).map(|(one, other)| (one - other).abs()).sum::<f64>() / 2.0;
            assert!(step < 0.03, "{step} between {one:?} and {other:?}");
        }
    }
    let learnt: String = harness.element().unwrap().property("resting-face");
    let learnt = RestingProfile::from_json(learnt.as_bytes()).unwrap();
    assert!((80.0..90.0).contains(&learnt.seconds()), "{}", learnt.seconds());
    harness.element().unwrap().set_state(gst::State::Ready).unwrap();
    assert_eq!(harness.element().unwrap().property::<String>("resting-face"), "", "nothing is kept");
}

#[test]
fn unusable_resting_profile_is_an_error_that_says_why() {
    init();
    let other_model = RestingProfile::new("another").to_json();
    for (text, expected) in [
        ("", "no resting profile"),
        ("{\"version\":9,\"model\":\"\",\"told\":false,\"bins\":[]}", "newer gst-mood"),
        (other_model.as_str(), "another network"),
    ] {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let path = file.path().to_str().unwrap();
        let error = start_error("baseline-location", path);
        assert!(error.contains(expected) && error.contains(path), "{error}");
    }
}

/// The error of an element that does not start with this value of a property.
fn start_error(property: &str, value: &str) -> String {
    let element = gst::ElementFactory::make("emotionclassify").property(property, value).build().unwrap();
    let bus = gst::Bus::new();
    element.set_bus(Some(&bus));
    assert!(element.set_state(gst::State::Paused).is_err());
    let message = bus.pop_filtered(&[gst::MessageType::Error]).unwrap();
    let gst::MessageView::Error(error) = message.view() else { unreachable!() };
    element.set_state(gst::State::Null).unwrap();
    error.error().to_string()
}

#[test]
fn error_names_the_missing_file() {
    init();
    for (property, value, expected) in [
        ("model", "/nowhere/model.onnx", "/nowhere/model.onnx"),
        ("runtime-library", "/nowhere/libonnxruntime.so", "runtime-library"),
        ("baseline-location", "/nowhere/baseline.json", "/nowhere/baseline.json"),
    ] {
        let error = start_error(property, value);
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn missing_provider_gives_a_warning() {
    let info = info(VideoFormat::Gray8, 64, 48);
    for provider in ["cuda", "tensorrt", "openvino", "auto"] {
        let (mut harness, bus) =
            harness(&info, |element| element.set_property_from_str("execution-provider", provider));
        harness.push_and_pull(frame(&info, 0, &[face(1, 10, 10, 30)])).unwrap();
        let message = bus.pop_filtered(&[gst::MessageType::Warning]).expect(provider);
        let gst::MessageView::Warning(warning) = message.view() else { unreachable!() };
        assert!(warning.error().to_string().contains("on the processor instead"), "{}", warning.error());
    }
}

/// The frame as another detector gives it: regions of type `face`, without our metadata.
fn foreign_frame(info: &VideoInfo, index: u64, faces: &[(i32, u32)]) -> gst::Buffer {
    let mut buffer = frame(info, index, &[]);
    for (id, x) in faces {
        let buffer = buffer.get_mut().unwrap();
        let mut meta = gst_video::VideoRegionOfInterestMeta::add(buffer, "face", (*x, 20, 100, 100));
        meta.set_id(*id);
        // What DL Streamer adds; others add nothing.
        meta.add_param(
            gst::Structure::builder("detection").field("confidence", 0.8).field("label_id", 1i32).build(),
        );
    }
    gst_video::VideoRegionOfInterestMeta::add(buffer.get_mut().unwrap(), "car", (0, 0, 50, 50));
    buffer
}

#[test]
fn regions_of_another_detector_are_classified_as_ours_are() {
    let info = info(VideoFormat::I420, 320, 240);
    let probabilities = |faces: Vec<Face>, x: u32| {
        let face = faces.into_iter().find(|face| face.bbox.x == f64::from(x) / 320.0).unwrap();
        (face.id, face.classification.unwrap().probabilities)
    };
    let (mut ours, _) = harness(&info, |_| {});
    let own_frame = frame(&info, 0, &[face(1, 10, 20, 100), face(2, 200, 20, 100)]);
    let expected = read_frame(&ours.push_and_pull(own_frame).unwrap()).faces;
    let expected = [10, 200].map(|x| probabilities(expected.clone(), x).1);
    assert_ne!(expected[0], expected[1]);

    // The opencv plugin's detector numbers nothing, another one does.
    for (ids, kept) in [([0, 0], None), ([7, 7], None), ([7, 9], Some([7, 9]))] {
        let (mut harness, bus) = harness(&info, |_| {});
        let mut first = None;
        for index in 0..3 {
            // They move a little, and may come in another order.
            let x = [10, 200].map(|x| x + 2 * u32::try_from(index).unwrap());
            let mut faces = vec![(ids[0], x[0]), (ids[1], x[1])];
            if index == 1 {
                faces.reverse();
            }
            let output = harness.push_and_pull(foreign_frame(&info, index, &faces)).unwrap();
            let faces = read_frame(&output).faces;
            assert_eq!(faces.len(), 2, "no car");
            let found = x.map(|x| probabilities(faces.clone(), x));
            let ids = found.map(|(id, _)| id);
            assert!(ids[0] != ids[1] && kept.is_none_or(|kept| kept == ids), "{ids:?}");
            assert_eq!(*first.get_or_insert(ids), ids, "who is who");
            if index == 0 {
                assert_eq!(found.map(|(_, probabilities)| probabilities), expected);
            }
            for meta in output.iter_meta::<gst_video::VideoRegionOfInterestMeta>() {
                assert_eq!(meta.param("classification").is_some(), meta.roi_type() == "face");
            }
        }
        assert_eq!(emotion_messages(&bus).len(), 2, "a label for each, which does not change");
    }
}

#[test]
fn dl_streamers_tracker_says_who_is_who() {
    let info = info(VideoFormat::I420, 320, 240);
    let (mut harness, _) = harness(&info, |_| {});
    for index in 0..3u64 {
        // Its regions are numbered anew in each frame.
        let mut buffer = foreign_frame(&info, index, &[(100 + index as i32, 10)]);
        let mut meta = buffer.get_mut().unwrap().iter_meta_mut::<gst_video::VideoRegionOfInterestMeta>();
        meta.next().unwrap().add_param(gst::Structure::builder("object_id").field("id", 4i32).build());
        drop(meta);
        let output = harness.push_and_pull(buffer).unwrap();
        assert_eq!(read_frame(&output).faces[0].id, 4);
    }
}
