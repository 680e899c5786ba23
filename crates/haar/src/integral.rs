//! Integral pictures of a stripe of one pyramid level, small enough to stay in the cache.

use crate::GrayImage;
use crate::kernel::{Kernel, MARGIN};
use crate::pyramid::{Level, Stripe};
use crate::resize::Resizer;

/// Sums over everything above and left of a corner: of pixels, of their squares, and over the 45 degree cone above.
///
/// A stripe's integrals begin with zeros at its own first row. A rectangle's sum is a difference of corners, so it is
/// the same as in an integral of the whole picture, and sums that wrap around differ by the right amount all the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Integrals {
    /// Sums, then, where tilted features need them, tilted sums: `stride * rows` each.
    pub(crate) sums: Vec<i32>,
    pub(crate) squares: Vec<u32>,
    resizer: Resizer,
    /// This row and the one before, with [`ROOM`] zeros behind them.
    pixels: [Vec<u8>; 2],
    /// The stripe filled in last, of the same picture.
    held: Option<Stripe>,
}

/// Room behind each row, so that kernels need not mind its end.
pub(crate) const ROOM: usize = 32;

/// How the integrals of every stripe lie in memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Layout {
    /// Sums from one row to the next.
    pub(crate) stride: usize,
    /// Rows of sums, one more than of pixels.
    pub(crate) rows: usize,
    pub(crate) tilted: bool,
    /// 2 where a row's sums of even columns come first, then, from half the stride on, those of odd columns: windows
    /// two columns apart find theirs side by side. Else 1.
    pub(crate) step: usize,
}

impl Layout {
    /// For a level whose windows are this far apart. Tilted sums are never split.
    pub(crate) fn stepping(self, step: usize) -> Self {
        Self { step: if self.tilted { 1 } else { step }, ..self }
    }

    fn plane(&self) -> usize {
        self.stride * self.rows
    }

    /// Where a corner's sum lies, from the window's upper left one, which begins in an even column where the step is 2.
    pub(crate) fn offset(&self, x: i32, y: i32) -> u32 {
        let (stride, step) = (self.stride as u32, self.step as u32);
        let x = x as u32;
        y as u32 * stride + x % step * (stride / step) + x / step
    }

    /// From a sum to the tilted sum of the same corner.
    pub(crate) fn tilted_offset(&self) -> u32 {
        self.plane() as u32
    }
}

impl Integrals {
    /// Another picture comes next.
    pub(crate) fn forget(&mut self) {
        self.held = None;
    }

    /// Resizes the rows of the picture that the stripe's windows cover, and sums them up.
    pub(crate) fn fill(
        &mut self,
        kernel: Kernel,
        layout: Layout,
        image: &GrayImage,
        level: &Level,
        stripe: &Stripe,
    ) {
        let Layout { stride, .. } = layout;
        let plane = layout.plane();
        let planes = if layout.tilted { 2 } else { 1 };
        self.sums.resize(planes * plane + MARGIN, 0);
        self.squares.resize(plane + MARGIN, 0);
        let follows = |held: &&Stripe| {
            held.level == stripe.level && held.first_row + held.window_rows == stripe.first_row
        };
        let first = if let Some(held) = self.held.as_ref().filter(follows) {
            // The rows that both stripes cover only move up.
            let kept = stripe.pixel_rows - stripe.window_rows;
            let rows = held.window_rows * stride..(held.window_rows + kept + 1) * stride;
            self.squares.copy_within(rows.clone(), 0);
            for start in (0..planes).map(|index| index * plane) {
                self.sums.copy_within(start + rows.start..start + rows.end, start);
            }
            kept
        } else {
            for line in &mut self.pixels {
                line.clear();
                line.resize(level.width + ROOM, 0);
            }
            self.resizer.start(level.width);
            self.squares[..stride].fill(0);
            for start in (0..planes).map(|index| index * plane) {
                self.sums[start..start + stride].fill(0);
            }
            0
        };
        self.held = Some(*stripe);
        let [now, before] = &mut self.pixels;
        let (sums, tilted) = self.sums.split_at_mut(plane);
        for row in first..stripe.pixel_rows {
            let axes = (&level.x_axis, &level.y_axis);
            let pixels = &mut now[..level.width];
            self.resizer.row(kernel, axes, |y| image.row(y), stripe.first_row + row, pixels);
            let two = row * stride..(row + 2) * stride;
            kernel.sum_up(layout, now, (&mut sums[two.clone()], &mut self.squares[two]));
            if layout.tilted {
                let (above, below) = tilted.split_at_mut((row + 1) * stride);
                let above_that = (row > 0).then(|| &above[(row - 1) * stride..][..=level.width]);
                let above = &above[row * stride..][..=level.width];
                let (now, before) = (&now[..level.width], &before[..level.width]);
                tilt(now, before, above, above_that, &mut below[..=level.width]);
            }
            std::mem::swap(now, before);
        }
    }
}

/// A row of pixels, with [`ROOM`] behind them, added to the sums and the sums of squares above: two rows each.
pub(crate) fn sum_up(layout: Layout, pixels: &[u8], (sums, squares): (&mut [i32], &mut [u32])) {
    let pixels = &pixels[..pixels.len() - ROOM];
    let (above, below) = sums.split_at_mut(layout.stride);
    sum_up_one(layout, pixels, above, below, |pixel| pixel as i32);
    let (above, below) = squares.split_at_mut(layout.stride);
    sum_up_one(layout, pixels, above, below, |pixel| pixel * pixel);
}

/// A number whose sums wrap around.
trait Sum: Copy + Default {
    fn plus(self, other: Self) -> Self;
}

impl Sum for i32 {
    fn plus(self, other: Self) -> Self {
        self.wrapping_add(other)
    }
}

impl Sum for u32 {
    fn plus(self, other: Self) -> Self {
        self.wrapping_add(other)
    }
}

fn sum_up_one<T: Sum>(layout: Layout, pixels: &[u8], above: &[T], below: &mut [T], of: impl Fn(u32) -> T) {
    let mut sum = T::default();
    let mut next = |pixel: u8, above: T| {
        sum = sum.plus(of(u32::from(pixel)));
        above.plus(sum)
    };
    below[0] = T::default();
    if layout.step == 1 {
        for ((out, &above), &pixel) in below[1..].iter_mut().zip(&above[1..]).zip(pixels) {
            *out = next(pixel, above);
        }
    } else {
        let half = layout.stride / 2;
        let (even, odd) = below.split_at_mut(half);
        let (even_above, odd_above) = above.split_at(half);
        for (index, pair) in pixels.chunks(2).enumerate() {
            odd[index] = next(pair[0], odd_above[index]);
            if let Some(&pixel) = pair.get(1) {
                even[index + 1] = next(pixel, even_above[index + 1]);
            }
        }
    }
}

/// T(x, y) = T(x-1, y-1) + T(x+1, y-1) - T(x, y-2) + the two pixels above the corner (Lienhart and Maydt 2002). Beyond
/// either side the cone only covers what it does a row higher and a column nearer.
fn tilt(now: &[u8], before: &[u8], above: &[i32], above_that: Option<&[i32]>, below: &mut [i32]) {
    let width = now.len();
    below[0] = above[1];
    for x in 1..=width {
        let pixels = i32::from(now[x - 1]) + i32::from(before[x - 1]);
        let twice = above_that.map_or(0, |sums| sums[x]);
        let right = if x < width { above[x + 1] } else { twice };
        below[x] = above[x - 1].wrapping_add(right).wrapping_sub(twice).wrapping_add(pixels);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resize::Axis;

    #[test]
    fn sums_are_what_they_say() {
        check(Layout { stride: 12, rows: 6, tilted: true, step: 1 });
        check(Layout { stride: 12, rows: 6, tilted: false, step: 2 });
    }

    fn check(layout: Layout) {
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
            x_axis: Axis::new(width, width),
            y_axis: Axis::new(height, height),
        };
        let stripe = Stripe { level: 0, first_row: 2, window_rows: 1, pixel_rows: 5 };
        let mut integrals = Integrals::default();
        integrals.fill(Kernel::Scalar, layout, &image, &level, &stripe);
        let pixel = |x: i32, y: i32| i64::from(data[(y as usize + 2) * width + x as usize]);
        let all = || (0..5).flat_map(|y| (0..width as i32).map(move |x| (x, y)));
        for corner_y in 0..=5 {
            for corner_x in 0..=width as i32 {
                let at = layout.offset(corner_x, corner_y) as usize;
                let inside = || all().filter(|&(x, y)| x < corner_x && y < corner_y);
                let sum: i64 = inside().map(|(x, y)| pixel(x, y)).sum();
                let squares: i64 = inside().map(|(x, y)| pixel(x, y).pow(2)).sum();
                let cone: i64 = all()
                    .filter(|&(x, y)| y < corner_y && (x - corner_x + 1).abs() < corner_y - y)
                    .map(|(x, y)| pixel(x, y))
                    .sum();
                assert_eq!(i64::from(integrals.sums[at]), sum);
                assert_eq!(i64::from(integrals.squares[at]), squares);
                if layout.tilted {
                    let tilted = integrals.sums[at + layout.tilted_offset() as usize];
                    assert_eq!(i64::from(tilted), cone, "({corner_x}, {corner_y})");
                }
            }
        }
    }
}
