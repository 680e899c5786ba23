//! Detection in real clips, played through pipelines.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::sync::mpsc;
use std::time::Duration;

use gray_image::PixelRect;
use gst::prelude::*;
use mood_meta::region::FaceRegion;

/// Longest time for a clip.
const TIMEOUT: Duration = Duration::from_secs(120);

/// The faces of every frame after `detect`, a part of a launch line. `None` where the clip is missing.
fn detect_faces(clip: &str, detect: &str) -> Option<Vec<Vec<FaceRegion>>> {
    common::init();
    let path = common::media(clip)?;
    let line = format!(
        "filesrc location=\"{}\" ! decodebin ! videoconvert ! {detect} ! fakesink name=end",
        path.display()
    );
    let pipeline = gst::parse::launch(&line).unwrap().downcast::<gst::Pipeline>().unwrap();
    let (sender, receiver) = mpsc::channel();
    let pad = pipeline.by_name("end").unwrap().static_pad("sink").unwrap();
    pad.add_probe(gst::PadProbeType::BUFFER, move |_, probe| {
        if let Some(buffer) = probe.buffer() {
            let faces = mood_meta::region::read_faces(buffer);
            assert_eq!(pose_rolls(buffer), faces.iter().filter_map(FaceRegion::roll).collect::<Vec<_>>());
            sender.send(faces).unwrap();
        }
        gst::PadProbeReturn::Ok
    });
    pipeline.set_state(gst::State::Playing).unwrap();
    let bus = pipeline.bus().unwrap();
    let timeout = gst::ClockTime::try_from(TIMEOUT).unwrap();
    let message = bus.timed_pop_filtered(timeout, &[gst::MessageType::Eos, gst::MessageType::Error]);
    pipeline.set_state(gst::State::Null).unwrap();
    let message = message.unwrap_or_else(|| panic!("{clip} took longer than {TIMEOUT:?}"));
    assert_eq!(message.type_(), gst::MessageType::Eos, "{message:?}");
    Some(receiver.try_iter().collect())
}

/// The rolls in the `pose` params of the face regions, degrees.
fn pose_rolls(buffer: &gst::Buffer) -> Vec<f64> {
    let regions = buffer.iter_meta::<gst_video::VideoRegionOfInterestMeta>();
    let faces = regions.filter(|meta| meta.roi_type() == "face");
    faces.filter_map(|meta| meta.param("pose")?.get("roll").ok()).collect()
}

/// The roll of a face by its eyes, degrees, where both were found.
fn eyes_roll(face: &FaceRegion) -> Option<f64> {
    face.roll().filter(|_| face.eyes.len() == 2)
}

/// Whether the centre of an eye lies in the upper half of the face, once it is levelled.
fn is_in_upper_half(face: &FaceRegion, eye: &PixelRect) -> bool {
    let ((face_x, face_y), (x, y)) = (face.bbox.to_f64().centre(), eye.to_f64().centre());
    let (sin, cos) = face.detector_roll.unwrap_or(0.0).to_radians().sin_cos();
    let (dx, dy) = (x - face_x, y - face_y);
    let half = f64::from(face.bbox.w) / 2.0;
    // The place of an eye is in whole pixels.
    (dx * cos + dy * sin).abs() <= half + 1.0 && (-half - 1.0..=1.0).contains(&(dy * cos - dx * sin))
}

/// The ids of all frames, sorted, each once.
fn unique_ids(frames: &[Vec<FaceRegion>]) -> Vec<u32> {
    let mut ids: Vec<u32> = frames.iter().flatten().map(|face| face.id).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

#[test]
fn one_person_has_one_id_throughout() {
    let detect = "videorate max-rate=8 drop-only=true ! haarfacedetect";
    let Some(frames) = detect_faces("video/WolfgangLanger_Pexels.mp4", detect) else { return };
    let with_face = frames.iter().filter(|faces| !faces.is_empty()).count();
    println!("{with_face} of {} frames", frames.len());
    assert!(frames.len() > 150);
    assert!(with_face * 100 >= frames.len() * 95, "{with_face} of {}", frames.len());
    assert_eq!(unique_ids(&frames), [1]);
}

#[test]
fn two_full_searches_a_second_follow_the_person_too() {
    let detect = "haarfacedetect scan-interval=500000000 eyes-cascade=eye";
    let Some(frames) = detect_faces("video/WolfgangLanger_Pexels.mp4", detect) else { return };
    let with_face = frames.iter().filter(|faces| !faces.is_empty()).count();
    let with_eyes: Vec<_> = frames.iter().flatten().filter_map(eyes_roll).collect();
    println!("{with_face} of {} frames, {} with both eyes", frames.len(), with_eyes.len());
    assert!(with_face * 100 >= frames.len() * 95, "{with_face} of {}", frames.len());
    assert_eq!(unique_ids(&frames), [1]);
    assert!(with_eyes.len() * 2 > frames.len(), "{}", with_eyes.len());
    assert!(frames.iter().flatten().all(|face| face.eyes.iter().all(|eye| is_in_upper_half(face, eye))));
    // She tilts her head by nearly 30 degrees; the places of eyes are in whole pixels.
    assert!(with_eyes.iter().all(|roll| roll.abs() <= 35.0));
}

#[test]
fn few_faces_are_found_in_a_clip_without_people() {
    let Some(frames) =
        detect_faces("video/no_face.mp4", "videorate max-rate=4 drop-only=true ! haarfacedetect")
    else {
        return;
    };
    let with_face = frames.iter().filter(|faces| !faces.is_empty()).count();
    println!("{with_face} of {} frames", frames.len());
    assert!(with_face * 10 <= frames.len());
}

/// Intersection over union.
fn overlap(a: &PixelRect, b: &PixelRect) -> f64 {
    a.to_f64().intersection_over_union(&b.to_f64())
}

#[test]
fn full_searches_at_intervals_find_the_same_faces() {
    for clip in ["WolfgangLanger_Pexels.mp4", "walk.mkv", "book.mkv", "single_face.mp4"] {
        let clip = format!("video/{clip}");
        // Fewer frames, because every search takes long in a test build.
        let detect = "videorate max-rate=10 drop-only=true ! haarfacedetect";
        let Some(all) = detect_faces(&clip, detect) else { return };
        let at_intervals = detect_faces(&clip, &format!("{detect} scan-interval=500000000")).unwrap();
        assert_eq!(at_intervals.len(), all.len());
        let has_same = |face: &FaceRegion, others: &[FaceRegion]| {
            others.iter().any(|other| overlap(&face.bbox, &other.bbox) > 0.4)
        };
        let faces: Vec<bool> = all
            .iter()
            .zip(&at_intervals)
            .flat_map(|(all, others)| all.iter().map(|face| has_same(face, others)))
            .collect();
        let found = faces.iter().filter(|&&found| found).count();
        println!(
            "{clip}: {found} of {} faces, ids {:?} and {:?}",
            faces.len(),
            unique_ids(&all),
            unique_ids(&at_intervals)
        );
        assert!(found * 100 >= faces.len() * 95, "{clip}: {found} of {}", faces.len());
        assert_eq!((unique_ids(&all), unique_ids(&at_intervals)), (vec![1], vec![1]), "{clip}");
        // A face reported between full searches must have been there within half a second, at most five of
        // these frames.
        for (number, faces) in at_intervals.iter().enumerate() {
            let nearby_frames = &all[number.saturating_sub(5)..all.len().min(number + 6)];
            assert!(
                faces.iter().all(|face| nearby_frames.iter().any(|others| has_same(face, others))),
                "{clip} frame {number}"
            );
        }
    }
}

#[test]
fn one_person_in_anamorphic_video_and_where_the_frame_size_changes() {
    for clip in ["cases/anamorphic.mp4", "cases/webrtc_resize.webm"] {
        let detect = "videorate max-rate=15 drop-only=true ! haarfacedetect";
        let Some(frames) = detect_faces(clip, detect) else { return };
        let with_face = frames.iter().filter(|faces| faces.len() == 1).count();
        println!("{clip}: {with_face} of {} frames", frames.len());
        assert!(
            frames.len() > 20 && with_face * 100 >= frames.len() * 95,
            "{clip}: {with_face} of {}",
            frames.len()
        );
        assert_eq!(unique_ids(&frames), [1], "{clip}");
    }
}

/// The median roll of all faces, degrees.
fn median_roll(frames: &[Vec<FaceRegion>]) -> f64 {
    let mut rolls: Vec<f64> = frames.iter().flatten().filter_map(eyes_roll).collect();
    assert!(rolls.len() * 10 >= frames.len() * 8, "eyes in {} of {} frames", rolls.len(), frames.len());
    rolls.sort_by(f64::total_cmp);
    rolls[rolls.len() / 2]
}

#[test]
fn the_roll_follows_a_rotated_head() {
    common::init();
    if gst::ElementFactory::find("rotate").is_none() {
        println!("skipped: no element rotate");
        return;
    }
    let rotated_roll = |degrees: f64| {
        // The element turns counter-clockwise.
        let rotate = format!("rotate angle={} ! videoconvert", -degrees.to_radians());
        let detect = format!("{rotate} ! haarfacedetect eyes-cascade=eye scan-interval=500000000");
        detect_faces("video/single_face.mp4", &detect).map(|frames| median_roll(&frames))
    };
    let Some(upright) = rotated_roll(0.0) else { return };
    for degrees in [-12.0, -6.0, 6.0, 12.0] {
        let measured = rotated_roll(degrees).unwrap() - upright;
        println!("{degrees} degrees: {measured:.1}");
        assert!((measured - degrees).abs() < 3.0, "{measured} for {degrees}");
    }
}

/// Two people who tilt and turn their heads, so that the cascade loses each for seconds. The frames are 480 pixels
/// wide, and neither changes sides.
#[test]
fn heads_that_tilt_and_turn_are_followed_with_two_ids() {
    let Some(frames) = detect_faces("video/two_people.mp4", "haarfacedetect") else { return };
    let faces = || frames.iter().flatten();
    let followed = faces().filter(|face| !face.source.is_detected()).count();
    println!("{} faces in {} frames, {followed} followed", faces().count(), frames.len());
    assert!((106..=114).contains(&faces().count()) && followed > 10, "{}, {followed}", faces().count());
    assert_eq!(unique_ids(&frames), [1, 2]);
    let first = |id: u32| faces().find(|face| face.id == id).map(|face| face.bbox.x < 240);
    assert!(faces().all(|face| Some(face.bbox.x < 240) == first(face.id)), "exchanged");
    let Some(detected) = detect_faces("video/two_people.mp4", "haarfacedetect follow=0") else { return };
    assert!(detected.iter().flatten().all(|face| face.source.is_detected()));
}

#[test]
fn a_face_that_the_cascade_loses_is_reported_and_one_that_left_is_not() {
    let Some(frames) = detect_faces("video/walk.mkv", "haarfacedetect roll-range=0") else { return };
    let with_face = frames.iter().filter(|faces| faces.len() == 1).count();
    println!("{with_face} of {} frames with one face", frames.len());
    assert_eq!((with_face, frames.len()), (89, 89));
    assert_eq!(unique_ids(&frames), [1]);
    let Some(frames) = detect_faces("video/face_noface.mov", "haarfacedetect") else { return };
    let last = |is_counted: fn(&FaceRegion) -> bool| {
        frames.iter().rposition(|faces| faces.iter().any(is_counted)).unwrap()
    };
    let (seen, detected) = (last(|_| true), last(|face| face.source.is_detected()));
    assert!(seen - detected <= 30, "followed for {} frames after the last detection", seen - detected);
}

#[test]
fn a_person_who_returns_after_three_seconds_has_the_same_id() {
    let Some(frames) = detect_faces("cases/gap3.mp4", "haarfacedetect") else { return };
    let gaps = frames.chunk_by(|a, b| a.is_empty() == b.is_empty()).filter(|part| part[0].is_empty());
    assert_eq!(gaps.filter(|part| part.len() > 60).count(), 2);
    assert_eq!(unique_ids(&frames), [1]);
}
