//! The search for the eyes of a face.

use std::sync::Arc;

use gray_image::{Turn, TurnedImage};
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

/// A face that leans by more than this is levelled before the search, degrees. In one that leans less, eyes are
/// in the rows of [`ROWS`].
const LEVEL_ROLL: f64 = 5.0;

/// Searches faces for eyes.
#[derive(Clone, Debug)]
pub(crate) struct EyeFinder {
    detector: Detector,
    /// A tilted face, levelled.
    level: TurnedImage,
}

impl EyeFinder {
    /// A finder with a cascade for eyes. Fails only if [`SCALE_FACTOR`] were out of range.
    pub(crate) fn new(cascade: Arc<Cascade>) -> Result<Self, ParamsError> {
        let params = Params { scale_factor: SCALE_FACTOR, ..Params::default() };
        Ok(Self { detector: Detector::new(cascade, params)?, level: TurnedImage::default() })
    }

    /// The eyes of a face that leans by `roll` degrees, see [`find`](Self::find), as upright squares around them.
    pub(crate) fn find_level(
        &mut self,
        image: &GrayImage,
        face: &PixelRect,
        roll: f64,
    ) -> Result<Vec<Detection>, ParamsError> {
        if roll.abs() <= LEVEL_ROLL {
            return self.find(image, face);
        }
        let side = face.w.max(face.h);
        let turn = Turn {
            centre: face.to_f64().centre(),
            width: side as usize,
            height: side as usize,
            degrees: roll,
            reduction: 1.0,
        };
        let mut level = std::mem::take(&mut self.level);
        level.draw(image, &turn);
        let eyes = self.find(&level.image(), &PixelRect { x: 0, y: 0, w: side, h: side });
        self.level = level;
        let to_image = |eye: Detection| {
            let rect = turn.rect_to_image(&eye.rect);
            let start = |value: f64| value.round().max(0.0) as u32;
            let (x, y) = (start(rect.x), start(rect.y));
            let clip = |from: u32, length: u32, limit: usize| length.min((limit as u32).saturating_sub(from));
            let (w, h) = (clip(x, eye.rect.w, image.width()), clip(y, eye.rect.h, image.height()));
            (w > 0 && h > 0).then_some(Detection { rect: PixelRect { x, y, w, h }, ..eye })
        };
        let mut eyes: Vec<Detection> = eyes?.into_iter().filter_map(to_image).collect();
        eyes.sort_by_key(|eye| eye.rect.x);
        Ok(eyes)
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
