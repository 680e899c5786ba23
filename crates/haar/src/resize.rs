//! Resizing an image row by row, bit-identical to OpenCV's INTER_LINEAR_EXACT for 8-bit images: one rounding
//! at the end.

use crate::axis::ResizeAxis;
use crate::kernel::Kernel;

/// Produces the rows of a resized image from top to bottom, and resizes each input row horizontally once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Resizer {
    /// Two horizontally resized input rows, in 1/256.
    lines: [Vec<u16>; 2],
    /// The input row that each line holds.
    line_rows: [Option<usize>; 2],
}

impl Resizer {
    /// Begins an image of this output width.
    pub(crate) fn start(&mut self, width: usize) {
        for line in &mut self.lines {
            line.resize(width, 0);
        }
        self.line_rows = [None; 2];
    }

    /// Writes row `y` of the resized image to `target`; `source` gives the input rows.
    pub(crate) fn write_row<'a>(
        &mut self,
        kernel: impl Kernel,
        (x_axis, y_axis): (&ResizeAxis, &ResizeAxis),
        source: impl Fn(usize) -> &'a [u8],
        y: usize,
        target: &mut [u8],
    ) {
        let (upper, weight) = y_axis.tap(y);
        for row in [upper, upper + 1] {
            // Two neighbouring rows have different parity, so each has a line of its own.
            let slot = row % 2;
            if self.line_rows[slot] != Some(row) {
                kernel.resize_row_horizontally(x_axis, source(row), &mut self.lines[slot]);
                self.line_rows[slot] = Some(row);
            }
        }
        let [even, odd] = &self.lines;
        let (upper, lower) = if upper % 2 == 0 { (even, odd) } else { (odd, even) };
        kernel.interpolate_rows(upper, lower, weight, target);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Scalar;

    fn resize(source: &[u8], width: usize, target: (usize, usize)) -> Vec<u8> {
        let height = source.len() / width;
        let axes = (&ResizeAxis::new(width, target.0), &ResizeAxis::new(height, target.1));
        let mut resizer = Resizer::default();
        resizer.start(target.0);
        let mut out = vec![0; target.0 * target.1];
        for (y, row) in out.chunks_exact_mut(target.0).enumerate() {
            resizer.write_row(Scalar, axes, |row| &source[row * width..][..width], y, row);
        }
        out
    }

    #[test]
    fn resizing_to_the_same_size_is_a_copy() {
        let source: Vec<u8> = (0..35).map(|i| (i * 37 % 256) as u8).collect();
        assert_eq!(resize(&source, 7, (7, 5)), source);
    }

    #[test]
    fn values_equal_opencv() {
        // cv2.resize(np.arange(0, 240, 10, np.uint8).reshape(4, 6), (4, 3),
        // interpolation=cv2.INTER_LINEAR_EXACT)
        let source: Vec<u8> = (0..24).map(|i| i * 10).collect();
        assert_eq!(resize(&source, 6, (4, 3)), [13, 28, 43, 58, 93, 108, 123, 138, 172, 187, 202, 217]);
    }
}
