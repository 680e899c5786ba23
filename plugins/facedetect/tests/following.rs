//! Who is who: drawn heads that come, go, cross and hide, with searches of every frame and between searches.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{Head, frame, harness, info};
use gst_video::VideoFormat;
use mood_meta::region::{self, FaceRegion};

const EVERY_FRAME: &str = "";
/// Ten frames of 40 ms.
const INTERVAL: &str = "scan-interval=400000000";
const SCANS: u64 = 10;

/// The faces of each frame, of which `heads` draws those of a number; times are 40 ms apart, or as `time` says (ms).
fn follow(
    properties: &str,
    frames: u64,
    heads: impl Fn(u64) -> Vec<Head>,
    time: impl Fn(u64) -> Option<u64>,
) -> Vec<Vec<FaceRegion>> {
    let info = info(VideoFormat::Gray8, 640, 240);
    let mut harness = harness(properties, &info);
    let run = |number| {
        let mut buffer = frame(&info, &heads(number), number, 0);
        buffer.get_mut().unwrap().set_pts(time(number).map(gst::ClockTime::from_mseconds));
        region::read_faces(&harness.push_and_pull(buffer).unwrap())
    };
    (0..frames).map(run).collect()
}

fn steady(number: u64) -> Option<u64> {
    Some(40 * number)
}

/// The id of the face at a head, if it is found.
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
        let frames = follow(properties, 50, heads, steady);
        let first = [id_at(&frames[0], left_to_right(0)), id_at(&frames[0], right_to_left(0))];
        assert_eq!(first, [Some(2), Some(1)], "{properties}");
        for (faces, number) in frames.iter().zip(0..) {
            let (one, other) = (left_to_right(number), right_to_left(number));
            // Nearer to each other, one hides the other, or two halves look like a third face.
            if one.0.abs_diff(other.0) > 130 {
                assert_eq!([id_at(faces, one), id_at(faces, other)], first, "{properties} frame {number}");
            }
        }
    }
}

#[test]
fn a_new_face_is_found_within_an_interval_and_one_that_left_is_no_ghost() {
    let (stays, other) = ((120, 120, 60), (480, 120, 70));
    for change in [13, 15, 19] {
        let comes = |number| if number < change { vec![stays] } else { vec![stays, other] };
        for (faces, number) in follow(INTERVAL, 40, comes, steady).iter().zip(0..) {
            assert_eq!(id_at(faces, stays), Some(1), "frame {number}");
            if number >= change + SCANS {
                assert_eq!(id_at(faces, other), Some(2), "frame {number}");
            }
        }
        let goes = |number| if number < change { vec![stays, other] } else { vec![stays] };
        for (faces, number) in follow(INTERVAL, 40, goes, steady).iter().zip(0..) {
            assert_eq!(id_at(faces, stays), Some(2), "frame {number}");
            assert!(number < change + SCANS || faces.len() == 1, "frame {number}: {faces:?}");
        }
    }
}

#[test]
fn a_second_behind_something_is_survived_and_more_is_not() {
    let head = |number: u64| (200 + 2 * number as i64, 120, 60);
    for properties in [EVERY_FRAME, INTERVAL] {
        for (hidden, id) in [(12, 1), (22, 1), (25, 1), (36, 2)] {
            let heads =
                |number| if (15..15 + hidden).contains(&number) { vec![] } else { vec![head(number)] };
            let frames = follow(properties, 15 + hidden + SCANS + 2, heads, steady);
            let last = frames.len() as u64 - 1;
            assert_eq!(id_at(&frames[14], head(14)), Some(1));
            assert_eq!(id_at(&frames[last as usize], head(last)), Some(id), "{properties} {hidden}");
        }
    }
}

#[test]
fn another_elsewhere_is_another() {
    let (leaves, enters) = ((120, 120, 60), (480, 110, 64));
    for properties in [EVERY_FRAME, INTERVAL] {
        let heads = |number| vec![if number < 15 { leaves } else { enters }];
        let frames = follow(properties, 40, heads, steady);
        assert_eq!(id_at(&frames[14], leaves), Some(1));
        assert_eq!(id_at(&frames[39], enters), Some(2), "{properties}");
    }
}

#[test]
fn any_frame_times_will_do() {
    // Ten times a second, in fits and starts, and none at all: between searches a frame is taken for 40 ms.
    let tenths = |number: u64| Some(100 * number);
    let uneven = |number: u64| Some(40 * number + 17 * (number * number % 3));
    let none = |_: u64| None;
    let head = |number: u64| (120 + 6 * number as i64, 120, 60);
    for properties in [EVERY_FRAME, INTERVAL] {
        for time in [&tenths as &dyn Fn(u64) -> Option<u64>, &uneven, &none] {
            let frames = follow(properties, 40, |number| vec![head(number)], time);
            for (faces, number) in frames.iter().zip(0..) {
                assert_eq!(faces.len(), 1, "{properties} frame {number}");
                assert_eq!(id_at(faces, head(number)), Some(1), "{properties} frame {number}");
            }
        }
    }
    let back = |number: u64| Some(if number < 20 { 40 * number } else { 40 * (number - 20) });
    let frames = follow(INTERVAL, 40, |_| vec![head(0)], back);
    assert_eq!((frames[19][0].id, frames[20][0].id, frames[39][0].id), (1, 2, 2), "a new scene");
}
