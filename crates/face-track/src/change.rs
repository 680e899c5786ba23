//! Whether anything but known people has moved since an earlier frame.

use gray_image::PixelRect;

use crate::samples::{COLUMNS, FrameSamples, ROWS};

/// The mean grey value of a cell, of about 25 samples, has changed if it differs by more than this. In the quietest quarter of five shots
/// from fixed cameras, cells a second apart differ by at most 0.6 in the median and by 0.5 to 3.2 in the 99th
/// percentile. A face that enters, and the head around it, cover at least one cell.
const MIN_CHANGE: f32 = 6.0;
/// The part of the picture that belongs to a person: the face's box and so much around it, in sides of the face. Shoulders
/// and hair move with the face; what a hand does is a change.
const BESIDE: f64 = 1.0;
const ABOVE: f64 = 0.5;
const BELOW: f64 = 1.5;

/// Compares frames with an earlier one.
#[derive(Clone, Debug, Default)]
pub struct ChangeDetector {
    /// The means of the cells of the earlier frame, see [`FrameSamples`]; `None` before there was one.
    cells: Option<[f32; COLUMNS * ROWS]>,
}

impl ChangeDetector {
    /// Compares later frames with this one.
    pub fn remember(&mut self, frame: &FrameSamples) {
        self.cells = Some(frame.cells);
    }

    /// Whether a frame differs from the one remembered elsewhere than at the people whose faces are at `faces`, pixels; also
    /// where none is remembered.
    pub fn has_changed(&self, frame: &FrameSamples, faces: &[PixelRect<f64>]) -> bool {
        let Some(before) = &self.cells else { return true };
        let (width, height) = (frame.width as f64 / COLUMNS as f64, frame.height as f64 / ROWS as f64);
        let belongs_to_person = |index: usize| {
            let x = ((index % COLUMNS) as f64 + 0.5) * width;
            let y = ((index / COLUMNS) as f64 + 0.5) * height;
            faces.iter().any(|face| {
                let (left, right) = (face.x - BESIDE * face.w, face.x + (1.0 + BESIDE) * face.w);
                let (top, bottom) = (face.y - ABOVE * face.h, face.y + (1.0 + BELOW) * face.h);
                (left..=right).contains(&x) && (top..=bottom).contains(&y)
            })
        };
        let cells = before.iter().zip(&frame.cells).enumerate();
        cells
            .filter(|(_, (before, now))| (*before - *now).abs() > MIN_CHANGE)
            .any(|(index, _)| !belongs_to_person(index))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gray_image::GrayImage;

    /// A wall with squares of 60 pixels at `places`, their upper left corners.
    fn frame(places: &[(usize, usize)]) -> FrameSamples {
        let (width, height) = (640, 360);
        let pixel = |i: usize| {
            let (x, y) = (i % width, i / width);
            let is_square = |&(left, top): &(usize, usize)| {
                (left..left + 60).contains(&x) && (top..top + 60).contains(&y)
            };
            if places.iter().any(is_square) { 150 } else { 90 + (x * 7 % 13) as u8 }
        };
        let pixels: Vec<u8> = (0..width * height).map(pixel).collect();
        FrameSamples::new(&GrayImage::new(&pixels, width, height, width).unwrap())
    }

    #[test]
    fn what_moves_away_from_known_people_is_a_change() {
        let face = PixelRect { x: 300.0, y: 100.0, w: 60.0, h: 60.0 };
        let mut change = ChangeDetector::default();
        assert!(change.has_changed(&frame(&[]), &[face]), "nothing is known yet");
        change.remember(&frame(&[(300, 100)]));
        assert!(!change.has_changed(&frame(&[(300, 100)]), &[]));
        assert!(!change.has_changed(&frame(&[(310, 110)]), &[face]), "the person moves");
        assert!(change.has_changed(&frame(&[(310, 110)]), &[]), "nobody is known there");
        for place in [(30, 40), (500, 100), (300, 290), (0, 300), (580, 0)] {
            assert!(change.has_changed(&frame(&[(300, 100), place]), &[face]), "{place:?}");
        }
    }
}
