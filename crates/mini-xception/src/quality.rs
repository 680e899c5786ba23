//! How far the picture of a face can be trusted: the weakest of its size, sharpness, noise, light, contrast and pose.
//!
//! The ends of each ramp were read off FER-2013 (48x48): its sharpest 95 % keep a sharpness above 0.33, one shrunk to 16
//! pixels and back has 0.10, one to 8 pixels 0.05; 98 % have a standard deviation above 25; 95 % have less noise than
//! 0.14 of it (noise of 10 grey values gives 0.21, of 25 gives 0.43) and less than 0.2 of their pixels black or white
//! (exposed 1.5 times as long 0.31, 2.5 times 0.70). `training/robustness.py` shows what the score is worth. How many of
//! the detector's windows agreed is no part of it: faces with few were told right as often as faces with many.

use std::f64::consts::PI;

/// The score, 0 (worthless) to 1.
///
/// `patch` is the face as the model sees it, `side` x `side`; `face_side` the side in pixels that the face has in the
/// picture; `roll` its in-plane rotation in degrees, 0 where unknown or levelled for sure.
pub fn score(patch: &[u8], side: usize, face_side: f32, roll: f32) -> f64 {
    if side < 3 || patch.len() != side * side {
        return 0.0;
    }
    let (mean, deviation) = moments(patch);
    let size = ramp(f64::from(face_side), 12.0, 48.0);
    let sharp = ramp(sharpness(patch, side, deviation), 0.05, 0.20);
    let clean = 1.0 - ramp(noise(patch, side, deviation), 0.15, 0.55);
    let light = ramp(mean, 15.0, 50.0).min(ramp(255.0 - mean, 15.0, 50.0));
    let exposed = 1.0 - ramp(clipped(patch), 0.20, 0.85);
    let contrast = ramp(deviation, 4.0, 20.0);
    let pose = 1.0 - ramp(f64::from(roll.abs()), 25.0, 60.0);
    [sharp, clean, light, exposed, contrast, pose].into_iter().fold(size, f64::min)
}

/// 0 up to `low`, 1 from `high` on, a line between. What is not a number counts as 0.
fn ramp(value: f64, low: f64, high: f64) -> f64 {
    let share = (value - low) / (high - low);
    if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) }
}

fn moments(patch: &[u8]) -> (f64, f64) {
    let count = patch.len() as f64;
    let mean = patch.iter().map(|&value| f64::from(value)).sum::<f64>() / count;
    let variance = patch.iter().map(|&value| (f64::from(value) - mean).powi(2)).sum::<f64>() / count;
    (mean, variance.sqrt())
}

/// Mean absolute Laplacian over the standard deviation: how much of the contrast lies in fine detail.
fn sharpness(patch: &[u8], side: usize, deviation: f64) -> f64 {
    mean_response(patch, side, |edges, _, centre| 4 * centre - edges) / deviation.max(1.0)
}

/// Standard deviation of the noise (Immerkær 1996, doi:10.1006/cviu.1996.0060) over that of the picture.
fn noise(patch: &[u8], side: usize, deviation: f64) -> f64 {
    let response = mean_response(patch, side, |edges, corners, centre| 4 * centre - 2 * edges + corners);
    response * (PI / 2.0).sqrt() / 6.0 / deviation.max(1.0)
}

/// Mean absolute value of a filter, which gets the sum of the four pixels beside, of the four at the corners, and the
/// pixel itself.
fn mean_response(patch: &[u8], side: usize, filter: impl Fn(i32, i32, i32) -> i32) -> f64 {
    let at = |x: usize, y: usize| i32::from(patch[y * side + x]);
    let mut sum = 0;
    for y in 1..side - 1 {
        for x in 1..side - 1 {
            let edges = at(x - 1, y) + at(x + 1, y) + at(x, y - 1) + at(x, y + 1);
            let corners = at(x - 1, y - 1) + at(x + 1, y - 1) + at(x - 1, y + 1) + at(x + 1, y + 1);
            sum += filter(edges, corners, at(x, y)).abs();
        }
    }
    f64::from(sum) / ((side - 2) * (side - 2)) as f64
}

/// Share of the pixels that are black or white.
fn clipped(patch: &[u8]) -> f64 {
    patch.iter().filter(|value| !(6..250).contains(*value)).count() as f64 / patch.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIDE: usize = 48;

    /// Blobs and lines of a face's contrast, with a gain and an offset.
    fn face(gain: f64, offset: f64) -> Vec<u8> {
        let value = |x: usize, y: usize| {
            let (x, y) = (x as f64, y as f64);
            offset
                + gain * (40.0 * (x / 1.5).sin() * (y / 1.7).cos() + 30.0 * (x / 9.0).cos() * (y / 7.0).sin())
        };
        (0..SIDE * SIDE).map(|i| value(i % SIDE, i / SIDE).clamp(0.0, 255.0) as u8).collect()
    }

    fn blurred(patch: &[u8], radius: usize) -> Vec<u8> {
        let mean = |i: usize| {
            let (x, y) = (i % SIDE, i / SIDE);
            let (xs, ys) = (
                x.saturating_sub(radius)..=(x + radius).min(SIDE - 1),
                y.saturating_sub(radius)..=(y + radius).min(SIDE - 1),
            );
            let count = (xs.clone().count() * ys.clone().count()) as u32;
            let sum: u32 = ys
                .flat_map(|y| xs.clone().map(move |x| (x, y)))
                .map(|(x, y)| u32::from(patch[y * SIDE + x]))
                .sum();
            (sum / count) as u8
        };
        (0..SIDE * SIDE).map(mean).collect()
    }

    #[test]
    fn a_good_face_scores_high_and_each_fault_lowers_it() {
        let good = face(1.0, 128.0);
        let score_of = |patch: &[u8], size, roll| score(patch, SIDE, size, roll);
        assert!(score_of(&good, 120.0, 5.0) > 0.9);
        assert!(score_of(&good, 16.0, 5.0) < 0.3, "small");
        assert!(score_of(&face(1.0, 5.0), 120.0, 0.0) < 0.5, "dark");
        assert!(score_of(&face(1.0, 250.0), 120.0, 0.0) < 0.5, "bright");
        assert!(score_of(&face(0.05, 128.0), 120.0, 0.0) < 0.3, "flat");
        assert!(score_of(&face(6.0, 230.0), 120.0, 0.0) < 0.7, "overexposed");
        let random = |i: usize| ((i as u32).wrapping_mul(2_654_435_761) >> 24) as i32 % 101 - 50;
        let noisy: Vec<u8> = good
            .iter()
            .enumerate()
            .map(|(i, &value)| (i32::from(value) + random(i)).clamp(0, 255) as u8)
            .collect();
        assert!(score_of(&noisy, 120.0, 0.0) < 0.5, "noisy {}", score_of(&noisy, 120.0, 0.0));
        assert!(score_of(&good, 120.0, 55.0) < 0.3, "turned");
        let (once, twice) =
            (score_of(&blurred(&good, 3), 120.0, 0.0), score_of(&blurred(&good, 7), 120.0, 0.0));
        assert!(once < 0.9 && twice < once, "blurred {once} {twice}");
    }

    #[test]
    fn nonsense_scores_nothing() {
        assert_eq!(score(&[], 0, 100.0, 0.0), 0.0);
        assert_eq!(score(&[1, 2], 48, 100.0, 0.0), 0.0);
        assert_eq!(score(&face(1.0, 128.0), SIDE, f32::NAN, 0.0), 0.0);
        assert_eq!(score(&[128; SIDE * SIDE], SIDE, 100.0, 0.0), 0.0);
    }
}
