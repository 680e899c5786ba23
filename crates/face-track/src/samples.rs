//! A thin sample of a frame's pixels, which everything that compares frames as a whole reads instead of the frame.

use gray_image::GrayImage;

/// About so many pixels of a frame are looked at along its longer side.
const SAMPLES: usize = 160;
/// Columns of the cells over which samples are averaged.
pub(crate) const COLUMNS: usize = 32;
/// Rows of those cells.
pub(crate) const ROWS: usize = 18;

/// Every n-th pixel of every n-th row of a frame. The memory is kept from one frame to the next.
#[derive(Clone, Debug)]
pub struct FrameSamples {
    /// Pixels in a row of the frame.
    pub(crate) width: usize,
    /// Number of rows of the frame.
    pub(crate) height: usize,
    /// Pixels from one sample to the next, along both sides.
    pub(crate) step: usize,
    /// Number of samples in a row.
    pub(crate) columns: usize,
    /// Number of rows of samples.
    pub(crate) rows: usize,
    /// The samples, row by row.
    pub(crate) pixels: Vec<u8>,
    /// The mean of the samples in each of [`COLUMNS`] x [`ROWS`] cells, row by row. A frame of fewer pixels than cells leaves
    /// cells empty, with a mean of 0, the same ones in all frames of its size.
    pub(crate) cells: [f32; COLUMNS * ROWS],
}

impl Default for FrameSamples {
    /// Those of a frame without pixels.
    fn default() -> Self {
        Self {
            width: 0,
            height: 0,
            step: 1,
            columns: 0,
            rows: 0,
            pixels: Vec::new(),
            cells: [0.0; COLUMNS * ROWS],
        }
    }
}

impl FrameSamples {
    /// The samples of a frame.
    pub fn new(image: &GrayImage) -> Self {
        let mut samples = Self::default();
        samples.read(image);
        samples
    }

    /// Reads another frame.
    pub fn read(&mut self, image: &GrayImage) {
        (self.width, self.height) = (image.width(), image.height());
        self.step = (self.width.max(self.height) / SAMPLES).max(1);
        (self.columns, self.rows) = (self.width.div_ceil(self.step), self.height.div_ceil(self.step));
        self.pixels.clear();
        for y in (0..self.height).step_by(self.step) {
            self.pixels.extend(image.row(y).iter().step_by(self.step));
        }
        self.average();
    }

    /// The index of the first sample along a side of `side` pixels that lies in part `part` of `count` equal parts of it.
    pub(crate) fn first_of_part(&self, part: usize, count: usize, side: usize) -> usize {
        (part * side).div_ceil(count * self.step)
    }

    fn average(&mut self) {
        let mut sums = [0u32; COLUMNS * ROWS];
        let bounds: [usize; COLUMNS + 1] =
            std::array::from_fn(|column| self.first_of_part(column, COLUMNS, self.width).min(self.columns));
        let row_bounds: [usize; ROWS + 1] =
            std::array::from_fn(|row| self.first_of_part(row, ROWS, self.height).min(self.rows));
        for (sums, rows) in sums.chunks_exact_mut(COLUMNS).zip(row_bounds.windows(2)) {
            for row in rows[0]..rows[1] {
                let pixels = &self.pixels[row * self.columns..][..self.columns];
                for (sum, columns) in sums.iter_mut().zip(bounds.windows(2)) {
                    let cell = &pixels[columns[0]..columns[1]];
                    *sum += cell.iter().map(|&pixel| u32::from(pixel)).sum::<u32>();
                }
            }
        }
        for (index, (cell, sum)) in self.cells.iter_mut().zip(sums).enumerate() {
            let (column, row) = (index % COLUMNS, index / COLUMNS);
            let count = (bounds[column + 1] - bounds[column]) * (row_bounds[row + 1] - row_bounds[row]);
            *cell = sum as f32 / count.max(1) as f32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_the_means_of_the_samples_whose_place_lies_in_them() {
        for (width, height) in [(1280, 720), (641, 359), (90, 300), (33, 20), (20, 7), (1, 1)] {
            let data: Vec<u8> =
                (0..(width * height) as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
            let samples = FrameSamples::new(&GrayImage::new(&data, width, height, width).unwrap());
            let (mut sums, mut counts) = ([0u32; COLUMNS * ROWS], [0u32; COLUMNS * ROWS]);
            let mut pixels = samples.pixels.iter();
            for y in (0..height).step_by(samples.step) {
                for x in (0..width).step_by(samples.step) {
                    let pixel = data[y * width + x];
                    assert_eq!(pixels.next(), Some(&pixel));
                    let cell = y * ROWS / height * COLUMNS + x * COLUMNS / width;
                    sums[cell] += u32::from(pixel);
                    counts[cell] += 1;
                }
            }
            assert_eq!(pixels.next(), None);
            let means = sums.iter().zip(counts).map(|(sum, count)| *sum as f32 / count.max(1) as f32);
            assert!(means.eq(samples.cells), "{width}x{height}");
        }
        assert_eq!(FrameSamples::new(&GrayImage::new(&[], 0, 0, 0).unwrap()).cells, [0.0; COLUMNS * ROWS]);
    }
}
