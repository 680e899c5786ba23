//! The shape of pixels: boxes in stored pixels, as metadata has them, and in square ones, in which faces have the shape
//! that detectors and classifiers were trained with.

use gray_image::{GrayImage, PixelRect, StretchedImage};

use crate::region::FaceRegion;

/// A pixel is taken to be square if its sides differ by less than this, as a share.
const TOLERANCE: f64 = 0.01;
/// The longest pixels believed, as a ratio of sides: that of the widest in use, 720x480 anamorphic over 16:9, is 1.43, that
/// of two fields side by side 2.
const MAX_RATIO: f64 = 4.0;

/// How many square pixels a stored pixel is wide and high: 1 for the shorter side, so that nothing is lost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PixelAspect {
    x: f64,
    y: f64,
}

impl PixelAspect {
    /// The shape of the pixels of a video. One that is not positive, or too far from square to be meant, is square.
    pub fn from_info(info: &gst_video::VideoInfo) -> Self {
        let par = info.par();
        let ratio = f64::from(par.numer()) / f64::from(par.denom());
        if !(1.0 / MAX_RATIO..=MAX_RATIO).contains(&ratio) || (ratio - 1.0).abs() < TOLERANCE {
            return Self { x: 1.0, y: 1.0 };
        }
        Self { x: ratio.max(1.0), y: (1.0 / ratio).max(1.0) }
    }

    /// Whether stored pixels are square.
    pub fn is_square(&self) -> bool {
        self.x == 1.0 && self.y == 1.0
    }

    /// Width and height in square pixels of a frame of `width` x `height` stored ones.
    pub fn square_size(&self, width: u32, height: u32) -> (usize, usize) {
        let side = |side: u32, scale: f64| (f64::from(side) * scale).round() as usize;
        (side(width, self.x), side(height, self.y))
    }

    /// The image in square pixels: itself, or drawn into `stretched`.
    pub fn square_image<'a>(&self, image: GrayImage<'a>, stretched: &'a mut StretchedImage) -> GrayImage<'a> {
        if self.is_square() {
            return image;
        }
        let (width, height) = self.square_size(image.width() as u32, image.height() as u32);
        stretched.draw(&image, width, height);
        stretched.image()
    }

    /// A box in square pixels for one in stored pixels.
    pub fn to_square(&self, rect: &PixelRect) -> PixelRect {
        scale(rect, self.x, self.y)
    }

    /// A box in stored pixels for one in square pixels.
    pub fn to_stored(&self, rect: &PixelRect) -> PixelRect {
        scale(rect, 1.0 / self.x, 1.0 / self.y)
    }

    /// A face in square pixels for one in stored pixels.
    pub fn face_to_square(&self, face: &FaceRegion) -> FaceRegion {
        FaceRegion {
            bbox: self.to_square(&face.bbox),
            eyes: face.eyes.iter().map(|eye| self.to_square(eye)).collect(),
            ..face.clone()
        }
    }

    /// A face in stored pixels for one in square pixels; the roll stays that in square ones.
    pub fn face_to_stored(&self, face: &FaceRegion) -> FaceRegion {
        FaceRegion {
            bbox: self.to_stored(&face.bbox),
            eyes: face.eyes.iter().map(|eye| self.to_stored(eye)).collect(),
            ..face.clone()
        }
    }
}

/// Scales a box, edge by edge; its sides stay at least 1.
fn scale(rect: &PixelRect, x: f64, y: f64) -> PixelRect {
    if x == 1.0 && y == 1.0 {
        return *rect;
    }
    let span = |start: u32, length: u32, scale: f64| {
        let edge = |value: f64| (value * scale).round() as u32;
        let (first, last) = (edge(start.into()), edge(f64::from(start) + f64::from(length)));
        (first, (last - first).max(1))
    };
    let ((x, w), (y, h)) = (span(rect.x, rect.w, x), span(rect.y, rect.h, y));
    PixelRect { x, y, w, h }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aspect(numerator: i32, denominator: i32) -> PixelAspect {
        let info = gst_video::VideoInfo::builder(gst_video::VideoFormat::Gray8, 720, 576);
        let info = info.par(gst::Fraction::new(numerator, denominator)).build().unwrap();
        PixelAspect::from_info(&info)
    }

    #[test]
    fn pixels_become_square_without_loss() {
        gst::init().unwrap();
        assert!(aspect(1, 1).is_square() && aspect(1000, 1001).is_square() && aspect(100, 1).is_square());
        assert_eq!(aspect(64, 45).square_size(720, 576), (1024, 576));
        assert_eq!(aspect(1, 2).square_size(720, 576), (720, 1152));
        let stored = PixelRect { x: 10, y: 20, w: 30, h: 60 };
        assert_eq!(aspect(2, 1).to_square(&stored), PixelRect { x: 20, y: 20, w: 60, h: 60 });
        assert_eq!(aspect(2, 1).to_stored(&aspect(2, 1).to_square(&stored)), stored);
        assert_eq!(aspect(1, 1).to_square(&stored), stored);
    }

    #[test]
    fn the_roll_is_that_in_square_pixels() {
        gst::init().unwrap();
        let eye = |x: u32, y: u32| PixelRect { x, y, w: 10, h: 10 };
        let square = FaceRegion {
            id: 1,
            bbox: PixelRect { x: 100, y: 100, w: 80, h: 80 },
            confidence: None,
            detector_roll: Some(45.0),
            source: Default::default(),
            resembles: None,
            eyes: vec![eye(110, 120), eye(150, 160)],
        };
        let stored = aspect(2, 1).face_to_stored(&square);
        assert_eq!(stored.bbox, PixelRect { x: 50, y: 100, w: 40, h: 80 });
        assert_eq!(stored.roll(), Some(45.0));
        assert_eq!(aspect(2, 1).face_to_square(&stored).bbox, square.bbox);
    }
}
