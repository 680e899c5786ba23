//! Integral images of a stripe of one pyramid level, small enough to stay in the cache.

use gray_image::GrayImage;

use crate::kernel::{Kernel, MARGIN};
use crate::layout::{Layout, ROW_PADDING};
use crate::resize::Resizer;
use crate::scan_plan::{Level, Stripe};

/// Sums over all pixels above and left of a corner: of pixels, of their squares, and, where needed, over the
/// 45 degree cone above the corner.
///
/// A stripe's integral images begin with zeros above its own first row. A rectangle's sum is a difference of
/// corners, so it equals that in an integral image of the complete level, also where sums at the corners have
/// wrapped around.
#[derive(Clone, Debug, Default)]
pub(crate) struct Integrals {
    /// The plane of upright sums, then, where tilted features need it, that of tilted sums.
    pub(crate) sums: Vec<i32>,
    /// Sums of squares, upright only.
    pub(crate) squares: Vec<u32>,
    resizer: Resizer,
    /// The current and the previous row of pixels, each with [`ROW_PADDING`] zeros behind it.
    pixels: [Vec<u8>; 2],
    /// The stripe computed last, if it is of the same image.
    last: Option<Stripe>,
}

impl Integrals {
    /// Begins another image.
    pub(crate) fn reset(&mut self) {
        self.last = None;
    }

    /// Resizes the rows of the image that the stripe's windows cover, and integrates them. Rows shared with
    /// the stripe computed last are reused.
    pub(crate) fn compute(
        &mut self,
        kernel: impl Kernel,
        layout: Layout,
        image: &GrayImage,
        level: &Level,
        stripe: &Stripe,
    ) {
        let Layout { stride, .. } = layout;
        let (plane, planes) = (layout.plane_len(), layout.planes());
        self.sums.resize(planes * plane + MARGIN, 0);
        self.squares.resize(plane + MARGIN, 0);
        let precedes = |last: &&Stripe| {
            last.level == stripe.level && last.first_row + last.window_rows == stripe.first_row
        };
        let first = if let Some(last) = self.last.as_ref().filter(precedes) {
            // The rows that both stripes cover move up.
            let shared = stripe.pixel_rows - stripe.window_rows;
            let rows = last.window_rows * stride..(last.window_rows + shared + 1) * stride;
            self.squares.copy_within(rows.clone(), 0);
            for start in (0..planes).map(|index| index * plane) {
                self.sums.copy_within(start + rows.start..start + rows.end, start);
            }
            shared
        } else {
            for line in &mut self.pixels {
                line.clear();
                line.resize(level.width + ROW_PADDING, 0);
            }
            self.resizer.start(level.width);
            self.squares[..stride].fill(0);
            for start in (0..planes).map(|index| index * plane) {
                self.sums[start..start + stride].fill(0);
            }
            0
        };
        self.last = Some(*stripe);
        let [current, previous] = &mut self.pixels;
        let (sums, tilted) = self.sums.split_at_mut(plane);
        for row in first..stripe.pixel_rows {
            let axes = (&level.x_axis, &level.y_axis);
            let pixels = &mut current[..level.width];
            self.resizer.write_row(kernel, axes, |y| image.row(y), stripe.first_row + row, pixels);
            let two_rows = row * stride..(row + 2) * stride;
            let rows = (&mut sums[two_rows.clone()], &mut self.squares[two_rows]);
            kernel.integrate_row(layout, current, rows);
            if layout.tilted {
                let (above, below) = tilted.split_at_mut((row + 1) * stride);
                let two_above = (row > 0).then(|| &above[(row - 1) * stride..][..=level.width]);
                let above = &above[row * stride..][..=level.width];
                let (current, previous) = (&current[..level.width], &previous[..level.width]);
                integrate_tilted_row(current, previous, above, two_above, &mut below[..=level.width]);
            }
            std::mem::swap(current, previous);
        }
    }
}

/// T(x, y) = T(x-1, y-1) + T(x+1, y-1) - T(x, y-2) + the two pixels above the corner (Lienhart and Maydt
/// 2002). A corner one column outside the image has the sum of the corner one column further in and one row
/// higher: the cones of both contain the same pixels.
fn integrate_tilted_row(
    pixels: &[u8],
    pixels_above: &[u8],
    above: &[i32],
    two_above: Option<&[i32]>,
    below: &mut [i32],
) {
    let width = pixels.len();
    below[0] = above[1];
    for x in 1..=width {
        let pair = i32::from(pixels[x - 1]) + i32::from(pixels_above[x - 1]);
        let overlap = two_above.map_or(0, |sums| sums[x]);
        let right = if x < width { above[x + 1] } else { overlap };
        below[x] = above[x - 1].wrapping_add(right).wrapping_sub(overlap).wrapping_add(pair);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::axis::ResizeAxis;
    use crate::kernel::Scalar;

    #[test]
    fn sums_equal_their_definition() {
        check_sums(Layout { stride: 12, rows: 6, tilted: true, step: 1 });
        check_sums(Layout { stride: 12, rows: 6, tilted: false, step: 2 });
    }

    fn check_sums(layout: Layout) {
        let (width, height) = (9, 7);
        let data: Vec<u8> = (0..width * height).map(|i| (i * 91 % 256) as u8).collect();
        let image = GrayImage::new(&data, width, height, width).unwrap();
        let level = Level {
            scale: 1.0,
            width,
            step: 1,
            columns: 1,
            rows: 1,
            window: (3, 3),
            x_axis: ResizeAxis::new(width, width),
            y_axis: ResizeAxis::new(height, height),
        };
        let stripe = Stripe { level: 0, first_row: 2, window_rows: 1, pixel_rows: 5 };
        let mut integrals = Integrals::default();
        integrals.compute(Scalar, layout, &image, &level, &stripe);
        let pixel = |x: i32, y: i32| i64::from(data[(y as usize + 2) * width + x as usize]);
        let all = || (0..5).flat_map(|y| (0..width as i32).map(move |x| (x, y)));
        for corner_y in 0..=5 {
            for corner_x in 0..=width as i32 {
                let index = layout.offset(corner_x, corner_y) as usize;
                let inside = || all().filter(|&(x, y)| x < corner_x && y < corner_y);
                let sum: i64 = inside().map(|(x, y)| pixel(x, y)).sum();
                let squares: i64 = inside().map(|(x, y)| pixel(x, y).pow(2)).sum();
                let cone: i64 = all()
                    .filter(|&(x, y)| y < corner_y && (x - corner_x + 1).abs() < corner_y - y)
                    .map(|(x, y)| pixel(x, y))
                    .sum();
                assert_eq!(i64::from(integrals.sums[index]), sum);
                assert_eq!(i64::from(integrals.squares[index]), squares);
                if layout.tilted {
                    let tilted = integrals.sums[index + layout.tilted_offset() as usize];
                    assert_eq!(i64::from(tilted), cone, "({corner_x}, {corner_y})");
                }
            }
        }
    }
}
