//! A borrowed image of 8-bit luma.

use crate::PixelRect;

/// A view of 8-bit luma: `height` rows of `width` pixels, each row `stride` bytes after the one before.
///
/// Either side may be 0.
#[derive(Clone, Copy, Debug)]
pub struct GrayImage<'a> {
    /// The rows, one `stride` after the other.
    pub(crate) data: &'a [u8],
    /// Pixels in a row.
    pub(crate) width: usize,
    /// Number of rows.
    pub(crate) height: usize,
    /// Bytes from one row to the next.
    pub(crate) stride: usize,
    /// Whether 16 is black and 235 white.
    pub(crate) limited_range: bool,
}

impl<'a> GrayImage<'a> {
    /// The largest width and height, in pixels: coordinates and differences of coordinates fit 16 bits, and
    /// sums and products of two of them fit an `i32`.
    pub const MAX_SIDE: usize = 32767;

    /// An image over `data`, of full range. The last row may end with its last pixel, without the padding of
    /// the others.
    ///
    /// # Errors
    /// A side is larger than [`MAX_SIDE`](Self::MAX_SIDE), `stride` is shorter than a row, or `data` is too
    /// short.
    pub fn new(data: &'a [u8], width: usize, height: usize, stride: usize) -> Result<Self, ImageError> {
        if width > Self::MAX_SIDE || height > Self::MAX_SIDE {
            return Err(ImageError::TooLarge { width, height });
        }
        if stride < width {
            return Err(ImageError::Stride { stride, width });
        }
        let needed = match height {
            0 => 0,
            _ => stride.saturating_mul(height - 1).saturating_add(width),
        };
        if data.len() < needed {
            return Err(ImageError::TooShort { len: data.len(), needed });
        }
        Ok(Self { data, width, height, stride, limited_range: false })
    }

    /// The same image with its range: limited means that 16 is black and 235 is white, as in most video; full
    /// means 0 and 255.
    pub fn with_limited_range(self, limited_range: bool) -> Self {
        Self { limited_range, ..self }
    }

    /// Pixels in a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Number of rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Whether the image has no pixels.
    pub fn is_empty(&self) -> bool {
        self.width == 0 || self.height == 0
    }

    /// Whether 16 is black and 235 is white, rather than 0 and 255.
    pub fn is_limited_range(&self) -> bool {
        self.limited_range
    }

    /// The pixels of row `y`.
    ///
    /// # Panics
    /// Where `y` is not below the height.
    #[inline]
    pub fn row(&self, y: usize) -> &'a [u8] {
        let start = y * self.stride;
        &self.data[start..start + self.width]
    }

    /// The pixel in column `x` of row `y`.
    ///
    /// # Panics
    /// Where `y` is not below the height; `x` must be below the width.
    #[inline]
    pub fn pixel(&self, x: usize, y: usize) -> u8 {
        debug_assert!(x < self.width);
        self.data[y * self.stride + x]
    }

    /// The grey value at a place between pixels by bilinear interpolation; outside the image, that of its edge. The centre
    /// of the first pixel is at (0, 0).
    ///
    /// # Panics
    /// Where the image is empty.
    #[inline]
    pub fn interpolate(&self, x: f32, y: f32) -> f32 {
        let x = x.clamp(0.0, (self.width - 1) as f32);
        let y = y.clamp(0.0, (self.height - 1) as f32);
        let (left, top) = (x as usize, y as usize);
        let (right, bottom) = ((left + 1).min(self.width - 1), (top + 1).min(self.height - 1));
        let (fx, fy) = (x - left as f32, y - top as f32);
        let pixel = |x: usize, y: usize| f32::from(self.pixel(x, y));
        let upper = pixel(left, top) + (pixel(right, top) - pixel(left, top)) * fx;
        let lower = pixel(left, bottom) + (pixel(right, bottom) - pixel(left, bottom)) * fx;
        upper + (lower - upper) * fy
    }

    /// The grey values, times 256, at places that are `step` apart from `start` on: those of
    /// [`interpolate`](Self::interpolate), faster, with places rounded to a 256th of a pixel, or to the nearest pixel where
    /// `is_nearest` says so.
    ///
    /// # Panics
    /// Where the image is empty.
    pub fn sample_line(&self, start: (f64, f64), step: (f64, f64), is_nearest: bool, values: &mut [u16]) {
        let fixed = |(x, y): (f64, f64)| (to_fixed(x), to_fixed(y));
        if is_nearest {
            self.sample_nearest(fixed(start), fixed(step), values);
            return;
        }
        let last = values.len().saturating_sub(1) as f64;
        let is_inside = |(x, y): (f64, f64)| {
            // A margin for the rounding of the step.
            let is_within = |value: f64, side: usize| value >= 0.25 && value < side as f64 - 1.25;
            is_within(x, self.width) && is_within(y, self.height)
        };
        if is_inside(start) && is_inside((start.0 + last * step.0, start.1 + last * step.1)) {
            sample_row(self, fixed(start), fixed(step), values, |value| (value >> 8) as u16);
            return;
        }
        for (index, value) in values.iter_mut().enumerate() {
            let (x, y) = (start.0 + index as f64 * step.0, start.1 + index as f64 * step.1);
            *value = (self.interpolate(x as f32, y as f32) * 256.0) as u16;
        }
    }

    /// Does what [`sample_line`](Self::sample_line) does with the nearest pixels. Positions have [`FRACTION_BITS`].
    fn sample_nearest(&self, start: (i64, i64), step: (i64, i64), values: &mut [u16]) {
        let round = |position: i64| position.saturating_add(1 << (FRACTION_BITS - 1));
        let (mut x, mut y) = (round(start.0), round(start.1));
        let steps = values.len().saturating_sub(1) as i64;
        let is_inside = |first: i64, step: i64, side: usize| {
            let last = first.saturating_add(step.saturating_mul(steps));
            [first, last].iter().all(|position| (0..side as i64).contains(&(position >> FRACTION_BITS)))
        };
        let clamp =
            |position: i64, side: usize| (position >> FRACTION_BITS).clamp(0, side as i64 - 1) as usize;
        let is_level = step.1 == 0;
        if is_level && is_inside(x, step.0, self.width) {
            let row = self.row(clamp(y, self.height));
            for value in values {
                *value = u16::from(row[(x >> FRACTION_BITS) as usize]) << 8;
                x += step.0;
            }
        } else if is_inside(x, step.0, self.width) && is_inside(y, step.1, self.height) {
            for value in values {
                let (column, row) = ((x >> FRACTION_BITS) as usize, (y >> FRACTION_BITS) as usize);
                *value = u16::from(self.data[row * self.stride + column]) << 8;
                (x, y) = (x + step.0, y + step.1);
            }
        } else {
            for value in values {
                *value = u16::from(self.pixel(clamp(x, self.width), clamp(y, self.height))) << 8;
                (x, y) = (x.saturating_add(step.0), y.saturating_add(step.1));
            }
        }
    }

    /// The part of the image inside `rect`; what reaches beyond the image is cut off.
    pub fn crop(&self, rect: PixelRect) -> GrayImage<'a> {
        let [x, y, width, height] = [rect.x, rect.y, rect.w, rect.h].map(|value| value as usize);
        let (x, y) = (x.min(self.width), y.min(self.height));
        let (width, height) = (width.min(self.width - x), height.min(self.height - y));
        let data = self.data.get(y * self.stride + x..).unwrap_or_default();
        GrayImage { data, width, height, ..*self }
    }
}

/// Number of fraction bits of a position while a row is sampled.
pub(crate) const FRACTION_BITS: u32 = 16;

/// A position with [`FRACTION_BITS`].
pub(crate) fn to_fixed(value: f64) -> i64 {
    (value * f64::from(1 << FRACTION_BITS)).round() as i64
}

/// Samples an image at positions one step apart, all of which have a right and a lower neighbour. `convert` gets grey
/// values with 16 fraction bits.
#[inline]
pub(crate) fn sample_row<T>(
    image: &GrayImage,
    start: (i64, i64),
    step: (i64, i64),
    values: &mut [T],
    convert: impl Fn(u32) -> T,
) {
    let (mut x, mut y) = start;
    for converted in values {
        let corner = (y >> FRACTION_BITS) as usize * image.stride + (x >> FRACTION_BITS) as usize;
        let (fx, fy) = (((x >> 8) & 255) as u32, ((y >> 8) & 255) as u32);
        let pair = |corner: usize| match image.data.get(corner..corner + 2) {
            Some(&[left, right]) => u32::from(left) * (256 - fx) + u32::from(right) * fx,
            _ => 0,
        };
        *converted = convert(pair(corner) * (256 - fy) + pair(corner + image.stride) * fy);
        x += step.0;
        y += step.1;
    }
}

/// Image data that does not match the stated size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// A row or a column has more than [`GrayImage::MAX_SIDE`] pixels.
    #[error("an image of {width}x{height} is larger than 32767 pixels a side")]
    TooLarge {
        /// Pixels in a row.
        width: usize,
        /// Number of rows.
        height: usize,
    },
    /// A row would begin before the one above it ends.
    #[error("a stride of {stride} bytes is shorter than a row of {width} pixels")]
    Stride {
        /// Bytes from the start of a row to the start of the next.
        stride: usize,
        /// Pixels in a row.
        width: usize,
    },
    /// The data has fewer bytes than the size needs.
    #[error("{len} bytes of pixels where {needed} are needed")]
    TooShort {
        /// Bytes given.
        len: usize,
        /// Bytes needed.
        needed: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_checks_the_size() {
        let data = [0; 10];
        assert!(GrayImage::new(&data, 3, 3, 3).is_ok());
        assert!(GrayImage::new(&data, 2, 3, 4).is_ok(), "the last row needs no padding");
        assert!(GrayImage::new(&[], 0, 0, 0).is_ok_and(|image| image.is_empty()));
        assert!(GrayImage::new(&[], 5, 0, 5).is_ok_and(|image| image.is_empty()));
        assert_eq!(GrayImage::new(&data, 4, 3, 4).err(), Some(ImageError::TooShort { len: 10, needed: 12 }));
        assert_eq!(GrayImage::new(&data, 4, 2, 3).err(), Some(ImageError::Stride { stride: 3, width: 4 }));
        assert!(matches!(GrayImage::new(&data, 40000, 1, 40000), Err(ImageError::TooLarge { .. })));
        assert!(GrayImage::new(&data, 1, 3, usize::MAX).is_err());
    }

    #[test]
    fn crop_stays_inside_the_image() {
        let data: Vec<u8> = (0..12).collect();
        let image = GrayImage::new(&data, 4, 3, 4).unwrap().with_limited_range(true);
        let inner = image.crop(PixelRect { x: 1, y: 1, w: 2, h: 2 });
        assert_eq!((inner.row(0), inner.row(1)), (&data[5..7], &data[9..11]));
        assert!(inner.is_limited_range());
        let corner = image.crop(PixelRect { x: 3, y: 2, w: 9, h: 9 });
        assert_eq!((corner.width(), corner.height(), corner.row(0)), (1, 1, &data[11..12]));
        assert!(image.crop(PixelRect { x: 7, y: 7, w: 1, h: 1 }).is_empty());
    }

    #[test]
    fn a_line_has_the_values_of_its_places() {
        let data: Vec<u8> = (0..40 * 30_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let image = GrayImage::new(&data, 40, 30, 40).unwrap();
        for (start, step) in [
            ((5.3, 4.1), (0.9, 0.55)),
            ((30.0, 20.0), (-0.6, -0.3)),
            ((-4.0, 3.0), (1.7, 0.2)),
            ((20.0, 26.0), (0.1, 0.9)),
        ] {
            let mut values = [0; 20];
            image.sample_line(start, step, false, &mut values);
            let mut nearest = [0; 20];
            image.sample_line(start, step, true, &mut nearest);
            for (index, value) in values.iter().enumerate() {
                let (x, y) = (start.0 + step.0 * index as f64, start.1 + step.1 * index as f64);
                let expected = image.interpolate(x as f32, y as f32);
                assert!(
                    (f32::from(*value) / 256.0 - expected).abs() < 2.5,
                    "{start:?} {index}: {value} {expected}"
                );
            }
        }
        image.sample_line((1.0, 1.0), (1.0, 0.0), false, &mut []);
    }

    #[test]
    fn values_between_pixels_are_interpolated_and_the_edge_is_repeated() {
        let image = GrayImage::new(&[0, 100, 200, 40], 2, 2, 2).unwrap();
        for (x, y, expected) in [
            (0.0, 0.0, 0.0),
            (0.5, 0.0, 50.0),
            (0.5, 0.5, 85.0),
            (1.0, 0.25, 85.0),
            (-3.0, 9.0, 200.0),
            (9.0, -1.0, 100.0),
        ] {
            assert_eq!(image.interpolate(x, y), expected, "({x}, {y})");
        }
    }
}
