//! Patches: faces cropped out of an image, levelled and scaled to the model's square input.

use gray_image::{GrayImage, PixelRect};

use crate::quality::{self, Quality};

/// A square crop of an image, in pixels of the image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Crop {
    /// Centre of the square, x and y.
    pub centre: (f32, f32),
    /// Side of the square.
    pub side: f32,
    /// Rotation of the face in the image, degrees, clockwise positive. The patch is rotated back by it.
    pub roll: f32,
}

impl Crop {
    /// The crop of a detector's box (x, y, width, height), enlarged on each side by `margin` times its side. A box that
    /// is not square gives a square with its longer side.
    pub fn from_box(bbox: [f32; 4], margin: f32, roll: f32) -> Self {
        let [x, y, w, h] = bbox;
        Self { centre: (x + w / 2.0, y + h / 2.0), side: w.max(h) * (1.0 + 2.0 * margin), roll }
    }
}

/// Largest number of samples along a side that are averaged into one pixel of the patch. A face of up to 16 times the
/// patch's side is averaged completely; a larger one is subsampled, which saves time and hardly aliases any more.
const MAX_SAMPLES: usize = 16;

/// Appends the patch of one face, full range, to `patches` and returns its quality.
///
/// `bbox` is the face's box, enlarged on each side by `margin` times its side; `roll` its in-plane rotation in degrees,
/// clockwise positive, 0 where unknown; `side` the side of the patch in pixels, [`crate::Classifier::side`].
pub fn append_face(
    image: &GrayImage,
    bbox: PixelRect,
    margin: f64,
    roll: f64,
    side: usize,
    patches: &mut Vec<u8>,
) -> Quality {
    let bbox = [bbox.x, bbox.y, bbox.w, bbox.h].map(|value| value as f32);
    let roll = roll as f32;
    let start = patches.len();
    append_crop(image, Crop::from_box(bbox, margin as f32, roll), side, patches);
    let patch = &mut patches[start..];
    if image.is_limited_range() {
        expand_limited_range(patch);
    }
    quality::assess(patch, side, bbox[2].max(bbox[3]), roll)
}

/// Appends a crop to `patches`, scaled to `side` x `side` grey values, top row first. The range stays the image's.
///
/// Each value is the mean over the area it covers in the image, so that a large face does not alias. Outside the image
/// its edge is repeated. A crop that is empty or not finite, and any crop of an empty image, gives a uniform patch.
pub fn append_crop(image: &GrayImage, crop: Crop, side: usize, patches: &mut Vec<u8>) {
    let is_finite =
        [crop.centre.0, crop.centre.1, crop.side, crop.roll].iter().all(|value| value.is_finite());
    if image.is_empty() || !is_finite || crop.side <= 0.0 {
        patches.extend(std::iter::repeat_n(128, side * side));
        return;
    }
    let samples = ((crop.side / side as f32).ceil() as usize).clamp(1, MAX_SAMPLES);
    if crop.roll == 0.0 {
        append_upright(image, crop, side, samples, patches);
    } else {
        append_rotated(image, crop, side, samples, patches);
    }
}

/// Stretches luma of limited range (16-235) to 0-255, the range that models are trained on.
pub fn expand_limited_range(patch: &mut [u8]) {
    for value in patch {
        *value = (((f32::from(*value) - 16.0) * 255.0 / 219.0).round()).clamp(0.0, 255.0) as u8;
    }
}

/// Offsets of all samples from the crop's centre along one axis, in pixels of the image: `samples` for each of the
/// `side` pixels of the patch.
fn sample_offsets(crop: Crop, side: usize, samples: usize) -> impl Iterator<Item = f32> {
    let step = crop.side / (side * samples) as f32;
    (0..side * samples).map(move |index| (index as f32 + 0.5) * step - crop.side / 2.0)
}

fn append_rotated(image: &GrayImage, crop: Crop, side: usize, samples: usize, patches: &mut Vec<u8>) {
    let (sin, cos) = f64::from(crop.roll).to_radians().sin_cos();
    let step = f64::from(crop.side) / (side * samples) as f64;
    // From the crop's centre to its first sample.
    let first = (step - f64::from(crop.side)) / 2.0;
    let line_start = |index: usize| {
        let dy = first + step * index as f64;
        // The centre of pixel 0 is at 0.5 in the coordinates of boxes.
        let x = f64::from(crop.centre.0) + first * cos - dy * sin - 0.5;
        let y = f64::from(crop.centre.1) + first * sin + dy * cos - 0.5;
        (x, y)
    };
    let along = (step * cos, step * sin);
    image.average_lines((side, side), samples, line_start, along, false, |mean| {
        patches.push(mean.round() as u8)
    });
}

/// Does what [`append_rotated`] does for a face that is not rotated. Bilinear means are separable then: averaging along
/// rows and columns one after the other is some twenty times as fast for a large face.
fn append_upright(image: &GrayImage, crop: Crop, side: usize, samples: usize, patches: &mut Vec<u8>) {
    let offsets: Vec<f32> = sample_offsets(crop, side, samples).collect();
    let taps_along = |centre: f32, length: usize| -> Vec<Taps> {
        offsets.chunks(samples).map(|offsets| Taps::new(offsets, centre - 0.5, length)).collect()
    };
    let columns = taps_along(crop.centre.0, image.width());
    let rows = taps_along(crop.centre.1, image.height());
    let left = columns.first().map_or(0, |taps| taps.first);
    let right = columns.last().map_or(0, |taps| taps.first + taps.weights.len());
    let mut row_sums = vec![0.0; right - left];
    for row in &rows {
        row_sums.fill(0.0);
        for (y, weight) in (row.first..).zip(&row.weights) {
            let pixels = &image.row(y)[left..right];
            row_sums.iter_mut().zip(pixels).for_each(|(sum, &pixel)| *sum += weight * f32::from(pixel));
        }
        for column in &columns {
            let sums = row_sums[column.first - left..].iter();
            let value: f32 = sums.zip(&column.weights).map(|(sum, weight)| sum * weight).sum();
            patches.push(value.round() as u8);
        }
    }
}

/// The filter taps of one output pixel along one axis.
struct Taps {
    /// The input pixel of the first weight.
    first: usize,
    /// Sum to 1.
    weights: Vec<f32>,
}

impl Taps {
    /// The taps of the mean of bilinear samples at `origin` plus each of `offsets`, which ascend, on an axis of
    /// `length` pixels. Samples outside take the pixel at the edge.
    fn new(offsets: &[f32], origin: f32, length: usize) -> Self {
        let position = |offset: &f32| (origin + offset).clamp(0.0, (length - 1) as f32);
        let first = offsets.first().map_or(0, |offset| position(offset) as usize);
        let last = offsets.last().map_or(0, |offset| position(offset) as usize);
        let mut weights = vec![0.0; (last + 2).min(length) - first];
        let sample_weight = 1.0 / offsets.len() as f32;
        for position in offsets.iter().map(position) {
            let (left, fraction) = (position as usize, position.fract());
            weights[left - first] += (1.0 - fraction) * sample_weight;
            if let Some(weight) = weights.get_mut(left + 1 - first) {
                *weight += fraction * sample_weight;
            }
        }
        Self { first, weights }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crop_patch(image: &GrayImage, crop: Crop, side: usize) -> Vec<u8> {
        let mut patch = Vec::new();
        append_crop(image, crop, side, &mut patch);
        patch
    }

    #[test]
    fn crop_of_the_patchs_size_copies_the_pixels() {
        let data: Vec<u8> = (0..20 * 16).map(|i| (i * 7 % 256) as u8).collect();
        let image = GrayImage::new(&data, 18, 16, 20).unwrap();
        let patch = crop_patch(&image, Crop::from_box([4.0, 3.0, 8.0, 8.0], 0.0, 0.0), 8);
        for (row, values) in patch.chunks(8).enumerate() {
            let start = (row + 3) * 20 + 4;
            assert_eq!(values, &data[start..start + 8]);
        }
    }

    #[test]
    fn shrinking_averages_pixels() {
        let data: Vec<u8> = (0..64 * 64).map(|i| if (i % 64 + i / 64) % 2 == 0 { 0 } else { 200 }).collect();
        let image = GrayImage::new(&data, 64, 64, 64).unwrap();
        let patch = crop_patch(&image, Crop::from_box([0.0, 0.0, 64.0, 64.0], 0.0, 0.0), 8);
        assert!(patch.iter().all(|&value| (98..=102).contains(&value)), "{patch:?}");
    }

    #[test]
    fn roll_is_undone() {
        let side = 9;
        let upright: Vec<u8> = (0..side * side).map(|i| (i * 3) as u8).collect();
        // Rotated clockwise by 90 degrees: the left column becomes the top row.
        let rotated: Vec<u8> =
            (0..side * side).map(|i| upright[(side - 1 - i % side) * side + i / side]).collect();
        let image = GrayImage::new(&rotated, side, side, side).unwrap();
        let patch = crop_patch(&image, Crop::from_box([0.0, 0.0, 9.0, 9.0], 0.0, 90.0), side);
        assert_eq!(patch, upright);
    }

    #[test]
    fn upright_and_rotated_crops_agree() {
        let data: Vec<u8> = (0..90 * 70u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let image = GrayImage::new(&data, 83, 70, 90).unwrap();
        for bbox in [
            [3.0, 4.0, 61.0, 61.0],
            [20.5, 11.25, 7.0, 7.0],
            [-30.0, 40.0, 90.0, 90.0],
            [70.0, 60.0, 48.0, 48.0],
        ] {
            let upright = crop_patch(&image, Crop::from_box(bbox, 0.0, 0.0), 24);
            let slightly_rotated = crop_patch(&image, Crop::from_box(bbox, 0.0, 1e-6), 24);
            let max_difference = upright.iter().zip(&slightly_rotated).map(|(a, b)| a.abs_diff(*b)).max();
            assert!(max_difference <= Some(1), "{bbox:?}: {max_difference:?}");
        }
    }

    #[test]
    fn margin_is_added_on_every_side() {
        let crop = Crop::from_box([10.0, 20.0, 40.0, 40.0], 0.1, 0.0);
        assert_eq!(crop, Crop { centre: (30.0, 40.0), side: 48.0, roll: 0.0 });
    }

    #[test]
    fn degenerate_images_and_crops_give_a_patch() {
        let empty = GrayImage::new(&[], 0, 0, 0).unwrap();
        assert_eq!(crop_patch(&empty, Crop::from_box([0.0, 0.0, 5.0, 5.0], 0.0, 0.0), 2), [128; 4]);
        let pixel = GrayImage::new(&[77], 1, 1, 1).unwrap();
        assert!(
            crop_patch(&pixel, Crop::from_box([-5.0, -5.0, 100.0, 100.0], 0.5, 30.0), 4)
                .iter()
                .all(|&v| v == 77)
        );
        for side in [f32::NAN, f32::INFINITY, 0.0, -3.0] {
            assert_eq!(crop_patch(&pixel, Crop { centre: (0.0, 0.0), side, roll: 0.0 }, 4).len(), 16);
        }
    }

    #[test]
    fn limited_range_becomes_full_range() {
        let mut patch = [0, 16, 126, 235, 255];
        expand_limited_range(&mut patch);
        assert_eq!(patch, [0, 0, 128, 255, 255]);
    }
}
