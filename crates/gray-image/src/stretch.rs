//! Copies of an image with other sides, for video whose pixels are not square.

use crate::GrayImage;

/// A copy of an image with other sides. Its memory is kept from one copy to the next.
#[derive(Clone, Debug, Default)]
pub struct StretchedImage {
    pixels: Vec<u8>,
    width: usize,
    height: usize,
    limited_range: bool,
    /// For each column its left neighbour in the image and the weight of the right one, 0-256.
    columns: Vec<(usize, u32)>,
    /// Two rows of the image, interpolated, with 8 fraction bits.
    row: Vec<u32>,
}

impl StretchedImage {
    /// Resizes `image` to `width` x `height` pixels by bilinear interpolation, without a low-pass filter: made for
    /// sides that grow. Sides above [`GrayImage::MAX_SIDE`] are cut down to it. An empty image gives an empty copy.
    pub fn draw(&mut self, image: &GrayImage, width: usize, height: usize) {
        self.limited_range = image.is_limited_range();
        let is_empty = image.is_empty();
        self.width = if is_empty { 0 } else { width.min(GrayImage::MAX_SIDE) };
        self.height = if is_empty { 0 } else { height.min(GrayImage::MAX_SIDE) };
        self.pixels.resize(self.width * self.height, 0);
        if self.pixels.is_empty() {
            return;
        }
        self.columns.clear();
        self.columns.extend((0..self.width).map(|x| neighbours(x, self.width, image.width())));
        for (y, pixels) in self.pixels.chunks_exact_mut(self.width).enumerate() {
            let (top, weight) = neighbours(y, self.height, image.height());
            let (upper, lower) = (image.row(top), image.row((top + 1).min(image.height() - 1)));
            self.row.clear();
            let blend = |(&a, &b): (&u8, &u8)| u32::from(a) * (256 - weight) + u32::from(b) * weight;
            self.row.extend(upper.iter().zip(lower).map(blend));
            let last = self.row.len() - 1;
            for (pixel, &(left, weight)) in pixels.iter_mut().zip(&self.columns) {
                let value = self.row[left] * (256 - weight) + self.row[(left + 1).min(last)] * weight;
                *pixel = ((value + (1 << 15)) >> 16) as u8;
            }
        }
    }

    /// The copy as an image; empty before the first [`draw`](Self::draw).
    pub fn image(&self) -> GrayImage<'_> {
        let Self { width, height, limited_range, .. } = *self;
        GrayImage { data: &self.pixels, width, height, stride: width, limited_range }
    }
}

/// The pixel left of the centre of pixel `index` of a resized axis, and the weight of the one right of it, 0-256.
fn neighbours(index: usize, resized: usize, length: usize) -> (usize, u32) {
    let position = (index as f64 + 0.5) * length as f64 / resized as f64 - 0.5;
    let position = position.clamp(0.0, (length - 1) as f64);
    (position as usize, (position.fract() * 256.0).round() as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_of_the_same_size_is_the_image() {
        let data: Vec<u8> = (0..77_u32).map(|i| (i * 37 % 256) as u8).collect();
        let image = GrayImage::new(&data, 9, 7, 11).unwrap().with_limited_range(true);
        let mut copy = StretchedImage::default();
        copy.draw(&image, 9, 7);
        assert!((0..7).all(|y| copy.image().row(y) == image.row(y)) && copy.image().is_limited_range());
    }

    #[test]
    fn a_slope_stays_a_slope() {
        let data: Vec<u8> = (0..20 * 10).map(|i| (i % 20 * 8 + i / 20 * 4) as u8).collect();
        let image = GrayImage::new(&data, 20, 10, 20).unwrap();
        let mut copy = StretchedImage::default();
        for (width, height) in [(40, 10), (29, 10), (20, 25), (31, 17)] {
            copy.draw(&image, width, height);
            let copy = copy.image();
            for y in 2..height - 2 {
                for x in 2..width - 2 {
                    let place = |i: usize, side: usize, length: usize| {
                        (i as f64 + 0.5) * length as f64 / side as f64 - 0.5
                    };
                    let (x_image, y_image) = (place(x, width, 20), place(y, height, 10));
                    if x_image < 19.0 && x_image > 0.0 && y_image > 0.0 && y_image < 9.0 {
                        let expected = x_image * 8.0 + y_image * 4.0;
                        assert!(
                            (f64::from(copy.pixel(x, y)) - expected).abs() < 0.6,
                            "{width}x{height} {x} {y}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn empty_and_tiny_images_do_not_panic() {
        let mut copy = StretchedImage::default();
        copy.draw(&GrayImage::new(&[], 0, 0, 0).unwrap(), 10, 10);
        assert!(copy.image().is_empty());
        copy.draw(&GrayImage::new(&[7], 1, 1, 1).unwrap(), 3, 2);
        assert_eq!(copy.image().row(1), [7; 3]);
        copy.draw(&GrayImage::new(&[7], 1, 1, 1).unwrap(), 0, 2);
        assert!(copy.image().is_empty());
    }
}
