//! The search around a known face.

use face_track::Prediction;
use haar::{Params, PixelRect, Size};

/// Window sizes searched around a face are at least from its size divided by this to its size times this.
/// Windows a fifth larger or smaller than the face still agree on it.
const SIZE_RATIO: f64 = 1.3;
/// The window sizes also span at least this many levels of the pyramid on either side, for coarse scale
/// factors.
const LEVELS: f64 = 1.5;
/// Margin around the place of a face, in sides of the face.
const MARGIN: f64 = 0.35;
/// Growth of the margin while a face is not observed, in sides of the face a second.
const MARGIN_PER_SECOND: f64 = 1.0;
/// Around an upright face the margin is at most this, growing by [`UPRIGHT_MARGIN_PER_SECOND`]. Turned copies need more,
/// because their corners are cut off.
const UPRIGHT_MARGIN: f64 = 0.2;
/// How far heads move otherwise than predicted, in sides of the face a second.
const UPRIGHT_MARGIN_PER_SECOND: f64 = 2.0;

/// The settings of a search around a face, within the limits of those for the full frame. It uses one thread,
/// because it has few windows.
pub(crate) fn search_params(face: &Prediction, full_frame: &Params) -> Params {
    let PixelRect { w, h, .. } = face.rect;
    let ratio = SIZE_RATIO.max(full_frame.scale_factor.powf(LEVELS));
    let smallest = |side: f64, limit: u32| ((side / ratio) as u32).max(limit);
    let largest = |side: f64, limit: u32| match limit {
        0 => (side * ratio).ceil() as u32,
        limit => ((side * ratio).ceil() as u32).min(limit),
    };
    let (min, max) = (full_frame.min_size, full_frame.max_size);
    Params {
        min_size: Size { width: smallest(w, min.width), height: smallest(h, min.height) },
        max_size: Size { width: largest(w, max.width), height: largest(h, max.height) },
        // Where a face is expected, half of the evidence is enough.
        min_neighbors: if face.is_doubtful {
            full_frame.min_neighbors
        } else {
            full_frame.min_neighbors.div_ceil(2)
        },
        threads: 1,
        ..*full_frame
    }
}

/// A little larger region that serves the next frames too, because a search is planned anew for each other size.
pub(crate) fn snap(face: &Prediction, region: PixelRect) -> PixelRect {
    /// Smaller steps plan more searches anew; larger ones search more than is needed.
    const STEPS: f64 = 32.0;
    let step = ((face.rect.side() / STEPS) as u32).next_power_of_two();
    let down = |side: u32| side - side % step;
    let up = |side: u32| side.next_multiple_of(step);
    let (x, y) = (down(region.x), down(region.y));
    PixelRect { x, y, w: up(region.w + region.x - x), h: up(region.h + region.y - y) }
}

/// Whether the size of a face is within the limits of a full search, or just outside.
pub(crate) fn is_in_limits(face: &Prediction, full_frame: &Params) -> bool {
    /// Sides of one face in two frames differ by less.
    const RATIO: f64 = 1.1;
    let (side, min, max) = (face.rect.side(), full_frame.min_size.width, full_frame.max_size.width);
    side * RATIO >= f64::from(min) && (max == 0 || side <= f64::from(max) * RATIO)
}

/// The region to search for a face that leans by `roll` degrees: from where it was last observed to where it is predicted,
/// with a margin. May reach beyond the right and the lower edge of the image.
pub(crate) fn search_region(face: &Prediction, roll: f64) -> PixelRect {
    let seconds = face.unobserved_for as f64 / 1e9;
    let mut margin = MARGIN + MARGIN_PER_SECOND * seconds;
    if roll == 0.0 {
        margin = margin.min(UPRIGHT_MARGIN + UPRIGHT_MARGIN_PER_SECOND * seconds);
    }
    let span = |last: f64, last_length: f64, predicted: f64, length: f64| {
        let start = (last.min(predicted) - margin * length).max(0.0) as u32;
        let end = (last + last_length).max(predicted + length) + margin * length;
        (start, (end.ceil() as u32).saturating_sub(start))
    };
    let (last, predicted) = (face.last_rect, face.rect);
    let (x, w) = span(last.x, last.w, predicted.x, predicted.w);
    let (y, h) = span(last.y, last.h, predicted.y, predicted.h);
    PixelRect { x, y, w, h }
}
