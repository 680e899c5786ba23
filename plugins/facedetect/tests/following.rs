//! Ids of drawn heads that come, go, cross and hide, with full searches of every frame and at intervals.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{Head, frame, harness, info};
use gst_video::VideoFormat;
use mood_meta::region::{self, FaceRegion};

/// Every frame is searched completely.
const EVERY_FRAME: &str = "";
/// A full search every [`INTERVAL_FRAMES`] frames of 40 ms.
const INTERVAL: &str = "scan-interval=400000000";
const INTERVAL_FRAMES: u64 = 10;

/// The faces found in each frame. `heads` gives the heads drawn in a frame, `time` its timestamp in ms.
fn detect_faces(
    properties: &str,
    frames: u64,
    heads: impl Fn(u64) -> Vec<Head>,
    time: impl Fn(u64) -> Option<u64>,
) -> Vec<Vec<FaceRegion>> {
    let info = info(VideoFormat::Gray8, 640, 240);
    let mut harness = harness(properties, &info);
    let detect = |number| {
        let mut buffer = frame(&info, &heads(number), number, 0);
        buffer.get_mut().unwrap().set_pts(time(number).map(gst::ClockTime::from_mseconds));
        region::read_faces(&harness.push_and_pull(buffer).unwrap())
    };
    (0..frames).map(detect).collect()
}

/// 25 frames a second.
fn steady(number: u64) -> Option<u64> {
    Some(40 * number)
}

/// The id of the face at a head, if one is found there.
fn id_at(faces: &[FaceRegion], head: Head) -> Option<u32> {
    let distance = |face: &FaceRegion| {
        let (x, y) = (face.bbox.x + face.bbox.w / 2, face.bbox.y + face.bbox.h / 2);
        i64::from(x).abs_diff(head.0) + i64::from(y).abs_diff(head.1)
    };
    let nearest = faces.iter().min_by_key(|face| distance(face))?;
    (distance(nearest) < head.2 as u64).then_some(nearest.id)
}

#[test]
fn heads_that_cross_keep_their_ids() {
    let left_to_right = |number: u64| (90 + 9 * number as i64, 125, 58);
    let right_to_left = |number: u64| (550 - 9 * number as i64, 120, 66);
    for properties in [EVERY_FRAME, INTERVAL] {
        let heads = |number| vec![left_to_right(number), right_to_left(number)];
        let frames = detect_faces(properties, 50, heads, steady);
        let first = [id_at(&frames[0], left_to_right(0)), id_at(&frames[0], right_to_left(0))];
        assert_eq!(first, [Some(2), Some(1)], "{properties}");
        for (faces, number) in frames.iter().zip(0..) {
            let (one, other) = (left_to_right(number), right_to_left(number));
            // Closer together, one hides the other, or their halves resemble a third face.
            if one.0.abs_diff(other.0) > 130 {
                assert_eq!([id_at(faces, one), id_at(faces, other)], first, "{properties} frame {number}");
            }
        }
    }
}

#[test]
fn faces_appear_and_disappear_within_an_interval() {
    let (stays, other) = ((120, 120, 60), (480, 120, 70));
    for change in [13, 15, 19] {
        let entering = |number| if number < change { vec![stays] } else { vec![stays, other] };
        for (faces, number) in detect_faces(INTERVAL, 40, entering, steady).iter().zip(0..) {
            assert_eq!(id_at(faces, stays), Some(1), "frame {number}");
            if number >= change + INTERVAL_FRAMES {
                assert_eq!(id_at(faces, other), Some(2), "frame {number}");
            }
        }
        let leaving = |number| if number < change { vec![stays, other] } else { vec![stays] };
        for (faces, number) in detect_faces(INTERVAL, 40, leaving, steady).iter().zip(0..) {
            assert_eq!(id_at(faces, stays), Some(2), "frame {number}");
            assert!(number < change + INTERVAL_FRAMES || faces.len() == 1, "frame {number}: {faces:?}");
        }
    }
}

#[test]
fn the_same_face_keeps_its_id_through_any_absence() {
    let head = |number: u64| (200 + 2 * number as i64, 120, 60);
    for properties in [EVERY_FRAME, INTERVAL] {
        // Up to a second by its motion, after that by its looks.
        for hidden in [12, 22, 25, 36] {
            let heads =
                |number| if (15..15 + hidden).contains(&number) { vec![] } else { vec![head(number)] };
            let frames = detect_faces(properties, 15 + hidden + INTERVAL_FRAMES + 2, heads, steady);
            let last = frames.len() as u64 - 1;
            assert_eq!(id_at(&frames[14], head(14)), Some(1));
            assert_eq!(id_at(&frames[last as usize], head(last)), Some(1), "{properties} {hidden}");
        }
    }
}

#[test]
fn a_face_that_takes_the_place_of_another_elsewhere_is_another_one_and_found_at_once() {
    let (leaves, enters) = ((120, 120, 60), (480, 110, 64));
    // Nothing stays where it was, so another shot begins, which is searched at once whatever the interval is.
    for properties in [EVERY_FRAME, INTERVAL] {
        let heads = |number| vec![if number < 15 { leaves } else { enters }];
        let frames = detect_faces(properties, 40, heads, steady);
        assert_eq!(id_at(&frames[14], leaves), Some(1));
        assert_eq!(id_at(&frames[15], enters), Some(2), "{properties}");
        assert_eq!(id_at(&frames[39], enters), Some(2), "{properties}");
    }
}

#[test]
fn ids_survive_any_frame_times() {
    // Ten frames a second, uneven times, and no timestamps, where a frame is taken for 40 ms.
    let tenths = |number: u64| Some(100 * number);
    let uneven = |number: u64| Some(40 * number + 17 * (number * number % 3));
    let none = |_: u64| None;
    let head = |number: u64| (120 + 6 * number as i64, 120, 60);
    for properties in [EVERY_FRAME, INTERVAL] {
        for time in [&tenths as &dyn Fn(u64) -> Option<u64>, &uneven, &none] {
            let frames = detect_faces(properties, 40, |number| vec![head(number)], time);
            for (faces, number) in frames.iter().zip(0..) {
                assert_eq!(faces.len(), 1, "{properties} frame {number}");
                assert_eq!(id_at(faces, head(number)), Some(1), "{properties} frame {number}");
            }
        }
    }
    let step_back = |number: u64| Some(if number < 20 { 40 * number } else { 40 * (number - 20) });
    let frames = detect_faces(INTERVAL, 40, |_| vec![head(0)], step_back);
    assert_eq!((frames[19][0].id, frames[20][0].id, frames[39][0].id), (1, 2, 2), "a new scene");
}
