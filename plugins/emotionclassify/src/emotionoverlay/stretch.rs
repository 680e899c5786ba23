//! Stretches the drawing of a box to any size: all that differs between boxes of one kind is how long their edges are.

use super::geometry::Area;

/// Which pixels of a small drawing those of a part of a larger one are.
#[derive(Clone, Debug)]
pub(super) struct Stretch {
    /// Width of the small drawing.
    width: usize,
    /// For each column of the part the one in the small drawing.
    columns: Vec<usize>,
    /// The same for its rows.
    rows: Vec<usize>,
}

impl Stretch {
    /// The `part` of a drawing of `own` width and height that is stretched to `size` by repeating the middle column and row,
    /// which are `corner` pixels from the edges or further.
    pub fn new(part: Area, own: (i32, i32), size: (i32, i32), corner: i32) -> Self {
        let source = |position: i32, length: i32, own: i32| {
            let source = match position {
                _ if length == own => position,
                near if near <= corner => near,
                far if far >= length - corner => far - (length - own),
                _ => corner,
            };
            usize::try_from(source).unwrap_or_default()
        };
        Self {
            width: usize::try_from(own.0).unwrap_or_default(),
            columns: (part.x..part.right()).map(|x| source(x, size.0, own.0)).collect(),
            rows: (part.y..part.bottom()).map(|y| source(y, size.1, own.1)).collect(),
        }
    }

    /// The pixels of the part, of which `pixels` are those of the small drawing, row by row.
    pub fn apply<T: Copy + Default>(&self, pixels: &[T]) -> Vec<T> {
        let mut stretched: Vec<T> = Vec::with_capacity(self.columns.len() * self.rows.len());
        let mut last = None;
        for &row in &self.rows {
            if last.replace(row) == Some(row) {
                stretched.extend_from_within(stretched.len() - self.columns.len()..);
            } else {
                let pixels = pixels.get(row * self.width..).unwrap_or_default();
                let of_column = |&column: &usize| pixels.get(column).copied().unwrap_or_default();
                stretched.extend(self.columns.iter().map(of_column));
            }
        }
        stretched
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_is_repeated_and_corners_stay() {
        // 5 x 5 pixels with corners of 2.
        let own: Vec<u8> = (0..25).collect();
        let stretch = |part: Area, size: (i32, i32)| Stretch::new(part, (5, 5), size, 2).apply(&own);
        let all = |w: i32, h: i32| Area { x: 0, y: 0, w, h };
        assert_eq!(stretch(all(5, 5), (5, 5)), own);
        assert_eq!(stretch(all(7, 1), (7, 8)), [0, 1, 2, 2, 2, 3, 4]);
        assert_eq!(
            stretch(Area { x: 5, y: 2, w: 2, h: 5 }, (7, 8)),
            [13, 14, 13, 14, 13, 14, 13, 14, 18, 19]
        );
        assert_eq!(stretch(Area { x: 0, y: 6, w: 3, h: 2 }, (7, 8)), [15, 16, 17, 20, 21, 22]);
    }
}
