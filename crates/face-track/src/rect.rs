//! Boxes, and how alike two of them are.

/// A box, in any unit that stays the same from frame to frame.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rect {
    /// Left edge.
    pub x: f64,
    /// Upper edge.
    pub y: f64,
    /// Width.
    pub w: f64,
    /// Height.
    pub h: f64,
}

impl Rect {
    /// The area both cover over the area either covers (Jaccard index), 0-1; 0 where a box is empty.
    pub fn overlap(&self, other: &Self) -> f64 {
        let side = |a: f64, a_length: f64, b: f64, b_length: f64| {
            ((a + a_length).min(b + b_length) - a.max(b)).max(0.0)
        };
        let both = side(self.x, self.w, other.x, other.w) * side(self.y, self.h, other.y, other.h);
        let either = self.w * self.h + other.w * other.h - both;
        if both > 0.0 { both / either } else { 0.0 }
    }

    /// Horizontal, vertical.
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
    fn overlap_is_the_jaccard_index() {
        let square = |x: f64, y: f64, side: f64| Rect { x, y, w: side, h: side };
        let one = square(0.0, 0.0, 10.0);
        assert_eq!(one.overlap(&one), 1.0);
        assert_eq!(one.overlap(&square(5.0, 0.0, 10.0)), 50.0 / 150.0);
        assert_eq!(one.overlap(&square(10.0, 0.0, 10.0)), 0.0);
        assert_eq!(one.overlap(&square(2.0, 2.0, 0.0)), 0.0);
    }

    #[test]
    fn centre_and_side() {
        let rect = Rect { x: 1.0, y: 2.0, w: 9.0, h: 4.0 };
        assert_eq!((rect.centre(), rect.side()), ((5.5, 4.0), 6.0));
    }
}
