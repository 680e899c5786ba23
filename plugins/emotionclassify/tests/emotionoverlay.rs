//! `emotionoverlay` on buffers: what it draws, what it leaves unchanged, and robustness.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::Once;

use gst::prelude::*;
use gst_check::Harness;
use mood_schema::{Affect, Classification, Emotion, Face, Frame, Label, Line, Rect, TrackEvent, TrackLine};

const FORMATS: [&str; 16] = [
    "I420",
    "YV12",
    "NV12",
    "NV21",
    "Y42B",
    "Y444",
    "YUY2",
    "UYVY",
    "RGB",
    "BGR",
    "RGBx",
    "BGRA",
    "ARGB",
    "GRAY8",
    "I420_10LE",
    "P010_10LE",
];

fn init() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        gst::init().unwrap();
        gstemotionclassify::plugin_register_static().unwrap();
    });
}

fn harness(format: &str, width: u32, height: u32) -> (Harness, gst_video::VideoInfo) {
    init();
    let info = info(format, width, height);
    let mut harness = Harness::new("emotionoverlay");
    harness.set_src_caps(info.to_caps().unwrap());
    (harness, info)
}

fn info(format: &str, width: u32, height: u32) -> gst_video::VideoInfo {
    let format = format.parse::<gst_video::VideoFormat>().unwrap();
    gst_video::VideoInfo::builder(format, width, height).fps((25, 1)).build().unwrap()
}

/// A frame full of fine detail, a hash of the position.
fn noise(info: &gst_video::VideoInfo) -> gst::Buffer {
    filled(info, |index| ((index as u32).wrapping_mul(2_654_435_761) >> 13) as u8)
}

/// A frame of a single tone.
fn uniform(info: &gst_video::VideoInfo) -> gst::Buffer {
    filled(info, |_| 0x82)
}

fn filled(info: &gst_video::VideoInfo, byte: impl Fn(usize) -> u8) -> gst::Buffer {
    // Samples of 9 to 15 bits in the low bits of a word have high bits that must stay 0.
    let unused_bits =
        if info.comp_depth(0) > 8 { 16 - info.comp_depth(0) - info.format_info().shift()[0] } else { 0 };
    let fill = |index: usize| if index % 2 == 1 { byte(index) >> unused_bits } else { byte(index) };
    gst::Buffer::from_mut_slice((0..info.size()).map(fill).collect::<Vec<_>>())
}

fn face(x: f64, y: f64, w: f64, h: f64) -> Face {
    let mut probabilities = [0.02; 7];
    probabilities[Emotion::Happy.index()] = 0.88;
    let affect = Affect::from_distribution(&probabilities);
    let classification = Some(Classification {
        label: Emotion::Happy.into(),
        confidence: 0.88,
        probabilities,
        raw: None,
        affect,
    });
    Face {
        id: 7,
        bbox: Rect { x, y, w, h },
        classification,
        quality: 0.9,
        roll: 0.0,
        source: Default::default(),
        resembles: None,
        quality_limit: None,
    }
}

fn with_faces(mut buffer: gst::Buffer, faces: Vec<Face>) -> gst::Buffer {
    mood_meta::frame::write(buffer.make_mut(), &Frame { faces, shot: 0 }).unwrap();
    buffer
}

fn bytes(buffer: &gst::BufferRef) -> Vec<u8> {
    buffer.map_readable().unwrap().to_vec()
}

/// The first component of each pixel by row; the upper eight bits of wider components.
fn first_component(buffer: &gst::Buffer, info: &gst_video::VideoInfo) -> Vec<Vec<u8>> {
    let frame = gst_video::VideoFrameRef::from_buffer_ref_readable(buffer, info).unwrap();
    let (step, offset) = (info.comp_pstride(0) as usize, info.comp_poffset(0) as usize);
    let (depth, shift) = (info.comp_depth(0), info.format_info().shift()[0]);
    let plane = frame.plane_data(info.comp_plane(0)).unwrap();
    let stride = info.comp_stride(0) as usize;
    let sample = |position: usize| match depth {
        8 => plane[position],
        _ if info.format_info().flags().contains(gst_video::VideoFormatFlags::LE) => {
            (u16::from_le_bytes([plane[position], plane[position + 1]]) >> (depth + shift - 8)) as u8
        }
        _ => (u16::from_be_bytes([plane[position], plane[position + 1]]) >> (depth + shift - 8)) as u8,
    };
    let row = |y: usize| (0..info.width() as usize).map(|x| sample(y * stride + x * step + offset)).collect();
    (0..info.height() as usize).map(row).collect()
}

/// The number of pixels that differ in the region given by `is_inside`.
fn count_changes(before: &[Vec<u8>], after: &[Vec<u8>], is_inside: impl Fn(usize, usize) -> bool) -> usize {
    let changes_in_row = |(y, (before, after)): (usize, (&Vec<u8>, &Vec<u8>))| {
        (0..before.len()).filter(|&x| before[x] != after[x] && is_inside(x, y)).count()
    };
    before.iter().zip(after).enumerate().map(changes_in_row).sum()
}

fn track_event(title: &str, uri: &str, event: TrackEvent) -> gst::Event {
    mood_meta::event::build_player_line(&track_line(title, uri, event))
}

fn track_line(title: &str, uri: &str, event: TrackEvent) -> Line {
    Line::Track(TrackLine {
        pts: 0,
        event,
        uri: uri.into(),
        title: title.into(),
        mood: Some(Emotion::Happy.into()),
        distance: None,
        reason: String::new(),
        runners_up: Vec::new(),
    })
}

#[test]
fn box_and_tag_are_drawn_in_all_formats() {
    for format in FORMATS {
        let (mut harness, info) = harness(format, 322, 242);
        harness.element().unwrap().set_property("show-distribution", false);
        let before = first_component(&uniform(&info), &info);
        let drawn =
            harness.push_and_pull(with_faces(uniform(&info), vec![face(0.25, 0.25, 0.5, 0.5)])).unwrap();
        let after = first_component(&drawn, &info);
        let expanded_box = |margin: i32| {
            move |x: usize, y: usize| {
                let (x, y) = (x as i32, y as i32);
                x >= 80 - margin && x < 242 + margin && y >= 60 - margin && y < 182 + margin
            }
        };
        // The box's line, nothing inside the box, and outside only the tag above it.
        let line_pixels =
            count_changes(&before, &after, |x, y| expanded_box(1)(x, y) && !expanded_box(-6)(x, y));
        assert!(line_pixels > 500, "{format}: {line_pixels} pixels of the box's line");
        assert_eq!(count_changes(&before, &after, expanded_box(-12)), 0, "{format}: inside the box");
        let tag_pixels = count_changes(&before, &after, |_, y| (40..60).contains(&y));
        assert!(tag_pixels > 800, "{format}: {tag_pixels} pixels of the tag");
        let elsewhere =
            count_changes(&before, &after, |x, y| !expanded_box(1)(x, y) && !(40..60).contains(&y));
        assert_eq!(elsewhere, 0, "{format}");
    }
}

#[test]
fn frame_with_nothing_to_draw_passes_unchanged() {
    for format in FORMATS {
        let (mut harness, info) = harness(format, 64, 48);
        let invisible_faces =
            vec![face(1.5, 0.0, 0.2, 0.2), face(0.1, 0.1, 0.0, 0.2), face(f64::NAN, 0.1, 0.2, 0.2)];
        for buffer in
            [noise(&info), with_faces(noise(&info), Vec::new()), with_faces(noise(&info), invisible_faces)]
        {
            let before = bytes(&buffer);
            // A second reference, as behind a tee: mapping the pixels for writing would copy them.
            let other = buffer.clone();
            let passed = harness.push_and_pull(buffer).unwrap();
            assert_eq!(bytes(&passed), before, "{format}");
            assert_eq!(passed.peek_memory(0).as_ptr(), other.peek_memory(0).as_ptr(), "{format}: copied");
        }
    }
}

#[test]
fn shared_frame_is_copied_before_drawing() {
    let (mut harness, info) = harness("I420", 320, 240);
    let buffer = with_faces(uniform(&info), vec![face(0.25, 0.25, 0.5, 0.5)]);
    let (other, before) = (buffer.clone(), bytes(&buffer));
    let drawn = harness.push_and_pull(buffer).unwrap();
    assert_ne!(bytes(&drawn), before);
    assert_eq!(bytes(&other), before);
}

#[test]
fn region_without_metadata_gets_a_box() {
    let (mut harness, info) = harness("RGB", 320, 240);
    let mut buffer = uniform(&info);
    gst_video::VideoRegionOfInterestMeta::add(buffer.make_mut(), "face", (100, 80, 120, 120));
    let before = first_component(&buffer, &info);
    let after = first_component(&harness.push_and_pull(buffer).unwrap(), &info);
    assert!(count_changes(&before, &after, |x, y| (98..104).contains(&x) && (90..190).contains(&y)) >= 200);
}

#[test]
fn properties_change_text_and_bars() {
    let (mut harness, info) = harness("BGRx", 640, 360);
    let element = harness.element().unwrap();
    let before = first_component(&uniform(&info), &info);
    let mut changes_with = |name: &str, value: glib::Value| {
        element.set_property_from_value(name, &value);
        let buffer = with_faces(uniform(&info), vec![face(0.3, 0.3, 0.3, 0.5)]);
        let after = first_component(&harness.push_and_pull(buffer).unwrap(), &info);
        count_changes(&before, &after, |_, _| true)
    };
    let all = changes_with("font-scale", 1.0.to_value());
    let large = changes_with("font-scale", 2.0.to_value());
    let without_bars = changes_with("show-distribution", false.to_value());
    let without_id = changes_with("show-id", false.to_value());
    assert!(
        large > 2 * all && without_bars < large && without_id < without_bars,
        "{all} {large} {without_bars} {without_id}"
    );
}

#[test]
fn blurred_face_has_no_detail() {
    for format in FORMATS {
        let (mut harness, info) = harness(format, 322, 242);
        let element = harness.element().unwrap();
        element.set_property("blur-faces", true);
        let rect = (0.3, 0.3, 0.4, 0.4);
        let before = first_component(&noise(&info), &info);
        let buffer = with_faces(noise(&info), vec![face(rect.0, rect.1, rect.2, rect.3)]);
        let after = first_component(&harness.push_and_pull(buffer).unwrap(), &info);
        // Inside the box's line and away from tag and bars.
        let (x, y) = (110..190, 90..150);
        let variance = |image: &[Vec<u8>]| {
            let values: Vec<f64> = y
                .clone()
                .flat_map(|y| x.clone().map(move |x| (x, y)))
                .map(|(x, y)| f64::from(image[y][x]))
                .collect();
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64
        };
        let (sharp, blurred) = (variance(&before), variance(&after));
        assert!(sharp > 1000.0 && blurred < sharp / 50.0, "{format}: {sharp} to {blurred}");
        let mut levels: Vec<u8> = y.clone().flat_map(|y| after[y][x.clone()].to_vec()).collect();
        levels.sort_unstable();
        levels.dedup();
        assert!(levels.len() <= 35, "{format}: {} levels in about 5 x 4 blocks", levels.len());
        // Nothing changes away from the face, its tag and its bars.
        let far = count_changes(&before, &after, |x, y| y > 215 || x < 40 && y > 100);
        assert_eq!(far, 0, "{format}");
    }
}

#[test]
fn faces_too_small_for_text_are_blurred() {
    let (mut harness, info) = harness("GRAY8", 64, 64);
    let element = harness.element().unwrap();
    element.set_property("blur-faces", true);
    let (small, outside) = (face(0.4, 0.4, 0.05, 0.05), face(-0.9, -0.9, 1.0, 1.0));
    let buffer = with_faces(noise(&info), vec![small, outside]);
    assert_ne!(bytes(&harness.push_and_pull(buffer).unwrap()), bytes(&noise(&info)));
}

#[test]
fn music_is_shown_at_the_lower_left_while_it_is_playing() {
    let (mut harness, info) = harness("I420", 640, 360);
    let changes = |harness: &mut Harness| {
        let before = first_component(&uniform(&info), &info);
        let after = first_component(&harness.push_and_pull(uniform(&info)).unwrap(), &info);
        let outside = count_changes(&before, &after, |x, y| x > 400 || y < 320);
        assert_eq!(outside, 0);
        count_changes(&before, &after, |_, _| true)
    };
    assert_eq!(changes(&mut harness), 0);
    harness.push_upstream_event(track_event(
        "A long way\nhome & <b>back</b> ".repeat(30).as_str(),
        "file:///a",
        TrackEvent::Started,
    ));
    let long = changes(&mut harness);
    assert!(long > 2000, "{long}");
    let forwarded = std::iter::from_fn(|| harness.try_pull_upstream_event());
    assert_eq!(forwarded.filter(|event| mood_meta::event::parse_player_line(event).is_some()).count(), 1);
    harness.push_upstream_event(track_event("", "file:///b/caf%C3%A9.ogg", TrackEvent::CrossfadeStarted));
    harness.push_upstream_event(track_event("", "file:///a", TrackEvent::Ended));
    let short = changes(&mut harness);
    assert!(short > 500 && short < long, "{short} of {long}: the track that faded in is still playing");
    harness.push_upstream_event(track_event("", "file:///b/caf%C3%A9.ogg", TrackEvent::Failed));
    assert_eq!(changes(&mut harness), 0);
    // A track that fades into itself goes on.
    for event in [
        TrackEvent::Started,
        TrackEvent::Started,
        TrackEvent::CrossfadeStarted,
        TrackEvent::Ended,
        TrackEvent::CrossfadeDone,
    ] {
        harness.push_upstream_event(track_event("A", "file:///a", event));
    }
    let itself = changes(&mut harness);
    assert!(itself > 0, "the track is playing still");
    harness.push_upstream_event(track_event("A", "file:///a", TrackEvent::Ended));
    assert_eq!(changes(&mut harness), 0);
    // The lines of a recorded session come with the buffers.
    let line = track_line("A", "file:///a", TrackEvent::Started);
    assert!(harness.push_event(mood_meta::event::build_recorded_player_line(&line)));
    assert_eq!(changes(&mut harness), itself);
}

#[test]
fn caps_can_change_while_streaming() {
    let (mut harness, _) = harness("I420", 320, 240);
    for (format, width, height) in
        [("NV12", 640, 360), ("RGB", 33, 17), ("GRAY8", 321, 241), ("YUY2", 320, 240)]
    {
        let info = info(format, width, height);
        harness.set_src_caps(info.to_caps().unwrap());
        let drawn =
            harness.push_and_pull(with_faces(uniform(&info), vec![face(0.2, 0.2, 0.5, 0.5)])).unwrap();
        assert_ne!(bytes(&drawn), bytes(&uniform(&info)), "{format}");
    }
}

#[test]
fn invalid_faces_are_handled_at_all_sizes() {
    let mut faces: Vec<Face> =
        (0..300).map(|n| face(f64::from(n % 20) / 20.0, f64::from(n / 20) / 15.0, 0.05, 0.07)).collect();
    let extreme_values = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1e300, 1e300, -0.5, 0.0, 1e-300, 0.9];
    for x in extreme_values {
        for w in extreme_values {
            faces.push(face(x, 0.2, w, 0.5));
            faces.push(face(0.2, x, 0.5, w));
        }
    }
    for (index, value) in extreme_values.into_iter().enumerate() {
        let mut invalid = face(0.3, 0.3, 0.3, 0.3);
        if let Some(result) = &mut invalid.classification {
            result.confidence = value;
            result.probabilities = [value; 7];
            result.label = Emotion::from_index(index).map_or(Label::Uncertain, Label::Known);
        }
        invalid.id = u32::MAX - index as u32;
        faces.push(invalid);
    }
    for format in ["I420", "YUY2", "BGRA", "NV12", "GRAY8", "Y42B"] {
        for (width, height) in [(1, 1), (2, 1), (1, 7), (3, 3), (17, 5), (5, 190), (161, 121)] {
            for scale in [0.25, 4.0] {
                let (mut harness, info) = harness(format, width, height);
                let element = harness.element().unwrap();
                element.set_property("blur-faces", true);
                element.set_property("font-scale", scale);
                harness.push_upstream_event(track_event("Title", "file:///a", TrackEvent::Started));
                let result = harness.push_and_pull(with_faces(noise(&info), faces.clone()));
                assert_eq!(result.unwrap().size(), info.size(), "{format} {width}x{height}");
            }
        }
    }
}

#[test]
fn too_small_buffer_is_an_error() {
    let (mut harness, _) = harness("I420", 320, 240);
    let bus = gst::Bus::new();
    harness.element().unwrap().set_bus(Some(&bus));
    let buffer = with_faces(gst::Buffer::with_size(100).unwrap(), vec![face(0.2, 0.2, 0.5, 0.5)]);
    assert_eq!(harness.push(buffer), Err(gst::FlowError::Error));
    let message = bus.pop_filtered(&[gst::MessageType::Error]).unwrap();
    let gst::MessageView::Error(error) = message.view() else { unreachable!() };
    assert!(error.error().to_string().contains("100 of 115200"), "{}", error.error());
}

#[test]
fn planes_that_metadata_places_beside_their_memory_are_an_error() {
    let (mut harness, info) = harness("I420", 64, 48);
    harness.element().unwrap().set_property("blur-faces", true);
    let bus = gst::Bus::new();
    harness.element().unwrap().set_bus(Some(&bus));
    for offset in [64 * 48 + 32 * 24 + 1, usize::MAX] {
        let mut buffer = with_faces(uniform(&info), vec![face(0.2, 0.2, 0.5, 0.5)]);
        let flags = gst_video::VideoFrameFlags::empty();
        let (offsets, strides) = ([0, 64 * 48, offset], [64, 32, 32]);
        let fields = buffer.make_mut();
        gst_video::VideoMeta::add_full(fields, flags, info.format(), 64, 48, &offsets, &strides).unwrap();
        assert_eq!(harness.push(buffer), Err(gst::FlowError::Error), "{offset}");
        let message = bus.pop_filtered(&[gst::MessageType::Error]).unwrap();
        let gst::MessageView::Error(error) = message.view() else { unreachable!() };
        assert!(error.error().to_string().contains("plane 2"), "{}", error.error());
    }
}

/// Runs itself in a child process without fonts, because fontconfig reads its configuration only once in a process.
#[test]
fn without_fonts_boxes_are_drawn_and_a_warning_is_posted() {
    const NAME: &str = "without_fonts_boxes_are_drawn_and_a_warning_is_posted";
    if std::env::var_os("MOOD_TEST_NO_FONTS").is_none() {
        let folder = tempfile::tempdir().unwrap();
        let empty = folder.path().join("fonts.conf");
        std::fs::write(&empty, "<?xml version=\"1.0\"?><fontconfig></fontconfig>").unwrap();
        let mut child = std::process::Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", NAME]).env("MOOD_TEST_NO_FONTS", "1").env("FONTCONFIG_FILE", &empty);
        let output = child.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        return;
    }
    let (mut harness, info) = harness("RGB", 320, 240);
    let bus = gst::Bus::new();
    harness.element().unwrap().set_bus(Some(&bus));
    for _ in 0..2 {
        let before = first_component(&uniform(&info), &info);
        let drawn =
            harness.push_and_pull(with_faces(uniform(&info), vec![face(0.25, 0.25, 0.4, 0.4)])).unwrap();
        let after = first_component(&drawn, &info);
        assert!(count_changes(&before, &after, |_, _| true) > 500);
        assert_eq!(count_changes(&before, &after, |_, y| y < 58), 0, "no tag");
    }
    let warnings = std::iter::from_fn(|| bus.pop_filtered(&[gst::MessageType::Warning]));
    assert_eq!(warnings.count(), 1);
}

#[test]
fn common_formats_are_accepted() {
    init();
    let factory = gst::ElementFactory::find("emotionoverlay").unwrap();
    let template = factory.static_pad_templates().into_iter().next().unwrap().caps();
    for format in FORMATS.into_iter().chain([
        "AYUV",
        "VUYA",
        "A420",
        "NV16",
        "NV24",
        "GBR",
        "ARGB64",
        "GRAY16_LE",
        "Y210",
    ]) {
        assert!(template.can_intersect(&info(format, 320, 240).to_caps().unwrap()), "{format}");
    }
}
