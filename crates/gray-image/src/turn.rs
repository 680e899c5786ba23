//! Turned and reduced copies of an image, in which a tilted object stands upright.

use crate::image::{FRACTION_BITS, sample_row, to_fixed};
use crate::{GrayImage, PixelRect};

/// A rectangle turned about its centre, in pixels of an image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TurnedRect {
    /// Centre, x and y.
    pub centre: (f64, f64),
    /// Side along the turned x axis.
    pub width: f64,
    /// Side along the turned y axis.
    pub height: f64,
    /// Rotation, degrees, clockwise positive.
    pub degrees: f64,
}

impl TurnedRect {
    /// The interval of x, at height `y`, that lies inside the rectangle and at least `margin` away from each
    /// of its sides; `None` where there is none.
    pub fn span(&self, y: f64, margin: f64) -> Option<(f64, f64)> {
        let (sin, cos) = self.degrees.to_radians().sin_cos();
        let (half_width, half_height) = (self.width / 2.0 - margin, self.height / 2.0 - margin);
        let dy = y - self.centre.1;
        let across = solve_span(cos, -half_width - dy * sin, half_width - dy * sin)?;
        let along = solve_span(-sin, -half_height - dy * cos, half_height - dy * cos)?;
        let (start, end) = (across.0.max(along.0), across.1.min(along.1));
        (start <= end).then_some((self.centre.0 + start, self.centre.0 + end))
    }
}

/// The interval of x in which `slope` times x is at least `low` and at most `high`.
fn solve_span(slope: f64, low: f64, high: f64) -> Option<(f64, f64)> {
    if low > high {
        return None;
    }
    if slope.abs() < 1e-9 {
        return (low <= 0.0 && high >= 0.0).then_some((f64::NEG_INFINITY, f64::INFINITY));
    }
    let (a, b) = (low / slope, high / slope);
    Some((a.min(b), a.max(b)))
}

/// Where the pixels of a turned copy come from.
///
/// Positions are those of boxes: the centre of the first pixel is at 0.5.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Turn {
    /// The position in the image that is the centre of the copy.
    pub centre: (f64, f64),
    /// Pixels in a row of the copy.
    pub width: usize,
    /// Number of rows of the copy.
    pub height: usize,
    /// The roll of what is upright in the copy, degrees, clockwise positive.
    pub degrees: f64,
    /// Pixels of the image, along a side, for one of the copy.
    pub reduction: f64,
}

impl Turn {
    /// The turn of the smallest copy that contains all of an image.
    pub fn of_image(image: &GrayImage, degrees: f64, reduction: f64) -> Self {
        let (width, height) = (image.width() as f64, image.height() as f64);
        let (sin, cos) = degrees.to_radians().sin_cos();
        let side = |a: f64, b: f64| {
            let side = (a * cos.abs() + b * sin.abs()) / reduction;
            (side.ceil() as usize).clamp(1, GrayImage::MAX_SIDE)
        };
        Self {
            centre: (width / 2.0, height / 2.0),
            width: side(width, height),
            height: side(height, width),
            degrees,
            reduction,
        }
    }

    /// The position in the image of a position in the copy.
    pub fn to_image(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let (sin, cos) = self.degrees.to_radians().sin_cos();
        let dx = (x - self.width as f64 / 2.0) * self.reduction;
        let dy = (y - self.height as f64 / 2.0) * self.reduction;
        (self.centre.0 + dx * cos - dy * sin, self.centre.1 + dx * sin + dy * cos)
    }

    /// The position in the copy of a position in the image.
    pub fn to_copy(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let (sin, cos) = self.degrees.to_radians().sin_cos();
        let (dx, dy) = ((x - self.centre.0) / self.reduction, (y - self.centre.1) / self.reduction);
        (self.width as f64 / 2.0 + dx * cos + dy * sin, self.height as f64 / 2.0 - dx * sin + dy * cos)
    }

    /// The upright square in the image around a rectangle of the copy: the same centre and side lengths.
    pub fn rect_to_image(&self, rect: &PixelRect) -> PixelRect<f64> {
        let (x, y) = self.to_image(rect.to_f64().centre());
        let (w, h) = (f64::from(rect.w) * self.reduction, f64::from(rect.h) * self.reduction);
        PixelRect { x: x - w / 2.0, y: y - h / 2.0, w, h }
    }

    /// The place of an image of `width` x `height` pixels in the copy.
    pub fn image_in_copy(&self, width: usize, height: usize) -> TurnedRect {
        let (width, height) = (width as f64, height as f64);
        TurnedRect {
            centre: self.to_copy((width / 2.0, height / 2.0)),
            width: width / self.reduction,
            height: height / self.reduction,
            degrees: -self.degrees,
        }
    }
}

/// A turned copy of an image. Its memory is kept from one copy to the next.
#[derive(Clone, Debug, Default)]
pub struct TurnedImage {
    pixels: Vec<u8>,
    turn: Turn,
    limited_range: bool,
}

impl TurnedImage {
    /// Copies `image` as `turn` says, by bilinear interpolation. Outside the image, the nearest pixel of it in
    /// the same row of the copy is repeated; a row that lies wholly outside is grey.
    ///
    /// There is no low-pass filter: a `reduction` of much more than 2 aliases, see [`ReducedImage`].
    pub fn draw(&mut self, image: &GrayImage, turn: &Turn) {
        self.turn = *turn;
        self.limited_range = image.is_limited_range();
        self.pixels.resize(turn.width * turn.height, 0);
        if self.pixels.is_empty() {
            return;
        }
        let (sin, cos) = turn.degrees.to_radians().sin_cos();
        let step = (to_fixed(cos * turn.reduction), to_fixed(sin * turn.reduction));
        let area = turn.image_in_copy(image.width(), image.height());
        for (row, pixels) in self.pixels.chunks_exact_mut(turn.width).enumerate() {
            let y = row as f64 + 0.5;
            let (x, y_image) = turn.to_image((0.5, y));
            // The centre of pixel 0 is at 0.5.
            let start = (to_fixed(x - 0.5), to_fixed(y_image - 0.5));
            let is_inside = |index: usize| {
                let x = (start.0 + index as i64 * step.0) >> FRACTION_BITS;
                let y = (start.1 + index as i64 * step.1) >> FRACTION_BITS;
                x >= 0 && y >= 0 && x + 1 < image.width() as i64 && y + 1 < image.height() as i64
            };
            let (first, last) = area.span(y, 0.0).unwrap_or((0.0, -1.0));
            let mut inside =
                (first.max(0.0) as usize).min(turn.width)..(last.max(0.0).ceil() as usize).min(turn.width);
            while !inside.is_empty() && !is_inside(inside.start) {
                inside.start += 1;
            }
            while !inside.is_empty() && !is_inside(inside.end - 1) {
                inside.end -= 1;
            }
            if inside.is_empty() {
                pixels.fill(128);
                continue;
            }
            let start = (start.0 + inside.start as i64 * step.0, start.1 + inside.start as i64 * step.1);
            let round = |value: u32| ((value + (1 << 15)) >> 16) as u8;
            sample_row(image, start, step, &mut pixels[inside.clone()], round);
            let (first, last) = (pixels[inside.start], pixels[inside.end - 1]);
            pixels[..inside.start].fill(first);
            pixels[inside.end..].fill(last);
        }
    }

    /// The copy as an image; empty before the first [`draw`](Self::draw).
    pub fn image(&self) -> GrayImage<'_> {
        let Turn { width, height, .. } = self.turn;
        GrayImage { data: &self.pixels, width, height, stride: width, limited_range: self.limited_range }
    }

    /// Where the pixels come from.
    pub fn turn(&self) -> &Turn {
        &self.turn
    }
}

/// An image reduced by a whole number: each pixel is the mean of a square. Its memory is kept.
#[derive(Clone, Debug, Default)]
pub struct ReducedImage {
    pixels: Vec<u8>,
    /// The sums of the columns of one row of squares.
    sums: Vec<u16>,
    width: usize,
    height: usize,
    limited_range: bool,
}

impl ReducedImage {
    /// The largest factor: the sum of a column fits 16 bits.
    pub const MAX_FACTOR: usize = 256;

    /// Reduces both sides of an image by `factor`, 1 to [`MAX_FACTOR`](Self::MAX_FACTOR); other factors are
    /// taken to be the nearest of these. What is left of a side after division is cut off.
    pub fn draw(&mut self, image: &GrayImage, factor: usize) {
        let factor = factor.clamp(1, Self::MAX_FACTOR);
        self.limited_range = image.is_limited_range();
        (self.width, self.height) = (image.width() / factor, image.height() / factor);
        self.pixels.resize(self.width * self.height, 0);
        if self.pixels.is_empty() {
            return;
        }
        self.sums.resize(self.width * factor, 0);
        let (area, half) = ((factor * factor) as u32, (factor * factor / 2) as u32);
        for (row, pixels) in self.pixels.chunks_exact_mut(self.width).enumerate() {
            self.sums.fill(0);
            for y in row * factor..(row + 1) * factor {
                let values = image.row(y);
                self.sums.iter_mut().zip(values).for_each(|(sum, &value)| *sum += u16::from(value));
            }
            if factor == 2 {
                // The usual factor, without a loop inside and without a division.
                for (pixel, sums) in pixels.iter_mut().zip(self.sums.chunks_exact(2)) {
                    *pixel = ((sums[0] + sums[1] + 2) >> 2) as u8;
                }
                continue;
            }
            for (pixel, sums) in pixels.iter_mut().zip(self.sums.chunks_exact(factor)) {
                let sum: u32 = sums.iter().copied().map(u32::from).sum();
                *pixel = ((sum + half) / area) as u8;
            }
        }
    }

    /// The reduced image.
    pub fn image(&self) -> GrayImage<'_> {
        let Self { width, height, limited_range, .. } = *self;
        GrayImage { data: &self.pixels, width, height, stride: width, limited_range }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(width: usize, height: usize) -> Vec<u8> {
        (0..(width * height) as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
    }

    #[test]
    fn quarter_turns_move_pixels_exactly() {
        let (width, height) = (7, 5);
        let data = noise(width, height);
        let image = GrayImage::new(&data, width, height, width).unwrap();
        let mut turned = TurnedImage::default();
        turned.draw(&image, &Turn::of_image(&image, 90.0, 1.0));
        let copy = turned.image();
        assert_eq!((copy.width(), copy.height()), (5, 7));
        // What leans by 90 degrees clockwise has its top at the right; all but the edge, which is repeated.
        for y in 1..6 {
            for x in 1..4 {
                assert_eq!(copy.pixel(x, y), image.pixel(6 - y, x), "({x}, {y})");
            }
        }
    }

    #[test]
    fn the_mapping_and_its_inverse_agree_with_the_pixels() {
        let (width, height) = (80, 60);
        // A slope, which bilinear interpolation keeps: the value says where a pixel comes from.
        let data: Vec<u8> = (0..width * height).map(|i| (i % width * 2 + i / width) as u8).collect();
        let image = GrayImage::new(&data, width, height, width).unwrap().with_limited_range(true);
        let mut turned = TurnedImage::default();
        for degrees in [-90.0, -40.0, -7.5, 0.0, 20.0, 45.0, 90.0] {
            for reduction in [0.8, 1.0, 1.7] {
                let turn = Turn::of_image(&image, degrees, reduction);
                turned.draw(&image, &turn);
                let copy = turned.image();
                assert!(copy.is_limited_range());
                let area = turn.image_in_copy(width, height);
                let mut inside = 0;
                for y in 0..copy.height() {
                    let Some((first, last)) = area.span(y as f64 + 0.5, 2.0) else { continue };
                    for x in first.ceil() as usize..last as usize {
                        let place = (x as f64 + 0.5, y as f64 + 0.5);
                        let (image_x, image_y) = turn.to_image(place);
                        let expected = (image_x - 0.5) * 2.0 + image_y - 0.5;
                        assert!((f64::from(copy.pixel(x, y)) - expected).abs() < 1.1, "{degrees} {place:?}");
                        let back = turn.to_copy((image_x, image_y));
                        assert!((back.0 - place.0).abs() + (back.1 - place.1).abs() < 1e-9);
                        inside += 1;
                    }
                }
                assert!(inside as f64 > 0.7 * (width * height) as f64 / (reduction * reduction));
            }
        }
    }

    #[test]
    fn copies_of_tiny_and_distant_parts_do_not_panic() {
        let data = noise(9, 9);
        let mut turned = TurnedImage::default();
        for (width, height) in [(0, 0), (1, 1), (1, 9), (9, 1), (2, 2)] {
            let image = GrayImage::new(&data, width, height, width).unwrap();
            for degrees in [0.0, 30.0, 90.0] {
                turned.draw(&image, &Turn::of_image(&image, degrees, 1.0));
                let far = Turn { centre: (-1e4, 1e5), width: 8, height: 3, degrees, reduction: 3.0 };
                turned.draw(&image, &far);
                assert_eq!(turned.image().width(), 8);
            }
        }
    }

    #[test]
    fn spans_lie_inside_the_rectangle() {
        let rect = TurnedRect { centre: (50.0, 40.0), width: 60.0, height: 30.0, degrees: 30.0 };
        let (first, last) = rect.span(40.0, 0.0).unwrap();
        let half = 15.0 / 30_f64.to_radians().sin();
        assert!((first - (50.0 - half)).abs() < 1e-9 && (last - (50.0 + half)).abs() < 1e-9);
        assert_eq!(rect.span(100.0, 0.0), None);
        assert_eq!(rect.span(40.0, 16.0), None, "the margin leaves nothing");
        let upright = TurnedRect { degrees: 0.0, ..rect };
        assert_eq!(upright.span(45.0, 5.0), Some((25.0, 75.0)));
        assert_eq!(upright.span(55.0, 5.0), None);
    }

    #[test]
    fn reduction_takes_means() {
        let data = noise(11, 7);
        let image = GrayImage::new(&data, 11, 7, 11).unwrap();
        let mut reduced = ReducedImage::default();
        for factor in [1, 2, 3, 5, 300] {
            reduced.draw(&image, factor);
            let copy = reduced.image();
            assert_eq!((copy.width(), copy.height()), (11 / factor, 7 / factor));
            for y in 0..copy.height() {
                for x in 0..copy.width() {
                    let square = (0..factor * factor)
                        .map(|i| f64::from(image.pixel(x * factor + i % factor, y * factor + i / factor)));
                    let mean = square.sum::<f64>() / (factor * factor) as f64;
                    assert!((f64::from(copy.pixel(x, y)) - mean).abs() <= 0.5, "{factor}");
                }
            }
        }
    }
}
