//! The quality of a face's image for classification: the worst of size, sharpness, noise, brightness, exposure,
//! contrast and pose.
//!
//! The limits of each measure come from FER-2013 at 48x48 pixels. Of its images 95 % have a sharpness above 0.33;
//! shrunk to 16 pixels and enlarged again they have 0.10, to 8 pixels 0.05. 98 % have a standard deviation above 25.
//! 95 % have less noise than 0.14; added noise of 10 grey values gives 0.21, of 25 gives 0.43. 95 % have less than
//! 0.2 of their pixels clipped; an exposure 1.5 times as long gives 0.31, 2.5 times 0.70. `training/robustness.py`
//! measures how well the score predicts the classifier's accuracy. The number of detector windows that agreed on a
//! face is not part of the score, because faces with few were classified as accurately as faces with many.

use std::f64::consts::PI;

use mood_schema::QualityLimit;

/// From this quality on an image is good, and nothing limits it.
pub const GOOD: f64 = 0.8;

/// The quality of the image of a face.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quality {
    /// From 0, useless, to 1.
    pub score: f64,
    /// What keeps the score below [`GOOD`].
    pub limit: Option<QualityLimit>,
}

impl Quality {
    /// A quality with its worst part.
    fn new(score: f64, part: QualityLimit) -> Self {
        Self { score, limit: (score < GOOD).then_some(part) }
    }

    /// The quality of the image of a face that is turned away, by `factor` lower, 0-1.
    pub fn turned(self, factor: f64) -> Self {
        Self::new(self.score * factor, QualityLimit::Turned)
    }
}

impl From<f64> for Quality {
    /// A score whose parts are not known.
    fn from(score: f64) -> Self {
        Self { score, limit: None }
    }
}

/// Computes the quality of a patch.
///
/// `patch` is the model's input, `side` x `side` grey values of full range; `face_side` the side of the face's box in
/// the original image, pixels; `roll` the face's in-plane rotation there, degrees, 0 where unknown. A patch of
/// another size and a `face_side` or `roll` that is not a number give 0.
pub fn assess(patch: &[u8], side: usize, face_side: f32, roll: f32) -> Quality {
    if side < 3 || patch.len() != side * side {
        return Quality::from(0.0);
    }
    let (mean, deviation) = mean_and_deviation(patch);
    let dark = ramp(mean, 15.0, 50.0);
    let bright = ramp(255.0 - mean, 15.0, 50.0);
    // What is clipped is nearly black or nearly white.
    let exposure = 1.0 - ramp(clipped_share(patch), 0.20, 0.85);
    let clipped = if mean < 127.5 { QualityLimit::Dark } else { QualityLimit::Bright };
    let parts = [
        (ramp(f64::from(face_side), 12.0, 48.0), QualityLimit::Small),
        (ramp(relative_sharpness(patch, side, deviation), 0.05, 0.20), QualityLimit::Blurred),
        (1.0 - ramp(relative_noise(patch, side, deviation), 0.15, 0.55), QualityLimit::Noisy),
        (dark, QualityLimit::Dark),
        (bright, QualityLimit::Bright),
        (exposure, clipped),
        (ramp(deviation, 4.0, 20.0), QualityLimit::Flat),
        (1.0 - ramp(f64::from(roll.abs()), 25.0, 60.0), QualityLimit::Tilted),
    ];
    let worst = parts.into_iter().min_by(|a, b| a.0.total_cmp(&b.0));
    worst.map_or(Quality::from(0.0), |(score, part)| Quality::new(score, part))
}

/// 0 up to `low`, 1 from `high` on and linear between; 0 for a value that is not a number.
fn ramp(value: f64, low: f64, high: f64) -> f64 {
    let share = (value - low) / (high - low);
    if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) }
}

/// Mean and standard deviation of the grey values.
fn mean_and_deviation(patch: &[u8]) -> (f64, f64) {
    let count = patch.len() as f64;
    let mean = patch.iter().map(|&value| f64::from(value)).sum::<f64>() / count;
    let variance = patch.iter().map(|&value| (f64::from(value) - mean).powi(2)).sum::<f64>() / count;
    (mean, variance.sqrt())
}

/// The mean absolute value of the discrete Laplacian divided by the standard deviation: the share of the contrast
/// that is in fine detail.
fn relative_sharpness(patch: &[u8], side: usize, deviation: f64) -> f64 {
    mean_response(patch, side, |edges, _, centre| 4 * centre - edges) / deviation.max(1.0)
}

/// The standard deviation of the noise, estimated by the method of Immerkær 1996 (doi:10.1006/cviu.1996.0060),
/// divided by that of the patch.
fn relative_noise(patch: &[u8], side: usize, deviation: f64) -> f64 {
    let response = mean_response(patch, side, |edges, corners, centre| 4 * centre - 2 * edges + corners);
    response * (PI / 2.0).sqrt() / 6.0 / deviation.max(1.0)
}

/// The mean absolute response of a symmetric 3x3 filter over all pixels but the border. `filter` gets the sum of the
/// four pixels at the edges, the sum of the four at the corners, and the centre.
fn mean_response(patch: &[u8], side: usize, filter: impl Fn(i32, i32, i32) -> i32) -> f64 {
    let pixel = |x: usize, y: usize| i32::from(patch[y * side + x]);
    let mut sum = 0;
    for y in 1..side - 1 {
        for x in 1..side - 1 {
            let edges = pixel(x - 1, y) + pixel(x + 1, y) + pixel(x, y - 1) + pixel(x, y + 1);
            let corners =
                pixel(x - 1, y - 1) + pixel(x + 1, y - 1) + pixel(x - 1, y + 1) + pixel(x + 1, y + 1);
            sum += filter(edges, corners, pixel(x, y)).abs();
        }
    }
    f64::from(sum) / ((side - 2) * (side - 2)) as f64
}

/// The share of pixels that are nearly black or nearly white, 0-1.
fn clipped_share(patch: &[u8]) -> f64 {
    patch.iter().filter(|value| !(6..250).contains(*value)).count() as f64 / patch.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIDE: usize = 48;

    /// A pattern with coarse and fine structure and a contrast like that of a face.
    fn synthetic_face(gain: f64, offset: f64) -> Vec<u8> {
        let value = |x: usize, y: usize| {
            let (x, y) = (x as f64, y as f64);
            offset
                + gain * (40.0 * (x / 1.5).sin() * (y / 1.7).cos() + 30.0 * (x / 9.0).cos() * (y / 7.0).sin())
        };
        (0..SIDE * SIDE).map(|i| value(i % SIDE, i / SIDE).clamp(0.0, 255.0) as u8).collect()
    }

    /// Box blur.
    fn blur(patch: &[u8], radius: usize) -> Vec<u8> {
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
    fn each_defect_lowers_the_score() {
        let good = synthetic_face(1.0, 128.0);
        let limit = |patch: &[u8], face_side, roll| assess(patch, SIDE, face_side, roll).limit;
        let score = |patch: &[u8], face_side, roll| assess(patch, SIDE, face_side, roll).score;
        assert_eq!(limit(&good, 120.0, 5.0), None);
        assert_eq!(limit(&good, 16.0, 5.0), Some(QualityLimit::Small));
        assert_eq!(limit(&good, 120.0, 55.0), Some(QualityLimit::Tilted));
        assert_eq!(limit(&synthetic_face(1.0, 5.0), 120.0, 0.0), Some(QualityLimit::Dark));
        assert_eq!(limit(&synthetic_face(1.0, 250.0), 120.0, 0.0), Some(QualityLimit::Bright));
        assert_eq!(assess(&good, SIDE, 120.0, 0.0).turned(0.2).limit, Some(QualityLimit::Turned));
        assert!(score(&good, 120.0, 5.0) > 0.9);
        assert!(score(&good, 16.0, 5.0) < 0.3, "small");
        assert!(score(&synthetic_face(1.0, 5.0), 120.0, 0.0) < 0.5, "dark");
        assert!(score(&synthetic_face(1.0, 250.0), 120.0, 0.0) < 0.5, "bright");
        assert!(score(&synthetic_face(0.05, 128.0), 120.0, 0.0) < 0.3, "flat");
        assert!(score(&synthetic_face(6.0, 230.0), 120.0, 0.0) < 0.7, "overexposed");
        let random = |i: usize| ((i as u32).wrapping_mul(2_654_435_761) >> 24) as i32 % 101 - 50;
        let noisy: Vec<u8> = good
            .iter()
            .enumerate()
            .map(|(i, &value)| (i32::from(value) + random(i)).clamp(0, 255) as u8)
            .collect();
        assert!(score(&noisy, 120.0, 0.0) < 0.5, "noisy {}", score(&noisy, 120.0, 0.0));
        assert!(score(&good, 120.0, 55.0) < 0.3, "tilted");
        let slightly_blurred = score(&blur(&good, 3), 120.0, 0.0);
        let strongly_blurred = score(&blur(&good, 7), 120.0, 0.0);
        assert!(slightly_blurred < 0.9 && strongly_blurred < slightly_blurred);
    }

    #[test]
    fn invalid_input_scores_zero() {
        assert_eq!(assess(&[], 0, 100.0, 0.0).score, 0.0);
        assert_eq!(assess(&[1, 2], 48, 100.0, 0.0).score, 0.0);
        assert_eq!(assess(&synthetic_face(1.0, 128.0), SIDE, f32::NAN, 0.0).score, 0.0);
        assert_eq!(assess(&[128; SIDE * SIDE], SIDE, 100.0, 0.0).score, 0.0);
    }
}
