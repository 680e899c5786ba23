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

    /// Means over the squares of a grid of samples: `rows` rows of `columns` values, each the mean of `samples` x `samples` samples,
    /// given to `put` one after the other, 0-255. Line `index` of the grid begins at `line_start(index)`, and its samples are `step`
    /// apart, as in [`sample_line`](Self::sample_line).
    ///
    /// # Panics
    /// Where the image is empty, or `samples` is 0.
    pub fn average_lines(
        &self,
        (columns, rows): (usize, usize),
        samples: usize,
        line_start: impl Fn(usize) -> (f64, f64),
        step: (f64, f64),
        is_nearest: bool,
        mut put: impl FnMut(f32),
    ) {
        let mut line = vec![0; columns * samples];
        let mut sums = vec![0u32; columns];
        // Values of a line are 256 times the grey values.
        let weight = 1.0 / (256 * samples * samples) as f32;
        for row in 0..rows {
            sums.fill(0);
            for sample in 0..samples {
                self.sample_line(line_start(row * samples + sample), step, is_nearest, &mut line);
                for (sum, values) in sums.iter_mut().zip(line.chunks_exact(samples)) {
                    *sum += values.iter().copied().map(u32::from).sum::<u32>();
                }
            }
            sums.iter().for_each(|&sum| put(sum as f32 * weight));
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
    #[cfg(target_arch = "x86_64")]
    if let Some(line) = gather::Line::new(image, start, step, values.len()) {
        // SAFETY: a line exists only where the CPU has AVX2.
        let done = unsafe { line.sample(values, &convert) };
        let skipped = done as i64;
        let start = (start.0 + skipped * step.0, start.1 + skipped * step.1);
        return sample_row_portably(image, start, step, &mut values[done..], convert);
    }
    sample_row_portably(image, start, step, values, convert);
}

/// [`sample_row`] for any CPU.
#[inline]
fn sample_row_portably<T>(
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

/// Sampling of a line of an image by gathered loads of AVX2.
#[cfg(target_arch = "x86_64")]
mod gather {
    use std::arch::x86_64::*;

    use super::{FRACTION_BITS, GrayImage};

    /// Number of positions that are sampled at a time.
    const LANES: usize = 8;
    /// Bytes that are loaded for two neighbouring pixels.
    const LOADED: usize = 4;

    /// A line whose loads all lie in the image's data.
    pub(super) struct Line<'a> {
        data: &'a [u8],
        stride: i32,
        start: (i32, i32),
        step: (i32, i32),
    }

    impl<'a> Line<'a> {
        /// A line of `length` positions; `None` where the CPU has no AVX2, where a load might lie outside the data, as in the
        /// image's lower right corner, or where a position or an index does not fit 32 bits.
        pub(super) fn new(
            image: &GrayImage<'a>,
            start: (i64, i64),
            step: (i64, i64),
            length: usize,
        ) -> Option<Self> {
            if length < LANES || !is_x86_feature_detected!("avx2") {
                return None;
            }
            // The position after the last one too, which is computed but not used.
            let end = |start: i64, step: i64| start.checked_add(step.checked_mul(length as i64)?);
            let (end_x, end_y) = (end(start.0, step.0)?, end(start.1, step.1)?);
            let narrow = |position: i64| i32::try_from(position).ok();
            narrow(end_x)?;
            narrow(end_y)?;
            let last = |start: i64, end: i64, step: i64| usize::try_from(start.max(end - step)).ok();
            let is_inside = start.0.min(end_x - step.0) >= 0 && start.1.min(end_y - step.1) >= 0;
            let column = last(start.0, end_x, step.0)? >> FRACTION_BITS;
            let row = last(start.1, end_y, step.1)? >> FRACTION_BITS;
            let loads_end = (row + 1).checked_mul(image.stride)?.checked_add(column + LOADED)?;
            i32::try_from(loads_end).ok()?;
            (is_inside && loads_end <= image.data.len()).then_some(Self {
                data: image.data,
                stride: i32::try_from(image.stride).ok()?,
                start: (narrow(start.0)?, narrow(start.1)?),
                step: (narrow(step.0)?, narrow(step.1)?),
            })
        }

        /// Writes the first values, all but fewer than [`LANES`], and returns their number.
        ///
        /// # Safety
        /// The CPU has AVX2.
        #[target_feature(enable = "avx2")]
        pub(super) unsafe fn sample<T>(&self, values: &mut [T], convert: &impl Fn(u32) -> T) -> usize {
            let lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
            let spread = |start: i32, step: i32| {
                let steps = _mm256_mullo_epi32(lanes, _mm256_set1_epi32(step));
                _mm256_add_epi32(_mm256_set1_epi32(start), steps)
            };
            let (mut x, mut y) = (spread(self.start.0, self.step.0), spread(self.start.1, self.step.1));
            // Eight steps may overflow behind the last block only, where they are not used.
            let step_x = _mm256_set1_epi32(self.step.0.wrapping_mul(LANES as i32));
            let step_y = _mm256_set1_epi32(self.step.1.wrapping_mul(LANES as i32));
            let (stride, byte) = (_mm256_set1_epi32(self.stride), _mm256_set1_epi32(255));
            let whole = _mm256_set1_epi32(256);
            let (blocks, _) = values.as_chunks_mut::<LANES>();
            for block in blocks.iter_mut() {
                let row = _mm256_srai_epi32::<{ FRACTION_BITS as i32 }>(y);
                let column = _mm256_srai_epi32::<{ FRACTION_BITS as i32 }>(x);
                let corner = _mm256_add_epi32(_mm256_mullo_epi32(row, stride), column);
                // SAFETY: `Line::new` has checked that every load lies in the data.
                let load = |corner| unsafe { _mm256_i32gather_epi32::<1>(self.data.as_ptr().cast(), corner) };
                let (upper, lower) = (load(corner), load(_mm256_add_epi32(corner, stride)));
                let fx = _mm256_and_si256(_mm256_srai_epi32::<8>(x), byte);
                let fy = _mm256_and_si256(_mm256_srai_epi32::<8>(y), byte);
                let weights = _mm256_or_si256(_mm256_sub_epi32(whole, fx), _mm256_slli_epi32::<16>(fx));
                let interpolate = |loaded| {
                    let left = _mm256_and_si256(loaded, byte);
                    let right =
                        _mm256_and_si256(_mm256_slli_epi32::<8>(loaded), _mm256_set1_epi32(255 << 16));
                    _mm256_madd_epi16(_mm256_or_si256(left, right), weights)
                };
                let upper = _mm256_mullo_epi32(interpolate(upper), _mm256_sub_epi32(whole, fy));
                let lower = _mm256_mullo_epi32(interpolate(lower), fy);
                let mut sums = [0u32; LANES];
                // SAFETY: the array has the size of the register.
                unsafe { _mm256_storeu_si256(sums.as_mut_ptr().cast(), _mm256_add_epi32(upper, lower)) };
                for (value, sum) in block.iter_mut().zip(sums) {
                    *value = convert(sum);
                }
                (x, y) = (_mm256_add_epi32(x, step_x), _mm256_add_epi32(y, step_y));
            }
            blocks.len() * LANES
        }
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
    fn a_line_sampled_by_vectors_equals_one_sampled_by_scalars() {
        let (width, height, stride) = (61, 47, 64);
        let data: Vec<u8> =
            (0..(stride * height) as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        for data in [&data[..], &data[..stride * (height - 1) + width]] {
            let image = GrayImage::new(data, width, height, stride).unwrap();
            let mut sampled = 0;
            for degrees in (0..360).step_by(5) {
                let (sin, cos) = f64::from(degrees).to_radians().sin_cos();
                for (length, scale) in [(3, 1.0), (8, 1.7), (21, 1.3), (40, 0.6)] {
                    for centre in [(30.0, 23.0), (14.3, 30.8), (45.0, 12.2), (58.0, 44.0)] {
                        let step = (to_fixed(cos * scale), to_fixed(sin * scale));
                        let first = |centre: f64, step: i64| to_fixed(centre) - step * length / 2;
                        let start = (first(centre.0, step.0), first(centre.1, step.1));
                        let is_inside = |start: i64, step: i64, side: usize| {
                            let limit = (side as i64 - 1) << FRACTION_BITS;
                            [start, start + step * (length - 1)]
                                .iter()
                                .all(|place| (0..limit).contains(place))
                        };
                        if !is_inside(start.0, step.0, width) || !is_inside(start.1, step.1, height) {
                            continue;
                        }
                        let [mut fast, mut portable] = [(); 2].map(|()| vec![0u32; length as usize]);
                        sample_row(&image, start, step, &mut fast, |value| value);
                        sample_row_portably(&image, start, step, &mut portable, |value| value);
                        assert_eq!(fast, portable, "{degrees} degrees, {length} from {centre:?}");
                        sampled += 1;
                    }
                }
            }
            assert!(sampled > 400, "{sampled}");
        }
    }

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
