//! Rectangles in pixels of the frame, and the conversion of boxes in shares of the frame.

use gray_image::PixelRect;
use mood_schema::Rect;

/// A rectangle in pixels of the frame; it may reach outside.
pub(super) type Area = PixelRect<i32>;

/// The area of a frame of `width` x `height` pixels.
pub(super) fn frame_area(width: u32, height: u32) -> Area {
    let to_side = |value: u32| i32::try_from(value).unwrap_or(i32::MAX);
    Area { x: 0, y: 0, w: to_side(width), h: to_side(height) }
}

/// The part of a box that lies inside `frame`, in whole pixels; `None` where no pixel does or the box is not a number.
pub(super) fn visible_area(rect: &Rect, frame: Area) -> Option<Area> {
    let visible_span = |start: f64, length: f64, side: i32| {
        let side = f64::from(side);
        let (start, end) = (start * side, (start + length) * side);
        // All comparisons are false for a NaN, which must give None.
        let is_visible = length > 0.0 && start < side && end > 0.0;
        is_visible.then(|| (start.max(0.0).round() as i32, end.min(side).round() as i32))
    };
    let (x, right) = visible_span(rect.x, rect.w, frame.w)?;
    let (y, bottom) = visible_span(rect.y, rect.h, frame.h)?;
    let area = Area { x, y, w: right - x, h: bottom - y };
    (area.w > 0 && area.h > 0).then_some(area)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Area = Area { x: 0, y: 0, w: 200, h: 100 };

    fn visible(x: f64, y: f64, w: f64, h: f64) -> Option<Area> {
        visible_area(&Rect { x, y, w, h }, FRAME)
    }

    #[test]
    fn boxes_are_clipped_to_the_frame() {
        assert_eq!(visible(0.25, 0.5, 0.5, 0.25), Some(Area { x: 50, y: 50, w: 100, h: 25 }));
        assert_eq!(visible(-0.5, -1.0, 2.0, 1.5), Some(Area { x: 0, y: 0, w: 200, h: 50 }));
        assert_eq!(visible(-1e300, 0.0, 2e300, 1.0), Some(FRAME));
    }

    #[test]
    fn boxes_without_visible_pixels_give_no_area() {
        for (x, y, w, h) in [
            (1.0, 0.0, 0.5, 0.5),
            (-0.5, 0.0, 0.5, 0.5),
            (0.5, 0.5, 0.0, 0.5),
            (0.5, 0.5, -0.2, 0.5),
            (0.5, 0.5, 1e-9, 0.5),
            (f64::NAN, 0.0, 0.5, 0.5),
            (0.0, f64::NEG_INFINITY, 0.5, f64::INFINITY),
            (0.0, 0.0, f64::NAN, 0.5),
            (f64::INFINITY, 0.0, 0.5, 0.5),
        ] {
            assert_eq!(visible(x, y, w, h), None, "{x} {y} {w} {h}");
        }
        assert_eq!(visible_area(&Rect { x: 0.0, y: 0.0, w: 1.0, h: 1.0 }, Area::default()), None);
    }
}
