//! A grey picture, borrowed.

use crate::ImageError;

/// A view of 8-bit luma: rows of `width` pixels, `stride` bytes apart.
#[derive(Clone, Copy, Debug)]
pub struct GrayImage<'a> {
    data: &'a [u8],
    width: usize,
    height: usize,
    stride: usize,
}

impl<'a> GrayImage<'a> {
    /// The largest width and height.
    pub const MAX_SIDE: usize = 32767;

    /// Checks that `data` holds `height` rows. The last row may end with its last pixel; any size may be 0.
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
        Ok(Self { data, width, height, stride })
    }

    /// Pixels a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// The part of the picture inside a rectangle, which is cut to the picture where it reaches beyond.
    pub fn crop(&self, x: usize, y: usize, width: usize, height: usize) -> GrayImage<'a> {
        let (x, y) = (x.min(self.width), y.min(self.height));
        let (width, height) = (width.min(self.width - x), height.min(self.height - y));
        let data = self.data.get(y * self.stride + x..).unwrap_or_default();
        GrayImage { data, width, height, stride: self.stride }
    }

    /// A row; `y` is below the height.
    pub(crate) fn row(&self, y: usize) -> &'a [u8] {
        let start = y * self.stride;
        &self.data[start..start + self.width]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_checked() {
        let data = [0; 10];
        assert!(GrayImage::new(&data, 3, 3, 3).is_ok());
        assert!(GrayImage::new(&data, 2, 3, 4).is_ok(), "the last row needs no padding");
        assert!(GrayImage::new(&[], 0, 0, 0).is_ok());
        assert!(GrayImage::new(&[], 5, 0, 5).is_ok());
        assert_eq!(GrayImage::new(&data, 4, 3, 4).err(), Some(ImageError::TooShort { len: 10, needed: 12 }));
        assert_eq!(GrayImage::new(&data, 4, 2, 3).err(), Some(ImageError::Stride { stride: 3, width: 4 }));
        assert!(matches!(GrayImage::new(&data, 40000, 1, 40000), Err(ImageError::TooLarge { .. })));
        assert!(GrayImage::new(&data, 1, 3, usize::MAX).is_err());
    }

    #[test]
    fn a_crop_stays_inside() {
        let data: Vec<u8> = (0..12).collect();
        let image = GrayImage::new(&data, 4, 3, 4).unwrap();
        let part = image.crop(1, 1, 2, 2);
        assert_eq!((part.row(0), part.row(1)), (&data[5..7], &data[9..11]));
        let cut = image.crop(3, 2, 9, 9);
        assert_eq!((cut.width(), cut.height(), cut.row(0)), (1, 1, &data[11..12]));
        let none = image.crop(7, 7, 1, 1);
        assert_eq!((none.width(), none.height()), (0, 0));
    }
}
