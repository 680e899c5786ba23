//! Square pieces of an image, levelled and scaled to a fixed size.

use gray_image::{GrayImage, PixelRect};

/// The place, size and rotation of a face in an image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pose {
    /// Centre, x and y, pixels.
    pub centre: (f64, f64),
    /// Side, pixels.
    pub side: f64,
    /// In-plane rotation, degrees, clockwise positive.
    pub roll: f64,
}

impl Pose {
    /// The pose of a face in `rect`, an upright square around its centre, that leans by `roll` degrees.
    pub fn new(rect: &PixelRect<f64>, roll: f64) -> Self {
        Self { centre: rect.centre(), side: rect.side(), roll }
    }

    /// Whether a patch can be sampled here.
    fn is_valid(&self) -> bool {
        [self.centre.0, self.centre.1, self.side, self.roll].iter().all(|value| value.is_finite())
            && self.side > 0.0
    }
}

/// Most samples along a side that are averaged into one value of a patch.
const MAX_SAMPLES: usize = 3;
/// From this number of samples along a side on, each is the nearest pixel: the mean of nine or more is smooth enough.
const MIN_NEAREST_SAMPLES: usize = 3;

/// A part of a face's surroundings in the face's own frame of reference: lengths in sides of the face, the
/// origin in its centre, y downwards.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Region {
    /// Left edge, right of the face's centre where positive.
    pub(crate) x: f64,
    /// Upper edge, below the face's centre where positive.
    pub(crate) y: f64,
    /// Width, in sides of the face.
    pub(crate) w: f64,
    /// Height, in sides of the face.
    pub(crate) h: f64,
}

impl Region {
    /// A square of `side` around the face's centre.
    pub(crate) const fn centred(side: f64) -> Self {
        Self { x: -side / 2.0, y: -side / 2.0, w: side, h: side }
    }
}

/// Samples a region as `columns` x `rows` grey values, top row first, into `patch`, which is overwritten. Outside
/// the image its edge is repeated. An invalid pose or an empty image gives zeros.
pub(crate) fn sample(
    image: &GrayImage,
    pose: &Pose,
    region: &Region,
    (columns, rows): (usize, usize),
    patch: &mut Vec<f32>,
) {
    patch.clear();
    if image.is_empty() || !pose.is_valid() {
        patch.resize(columns * rows, 0.0);
        return;
    }
    let (step_x, step_y) = (region.w * pose.side / columns as f64, region.h * pose.side / rows as f64);
    // Samples are two pixels apart at most: each interpolates between two.
    let samples = ((step_x.max(step_y) / 2.0).ceil() as usize).clamp(1, MAX_SAMPLES);
    let (sin, cos) = pose.roll.to_radians().sin_cos();
    let (step_x, step_y) = (step_x / samples as f64, step_y / samples as f64);
    // The centre of the first sample, from the centre of the face.
    let (dx, dy) = (region.x * pose.side + step_x / 2.0, region.y * pose.side + step_y / 2.0);
    let is_nearest = samples >= MIN_NEAREST_SAMPLES;
    let line_start = |index: usize| {
        let dy = dy + step_y * index as f64;
        // The centre of pixel 0 is at 0.5.
        let x = pose.centre.0 + dx * cos - dy * sin - 0.5;
        let y = pose.centre.1 + dx * sin + dy * cos - 0.5;
        (x, y)
    };
    let along = (step_x * cos, step_x * sin);
    image.average_lines((columns, rows), samples, line_start, along, is_nearest, |mean| patch.push(mean));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_is_level_and_of_the_wanted_size() {
        // A bright bar that leans by 30 degrees clockwise.
        let (sin, cos) = 30f64.to_radians().sin_cos();
        let is_bar = |x: f64, y: f64| (-x * sin + y * cos).abs() < 8.0;
        let pixels: Vec<u8> = (0..200 * 160)
            .map(|i| if is_bar(f64::from(i % 200) - 100.0, f64::from(i / 200) - 80.0) { 200 } else { 20 })
            .collect();
        let image = GrayImage::new(&pixels, 200, 160, 200).unwrap();
        let pose = Pose { centre: (100.0, 80.0), side: 64.0, roll: 30.0 };
        let mut patch = Vec::new();
        sample(&image, &pose, &Region::centred(1.0), (16, 16), &mut patch);
        assert_eq!(patch.len(), 256);
        for column in 1..15 {
            assert!(patch[8 * 16 + column] > 190.0 && patch[2 * 16 + column] < 30.0, "{column}");
        }
    }

    #[test]
    fn impossible_poses_give_zeros() {
        let image = GrayImage::new(&[9; 12], 4, 3, 4).unwrap();
        let mut patch = vec![1.0];
        for side in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let pose = Pose { centre: (1.0, 1.0), side, roll: 0.0 };
            sample(&image, &pose, &Region::centred(2.0), (4, 4), &mut patch);
            assert_eq!(patch, [0.0; 16]);
        }
        let far = Pose { centre: (-1e9, 1e12), side: 3.0, roll: 721.0 };
        sample(&image, &far, &Region::centred(2.0), (2, 2), &mut patch);
        assert_eq!(patch, [9.0; 4]);
    }
}
