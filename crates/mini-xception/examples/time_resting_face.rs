//! Measures what a resting face costs for each face of a frame: what is learnt from it, what is taken off, and the label:
//! `cargo run --release -p mini-xception --example time_resting_face`.
//!
//! Prints the median time in nanoseconds a face, over blocks so short that few are interrupted by other processes, for a person of whom nothing is known and for one with a known
//! profile, beside the label without a resting face.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a measurement may panic")]

use std::hint::black_box;
use std::time::Instant;

use mini_xception::resting_face::{FaceObservation, LogitShift, RestingFaces, RestingProfile};
use mini_xception::smoothing::LabelThresholds;
use mood_schema::Rect;

/// Faces in one round, 30 a second: a quarter of an hour, in which a profile gets all its bins.
const FACES: u64 = 27_000;
/// Faces in one block.
const BLOCK: u64 = 100;
/// Rounds, in alternation.
const ROUNDS: usize = 11;
/// The defaults of `emotionclassify`.
const THRESHOLDS: LabelThresholds = LabelThresholds { min_confidence: 0.4, min_quality: 0.3 };

/// A distribution that changes from frame to frame, from surely neutral to surely happy.
fn distribution(frame: u64) -> [f64; 7] {
    let happy = 0.01 + 0.96 * ((frame * 37 % 101) as f64 / 101.0);
    [0.004, 0.003, 0.003, happy, 0.006, 0.004, 0.98 - happy]
}

/// Nanoseconds a face of `work`, which gets the number of each frame, for each block.
fn measure(mut work: impl FnMut(u64)) -> Vec<f64> {
    let blocks = (0..FACES / BLOCK).map(|block| {
        let start = Instant::now();
        (block * BLOCK..(block + 1) * BLOCK).for_each(&mut work);
        start.elapsed().as_secs_f64() * 1e9 / BLOCK as f64
    });
    blocks.collect()
}

/// Nanoseconds a face with a resting face, which begins with `known`, for each block.
fn measure_with(known: Option<RestingProfile>) -> Vec<f64> {
    let mut faces = RestingFaces::new("model", known);
    measure(|frame| {
        let probabilities = distribution(frame);
        let bbox = Rect { x: 0.4, y: 0.3, w: 0.1, h: 0.2 };
        let now = Some(frame * 1_000_000_000 / 30);
        faces.observe(1, &FaceObservation { probabilities, quality: 1.0, bbox }, now);
        let shift = faces.shift(1, 1.0, now);
        black_box(THRESHOLDS.classify(&probabilities, &shift, 1.0));
    })
}

fn main() {
    let mut known = RestingProfile::new("model");
    (0..1000).for_each(|frame| known.observe(&distribution(frame), 1.0));
    let mut times: [Vec<f64>; 3] = Default::default();
    for _ in 0..ROUNDS {
        times[0].extend(measure(|frame| {
            black_box(THRESHOLDS.classify(&distribution(frame), &LogitShift::ZERO, 1.0));
        }));
        times[1].extend(measure_with(None));
        times[2].extend(measure_with(Some(known.clone())));
    }
    let names = ["label alone", "with a resting face that is learnt", "that also began with a known profile"];
    for (name, mut times) in names.into_iter().zip(times) {
        times.sort_by(f64::total_cmp);
        println!("{name:<38} {:6.0} ns a face", times[times.len() / 2]);
    }
    println!("a profile as JSON: {} bytes", known.to_json().len() + 64 - "model".len());
}
