//! Faces that are smaller than a search looks for, in a sample of the frames of a video: whoever chooses the smallest
//! face should know what is left out.

use std::sync::Arc;

use haar::{Cascade, Detector, GrayImage, Params, ParamsError, PixelRect, Size};

use crate::settings::smallest_face;
use crate::turned::confident_neighbors;

/// Number of frames that are searched of a video whose duration is known. Each costs about a full search.
const FRAMES: u64 = 12;
/// Least time between two of them, ns.
const MIN_INTERVAL: u64 = 4_000_000_000;
/// Time between them where the duration is not known, ns.
const DEFAULT_INTERVAL: u64 = 30_000_000_000;
/// The sides of the faces that are searched for begin at this share of the smallest face of the search.
const SMALLEST_SHARE: f64 = 0.5;
/// Similar windows that a face needs, as by default.
const MIN_NEIGHBORS: u32 = 3;
/// A search that should find a face begins this much below its side and ends this much above, so that several windows
/// agree.
const HEADROOM: f64 = 1.25;

/// What was found in a frame of the sample.
#[derive(Clone, Debug, PartialEq)]
pub struct SampledFrame {
    /// Its time, ns.
    pub time: u64,
    /// Its width and height, pixels.
    pub size: (usize, usize),
    /// Side of the smallest face that the search looks for in it, pixels.
    pub smallest_face: u32,
    /// The smaller faces, on strong evidence, since small windows are often mistaken for faces.
    pub faces: Vec<PixelRect>,
}

/// Searches a few frames of a video, spread over its duration, for upright faces of half the size of the smallest face
/// of another search up to that size.
#[derive(Debug)]
pub struct SmallFaceSearch {
    detector: Detector,
    /// Side of the window that the cascade was trained with, pixels: no smaller face is found.
    window: u32,
    min_size: u32,
    interval: u64,
    /// When the next frame is due, ns.
    next: u64,
    frames: Vec<SampledFrame>,
}

impl SmallFaceSearch {
    /// For a search with the setting [`min_size`](crate::SearchSettings::min_size) in a video of `duration` ns.
    ///
    /// # Errors
    /// None: the detector begins with its default settings, which are valid.
    pub fn new(cascade: Arc<Cascade>, min_size: u32, duration: Option<u64>) -> Result<Self, ParamsError> {
        let window = cascade.window().0;
        let interval = duration.map_or(DEFAULT_INTERVAL, |duration| (duration / FRAMES).max(MIN_INTERVAL));
        let detector = Detector::new(cascade, Params::default())?;
        Ok(Self { detector, window, min_size, interval, next: 0, frames: Vec::new() })
    }

    /// Whether the frame at `time`, ns, is to be searched.
    pub fn is_due(&self, time: u64) -> bool {
        time >= self.next
    }

    /// Searches a frame. `time` is in ns.
    ///
    /// # Errors
    /// None that the caller can cause: all settings are valid.
    pub fn search(&mut self, time: u64, image: &GrayImage) -> Result<(), ParamsError> {
        self.next = time.saturating_add(self.interval);
        let limit = smallest_face(self.min_size, image.width(), image.height());
        let smallest = ((f64::from(limit) * SMALLEST_SHARE) as u32).max(self.window);
        let mut faces = Vec::new();
        if smallest < limit {
            self.detector.set_params(Params {
                min_neighbors: MIN_NEIGHBORS,
                min_size: Size::square(smallest),
                // Windows on both sides of a face's size agree on it.
                max_size: Size::square((f64::from(limit) * HEADROOM) as u32),
                threads: 1,
                ..Params::default()
            })?;
            let confident = confident_neighbors(MIN_NEIGHBORS, 0.0);
            let found = self.detector.detect(image).into_iter();
            let found = found.filter(|face| face.neighbors >= confident && face.rect.w < limit);
            faces = found.map(|face| face.rect).collect();
        }
        let size = (image.width(), image.height());
        self.frames.push(SampledFrame { time, size, smallest_face: limit, faces });
        Ok(())
    }

    /// The frames that were searched.
    pub fn frames(&self) -> &[SampledFrame] {
        &self.frames
    }

    /// The setting `min_size` of a search that finds a face with this side, pixels.
    pub fn min_size_for(&self, side: u32) -> u32 {
        ((f64::from(side) / HEADROOM) as u32).max(self.window)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finder::tests::PASSES_EVERY_WINDOW;

    #[test]
    fn frames_are_spread_and_faces_are_smaller_than_the_limit() {
        let cascade = Arc::new(Cascade::parse(PASSES_EVERY_WINDOW).unwrap());
        let pixels: Vec<u8> =
            (0..120 * 90_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let image = GrayImage::new(&pixels, 120, 90, 120).unwrap();
        for (duration, expected) in [(Some(3_600), 12), (Some(20), 5), (None, 120), (Some(0), 900)] {
            let duration = duration.map(|seconds| seconds * 1_000_000_000);
            let mut search = SmallFaceSearch::new(Arc::clone(&cascade), 30, duration).unwrap();
            let end = if duration.is_some_and(|duration| duration > 0) {
                duration.unwrap()
            } else {
                3_600_000_000_000
            };
            let mut count = 0;
            for time in (0..end).step_by(500_000_000) {
                if search.is_due(time) {
                    count += 1;
                    search.next = time + search.interval;
                }
            }
            assert_eq!(count, expected, "{duration:?}");
            search.search(0, &image).unwrap();
            let [frame] = search.frames() else { panic!("one frame") };
            assert!(!frame.faces.is_empty() && frame.smallest_face == 30);
            assert!(frame.faces.iter().all(|face| (15..30).contains(&face.w)), "{:?}", frame.faces);
        }
        let mut search = SmallFaceSearch::new(cascade, 9, None).unwrap();
        search.search(0, &image).unwrap();
        assert!(search.frames()[0].faces.is_empty(), "nothing is smaller than the cascade's window");
        assert_eq!((search.min_size_for(50), search.min_size_for(5)), (40, 9));
    }
}
