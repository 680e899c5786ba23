//! Rectangles in pixels.

/// A rectangle in pixels of an image: whole pixels (`u32`, or `i32` where a corner may lie outside the image), or
/// sub-pixel positions (`f64`).
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

impl PixelRect<f64> {
    /// Intersection over union (Jaccard index), 0-1: the area that both rectangles cover over the area that either
    /// covers. 0 where a rectangle is empty.
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
}
