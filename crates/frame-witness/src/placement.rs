//! Where a frame lies in another one that was made from it.

use mood_schema::Rect;

/// The complete frame.
pub(crate) const WHOLE: Rect = Rect { x: 0.0, y: 0.0, w: 1.0, h: 1.0 };

/// One of the eight ways to flip a frame and to turn it by quarters: rows and columns are exchanged first, then the result
/// is mirrored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Orientation {
    /// Whether rows become columns.
    pub is_transposed: bool,
    /// Whether left and right are exchanged.
    pub is_mirrored_x: bool,
    /// Whether top and bottom are exchanged.
    pub is_mirrored_y: bool,
}

impl Orientation {
    /// All orientations; the upright one is the first.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..8).map(|bits| Self {
            is_transposed: bits & 4 != 0,
            is_mirrored_x: bits & 1 != 0,
            is_mirrored_y: bits & 2 != 0,
        })
    }

    /// A rectangle of the frame in shares of the turned frame.
    pub fn map(self, rect: &Rect) -> Rect {
        let mut mapped = *rect;
        if self.is_transposed {
            mapped = Rect { x: rect.y, y: rect.x, w: rect.h, h: rect.w };
        }
        if self.is_mirrored_x {
            mapped.x = 1.0 - mapped.x - mapped.w;
        }
        if self.is_mirrored_y {
            mapped.y = 1.0 - mapped.y - mapped.h;
        }
        mapped
    }

    /// The index of the cell of an upright grid of `side` x `side` cells that lies at `column`, `row` of the turned one.
    pub(crate) fn source_index(self, column: usize, row: usize, side: usize) -> usize {
        let x = if self.is_mirrored_x { side - 1 - column } else { column };
        let y = if self.is_mirrored_y { side - 1 - row } else { row };
        if self.is_transposed { x * side + y } else { y * side + x }
    }
}

/// Where a source frame lies in a later frame that was made from it: turned first, then scaled and moved.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Placement {
    /// How the source frame is flipped and turned.
    pub orientation: Orientation,
    /// The area that the complete source frame has, in shares of the later frame; it reaches outside where the later one is
    /// a crop, and is smaller where that has borders.
    pub area: Rect,
}

impl Default for Placement {
    /// The unchanged frame.
    fn default() -> Self {
        Self { orientation: Orientation::default(), area: WHOLE }
    }
}

impl Placement {
    /// A rectangle of the source frame in shares of the later frame.
    pub fn map(&self, rect: &Rect) -> Rect {
        place(&self.orientation.map(rect), &self.area)
    }

    /// Whether boxes stay where they are.
    pub fn is_identity(&self) -> bool {
        *self == Self::default()
    }
}

/// A rectangle given in shares of `area`, in the unit of `area`.
pub(crate) fn place(rect: &Rect, area: &Rect) -> Rect {
    Rect { x: area.x + rect.x * area.w, y: area.y + rect.y * area.h, w: rect.w * area.w, h: rect.h * area.h }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_and_rectangles_turn_alike() {
        const SIDE: usize = 5;
        for orientation in Orientation::all() {
            for row in 0..SIDE {
                for column in 0..SIDE {
                    let source = orientation.source_index(column, row, SIDE);
                    let cell = |column: usize, row: usize| Rect {
                        x: column as f64 / SIDE as f64,
                        y: row as f64 / SIDE as f64,
                        w: 1.0 / SIDE as f64,
                        h: 1.0 / SIDE as f64,
                    };
                    let mapped = orientation.map(&cell(source % SIDE, source / SIDE));
                    let expected = cell(column, row);
                    let is_near = (mapped.x - expected.x).abs() + (mapped.y - expected.y).abs() < 1e-9;
                    assert!(is_near, "{orientation:?} {column} {row}: {mapped:?}");
                }
            }
        }
    }

    #[test]
    fn placement_scales_and_moves_after_turning() {
        let clockwise = Orientation { is_transposed: true, is_mirrored_x: true, is_mirrored_y: false };
        let area = Rect { x: 0.25, y: -0.5, w: 0.5, h: 2.0 };
        let face = Rect { x: 0.0, y: 0.75, w: 0.5, h: 0.25 };
        let placement = Placement { orientation: clockwise, area };
        assert_eq!(placement.map(&face), Rect { x: 0.25, y: -0.5, w: 0.125, h: 1.0 });
        assert!(Placement::default().is_identity() && !placement.is_identity());
    }
}
