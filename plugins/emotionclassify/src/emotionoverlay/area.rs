//! Rectangles of whole pixels: what layout moves about and drawing fills.

use mood_schema::Rect;

/// A rectangle in pixels of the frame; its right and lower edges are just outside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Area {
    pub x: i32,
    pub y: i32,
    pub w: i32,
    pub h: i32,
}

impl Area {
    /// A frame as an area.
    pub fn frame(w: u32, h: u32) -> Self {
        let side = |value: u32| i32::try_from(value).unwrap_or(i32::MAX);
        Self { x: 0, y: 0, w: side(w), h: side(h) }
    }

    /// What of a box in shares of the frame lies inside it; `None` where that is nothing or the box is not a number.
    pub fn of_shares(rect: &Rect, frame: Self) -> Option<Self> {
        let span = |start: f64, length: f64, whole: i32| {
            let whole = f64::from(whole);
            let (start, end) = (start * whole, (start + length) * whole);
            // Not `length <= 0`: a NaN must end here too.
            let visible = length > 0.0 && start < whole && end > 0.0;
            visible.then(|| (start.max(0.0).round() as i32, end.min(whole).round() as i32))
        };
        let ((x, right), (y, bottom)) = (span(rect.x, rect.w, frame.w)?, span(rect.y, rect.h, frame.h)?);
        let area = Self { x, y, w: right - x, h: bottom - y };
        (area.w > 0 && area.h > 0).then_some(area)
    }

    pub fn right(&self) -> i32 {
        self.x + self.w
    }

    pub fn bottom(&self) -> i32 {
        self.y + self.h
    }

    /// Pixels covered.
    pub fn size(&self) -> i64 {
        i64::from(self.w) * i64::from(self.h)
    }

    /// Larger by `by` on every side.
    pub fn grown(&self, by: i32) -> Self {
        Self { x: self.x - by, y: self.y - by, w: self.w + 2 * by, h: self.h + 2 * by }
    }

    pub fn overlaps(&self, other: &Self) -> bool {
        self.x < other.right() && other.x < self.right() && self.y < other.bottom() && other.y < self.bottom()
    }

    pub fn contains(&self, other: &Self) -> bool {
        self.x <= other.x
            && self.y <= other.y
            && self.right() >= other.right()
            && self.bottom() >= other.bottom()
    }

    /// The smallest area that holds both.
    pub fn union(&self, other: &Self) -> Self {
        let (x, y) = (self.x.min(other.x), self.y.min(other.y));
        Self { x, y, w: self.right().max(other.right()) - x, h: self.bottom().max(other.bottom()) - y }
    }

    /// The part both share, if any.
    pub fn intersection(&self, other: &Self) -> Option<Self> {
        let (x, y) = (self.x.max(other.x), self.y.max(other.y));
        let area =
            Self { x, y, w: self.right().min(other.right()) - x, h: self.bottom().min(other.bottom()) - y };
        (area.w > 0 && area.h > 0).then_some(area)
    }

    /// Moved as little as needed to lie inside `frame`; `None` where it is larger.
    pub fn moved_into(&self, frame: &Self) -> Option<Self> {
        let fits = self.w <= frame.w && self.h <= frame.h;
        fits.then(|| Self {
            x: self.x.clamp(frame.x, frame.right() - self.w),
            y: self.y.clamp(frame.y, frame.bottom() - self.h),
            ..*self
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Area = Area { x: 0, y: 0, w: 200, h: 100 };

    fn shares(x: f64, y: f64, w: f64, h: f64) -> Option<Area> {
        Area::of_shares(&Rect { x, y, w, h }, FRAME)
    }

    #[test]
    fn shares_become_what_can_be_seen() {
        assert_eq!(shares(0.25, 0.5, 0.5, 0.25), Some(Area { x: 50, y: 50, w: 100, h: 25 }));
        assert_eq!(shares(-0.5, -1.0, 2.0, 1.5), Some(Area { x: 0, y: 0, w: 200, h: 50 }));
        assert_eq!(shares(-1e300, 0.0, 2e300, 1.0), Some(FRAME));
    }

    #[test]
    fn what_cannot_be_seen_is_left_out() {
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
            assert_eq!(shares(x, y, w, h), None, "{x} {y} {w} {h}");
        }
        assert_eq!(Area::of_shares(&Rect { x: 0.0, y: 0.0, w: 1.0, h: 1.0 }, Area::default()), None);
    }

    #[test]
    fn areas_are_moved_only_as_needed() {
        let area = Area { x: 190, y: -5, w: 30, h: 20 };
        assert_eq!(area.moved_into(&FRAME), Some(Area { x: 170, y: 0, w: 30, h: 20 }));
        assert_eq!(Area { w: 201, ..area }.moved_into(&FRAME), None);
        assert_eq!(area.intersection(&FRAME), Some(Area { x: 190, y: 0, w: 10, h: 15 }));
        assert_eq!(area.union(&FRAME), Area { x: 0, y: -5, w: 220, h: 105 });
        assert!(area.overlaps(&FRAME) && !FRAME.contains(&area));
    }
}
