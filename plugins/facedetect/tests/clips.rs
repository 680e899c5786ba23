//! Real clips through real pipelines.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::sync::mpsc;
use std::time::{Duration, Instant};

use gray_image::PixelRect;
use gst::prelude::*;
use mood_meta::region::FaceRegion;

const LIMIT: Duration = Duration::from_secs(120);

/// The faces of every frame that leaves `detect`, a piece of a launch line.
fn run(clip: &str, detect: &str) -> Option<Vec<Vec<FaceRegion>>> {
    common::init();
    let path = common::media(clip)?;
    let line = format!(
        "filesrc location=\"{}\" ! decodebin ! videoconvert ! {detect} ! fakesink name=end",
        path.display()
    );
    let pipeline = gst::parse::launch(&line).unwrap().downcast::<gst::Pipeline>().unwrap();
    let (send, received) = mpsc::channel();
    let pad = pipeline.by_name("end").unwrap().static_pad("sink").unwrap();
    pad.add_probe(gst::PadProbeType::BUFFER, move |_, probe| {
        if let Some(buffer) = probe.buffer() {
            let faces = mood_meta::region::read_faces(buffer);
            assert_eq!(rolls(buffer), faces.iter().filter_map(FaceRegion::roll).collect::<Vec<_>>());
            send.send(faces).unwrap();
        }
        gst::PadProbeReturn::Ok
    });
    pipeline.set_state(gst::State::Playing).unwrap();
    let until = Instant::now() + LIMIT;
    let bus = pipeline.bus().unwrap();
    let left = gst::ClockTime::try_from(until - Instant::now()).unwrap();
    let end = bus.timed_pop_filtered(left, &[gst::MessageType::Eos, gst::MessageType::Error]);
    pipeline.set_state(gst::State::Null).unwrap();
    let end = end.unwrap_or_else(|| panic!("{clip} took longer than {LIMIT:?}"));
    assert_eq!(end.type_(), gst::MessageType::Eos, "{end:?}");
    Some(received.try_iter().collect())
}

/// The `pose` params of the face regions.
fn rolls(buffer: &gst::Buffer) -> Vec<f64> {
    let regions = buffer.iter_meta::<gst_video::VideoRegionOfInterestMeta>();
    let faces = regions.filter(|meta| meta.roi_type() == "face");
    faces.filter_map(|meta| meta.param("pose")?.get("roll").ok()).collect()
}

fn upper_half(face: &PixelRect, eye: &PixelRect) -> bool {
    let (x, y) = (eye.x + eye.w / 2, eye.y + eye.h / 2);
    (face.x..face.x + face.w).contains(&x) && (face.y..=face.y + face.h / 2).contains(&y)
}

fn ids(frames: &[Vec<FaceRegion>]) -> Vec<u32> {
    let mut ids: Vec<u32> = frames.iter().flatten().map(|face| face.id).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

#[test]
fn one_woman_is_one_face_throughout() {
    let Some(frames) = run("video/WolfgangLanger_Pexels.mp4", "haarfacedetect") else { return };
    let with_face = frames.iter().filter(|faces| !faces.is_empty()).count();
    println!("{with_face} of {} frames", frames.len());
    assert!(frames.len() > 450);
    assert!(with_face * 100 >= frames.len() * 95, "{with_face} of {}", frames.len());
    assert_eq!(ids(&frames), [1]);
}

#[test]
fn scans_twice_a_second_follow_her_too() {
    let detect = "haarfacedetect scan-interval=500000000 eyes-cascade=eye";
    let Some(frames) = run("video/WolfgangLanger_Pexels.mp4", detect) else { return };
    let with_face = frames.iter().filter(|faces| !faces.is_empty()).count();
    let with_eyes: Vec<_> = frames.iter().flatten().filter_map(FaceRegion::roll).collect();
    println!("{with_face} of {} frames, {} with both eyes", frames.len(), with_eyes.len());
    assert!(with_face * 100 >= frames.len() * 95, "{with_face} of {}", frames.len());
    assert_eq!(ids(&frames), [1]);
    assert!(with_eyes.len() * 2 > frames.len(), "{}", with_eyes.len());
    assert!(frames.iter().flatten().all(|face| face.eyes.iter().all(|eye| upper_half(&face.bbox, eye))));
    assert!(with_eyes.iter().all(|roll| roll.abs() <= 30.0));
}

#[test]
fn nobody_is_found_where_nobody_is() {
    let Some(frames) = run("video/no_face.mp4", "videorate max-rate=4 drop-only=true ! haarfacedetect")
    else {
        return;
    };
    let with_face = frames.iter().filter(|faces| !faces.is_empty()).count();
    println!("{with_face} of {} frames", frames.len());
    assert!(with_face * 10 <= frames.len());
}

/// Between two boxes, the area both cover over the area either covers.
fn overlap(a: &PixelRect, b: &PixelRect) -> f64 {
    a.to_f64().intersection_over_union(&b.to_f64())
}

#[test]
fn few_scans_find_what_many_find() {
    for clip in ["WolfgangLanger_Pexels.mp4", "walk.mkv", "book.mkv", "single_face.mp4"] {
        let clip = format!("video/{clip}");
        let Some(all) = run(&clip, "haarfacedetect") else { return };
        let few = run(&clip, "haarfacedetect scan-interval=500000000").unwrap();
        assert_eq!(few.len(), all.len());
        let same = |face: &FaceRegion, others: &[FaceRegion]| {
            others.iter().any(|other| overlap(&face.bbox, &other.bbox) > 0.4)
        };
        let faces: Vec<bool> =
            all.iter().zip(&few).flat_map(|(all, few)| all.iter().map(|face| same(face, few))).collect();
        let found = faces.iter().filter(|&&found| found).count();
        println!("{clip}: {found} of {} faces, ids {:?} and {:?}", faces.len(), ids(&all), ids(&few));
        assert!(found * 100 >= faces.len() * 95, "{clip}: {found} of {}", faces.len());
        assert_eq!((ids(&all), ids(&few)), (vec![1], vec![1]), "{clip}");
        // No ghosts: there was such a face within half a second, which is at most 15 frames here.
        for (number, faces) in few.iter().enumerate() {
            let around = &all[number.saturating_sub(15)..all.len().min(number + 16)];
            assert!(
                faces.iter().all(|face| around.iter().any(|other| same(face, other))),
                "{clip} frame {number}"
            );
        }
    }
}

/// The middle one of the rolls of all faces, degrees.
fn median_roll(frames: &[Vec<FaceRegion>]) -> f64 {
    let mut rolls: Vec<f64> = frames.iter().flatten().filter_map(FaceRegion::roll).collect();
    assert!(rolls.len() * 10 >= frames.len() * 8, "eyes in {} of {} frames", rolls.len(), frames.len());
    rolls.sort_by(f64::total_cmp);
    rolls[rolls.len() / 2]
}

#[test]
fn a_head_that_leans_is_seen_to_lean() {
    common::init();
    if gst::ElementFactory::find("rotate").is_none() {
        println!("skipped: no element rotate");
        return;
    }
    let roll = |degrees: f64| {
        // The element turns counter-clockwise.
        let rotate = format!("rotate angle={} ! videoconvert", -degrees.to_radians());
        let detect = format!("{rotate} ! haarfacedetect eyes-cascade=eye scan-interval=500000000");
        run("video/single_face.mp4", &detect).map(|frames| median_roll(&frames))
    };
    let Some(upright) = roll(0.0) else { return };
    for degrees in [-12.0, -6.0, 6.0, 12.0] {
        let leaned = roll(degrees).unwrap() - upright;
        println!("{degrees} degrees: {leaned:.1}");
        assert!((leaned - degrees).abs() < 3.0, "{leaned} for {degrees}");
    }
}
