//! A reduced copy of a frame's luma, from which the mean of any rectangle can be read.

use gray_image::GrayImage;
use mood_schema::Rect;

/// The largest shorter side of the reduced copy, pixels: a face of a twelfth of the shorter side, the smallest that the
/// detector searches for by default, has 10 to 21 of them.
const MAX_SHORTER_SIDE: usize = 256;

/// A reduced copy of a frame's luma. Every `step`-th row is read, and `step` pixels of it are averaged, so that little has
/// to be unpacked of a large frame.
#[derive(Clone, Debug, Default)]
pub struct LumaSample {
    /// Width and height in reduced pixels; the last ones may be incomplete and are then left out.
    columns: usize,
    rows: usize,
    /// Width and height of the frame in reduced pixels.
    width: f64,
    height: f64,
    /// The sums of the reduced pixels above each, one row more than the copy. With the sums along a row, which few queries
    /// need, this is the summed-area table (Crow 1984, doi:10.1145/800031.808600).
    column_sums: Vec<u32>,
    /// A row of the frame.
    row: Vec<u8>,
    /// The means of a row.
    means: Vec<u8>,
}

impl LumaSample {
    /// Reads the luma of an image.
    pub fn read_image(&mut self, image: &GrayImage) {
        let step = self.start(image.width(), image.height());
        for y in 0..image.height() / step {
            self.add_row(y, step, image.row(y * step + step / 2));
        }
        (self.columns, self.rows) = (image.width() / step, image.height() / step);
    }

    /// Reads the luma of a frame of `width` x `height` pixels from the rows that `read_row` writes, given the row's index,
    /// each `width` bytes. After an error of `read_row` the sample is empty.
    pub fn read_rows<E>(
        &mut self,
        width: usize,
        height: usize,
        mut read_row: impl FnMut(usize, &mut [u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let step = self.start(width, height);
        let mut row = std::mem::take(&mut self.row);
        row.resize(width, 0);
        for y in 0..height / step {
            read_row(y * step + step / 2, &mut row)?;
            self.add_row(y, step, &row);
        }
        self.row = row;
        (self.columns, self.rows) = (width / step, height / step);
        Ok(())
    }

    /// Begins another frame, which is empty until it is complete. Returns the step.
    fn start(&mut self, width: usize, height: usize) -> usize {
        let step = width.min(height).div_ceil(MAX_SHORTER_SIDE).max(1);
        (self.columns, self.rows) = (0, 0);
        (self.width, self.height) = (width as f64 / step as f64, height as f64 / step as f64);
        let columns = width / step;
        self.column_sums.resize(columns * (height / step + 1), 0);
        self.column_sums[..columns].fill(0);
        self.means.resize(columns, 0);
        step
    }

    /// Adds row `y` of the reduced copy.
    fn add_row(&mut self, y: usize, step: usize, pixels: &[u8]) {
        reduce_row(pixels, step, &mut self.means);
        let columns = self.means.len();
        let (above, current) = self.column_sums[y * columns..].split_at_mut(columns);
        for ((mean, above), current) in self.means.iter().zip(above).zip(current) {
            *current = u32::from(*mean) + *above;
        }
    }

    /// The mean luma of each cell of a grid of `side` x `side` cells over `area`, which is given in shares of the frame, row
    /// by row; `None` for cells that do not lie in the frame with nearly all of their area.
    pub(crate) fn cell_means(&self, area: &Rect, side: usize) -> Vec<Option<f32>> {
        let xs = edges(area.x, area.w, side, self.width, self.columns);
        let ys = edges(area.y, area.h, side, self.height, self.rows);
        let (Some(xs), Some(ys)) = (xs, ys) else { return vec![None; side * side] };
        let mut means = Vec::with_capacity(side * side);
        let mut above = self.sums_to(&xs, ys[0].position);
        for y in ys.windows(2) {
            let below = self.sums_to(&xs, y[1].position);
            let height = y[1].position - y[0].position;
            for (index, x) in xs.windows(2).enumerate() {
                let sum = below[index + 1] - below[index] - above[index + 1] + above[index];
                let width = x[1].position - x[0].position;
                let is_visible = is_visible(x) && is_visible(y) && width * height > 0.0;
                means.push(is_visible.then(|| (sum / (width * height)) as f32));
            }
            above = below;
        }
        means
    }

    /// The sums of the pixels above a height `y` inside the copy and left of each of `xs`, which ascend, interpolated between
    /// pixels.
    fn sums_to(&self, xs: &[Edge], y: f64) -> Vec<f64> {
        let row = (y as usize).min(self.rows - 1);
        let fraction = y - row as f64;
        let upper = self.row_sums(xs, row);
        if fraction == 0.0 {
            return upper.collect();
        }
        let lower = self.row_sums(xs, row + 1);
        upper.zip(lower).map(|(upper, lower)| upper * (1.0 - fraction) + lower * fraction).collect()
    }

    /// The sums of the pixels above row `row` and left of each of `xs`, which ascend, interpolated between columns.
    fn row_sums(&self, xs: &[Edge], row: usize) -> impl Iterator<Item = f64> {
        let sums = &self.column_sums[row * self.columns..][..self.columns];
        let (mut next, mut left) = (0, 0);
        xs.iter().map(move |x| {
            let column = (x.position as usize).min(sums.len() - 1);
            left += sums[next..column].iter().sum::<u32>();
            next = column;
            let fraction = x.position - column as f64;
            f64::from(left) * (1.0 - fraction) + f64::from(left + sums[column]) * fraction
        })
    }
}

/// The means of `step` pixels each, rounded down.
fn reduce_row(pixels: &[u8], step: usize, means: &mut [u8]) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        // SAFETY: the CPU has AVX2.
        unsafe {
            match step {
                2 => reduce_row_by_shuffles::<2>(pixels, means),
                3 => reduce_row_by_shuffles::<3>(pixels, means),
                4 => reduce_row_by_shuffles::<4>(pixels, means),
                _ => reduce_row_avx2(pixels, step, means),
            }
        }
        return;
    }
    reduce_row_portably(pixels, step, means);
}

/// [`reduce_row_portably`], compiled for AVX2.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn reduce_row_avx2(pixels: &[u8], step: usize, means: &mut [u8]) {
    reduce_row_portably(pixels, step, means);
}

/// [`reduce_row_portably`] for a `STEP` of 2 to 4: the pixels of a mean get four bytes of a register, whose sum is one
/// multiplication with ones after another. A 720p row takes a third of the time that the compiler's code takes.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn reduce_row_by_shuffles<const STEP: usize>(pixels: &[u8], means: &mut [u8]) {
    use std::arch::x86_64::*;
    /// Means that are computed at a time: four in each of four halves of registers.
    const BLOCK: usize = 16;
    const {
        assert!(STEP >= 2 && STEP <= 4);
    }
    let mut places = [-1i8; 16];
    for (index, place) in places.iter_mut().enumerate() {
        if index % 4 < STEP {
            *place = (index / 4 * STEP + index % 4) as i8;
        }
    }
    // SAFETY: `places` has 16 bytes.
    let places = _mm256_broadcastsi128_si256(unsafe { _mm_loadu_si128(places.as_ptr().cast()) });
    let (ones, pairs) = (_mm256_set1_epi8(1), _mm256_set1_epi16(1));
    // Rounded up: exact for sums of up to four pixels.
    let reciprocal = _mm256_set1_epi16(65536usize.div_ceil(STEP) as u16 as i16);
    let mut first = 0;
    // The last half loads 16 bytes, of which it uses four times `STEP`.
    while first + BLOCK <= means.len() && (first + BLOCK - 4) * STEP + 16 <= pixels.len() {
        // The sums of the four means from `first + offset` on, and of those eight further.
        let sums = |offset: usize| {
            let load = |mean: usize| {
                // SAFETY: the 16 bytes from here on lie in `pixels`, as the loop's condition says.
                unsafe { _mm_loadu_si128(pixels.as_ptr().add(mean * STEP).cast()) }
            };
            let (low, high) = (load(first + offset), load(first + offset + 8));
            let grouped = _mm256_shuffle_epi8(_mm256_set_m128i(high, low), places);
            _mm256_madd_epi16(_mm256_maddubs_epi16(grouped, ones), pairs)
        };
        let sums = _mm256_packus_epi32(sums(0), sums(4));
        let quotients = _mm256_mulhi_epu16(sums, reciprocal);
        let bytes = _mm256_permute4x64_epi64::<0b1000>(_mm256_packus_epi16(quotients, quotients));
        // SAFETY: 16 means from `first` on lie in `means`, as the loop's condition says.
        unsafe { _mm_storeu_si128(means.as_mut_ptr().add(first).cast(), _mm256_castsi256_si128(bytes)) };
        first += BLOCK;
    }
    reduce_row_portably(pixels.get(first * STEP..).unwrap_or_default(), STEP, &mut means[first..]);
}

#[inline(always)]
fn reduce_row_portably(pixels: &[u8], step: usize, means: &mut [u8]) {
    /// The same for a step that the compiler knows; the sum must fit 16 bits.
    #[inline(always)]
    fn reduce<const STEP: usize>(pixels: &[u8], means: &mut [u8]) {
        for (pixels, mean) in pixels.as_chunks::<STEP>().0.iter().zip(means) {
            *mean = (pixels.iter().map(|&pixel| u16::from(pixel)).sum::<u16>() / STEP as u16) as u8;
        }
    }
    match step {
        1 => reduce::<1>(pixels, means),
        2 => reduce::<2>(pixels, means),
        3 => reduce::<3>(pixels, means),
        4 => reduce::<4>(pixels, means),
        5 => reduce::<5>(pixels, means),
        _ => {
            for (pixels, mean) in pixels.chunks_exact(step).zip(means) {
                *mean = (pixels.iter().map(|&pixel| u32::from(pixel)).sum::<u32>() / step as u32) as u8;
            }
        }
    }
}

/// An edge between the cells of a grid along one axis, in reduced pixels.
struct Edge {
    /// Where it would be.
    unclipped: f64,
    /// The nearest position inside the copy.
    position: f64,
}

/// The edges of `count` cells from `start` on, both in shares of a side of `side` reduced pixels, of which `pixels` are
/// there. `None` where there is none or an argument is not a number.
fn edges(start: f64, length: f64, count: usize, side: f64, pixels: usize) -> Option<Vec<Edge>> {
    if pixels == 0 || !start.is_finite() || !length.is_finite() || length <= 0.0 {
        return None;
    }
    let edge = |index: usize| {
        let unclipped = (start + length * index as f64 / count as f64) * side;
        Edge { unclipped, position: unclipped.clamp(0.0, pixels as f64) }
    };
    Some((0..=count).map(edge).collect())
}

/// Whether nine tenths of the cell between two edges are there.
fn is_visible(edges: &[Edge]) -> bool {
    let length = |a: f64, b: f64| b - a;
    length(edges[0].position, edges[1].position) >= 0.9 * length(edges[0].unclipped, edges[1].unclipped)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(width: usize, height: usize, pixel: impl Fn(usize, usize) -> u8) -> LumaSample {
        let data: Vec<u8> = (0..width * height).map(|i| pixel(i % width, i / width)).collect();
        let mut sample = LumaSample::default();
        sample.read_image(&GrayImage::new(&data, width, height, width).unwrap());
        sample
    }

    #[test]
    fn means_are_exact_between_pixels_and_in_large_frames() {
        for (width, height) in [(40, 20), (1921, 1083)] {
            let sample = sample(width, height, |x, _| (x * 200 / width) as u8);
            let means = sample.cell_means(&Rect { x: 0.25, y: 0.1, w: 0.5, h: 0.8 }, 3);
            for (index, mean) in means.into_iter().enumerate() {
                let expected = 200.0 * (0.25 + (0.5 + (index % 3) as f32) / 6.0);
                assert!((mean.unwrap() - expected).abs() < 3.0, "{width} {index}: {mean:?} {expected}");
            }
        }
    }

    #[test]
    fn rows_are_reduced_to_the_means_of_their_pixels_by_every_kernel() {
        let pixels: Vec<u8> = (0..1000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        for step in 1..9 {
            for length in [0, 1, 50, 51, 64, 65, 999, 1000] {
                let expected: Vec<u8> = pixels[..length]
                    .chunks_exact(step)
                    .map(|part| (part.iter().map(|&pixel| u32::from(pixel)).sum::<u32>() / step as u32) as u8)
                    .collect();
                let [mut fast, mut portable] = [(); 2].map(|()| vec![0; length / step]);
                reduce_row(&pixels[..length], step, &mut fast);
                reduce_row_portably(&pixels[..length], step, &mut portable);
                assert_eq!((&fast, &portable), (&expected, &expected), "step {step}, {length} pixels");
            }
        }
    }

    #[test]
    fn a_sample_of_another_size_leaves_nothing_behind() {
        let pixel = |x: usize, y: usize| ((x * 31 + y * 57) % 251) as u8;
        let image = |width: usize, height: usize| -> Vec<u8> {
            (0..width * height).map(|i| pixel(i % width, i / width)).collect()
        };
        let mut reused = LumaSample::default();
        for (width, height) in [(640, 480), (90, 300), (33, 20), (640, 480)] {
            let data = image(width, height);
            reused.read_image(&GrayImage::new(&data, width, height, width).unwrap());
            let area = Rect { x: 0.1, y: 0.05, w: 0.7, h: 0.9 };
            assert_eq!(reused.cell_means(&area, 9), sample(width, height, pixel).cell_means(&area, 9));
        }
    }

    #[test]
    fn cells_outside_have_no_mean() {
        let sample = sample(30, 30, |_, _| 9);
        let means = sample.cell_means(&Rect { x: -0.5, y: 0.0, w: 1.0, h: 1.0 }, 4);
        let visible: Vec<bool> = means.iter().take(4).map(Option::is_some).collect();
        assert_eq!(visible, [false, false, true, true]);
        assert_eq!(means[2], Some(9.0));
        for area in [[2.0, 0.0, 1.0, 1.0], [0.0, f64::NAN, 1.0, 1.0], [0.0, 0.0, 0.0, 1.0]] {
            assert_eq!(sample.cell_means(&Rect::from(area), 2), [None; 4]);
        }
        assert_eq!(LumaSample::default().cell_means(&Rect { x: 0.0, y: 0.0, w: 1.0, h: 1.0 }, 1), [None]);
    }
}
