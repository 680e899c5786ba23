//! The search for the eyes of a face.

use std::sync::Arc;

use haar::{Cascade, Detection, Detector, GrayImage, Params, ParamsError, PixelRect, Size};

/// Ratio of one window size to the next: finer than for faces, since eyes are few pixels wide and covered by
/// hair, glasses and shadow.
const SCALE_FACTOR: f64 = 1.1;
/// First and last row of a face, in percent of its height, that a window of an eye may cover. On filmed faces
/// the centres of such windows lie at 30 to 50 %.
const ROWS: (u32, u32) = (12, 62);
/// Smallest and largest window of an eye, in percent of the face's width. On filmed faces they have 18 to 35
/// %.
const SIZES: (u32, u32) = (18, 36);
/// How far the line between two eyes may lean, degrees. In a pair that leans more, one is a mouth corner or a
/// brow.
const MAX_ROLL: f64 = 30.0;

/// Searches faces for eyes.
#[derive(Clone, Debug)]
pub(crate) struct EyeFinder {
    detector: Detector,
}

impl EyeFinder {
    /// A finder with a cascade for eyes. Fails only if [`SCALE_FACTOR`] were out of range.
    pub(crate) fn new(cascade: Arc<Cascade>) -> Result<Self, ParamsError> {
        let params = Params { scale_factor: SCALE_FACTOR, ..Params::default() };
        Ok(Self { detector: Detector::new(cascade, params)? })
    }

    /// The best supported eye in each half of a face, from left to right. Of a pair that leans too far, only
    /// the better supported eye.
    pub(crate) fn find(
        &mut self,
        image: &GrayImage,
        face: &PixelRect,
    ) -> Result<Vec<Detection>, ParamsError> {
        let (top, bottom) = (face.h * ROWS.0 / 100, face.h * ROWS.1 / 100);
        let band = image.crop(PixelRect { y: face.y + top, h: bottom - top, ..*face });
        self.detector.set_params(Params {
            min_size: Size::square(face.w * SIZES.0 / 100),
            max_size: Size::square(face.w * SIZES.1 / 100),
            ..*self.detector.params()
        })?;
        let mut candidates = self.detector.detect(&band);
        candidates.iter_mut().for_each(|eye| eye.rect.y += top);
        let best_in_half = |is_left: bool| {
            candidates
                .iter()
                .filter(|eye| {
                    let (x, y) = doubled_centre(eye);
                    y <= face.h && (x < face.w) == is_left
                })
                .max_by_key(|eye| (eye.neighbors, eye.rect.w))
        };
        let chosen = match (best_in_half(true), best_in_half(false)) {
            (Some(left), Some(right)) if is_level(left, right) => vec![left, right],
            (Some(left), Some(right)) => vec![if left.neighbors >= right.neighbors { left } else { right }],
            (left, right) => left.into_iter().chain(right).collect(),
        };
        let to_image = |eye: &Detection| {
            let rect = PixelRect { x: eye.rect.x + face.x, y: eye.rect.y + face.y, ..eye.rect };
            Detection { rect, ..*eye }
        };
        Ok(chosen.into_iter().map(to_image).collect())
    }
}

/// Twice the centre, which is an integer.
fn doubled_centre(eye: &Detection) -> (u32, u32) {
    (2 * eye.rect.x + eye.rect.w, 2 * eye.rect.y + eye.rect.h)
}

/// Whether the line between two eyes leans by at most [`MAX_ROLL`].
fn is_level(a: &Detection, b: &Detection) -> bool {
    let ((ax, ay), (bx, by)) = (doubled_centre(a), doubled_centre(b));
    f64::from(ay.abs_diff(by)) <= f64::from(ax.abs_diff(bx)) * MAX_ROLL.to_radians().tan()
}
