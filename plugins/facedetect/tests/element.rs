//! The element in a harness: formats, strides, sizes, metadata, events, messages, errors.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::collections::HashSet;

use common::{frame, harness, info};
use gst::MetaAPI;
use gst::prelude::*;
use gst_video::VideoFormat;
use mood_meta::region::{self, FaceRegion};
use mood_schema::PEOPLE_MEMORY;

const HEAD: common::Head = (160, 120, 70);

fn faces(buffer: &gst::Buffer) -> Vec<FaceRegion> {
    region::read_faces(buffer)
}

#[test]
fn the_same_face_in_every_format() {
    let mut found = Vec::new();
    // One harness, since a cascade takes longer to read than a frame to search.
    let mut harness = harness("roll-range=0", &info(VideoFormat::I420, 321, 241));
    for format in mood_meta::luma::FORMATS {
        for padding in [0, 52] {
            let info = info(format, 321, 241);
            let caps = info.to_caps().unwrap();
            harness.set_caps(caps.clone(), caps);
            let number = found.len() as u64;
            let buffer = harness.push_and_pull(frame(&info, &[HEAD], number, padding)).unwrap();
            let faces = faces(&buffer);
            assert_eq!(faces.len(), 1, "{format:?}");
            found.push((faces[0].bbox, format, padding));
        }
    }
    let (first, ..) = found[0];
    for (bbox, format, padding) in found {
        assert_eq!(bbox, first, "{format:?} with {padding}");
    }
    let centre = (first.x + first.w / 2, first.y + first.h / 2);
    assert!(centre.0.abs_diff(160) < 12 && centre.1.abs_diff(120) < 20, "{first:?}");
    assert!((90..170).contains(&first.w), "{first:?}");
}

#[test]
fn the_region_has_place_id_and_confidence() {
    let info = info(VideoFormat::I420, 320, 240);
    let mut harness = harness("", &info);
    let buffer = harness.push_and_pull(frame(&info, &[HEAD], 0, 0)).unwrap();
    let meta = buffer.iter_meta::<gst_video::VideoRegionOfInterestMeta>().next().unwrap();
    assert_eq!((meta.roi_type(), meta.id()), ("face", 1));
    let (x, y, w, h) = meta.rect();
    let detection = meta.param("detection").unwrap();
    let number = |name| detection.get::<f64>(name).unwrap();
    assert_eq!(number("x_min"), f64::from(x) / 320.0);
    assert!((number("x_max") - f64::from(x + w) / 320.0).abs() < 1e-9);
    assert_eq!(number("y_min"), f64::from(y) / 240.0);
    assert!((number("y_max") - f64::from(y + h) / 240.0).abs() < 1e-9);
    assert!(number("confidence") > 0.5 && number("confidence") <= 1.0);
    assert!(detection.get::<i32>("label_id").is_ok());
}

#[test]
fn no_pixel_is_written_and_no_frame_is_copied() {
    let info = info(VideoFormat::I420, 320, 240);
    let mut harness = harness("", &info);
    let buffer = frame(&info, &[HEAD], 0, 0);
    // A second reference, as after a tee, makes the buffer unwritable.
    for shared in [None, Some(buffer.clone())] {
        let before = buffer.map_readable().unwrap().to_vec();
        let address = buffer.map_readable().unwrap().as_ptr();
        let sent = if shared.is_some() { buffer.clone() } else { buffer.copy() };
        let out = harness.push_and_pull(sent).unwrap();
        let map = out.map_readable().unwrap();
        assert_eq!(faces(&out).len(), 1);
        assert_eq!(map.as_ptr(), address, "the same memory");
        assert_eq!(map.as_slice(), before);
        assert!(faces(&buffer).is_empty(), "the buffer of the other branch is unchanged");
    }
}

#[test]
fn allocation_queries_are_answered_by_downstream() {
    let info = info(VideoFormat::I420, 320, 240);
    let video_meta = gst_video::VideoMeta::meta_api();
    for supported in [false, true] {
        let mut harness = harness("", &info);
        if supported {
            harness.add_propose_allocation_meta(gst_video::VideoCropMeta::meta_api(), None);
            harness.add_propose_allocation_meta(video_meta, None);
        }
        let mut query = gst::query::Allocation::new(Some(&info.to_caps().unwrap()), true);
        assert!(harness.srcpad().unwrap().peer_query(&mut query));
        assert_eq!(query.find_allocation_meta::<gst_video::VideoMeta>().is_some(), supported);
        // A frame to be cropped later would be searched beside the picture.
        assert_eq!(query.find_allocation_meta::<gst_video::VideoCropMeta>(), None);
    }
}

#[test]
fn tiny_and_odd_sizes_are_supported() {
    let mut harness = harness("min-neighbors=0 threads=2 roll-range=20", &info(VideoFormat::I420, 1, 1));
    let mut number = 0;
    for format in mood_meta::luma::FORMATS {
        for (width, height) in [(1, 1), (2, 1), (1, 7), (23, 23), (24, 24), (25, 401), (33, 31)] {
            let info = info(format, width, height);
            let caps = info.to_caps().unwrap();
            harness.set_caps(caps.clone(), caps);
            for _ in 0..2 {
                let frame = frame(&info, &[], number, 0);
                assert!(harness.push_and_pull(frame).is_ok(), "{format:?} {width}x{height}");
                number += 1;
            }
        }
    }
}

#[test]
fn only_the_rectangles_of_roi_are_searched() {
    let info = info(VideoFormat::I420, 480, 240);
    let heads = [(110, 120, 60), (370, 120, 60)];
    let places = |properties: &str, heads: &[common::Head]| {
        let mut harness = harness(properties, &info);
        let out = harness.push_and_pull(frame(&info, heads, 0, 0)).unwrap();
        let mut centres: Vec<u32> =
            faces(&out).iter().map(|face| (face.bbox.x + face.bbox.w / 2) / 100).collect();
        centres.sort_unstable();
        centres
    };
    for (roi, expected) in [
        ("", &[1, 3][..]),
        ("0,0,480,240", &[1, 3]),
        ("0,0,240,240", &[1]),
        ("50%,0,50%,100%", &[3]),
        ("50%,0,50%,100%;0,0,240,100%", &[1, 3]),
        // A face in two rectangles is one face.
        ("0,0,300,240;5,0,300,240;10,0,300,240", &[1]),
        // The face is cut off.
        ("0,0,110,240", &[]),
        ("0,0,9,9;50%,0,50%,100%", &[3]),
    ] {
        assert_eq!(places(&format!("roi={roi}"), &heads), expected, "{roi}");
        assert_eq!(places(&format!("roi={roi} roll-range=0"), &heads), expected, "{roi}, upright");
    }
}

#[test]
fn a_face_is_found_at_its_place_in_the_frame_until_it_leaves_the_rectangle() {
    let info = info(VideoFormat::Gray8, 480, 240);
    for properties in ["", "roll-range=0", "scan-interval=400000000"] {
        let mut everywhere = harness(properties, &info);
        let mut limited = harness(&format!("roi=0,0,240,100% {properties}"), &info);
        for number in 0..24 {
            let x = 120 + 8 * number as i64;
            let heads = [(x, 120, 60)];
            let all = faces(&everywhere.push_and_pull(frame(&info, &heads, number, 0)).unwrap());
            let found = faces(&limited.push_and_pull(frame(&info, &heads, number, 0)).unwrap());
            match x {
                ..=170 => assert!(
                    found.len() == 1 && found[0].bbox.x.abs_diff(all[0].bbox.x) <= 4,
                    "{properties} {x}: {found:?} {all:?}"
                ),
                250.. => assert!(found.is_empty(), "{properties} {x}: {found:?}"),
                _ => assert!(found.iter().all(|face| face.id == 1), "{properties} {x}: {found:?}"),
            }
        }
    }
}

#[test]
fn rectangles_in_which_no_face_can_be_found_are_warned_about() {
    let info = info(VideoFormat::I420, 320, 240);
    let mut harness = harness("", &info);
    let bus = gst::Bus::new();
    let element = harness.element().unwrap();
    element.set_bus(Some(&bus));
    let warnings = || -> Vec<String> {
        let messages = std::iter::from_fn(|| bus.pop_filtered(&[gst::MessageType::Warning]));
        messages
            .map(|message| match message.view() {
                gst::MessageView::Warning(warning) => warning.error().to_string(),
                _ => String::new(),
            })
            .collect()
    };
    for (number, (roi, expected)) in [
        ("", &[][..]),
        ("400,0,100,100;0,0,50%,50%", &["400,0,100,100 lies outside the frame of 320x240"]),
        ("0,0,300,10", &["0,0,300,10 is smaller than the smallest face searched, 20 pixels"]),
        ("nonsense", &["'nonsense' is no rectangle"]),
        ("0,0,100,100", &[]),
    ]
    .into_iter()
    .enumerate()
    {
        element.set_property("roi", roi);
        for repeat in 0..2 {
            harness.push_and_pull(frame(&info, &[], number as u64 * 2 + repeat, 0)).unwrap();
        }
        let found = warnings();
        assert_eq!(found.len(), expected.len(), "{roi}: {found:?}");
        assert!(found.iter().zip(expected).all(|(found, text)| found.contains(text)), "{found:?}");
    }
    let refused = gst::ElementFactory::make("haarfacedetect").property("roi", "nonsense").build().unwrap();
    assert!(refused.set_state(gst::State::Paused).is_err(), "it would search what was to be left out");
    refused.set_property("roi", "");
    assert!(refused.set_state(gst::State::Paused).is_ok());
    refused.set_state(gst::State::Null).unwrap();
    element.set_property("roi", "0, 0, 12.50%, 9 ;");
    assert_eq!(element.property::<String>("roi"), "0,0,12.5%,9");
}

#[test]
fn caps_may_change_within_a_stream_and_people_keep_their_ids() {
    let sizes = [(VideoFormat::I420, 320, 240), (VideoFormat::Bgra, 299, 401), (VideoFormat::Gray8, 1, 1)];
    let first = info(sizes[0].0, sizes[0].1, sizes[0].2);
    let mut harness = harness("scan-interval=1000000000", &first);
    for round in 0..2 {
        for (index, &(format, width, height)) in sizes.iter().enumerate() {
            let info = info(format, width, height);
            let caps = info.to_caps().unwrap();
            harness.set_caps(caps.clone(), caps);
            for number in 0..2 {
                let number = round * 10 + index as u64 * 2 + number;
                let out = harness.push_and_pull(frame(&info, &[HEAD], number, 0)).unwrap();
                let ids: Vec<u32> = faces(&out).iter().map(|face| face.id).collect();
                assert_eq!(ids, if width > 1 { &[1][..] } else { &[] }, "{width}x{height}");
            }
        }
    }
}

#[test]
fn ids_stay_with_faces_in_another_frame_size() {
    let first = info(VideoFormat::I420, 320, 240);
    let mut harness = harness("", &first);
    for (number, side) in [320, 320, 640, 640, 200, 200, 320].into_iter().enumerate() {
        let info = info(VideoFormat::I420, side, side * 3 / 4);
        let caps = info.to_caps().unwrap();
        harness.set_caps(caps.clone(), caps);
        let head = (i64::from(side) / 2, i64::from(side) * 3 / 8, i64::from(side) * 7 / 32);
        let out = harness.push_and_pull(frame(&info, &[head], number as u64, 0)).unwrap();
        assert_eq!(faces(&out).iter().map(|face| face.id).collect::<Vec<_>>(), [1], "frame {number}");
    }
}

#[test]
fn boxes_are_in_stored_pixels_where_pixels_are_not_square() {
    for (numerator, denominator) in [(2, 1), (64, 45), (1, 2)] {
        let info = gst_video::VideoInfo::builder(VideoFormat::Gray8, 240, 240)
            .fps(gst::Fraction::new(25, 1))
            .par(gst::Fraction::new(numerator, denominator))
            .build()
            .unwrap();
        let mut harness = harness("", &info);
        let ratio = f64::from(numerator) / f64::from(denominator);
        let (wide, high) = (ratio.max(1.0), (1.0 / ratio).max(1.0));
        let (width, height) = ((240.0 * wide) as i64, (240.0 * high) as i64);
        let pixels: Vec<u8> = (0..240 * 240)
            .map(|i| {
                let (x, y) = (((i % 240) as f64 * wide) as usize, ((i / 240) as f64 * high) as usize);
                common::grey(&[(width / 2, height / 2, 60)], x, y)
            })
            .collect();
        let out = harness.push_and_pull(gst::Buffer::from_mut_slice(pixels)).unwrap();
        let faces = faces(&out);
        assert_eq!(faces.len(), 1, "{ratio}");
        let face = faces[0].bbox.to_f64();
        let (x, y) = face.centre();
        assert!((x - 120.0).abs() < 10.0 && (y - 120.0).abs() < 12.0, "{face:?}");
        assert!((face.w / face.h * ratio - 1.0).abs() < 0.1, "a square in square pixels: {face:?}");
    }
}

#[test]
fn ids_stay_with_faces() {
    let info = info(VideoFormat::Gray8, 480, 270);
    for properties in ["", "scan-interval=400000000"] {
        let mut harness = harness(properties, &info);
        for number in 0..24 {
            let step = number as i64;
            let heads = [(110 + 3 * step, 130 - step, 60), (370 - step, 120 + step, 80)];
            let out = harness.push_and_pull(frame(&info, &heads, number, 0)).unwrap();
            let mut faces = faces(&out);
            assert_eq!(faces.len(), 2, "{properties} frame {number}");
            assert!(faces[0].bbox.w >= faces[1].bbox.w, "largest first");
            faces.sort_by_key(|face| face.bbox.x);
            assert_eq!((faces[0].id, faces[1].id), (2, 1), "{properties} frame {number}");
        }
    }
}

#[test]
fn between_full_searches_only_known_faces_are_searched() {
    let info = info(VideoFormat::Gray8, 480, 270);
    let mut harness = harness("scan-interval=400000000", &info);
    // So small that its coming is not another shot, which is searched completely.
    let (known, new) = ((110, 130, 70), (370, 120, 32));
    for number in 0..20 {
        let heads: &[common::Head] = if number < 3 { &[known] } else { &[known, new] };
        let out = harness.push_and_pull(frame(&info, heads, number, 0)).unwrap();
        // The interval is ten frames of 40 ms.
        assert_eq!(faces(&out).len(), if number < 10 { 1 } else { 2 }, "frame {number}");
    }
}

#[test]
fn after_a_flush_faces_get_new_ids() {
    let info = info(VideoFormat::Gray8, 320, 240);
    let mut harness = harness("", &info);
    let mut ids = Vec::new();
    for number in 0..3 {
        let out = harness.push_and_pull(frame(&info, &[HEAD], number, 0)).unwrap();
        ids.push(faces(&out)[0].id);
        harness.push_event(gst::event::FlushStart::new());
        harness.push_event(gst::event::FlushStop::new(true));
        harness.push_event(gst::event::Segment::new(&gst::FormattedSegment::<gst::ClockTime>::new()));
    }
    assert_eq!(ids, [1, 2, 3]);
}

/// A frame with another person's head: a beard and spectacles.
fn other_person(info: &gst_video::VideoInfo, number: u64) -> gst::Buffer {
    let mut buffer = frame(info, &[HEAD], number, 0);
    let mut map = buffer.get_mut().unwrap().map_writable().unwrap();
    let width = info.width() as usize;
    for (index, value) in map.as_mut_slice().iter_mut().enumerate() {
        let (x, y) = (index % width, index / width);
        let is_beard = (150..185).contains(&y) && (120..200).contains(&x);
        let is_forehead = (60..90).contains(&y) && (120..200).contains(&x);
        if is_beard && x / 3 % 2 == 0 || is_forehead && y / 3 % 2 == 0 {
            *value = *value / 2 + 10;
        }
    }
    drop(map);
    buffer
}

#[test]
fn people_keep_their_ids_over_a_flush_and_a_restart_where_asked() {
    let info = info(VideoFormat::Gray8, 320, 240);
    for (keep, expected) in [(true, [1, 2, 2, 1]), (false, [1, 2, 1, 2])] {
        let mut harness = harness(&format!("keep-people={keep}"), &info);
        let element = harness.element().unwrap();
        let (mut ids, mut memories) = (Vec::new(), HashSet::new());
        for (part, is_other) in [false, true, true, false].into_iter().enumerate() {
            for number in 0..15 {
                let head =
                    if is_other { other_person(&info, number) } else { frame(&info, &[HEAD], number, 0) };
                let found = faces(&harness.push_and_pull(head).unwrap());
                if number == 14 {
                    ids.push(found[0].id);
                }
            }
            let events = std::iter::from_fn(|| harness.try_pull_event());
            let settings = events.filter_map(|event| mood_meta::event::parse_settings(&event));
            memories.extend(settings.map(|(_, settings)| settings.get(PEOPLE_MEMORY).cloned()));
            if part % 2 == 0 {
                harness.push_event(gst::event::FlushStart::new());
                harness.push_event(gst::event::FlushStop::new(true));
            } else {
                element.set_state(gst::State::Null).unwrap();
                element.set_state(gst::State::Playing).unwrap();
                harness.push_event(gst::event::StreamStart::new("again"));
                harness.push_event(gst::event::Caps::new(&info.to_caps().unwrap()));
            }
            harness.push_event(gst::event::Segment::new(&gst::FormattedSegment::<gst::ClockTime>::new()));
        }
        assert_eq!(ids, expected, "keep-people={keep}");
        assert_eq!(memories.len(), 1, "one memory throughout: {memories:?}");
        assert_eq!(memories.iter().all(Option::is_some), keep, "{memories:?}");
    }
}

#[test]
fn max_faces_keeps_the_largest() {
    let info = info(VideoFormat::Gray8, 480, 270);
    let mut harness = harness("max-faces=1", &info);
    let out = harness.push_and_pull(frame(&info, &[(110, 130, 60), (370, 120, 80)], 0, 0)).unwrap();
    let faces = faces(&out);
    assert_eq!(faces.len(), 1);
    assert!(faces[0].bbox.x > 200);
}

#[test]
fn sizes_limit_the_search_and_may_change_while_playing() {
    let info = info(VideoFormat::Gray8, 480, 270);
    let mut harness = harness("", &info);
    let heads = [(110, 130, 50), (340, 130, 110)];
    for (min, max, expected) in [(0, 0, 2), (130, 0, 1), (0, 130, 1), (0, 0, 2)] {
        let element = harness.element().unwrap();
        element.set_property("min-size", min as u32);
        element.set_property("max-size", max as u32);
        let out = harness.push_and_pull(frame(&info, &heads, 0, 0)).unwrap();
        assert_eq!(faces(&out).len(), expected, "{min} {max}");
    }
}

#[test]
fn a_frame_smaller_than_its_caps_is_an_error() {
    let info = info(VideoFormat::Gray8, 320, 240);
    let mut harness = harness("", &info);
    let short = gst::Buffer::from_mut_slice(vec![0u8; 100]);
    assert_eq!(harness.push(short), Err(gst::FlowError::Error));
    let mut gap = gst::Buffer::new();
    gap.get_mut().unwrap().set_flags(gst::BufferFlags::GAP);
    assert!(harness.push_and_pull(gap).is_ok(), "a gap without pixels is no error");
    for (offset, stride) in [(1, 320), (0, 321), (320 * 240 - 1, 320), (0, 320 * 240), (320 * 239, -320)] {
        let mut beyond = frame(&info, &[], 0, 0);
        let flags = gst_video::VideoFrameFlags::empty();
        let fields = beyond.make_mut();
        gst_video::VideoMeta::add_full(fields, flags, info.format(), 320, 240, &[offset], &[stride]).unwrap();
        assert_eq!(harness.push(beyond), Err(gst::FlowError::Error), "{offset} {stride}");
    }
}

#[test]
fn faces_are_followed_without_timestamps() {
    let info = info(VideoFormat::Gray8, 320, 240);
    let mut harness = harness("scan-interval=200000000", &info);
    for _ in 0..12 {
        let mut buffer = frame(&info, &[HEAD], 0, 0);
        buffer.get_mut().unwrap().set_pts(None);
        let out = harness.push_and_pull(buffer).unwrap();
        assert_eq!(faces(&out).iter().map(|face| face.id).collect::<Vec<_>>(), [1]);
    }
}

#[test]
fn settings_are_announced_downstream() {
    let info = info(VideoFormat::Gray8, 320, 240);
    let mut harness = harness("scale-factor=1.3", &info);
    let announced = |harness: &mut gst_check::Harness| -> Vec<_> {
        let events = std::iter::from_fn(|| harness.try_pull_event());
        events.filter_map(|event| mood_meta::event::parse_settings(&event)).collect()
    };
    harness.push_and_pull(frame(&info, &[], 0, 0)).unwrap();
    harness.push_and_pull(frame(&info, &[], 1, 0)).unwrap();
    let events = announced(&mut harness);
    assert_eq!(events.len(), 1, "once: {events:?}");
    let (element, settings) = &events[0];
    assert_eq!(element, "haarfacedetect");
    assert_eq!(settings["cascade"], "frontalface_default");
    assert_eq!(settings["scale-factor"], 1.3);
    assert_eq!(settings["cascade-sha256"].as_str().unwrap().len(), 64);
    harness.element().unwrap().set_property("min-neighbors", 5u32);
    harness.push_and_pull(frame(&info, &[], 2, 0)).unwrap();
    let events = announced(&mut harness);
    assert_eq!(events.len(), 1, "and after a change");
    assert_eq!(events[0].1["min-neighbors"], 5);
}

#[test]
fn messages_are_posted_as_the_property_says() {
    let info = info(VideoFormat::Gray8, 320, 240);
    for (messages, expected) in
        [("none", vec![]), ("on-change", vec![1, 0]), ("every-frame", vec![1, 1, 0, 0])]
    {
        let mut harness = harness(&format!("messages={messages}"), &info);
        let bus = gst::Bus::new();
        harness.element().unwrap().set_bus(Some(&bus));
        for number in 0..4 {
            let heads: &[common::Head] = if number < 2 { &[HEAD] } else { &[] };
            harness.push_and_pull(frame(&info, heads, number, 0)).unwrap();
        }
        let messages = std::iter::from_fn(|| bus.pop_filtered(&[gst::MessageType::Element]));
        let counts: Vec<u32> = messages
            .map(|message| {
                let structure = message.structure().unwrap();
                assert_eq!(structure.name(), "faces");
                assert!(structure.get::<Option<gst::ClockTime>>("timestamp").unwrap().is_some());
                structure.get("count").unwrap()
            })
            .collect();
        assert_eq!(counts, expected);
        harness.element().unwrap().set_bus(None);
    }
}

#[test]
fn a_missing_or_broken_cascade_names_the_remedy() {
    common::init();
    let broken = std::env::temp_dir().join(format!("haar-broken-{}.xml", std::process::id()));
    std::fs::write(&broken, "<opencv_storage><cascade>").unwrap();
    let broken = broken.to_str().unwrap();
    for (property, value, expected) in [
        ("cascade", "no_such_cascade", "opencv-data"),
        ("cascade", "", "opencv-data"),
        ("eyes-cascade", "/no/such/file.xml", "opencv-data"),
        ("cascade", broken, broken),
    ] {
        let element = gst::ElementFactory::make("haarfacedetect").property(property, value).build().unwrap();
        let bus = gst::Bus::new();
        element.set_bus(Some(&bus));
        assert!(element.set_state(gst::State::Paused).is_err(), "{property}={value}");
        let message = bus.pop_filtered(&[gst::MessageType::Error]).unwrap();
        let gst::MessageView::Error(error) = message.view() else { unreachable!() };
        let text = format!("{} {:?}", error.error(), error.debug());
        assert!(text.contains(expected) && text.contains(property), "{text}");
        element.set_bus(None);
        element.set_state(gst::State::Null).unwrap();
    }
    std::fs::remove_file(broken).unwrap();
}

#[test]
fn properties_have_the_documented_defaults() {
    common::init();
    let element = gst::ElementFactory::make("haarfacedetect").build().unwrap();
    assert_eq!(element.property::<String>("cascade"), "frontalface_default");
    assert_eq!(element.property::<String>("eyes-cascade"), "");
    assert_eq!(element.property::<f64>("scale-factor"), 1.2);
    assert_eq!(element.property::<u32>("min-neighbors"), 3);
    for name in ["min-size", "max-size", "max-faces", "threads"] {
        assert_eq!(element.property::<u32>(name), 0, "{name}");
    }
    assert_eq!(element.property::<u64>("scan-interval"), 0);
    element.set_property_from_str("messages", "on-change");
    element.set_property("cascade", None::<String>);
    assert_eq!(element.property::<String>("cascade"), "frontalface_default");
}

#[test]
fn every_frame_has_metadata_also_without_faces() {
    let info = info(VideoFormat::Gray8, 320, 240);
    let mut harness = harness("", &info);
    let with_face = harness.push_and_pull(frame(&info, &[HEAD], 0, 0)).unwrap();
    let read = mood_meta::frame::read(&with_face).unwrap();
    assert_eq!(read.faces, [faces(&with_face)[0].to_face(320, 240)]);
    let empty = harness.push_and_pull(frame(&info, &[], 100, 0)).unwrap();
    assert_eq!(mood_meta::frame::read(&empty).map(|frame| frame.faces), Some(Vec::new()));
}
