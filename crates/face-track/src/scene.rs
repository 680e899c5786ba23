//! Cuts from one shot to another.

use gray_image::GrayImage;

/// Number of grey levels that are told apart.
const LEVELS: usize = 16;
/// The image is divided into this many columns and rows.
const GRID: usize = 3;
/// Number of counters.
const BINS: usize = GRID * GRID * LEVELS;
/// About so many pixels of a frame are looked at along its longer side.
const SAMPLES: usize = 160;
/// Share of the pixels whose grey level changes from one frame to the next by a cut. From one frame to the next
/// of a shot it was at most 0.09, over half a second at most 0.4; between shots of different rooms 0.5 to 0.8.
const MIN_CHANGE: f32 = 0.45;

/// Notices when a frame is from another shot than the frame before, by histograms of the grey values of its parts.
#[derive(Clone, Debug, Default)]
pub struct CutDetector {
    /// Shares of each grey level in each part of the frame before.
    histogram: Option<[f32; BINS]>,
}

impl CutDetector {
    /// Whether another shot begins with this frame. The first frame begins none.
    pub fn is_cut(&mut self, image: &GrayImage) -> bool {
        let mut histogram = [0.0; BINS];
        let step = (image.width().max(image.height()) / SAMPLES).max(1);
        let mut count = 0;
        for y in (0..image.height()).step_by(step) {
            let row = y * GRID / image.height();
            for (x, &pixel) in image.row(y).iter().enumerate().step_by(step) {
                let part = row * GRID + x * GRID / image.width();
                histogram[part * LEVELS + usize::from(pixel) * LEVELS / 256] += 1.0;
                count += 1;
            }
        }
        if count == 0 {
            return false;
        }
        histogram.iter_mut().for_each(|share| *share /= count as f32);
        let Some(before) = self.histogram.replace(histogram) else { return false };
        let change: f32 = before.iter().zip(&histogram).map(|(a, b)| (a - b).abs()).sum::<f32>() / 2.0;
        change > MIN_CHANGE
    }

    /// Forgets the frame before, as after a seek.
    pub fn reset(&mut self) {
        self.histogram = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_cut(cuts: &mut CutDetector, pixels: &[u8]) -> bool {
        cuts.is_cut(&GrayImage::new(pixels, 64, 48, 64).unwrap())
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
        assert!(!cuts.is_cut(&GrayImage::new(&[], 0, 0, 0).unwrap()));
    }
}
