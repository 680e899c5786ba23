//! Cuts from one shot to another, and cameras that are knocked.

use crate::samples::FrameSamples;

/// Number of grey levels that are told apart.
const LEVELS: usize = 16;
/// The image is divided into this many columns and rows.
const GRID: usize = 3;
/// Number of counters.
const BINS: usize = GRID * GRID * LEVELS;
/// Sets of counters in which neighbouring pixels are counted: those of one grey level would wait for each other in one.
const COUNTERS: usize = 4;
/// Share of the pixels whose grey level changes from one frame to the next by a cut. From one frame to the next
/// of a shot it was at most 0.09, over half a second at most 0.4; between shots of different rooms 0.5 to 0.8.
const MIN_CHANGE: f32 = 0.45;
/// A pixel has changed if its grey value differs by more than this from that of the frame before.
const MIN_DIFFERENCE: u8 = 24;
/// Share of the pixels that change when the camera is knocked aside. Within seven shots, from one frame to another 0.2 s
/// later, it was at most 0.28; a shift by a quarter of the width, about as far as two people sit apart, changes 0.35
/// to 0.72.
const MIN_MOVED: f32 = 0.35;

/// Notices when nothing is where it was in the frame before: with another shot, by histograms of the grey values of
/// the frame's parts, and when the picture jumps, by its single pixels.
#[derive(Clone, Debug, Default)]
pub struct CutDetector {
    /// Shares of each grey level in each part of the frame before.
    histogram: Option<[f32; BINS]>,
    /// The pixels of the frame before that were looked at.
    samples: Vec<u8>,
}

impl CutDetector {
    /// Whether another shot begins with this frame, or the picture has jumped. The first frame begins none.
    pub fn is_cut(&mut self, frame: &FrameSamples) -> bool {
        let count = frame.pixels.len();
        // Samples of a frame of another size say nothing.
        let is_comparable = self.samples.len() == count;
        let moved = if is_comparable { count_moved(&self.samples, &frame.pixels) } else { 0 };
        self.samples.clone_from(&frame.pixels);
        if count == 0 {
            return false;
        }
        let histogram = count_levels(frame).map(|pixels| pixels as f32 / count as f32);
        let Some(before) = self.histogram.replace(histogram) else { return false };
        let change: f32 = before.iter().zip(&histogram).map(|(a, b)| (a - b).abs()).sum::<f32>() / 2.0;
        change > MIN_CHANGE || is_comparable && moved as f32 > MIN_MOVED * count as f32
    }

    /// Forgets the frame before, as after a seek.
    pub fn reset(&mut self) {
        self.histogram = None;
        self.samples.clear();
    }
}

/// Number of pixels that differ by more than [`MIN_DIFFERENCE`].
fn count_moved(before: &[u8], now: &[u8]) -> usize {
    /// So many pixels are counted in 8 bits.
    const BLOCK: usize = 255;
    let blocks = before.chunks(BLOCK).zip(now.chunks(BLOCK));
    let moved = blocks.map(|(before, now)| {
        let pairs = before.iter().zip(now);
        usize::from(pairs.map(|(a, b)| u8::from(a.abs_diff(*b) > MIN_DIFFERENCE)).sum::<u8>())
    });
    moved.sum()
}

/// Number of pixels of each grey level in each part of a frame.
fn count_levels(frame: &FrameSamples) -> [u32; BINS] {
    let mut counts = [[[0u32; LEVELS]; COUNTERS]; GRID * GRID];
    let bounds: [usize; GRID + 1] =
        std::array::from_fn(|part| frame.first_of_part(part, GRID, frame.width).min(frame.columns));
    for (row, pixels) in frame.pixels.chunks_exact(frame.columns.max(1)).enumerate() {
        let first = row * frame.step * GRID / frame.height * GRID;
        for (counts, columns) in counts[first..first + GRID].iter_mut().zip(bounds.windows(2)) {
            let (chunks, rest) = pixels[columns[0]..columns[1]].as_chunks::<COUNTERS>();
            let level = |pixel: u8| usize::from(pixel) * LEVELS / 256;
            for chunk in chunks {
                for (counts, &pixel) in counts.iter_mut().zip(chunk) {
                    counts[level(pixel)] += 1;
                }
            }
            for &pixel in rest {
                counts[0][level(pixel)] += 1;
            }
        }
    }
    std::array::from_fn(|bin| counts[bin / LEVELS].iter().map(|counts| counts[bin % LEVELS]).sum())
}

#[cfg(test)]
mod tests {
    use super::*;
    use gray_image::GrayImage;

    fn is_cut(cuts: &mut CutDetector, pixels: &[u8]) -> bool {
        cuts.is_cut(&FrameSamples::new(&GrayImage::new(pixels, 64, 48, 64).unwrap()))
    }

    #[test]
    fn a_jump_of_the_picture_is_a_cut_and_a_person_who_moves_is_none() {
        // A room with a person in it, a quarter of the width wide.
        let room = |shift: i32, person: i32| -> Vec<u8> {
            let pixel = |i: i32| {
                let (x, y) = (i % 64 - shift, i / 64);
                let is_person = (person..person + 16).contains(&x) && y > 16;
                if is_person {
                    220
                } else {
                    (90.0 + 60.0 * (f64::from(x) / 5.0 + f64::from(y) / 9.0).sin()) as u8
                }
            };
            (0..64 * 48).map(pixel).collect()
        };
        let mut cuts = CutDetector::default();
        is_cut(&mut cuts, &room(0, 10));
        for person in 11..40 {
            assert!(!is_cut(&mut cuts, &room(0, person)), "{person}");
        }
        assert!(!is_cut(&mut cuts, &room(0, 12)), "from one side to the other");
        assert!(is_cut(&mut cuts, &room(16, 12)), "knocked");
        assert!(!is_cut(&mut cuts, &room(17, 12)), "comes to rest");
    }

    #[test]
    fn another_shot_is_a_cut_and_motion_is_none() {
        let shot = |shift: usize| -> Vec<u8> {
            (0..64 * 48).map(|i| if (i % 64 + shift) % 64 < 30 { 60 } else { 170 }).collect()
        };
        let mut cuts = CutDetector::default();
        assert!(!is_cut(&mut cuts, &shot(0)), "the first frame");
        for shift in 1..10 {
            assert!(!is_cut(&mut cuts, &shot(shift)), "{shift}");
        }
        assert!(is_cut(&mut cuts, &[10; 64 * 48]), "dark");
        assert!(!is_cut(&mut cuts, &[10; 64 * 48]));
        assert!(is_cut(&mut cuts, &shot(9)), "light again");
        cuts.reset();
        assert!(!is_cut(&mut cuts, &[255; 64 * 48]));
        assert!(!cuts.is_cut(&FrameSamples::new(&GrayImage::new(&[], 0, 0, 0).unwrap())));
    }
}
