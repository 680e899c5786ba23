//! `emotionlog`: the lines of its files, and errors.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;
use std::sync::Once;

use gray_image::PixelRect;
use gst::prelude::*;
use gst_check::Harness;
use mood_meta::region::FaceRegion;
use mood_schema::{Affect, Classification, Emotion, Face, Frame, Line, Mood, MoodLine, Rect};

fn init() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        gst::init().unwrap();
        gstemotionclassify::plugin_register_static().unwrap();
    });
}

const CAPS: &str = "video/x-raw,format=GRAY8,width=100,height=50,framerate=25/1";

fn element(location: &Path, format: &str) -> gst::Element {
    init();
    let element = gst::ElementFactory::make("emotionlog").build().unwrap();
    element.set_property("location", location.to_str().unwrap());
    element.set_property_from_str("format", format);
    element
}

fn harness(element: &gst::Element, caps: &str) -> Harness {
    let mut harness = Harness::with_element(element, Some("sink"), Some("src"));
    harness.play();
    harness.set_src_caps_str(caps);
    harness
}

fn buffer(index: u64) -> gst::Buffer {
    let mut buffer = gst::Buffer::with_size(5000).unwrap();
    let buffer_ref = buffer.get_mut().unwrap();
    buffer_ref.set_pts(gst::ClockTime::from_mseconds(40) * index);
    buffer_ref.set_duration(gst::ClockTime::from_mseconds(40));
    buffer
}

fn sad_face() -> Face {
    let probabilities = [0.1, 0.0, 0.1, 0.0, 0.7, 0.0, 0.1];
    Face {
        id: 5,
        bbox: Rect { x: 0.5, y: 0.25, w: 0.25, h: 0.5 },
        classification: Some(Classification {
            label: Emotion::Sad.into(),
            confidence: 0.7,
            probabilities,
            raw: None,
            affect: Affect::from_distribution(&probabilities),
        }),
        quality: 0.75,
        roll: 0.0,
        source: Default::default(),
        resembles: None,
        quality_limit: None,
    }
}

fn read_lines(path: &Path) -> Vec<Line> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn frames_moods_and_settings_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("timeline.jsonl");
    let element = element(&path, "jsonl");
    let mut harness = harness(&element, CAPS);
    let mut settings = serde_json::Map::new();
    settings.insert("scale-factor".into(), 1.2.into());
    harness.push_event(mood_meta::event::build_settings("haarfacedetect", &settings));

    let mut classified = buffer(0);
    mood_meta::frame::write(classified.get_mut().unwrap(), &Frame { faces: vec![sad_face()], shot: 0 })
        .unwrap();
    let mut detected = buffer(1);
    let region = FaceRegion {
        id: 2,
        bbox: PixelRect { x: 10, y: 5, w: 20, h: 20 },
        confidence: None,
        detector_roll: None,
        source: Default::default(),
        resembles: None,
        eyes: vec![],
    };
    mood_meta::region::add_face(detected.get_mut().unwrap(), &region, 100, 50);
    for buffer in [classified, detected, buffer(2)] {
        let before = buffer.as_ptr();
        let after = harness.push_and_pull(buffer).unwrap();
        assert_eq!(after.as_ptr(), before, "passed through unchanged");
    }
    let mood =
        MoodLine { pts: 7, from: Mood::Absent, to: Emotion::Sad.into(), confidence: 0.8, evidence: [0, 7] };
    harness.push_upstream_event(mood_meta::event::build_player_line(&Line::Mood(mood.clone())));
    assert_eq!(read_lines(&path).len(), 5, "all lines but the end are written while it runs");
    drop(harness);
    element.set_state(gst::State::Null).unwrap();

    let lines = read_lines(&path);
    let Line::Session(header) = &lines[0] else { panic!("{:?}", lines[0]) };
    assert_eq!(header.settings["haarfacedetect"]["scale-factor"], 1.2);
    let frames: Vec<_> =
        lines.iter().filter_map(|line| if let Line::Frame(f) = line { Some(f) } else { None }).collect();
    assert_eq!(
        frames.iter().map(|f| (f.frame, f.pts)).collect::<Vec<_>>(),
        [(0, 0), (1, 40_000_000), (2, 80_000_000)]
    );
    assert_eq!(frames[0].faces, [sad_face()]);
    assert_eq!(frames[1].faces[0].bbox, Rect { x: 0.1, y: 0.1, w: 0.2, h: 0.4 });
    assert!(frames[1].faces[0].classification.is_none() && frames[2].faces.is_empty());
    assert!(lines.contains(&Line::Mood(mood)));
    assert!(matches!(lines.last(), Some(Line::End(end)) if end.frames == 3 && end.pts == 120_000_000));
}

#[test]
fn eos_before_the_first_frame_gives_a_complete_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("timeline.jsonl");
    let element = element(&path, "jsonl");
    let mut harness = harness(&element, CAPS);
    harness.push_event(gst::event::Eos::new());
    drop(harness);
    element.set_state(gst::State::Null).unwrap();
    assert!(matches!(&read_lines(&path)[..], [Line::Session(_), Line::End(end)] if end.frames == 0));
}

#[test]
fn streams_that_are_not_video_pass_through() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("timeline.jsonl");
    let element = element(&path, "jsonl");
    let mut harness = harness(&element, "application/x-anything");
    harness.push_and_pull(buffer(0)).unwrap();
    assert_eq!(read_lines(&path).len(), 2);
}

#[test]
fn existing_file_is_continued_with_append_and_replaced_without() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("timeline.csv");
    let rows_after_run = |append: bool| {
        let element = element(&path, "csv");
        element.set_property("append", append);
        let mut harness = harness(&element, CAPS);
        let mut frame = buffer(0);
        mood_meta::frame::write(frame.get_mut().unwrap(), &Frame { faces: vec![sad_face()], shot: 0 })
            .unwrap();
        harness.push_and_pull(frame).unwrap();
        drop(harness);
        element.set_state(gst::State::Null).unwrap();
        std::fs::read_to_string(&path).unwrap().lines().count()
    };
    assert_eq!(rows_after_run(false), 2);
    assert_eq!(rows_after_run(true), 3);
    assert_eq!(rows_after_run(false), 2);
}

#[test]
fn unwritable_location_is_an_error() {
    init();
    let bus = gst::Bus::new();
    for location in [None, Some("/nowhere/at/all.jsonl")] {
        let element = gst::ElementFactory::make("emotionlog").build().unwrap();
        element.set_property("location", location);
        element.set_bus(Some(&bus));
        assert!(element.set_state(gst::State::Paused).is_err());
        let message = bus.pop_filtered(&[gst::MessageType::Error]).unwrap();
        let gst::MessageView::Error(error) = message.view() else { unreachable!() };
        assert!(error.error().to_string().contains("location"), "{}", error.error());
        element.set_state(gst::State::Null).unwrap();
    }
}

#[test]
fn full_disk_stops_the_stream_with_an_error() {
    if !Path::new("/dev/full").exists() {
        return;
    }
    let element = element(Path::new("/dev/full"), "jsonl");
    let bus = gst::Bus::new();
    element.set_bus(Some(&bus));
    let mut harness = harness(&element, CAPS);
    assert_eq!(harness.push(buffer(0)), Err(gst::FlowError::Error));
    assert!(bus.pop_filtered(&[gst::MessageType::Error]).is_some());
}

/// The texts of the warnings that the element has posted on `bus`.
fn warnings(bus: &gst::Bus) -> Vec<String> {
    let text = |message: gst::Message| match message.view() {
        gst::MessageView::Warning(warning) => warning.error().to_string(),
        _ => String::new(),
    };
    bus.iter_filtered(&[gst::MessageType::Warning]).map(text).collect()
}

#[test]
fn frames_without_timestamps_are_counted_by_the_frame_rate() {
    for (caps, duration) in [
        (CAPS, 40_000_000),
        ("video/x-raw,format=GRAY8,width=100,height=50,framerate=30000/1001", 33_366_667),
        ("video/x-raw,format=GRAY8,width=100,height=50,framerate=0/1", 40_000_000),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("timeline.jsonl");
        let element = element(&path, "jsonl");
        let mut harness = harness(&element, caps);
        let bus = gst::Bus::new();
        element.set_bus(Some(&bus));
        for _ in 0..3 {
            harness.push(gst::Buffer::with_size(5000).unwrap()).unwrap();
        }
        drop(harness);
        element.set_state(gst::State::Null).unwrap();
        let times = read_lines(&path).into_iter().filter_map(|line| match line {
            Line::Frame(frame) => Some(frame.pts),
            _ => None,
        });
        assert_eq!(times.collect::<Vec<_>>(), [0, duration, 2 * duration], "{caps}");
        let warnings = warnings(&bus);
        assert!(matches!(warnings.as_slice(), [one] if one.contains("without timestamps")), "{warnings:?}");
    }
}

#[test]
fn missing_detector_and_missing_classifier_are_reported_once() {
    let unclassified = Face { classification: None, ..sad_face() };
    for (frame, expected) in [
        (None, Some("haarfacedetect")),
        (Some(Frame { faces: vec![unclassified], shot: 0 }), Some("emotionclassify")),
        (Some(Frame { faces: vec![sad_face()], shot: 0 }), None),
        (Some(Frame::default()), None),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let element = element(&folder.path().join("timeline.jsonl"), "jsonl");
        let mut harness = harness(&element, CAPS);
        let bus = gst::Bus::new();
        element.set_bus(Some(&bus));
        for index in 0..200 {
            let mut buffer = buffer(index);
            if let Some(frame) = &frame {
                mood_meta::frame::write(buffer.get_mut().unwrap(), frame).unwrap();
            }
            harness.push(buffer).unwrap();
        }
        let warnings = warnings(&bus);
        assert_eq!(warnings.len(), usize::from(expected.is_some()), "{warnings:?}");
        assert!(expected.is_none_or(|word| warnings[0].contains(word)), "{warnings:?}");
    }
}

#[test]
fn credentials_of_the_source_are_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("timeline.jsonl");
    let element = element(&path, "jsonl");
    let mut harness = harness(&element, CAPS);
    let upstream = element.static_pad("sink").unwrap().peer().unwrap();
    upstream.add_probe(gst::PadProbeType::QUERY_UPSTREAM, |_, info| {
        if let Some(gst::QueryViewMut::Uri(query)) = info.query_mut().map(gst::QueryRef::view_mut) {
            query.set_uri("rtsp://ada:secret@camera.example:554/live?token=secret");
            return gst::PadProbeReturn::Handled;
        }
        gst::PadProbeReturn::Ok
    });
    harness.push(buffer(0)).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("rtsp://camera.example:554/live"), "{text}");
    assert!(!text.contains("secret") && !text.contains("ada"), "{text}");
}

#[test]
fn later_settings_are_in_the_header_or_in_a_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("timeline.jsonl");
    let element = element(&path, "jsonl");
    let mut harness = harness(&element, CAPS);
    let announce = |harness: &mut Harness, margin: f64| {
        let settings = serde_json::Map::from_iter([("margin".into(), margin.into())]);
        harness.push_event(mood_meta::event::build_settings("emotionclassify", &settings));
    };
    announce(&mut harness, 0.1);
    announce(&mut harness, 0.2);
    harness.push(buffer(0)).unwrap();
    announce(&mut harness, 0.2);
    announce(&mut harness, 0.3);
    harness.push(buffer(1)).unwrap();
    let lines = read_lines(&path);
    let Line::Session(header) = &lines[0] else { panic!("{:?}", lines[0]) };
    assert_eq!(header.settings["emotionclassify"]["margin"], 0.2);
    let Line::Settings(change) = &lines[2] else { panic!("{:?}", lines[2]) };
    assert_eq!((change.pts, &change.settings["emotionclassify"]["margin"]), (40_000_000, &0.3.into()));
    assert_eq!(lines.len(), 4);
}

#[test]
fn frames_after_eos_and_a_flushing_seek_are_another_session() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("timeline.jsonl");
    let element = element(&path, "jsonl");
    let mut harness = harness(&element, CAPS);
    let settings = serde_json::Map::from_iter([("margin".into(), 0.1.into())]);
    harness.push_event(mood_meta::event::build_settings("emotionclassify", &settings));
    harness.push(buffer(0)).unwrap();
    harness.push_event(gst::event::Eos::new());
    // The player downstream ends later than the video.
    let mood = MoodLine { pts: 7, from: Mood::Absent, to: Mood::Absent, confidence: 0.8, evidence: [0, 7] };
    harness.push_upstream_event(mood_meta::event::build_player_line(&Line::Mood(mood)));
    harness.push_event(gst::event::FlushStart::new());
    harness.push_event(gst::event::FlushStop::new(true));
    harness.push_event(gst::event::Segment::new(&gst::FormattedSegment::<gst::ClockTime>::new()));
    harness.push(buffer(0)).unwrap();
    harness.push(buffer(1)).unwrap();
    drop(harness);
    element.set_state(gst::State::Null).unwrap();
    let lines = read_lines(&path);
    let [Line::Session(first), Line::Frame(_), Line::Mood(_), Line::End(end), Line::Session(second), ..] =
        &lines[..]
    else {
        panic!("{lines:?}")
    };
    assert_eq!((first, end.frames), (second, 1));
    assert!(matches!(&lines[5..], [Line::Frame(a), Line::Frame(b), Line::End(end)]
        if (a.frame, b.frame, end.frames) == (0, 1, 2)));
}

/// A named pipe in `folder`.
fn make_fifo(folder: &Path) -> std::path::PathBuf {
    let path = folder.join("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    path
}

#[test]
fn a_fifo_without_a_reader_holds_nothing_up_and_its_lines_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let path = make_fifo(folder.path());
    let element = element(&path, "jsonl");
    let mut harness = harness(&element, CAPS);
    let bus = gst::Bus::new();
    element.set_bus(Some(&bus));
    harness.push(buffer(0)).unwrap();
    harness.push(buffer(1)).unwrap();
    // A reader comes, and leaves.
    let reader = std::fs::File::options().read(true).write(true).open(&path).unwrap();
    harness.push(buffer(2)).unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(reader));
    let mut next = || serde_json::from_str::<Line>(&lines.next().unwrap().unwrap()).unwrap();
    assert!(matches!([next(), next()], [Line::Session(_), Line::Frame(frame)] if frame.frame == 2));
    drop(lines);
    harness.push(buffer(3)).unwrap();
    drop(harness);
    element.set_state(gst::State::Null).unwrap();
    let text = |message: gst::Message| match message.view() {
        gst::MessageView::Warning(warning) => format!("warning: {}", warning.error()),
        gst::MessageView::Info(info) => format!("info: {}", info.error()),
        _ => format!("{message:?}"),
    };
    let types = [gst::MessageType::Warning, gst::MessageType::Info, gst::MessageType::Error];
    let messages: Vec<String> = bus.iter_filtered(&types).map(text).collect();
    // Dropped are frames 0, 1 and 3, and the end.
    let begins = ["warning: nobody reads from", "info: 4 lines were dropped"];
    assert_eq!(messages.len(), 2, "{messages:?}");
    assert!(messages.iter().zip(begins).all(|(message, begin)| message.starts_with(begin)), "{messages:?}");
}

#[test]
fn a_slow_reader_of_a_fifo_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = make_fifo(folder.path());
    let element = element(&path, "jsonl");
    let mut harness = harness(&element, CAPS);
    let reader = std::fs::File::options().read(true).write(true).open(&path).unwrap();
    let frames = 1000;
    let thread = std::thread::spawn(move || {
        let mut lines = std::io::BufRead::lines(std::io::BufReader::with_capacity(4096, reader));
        let mut count = 0;
        while !lines.next().unwrap().unwrap().contains(r#""type":"end""#) {
            count += 1;
            if count % 100 == 0 {
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
        }
        count
    });
    for index in 0..frames {
        // More than a pipe holds.
        let mut classified = buffer(index);
        mood_meta::frame::write(classified.get_mut().unwrap(), &Frame { faces: vec![sad_face()], shot: 0 })
            .unwrap();
        harness.push(classified).unwrap();
    }
    drop(harness);
    element.set_state(gst::State::Null).unwrap();
    assert_eq!(thread.join().unwrap(), frames + 1, "the header and every frame");
}

#[test]
fn a_line_cut_off_by_a_full_disk_is_ended_by_append() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("timeline.jsonl");
    std::fs::write(&path, "{\"type\":\"session\",\"schema\":1,\"generator\":\"x\"}\n{\"type\":\"fra")
        .unwrap();
    let element = element(&path, "jsonl");
    element.set_property("append", true);
    let mut harness = harness(&element, CAPS);
    harness.push(buffer(0)).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[1], "{\"type\":\"fra");
    assert!(matches!(serde_json::from_str(lines[2]), Ok(Line::Session(_))), "{text}");
}
