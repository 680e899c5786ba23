//! Cutting a face out of a picture: with a margin, levelled, scaled to the model's square input.

use gray_image::GrayImage;

/// Where to cut, in pixels of the picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cut {
    /// Centre of the face.
    pub centre: (f32, f32),
    /// Side of the square to cut, margin included.
    pub side: f32,
    /// Rotation of the face, degrees, clockwise positive: the patch is turned back by it.
    pub roll: f32,
}

impl Cut {
    /// A detector's box (x, y, width, height) grown by `margin` of its side on every side. A box that is not square
    /// gives a square of its longer side.
    pub fn around(bbox: [f32; 4], margin: f32, roll: f32) -> Self {
        let [x, y, w, h] = bbox;
        Self { centre: (x + w / 2.0, y + h / 2.0), side: w.max(h) * (1.0 + 2.0 * margin), roll }
    }
}

/// At most so many samples a side are averaged into a pixel of the patch: enough for a face of 16 times its size.
const MOST_SAMPLES: usize = 16;

/// The face as a square of `side` x `side` grey values, rows from the top, appended to `patch`.
///
/// Each value is the mean over the area it covers in the picture, so that a large face does not alias. Whatever lies
/// outside the picture repeats its edge. A cut that is empty or not finite, or an empty picture, gives a uniform patch.
pub fn cut(picture: &GrayImage, cut: Cut, side: usize, patch: &mut Vec<u8>) {
    let finite = cut.centre.0.is_finite() && cut.centre.1.is_finite() && cut.roll.is_finite();
    if picture.is_empty() || !finite || !cut.side.is_finite() || cut.side <= 0.0 {
        patch.extend(std::iter::repeat_n(128, side * side));
        return;
    }
    let samples = ((cut.side / side as f32).ceil() as usize).clamp(1, MOST_SAMPLES);
    if cut.roll == 0.0 {
        cut_upright(picture, cut, side, samples, patch);
    } else {
        cut_turned(picture, cut, side, samples, patch);
    }
}

/// How far from the cut's centre the samples of each of `side` outputs lie along one axis: `samples` each.
fn offsets(cut: Cut, side: usize, samples: usize) -> impl Iterator<Item = f32> {
    let step = cut.side / (side * samples) as f32;
    (0..side * samples).map(move |index| (index as f32 + 0.5) * step - cut.side / 2.0)
}

/// The grey value at a place between pixels, bilinear; beyond the edge, the edge's.
fn sample(picture: &GrayImage, x: f32, y: f32) -> f32 {
    let x = x.clamp(0.0, (picture.width() - 1) as f32);
    let y = y.clamp(0.0, (picture.height() - 1) as f32);
    let (left, top) = (x as usize, y as usize);
    let (right, bottom) = ((left + 1).min(picture.width() - 1), (top + 1).min(picture.height() - 1));
    let (fx, fy) = (x - left as f32, y - top as f32);
    let at = |x: usize, y: usize| f32::from(picture.pixel(x, y));
    let upper = at(left, top) + (at(right, top) - at(left, top)) * fx;
    let lower = at(left, bottom) + (at(right, bottom) - at(left, bottom)) * fx;
    upper + (lower - upper) * fy
}

fn cut_turned(picture: &GrayImage, cut: Cut, side: usize, samples: usize, patch: &mut Vec<u8>) {
    let (sin, cos) = cut.roll.to_radians().sin_cos();
    let offsets: Vec<f32> = offsets(cut, side, samples).collect();
    let share = 1.0 / (samples * samples) as f32;
    for downs in offsets.chunks(samples) {
        for acrosses in offsets.chunks(samples) {
            let mut sum = 0.0;
            for down in downs {
                for across in acrosses {
                    // A pixel's centre lies half a pixel into it.
                    let x = cut.centre.0 + across * cos - down * sin - 0.5;
                    let y = cut.centre.1 + across * sin + down * cos - 0.5;
                    sum += sample(picture, x, y);
                }
            }
            patch.push((sum * share).round() as u8);
        }
    }
}

/// The same for a face that is not turned, where rows and columns can be averaged one after the other: some twenty times
/// as fast for a large face.
fn cut_upright(picture: &GrayImage, cut: Cut, side: usize, samples: usize, patch: &mut Vec<u8>) {
    let offsets: Vec<f32> = offsets(cut, side, samples).collect();
    let along = |centre: f32, length: usize| -> Vec<Taps> {
        offsets.chunks(samples).map(|offsets| Taps::new(offsets, centre - 0.5, length)).collect()
    };
    let columns = along(cut.centre.0, picture.width());
    let rows = along(cut.centre.1, picture.height());
    let left = columns.first().map_or(0, |taps| taps.first);
    let right = columns.last().map_or(0, |taps| taps.first + taps.weights.len());
    let mut line = vec![0.0; right - left];
    for row in &rows {
        line.fill(0.0);
        for (y, weight) in (row.first..).zip(&row.weights) {
            let pixels = &picture.row(y)[left..right];
            line.iter_mut().zip(pixels).for_each(|(sum, &pixel)| *sum += weight * f32::from(pixel));
        }
        for column in &columns {
            let sums = line[column.first - left..].iter();
            let value: f32 = sums.zip(&column.weights).map(|(sum, weight)| sum * weight).sum();
            patch.push(value.round() as u8);
        }
    }
}

/// What one output takes of a line of pixels: the weights of those from `first` on.
struct Taps {
    first: usize,
    weights: Vec<f32>,
}

impl Taps {
    /// The mean of bilinear samples at `origin` plus each of `offsets`, which rise, among `length` pixels.
    fn new(offsets: &[f32], origin: f32, length: usize) -> Self {
        let place = |offset: &f32| (origin + offset).clamp(0.0, (length - 1) as f32);
        let first = offsets.first().map_or(0, |offset| place(offset) as usize);
        let last = offsets.last().map_or(0, |offset| place(offset) as usize);
        let mut weights = vec![0.0; (last + 2).min(length) - first];
        let share = 1.0 / offsets.len() as f32;
        for place in offsets.iter().map(place) {
            let (left, part) = (place as usize, place.fract());
            weights[left - first] += (1.0 - part) * share;
            if let Some(weight) = weights.get_mut(left + 1 - first) {
                *weight += part * share;
            }
        }
        Self { first, weights }
    }
}

/// Stretches luma of limited range (16-235) to 0-255, which models are trained on.
pub fn expand_limited_range(patch: &mut [u8]) {
    for value in patch {
        *value = (((f32::from(*value) - 16.0) * 255.0 / 219.0).round()).clamp(0.0, 255.0) as u8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(picture: &GrayImage, cut_at: Cut, side: usize) -> Vec<u8> {
        let mut patch = Vec::new();
        cut(picture, cut_at, side, &mut patch);
        patch
    }

    #[test]
    fn a_cut_of_the_patchs_own_size_is_a_copy() {
        let data: Vec<u8> = (0..20 * 16).map(|i| (i * 7 % 256) as u8).collect();
        let picture = GrayImage::new(&data, 18, 16, 20).unwrap();
        let patch = whole(&picture, Cut::around([4.0, 3.0, 8.0, 8.0], 0.0, 0.0), 8);
        for (row, values) in patch.chunks(8).enumerate() {
            let start = (row + 3) * 20 + 4;
            assert_eq!(values, &data[start..start + 8]);
        }
    }

    #[test]
    fn shrinking_averages() {
        let data: Vec<u8> = (0..64 * 64).map(|i| if (i % 64 + i / 64) % 2 == 0 { 0 } else { 200 }).collect();
        let picture = GrayImage::new(&data, 64, 64, 64).unwrap();
        let patch = whole(&picture, Cut::around([0.0, 0.0, 64.0, 64.0], 0.0, 0.0), 8);
        assert!(patch.iter().all(|&value| (98..=102).contains(&value)), "{patch:?}");
    }

    #[test]
    fn a_quarter_turn_is_turned_back() {
        let side = 9;
        let upright: Vec<u8> = (0..side * side).map(|i| (i * 3) as u8).collect();
        // Clockwise by 90 degrees: what was the left column becomes the top row.
        let turned: Vec<u8> =
            (0..side * side).map(|i| upright[(side - 1 - i % side) * side + i / side]).collect();
        let picture = GrayImage::new(&turned, side, side, side).unwrap();
        let patch = whole(&picture, Cut::around([0.0, 0.0, 9.0, 9.0], 0.0, 90.0), side);
        assert_eq!(patch, upright);
    }

    #[test]
    fn upright_and_turned_agree() {
        let data: Vec<u8> = (0..90 * 70u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let picture = GrayImage::new(&data, 83, 70, 90).unwrap();
        for bbox in [
            [3.0, 4.0, 61.0, 61.0],
            [20.5, 11.25, 7.0, 7.0],
            [-30.0, 40.0, 90.0, 90.0],
            [70.0, 60.0, 48.0, 48.0],
        ] {
            let upright = whole(&picture, Cut::around(bbox, 0.0, 0.0), 24);
            let hardly = whole(&picture, Cut::around(bbox, 0.0, 1e-6), 24);
            let most = upright.iter().zip(&hardly).map(|(a, b)| a.abs_diff(*b)).max();
            assert!(most <= Some(1), "{bbox:?}: {most:?}");
        }
    }

    #[test]
    fn margin_grows_every_side() {
        let cut = Cut::around([10.0, 20.0, 40.0, 40.0], 0.1, 0.0);
        assert_eq!(cut, Cut { centre: (30.0, 40.0), side: 48.0, roll: 0.0 });
    }

    #[test]
    fn odd_pictures_and_cuts_do_no_harm() {
        let nothing = GrayImage::new(&[], 0, 0, 0).unwrap();
        assert_eq!(whole(&nothing, Cut::around([0.0, 0.0, 5.0, 5.0], 0.0, 0.0), 2), [128; 4]);
        let pixel = GrayImage::new(&[77], 1, 1, 1).unwrap();
        assert!(
            whole(&pixel, Cut::around([-5.0, -5.0, 100.0, 100.0], 0.5, 30.0), 4).iter().all(|&v| v == 77)
        );
        for bad in [f32::NAN, f32::INFINITY, 0.0, -3.0] {
            assert_eq!(whole(&pixel, Cut { centre: (0.0, 0.0), side: bad, roll: 0.0 }, 4).len(), 16);
        }
    }

    #[test]
    fn limited_range_becomes_full() {
        let mut patch = [0, 16, 126, 235, 255];
        expand_limited_range(&mut patch);
        assert_eq!(patch, [0, 0, 128, 255, 255]);
    }
}
