//! Rectangles in pixels.

/// A rectangle in pixels of an image: whole pixels (`u32`, or `i32` where a corner may lie outside the
/// image), or sub-pixel positions (`f64`).
///
/// Shares of the frame, 0-1, are a type of their own, `mood_schema::Rect`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PixelRect<T = u32> {
    /// Left edge.
    pub x: T,
    /// Upper edge.
    pub y: T,
    /// Width.
    pub w: T,
    /// Height.
    pub h: T,
}

impl PixelRect<u32> {
    /// The same rectangle with sub-pixel positions.
    pub fn to_f64(&self) -> PixelRect<f64> {
        let Self { x, y, w, h } = *self;
        PixelRect { x: x.into(), y: y.into(), w: w.into(), h: h.into() }
    }

    /// Number of pixels.
    pub fn area(&self) -> u64 {
        u64::from(self.w) * u64::from(self.h)
    }
}

impl PixelRect<i32> {
    /// The right edge, the first column outside.
    pub fn right(&self) -> i32 {
        self.x + self.w
    }

    /// The lower edge, the first row outside.
    pub fn bottom(&self) -> i32 {
        self.y + self.h
    }

    /// Number of pixels.
    pub fn area(&self) -> i64 {
        i64::from(self.w) * i64::from(self.h)
    }

    /// The rectangle with `margin` pixels added on each side; a negative margin shrinks it.
    pub fn expand(&self, margin: i32) -> Self {
        Self { x: self.x - margin, y: self.y - margin, w: self.w + 2 * margin, h: self.h + 2 * margin }
    }

    /// Whether the two rectangles have a pixel in common.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.x < other.right() && other.x < self.right() && self.y < other.bottom() && other.y < self.bottom()
    }

    /// Whether `other` lies inside this rectangle.
    pub fn contains(&self, other: &Self) -> bool {
        self.x <= other.x
            && self.y <= other.y
            && self.right() >= other.right()
            && self.bottom() >= other.bottom()
    }

    /// The smallest rectangle that contains both.
    pub fn union(&self, other: &Self) -> Self {
        let (x, y) = (self.x.min(other.x), self.y.min(other.y));
        Self { x, y, w: self.right().max(other.right()) - x, h: self.bottom().max(other.bottom()) - y }
    }

    /// The pixels that the two rectangles have in common; `None` where there are none.
    pub fn intersection(&self, other: &Self) -> Option<Self> {
        let (x, y) = (self.x.max(other.x), self.y.max(other.y));
        let common =
            Self { x, y, w: self.right().min(other.right()) - x, h: self.bottom().min(other.bottom()) - y };
        (common.w > 0 && common.h > 0).then_some(common)
    }

    /// The rectangle moved as little as necessary to lie inside `outer`; `None` where it is larger than
    /// `outer`.
    pub fn move_into(&self, outer: &Self) -> Option<Self> {
        let fits = self.w <= outer.w && self.h <= outer.h;
        fits.then(|| Self {
            x: self.x.clamp(outer.x, outer.right() - self.w),
            y: self.y.clamp(outer.y, outer.bottom() - self.h),
            ..*self
        })
    }
}

impl PixelRect<f64> {
    /// Intersection over union (Jaccard index), 0-1: the area that both rectangles cover over the area that
    /// either covers. 0 where a rectangle is empty.
    pub fn intersection_over_union(&self, other: &Self) -> f64 {
        let overlap = |a: f64, a_length: f64, b: f64, b_length: f64| {
            ((a + a_length).min(b + b_length) - a.max(b)).max(0.0)
        };
        let intersection =
            overlap(self.x, self.w, other.x, other.w) * overlap(self.y, self.h, other.y, other.h);
        let union = self.w * self.h + other.w * other.h - intersection;
        if intersection > 0.0 { intersection / union } else { 0.0 }
    }

    /// The centre, x and y.
    pub fn centre(&self) -> (f64, f64) {
        (self.x + self.w / 2.0, self.y + self.h / 2.0)
    }

    /// The side of a square of the same area.
    pub fn side(&self) -> f64 {
        (self.w * self.h).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intersection_over_union_is_the_jaccard_index() {
        let square = |x: f64, y: f64, side: f64| PixelRect { x, y, w: side, h: side };
        let one = square(0.0, 0.0, 10.0);
        assert_eq!(one.intersection_over_union(&one), 1.0);
        assert_eq!(one.intersection_over_union(&square(5.0, 0.0, 10.0)), 50.0 / 150.0);
        assert_eq!(one.intersection_over_union(&square(10.0, 0.0, 10.0)), 0.0);
        assert_eq!(one.intersection_over_union(&square(2.0, 2.0, 0.0)), 0.0);
    }

    #[test]
    fn centre_and_side() {
        let rect = PixelRect { x: 1, y: 2, w: 9, h: 4 };
        assert_eq!((rect.to_f64().centre(), rect.to_f64().side()), ((5.5, 4.0), 6.0));
        assert_eq!(rect.area(), 36);
    }

    #[test]
    fn rectangles_that_reach_outside_are_moved_and_clipped() {
        let outer = PixelRect { x: 0, y: 0, w: 200, h: 100 };
        let rect: PixelRect<i32> = PixelRect { x: 190, y: -5, w: 30, h: 20 };
        assert_eq!(rect.move_into(&outer), Some(PixelRect { x: 170, y: 0, w: 30, h: 20 }));
        assert_eq!(PixelRect { w: 201, ..rect }.move_into(&outer), None);
        assert_eq!(rect.intersection(&outer), Some(PixelRect { x: 190, y: 0, w: 10, h: 15 }));
        assert_eq!(rect.union(&outer), PixelRect { x: 0, y: -5, w: 220, h: 105 });
        assert!(rect.overlaps(&outer) && !outer.contains(&rect));
        assert_eq!(rect.expand(2), PixelRect { x: 188, y: -7, w: 34, h: 24 });
    }
}
