//! Counts the shots of a video, for those who must not show a face where it is no longer known.

use std::collections::VecDeque;

use crate::dot::dot;
use crate::samples::{COLUMNS, FrameSamples, ROWS};

/// How long frames are compared with later ones, ns. A cross-fade seldom takes longer.
const COMPARED_TIME: u64 = 1_000_000_000;
/// Until this time, ns, frames of a shot correlate by [`MIN_CORRELATION_AT_ONCE`] at least.
const AT_ONCE: u64 = 100_000_000;
/// From this time on, ns, frames of a shot correlate by [`MIN_CORRELATION_LATER`] at least.
const LATER: u64 = 500_000_000;
/// The least correlation of the frames of a shot. In eight shots of people it was 0.93 from one frame to the next, 0.80 over
/// 0.2 s, 0.61 over 0.5 s and 0.54 over 1 s, where a head fills the frame and moves. Turned by 180 degrees their frames
/// correlate by 0.12 at most, mirrored or shifted by a tenth of the width by 0.68, enlarged by 1.3 by 0.79.
const MIN_CORRELATION_AT_ONCE: f32 = 0.85;
const MIN_CORRELATION_LATER: f32 = 0.5;
/// A frame whose cells deviate by less from their mean, grey levels, shows nothing.
const MIN_CONTRAST: f32 = 2.0;

/// Counts the shots of a video. A shot ends where the picture has become another one: by a cut, gradually, or because the
/// camera was knocked or turned. Other than [`CutDetector`](crate::CutDetector), it compares what a frame shows whatever its
/// size and light, and with all frames of the last second; so it notices more, and takes more for the end of a shot that is none.
#[derive(Clone, Debug, Default)]
pub struct ShotCounter {
    shot: u32,
    /// Of the frames of the shot within [`COMPARED_TIME`], and of the last one, in order of time.
    thumbnails: VecDeque<Thumbnail>,
}

impl ShotCounter {
    /// Number of the shot that the last frame belongs to, from 0.
    pub fn shot(&self) -> u32 {
        self.shot
    }

    /// Begins a shot with the next frame, unless it is the first one.
    pub fn begin_shot(&mut self) {
        if !self.thumbnails.is_empty() {
            self.shot = self.shot.wrapping_add(1);
            self.thumbnails.clear();
        }
    }

    /// Takes in a frame at `time`, ns, with which a shot begins if `is_cut`, or if it shows something else.
    pub fn observe(&mut self, samples: &FrameSamples, time: u64, is_cut: bool) {
        let thumbnail = Thumbnail::new(samples, time);
        if is_cut || self.thumbnails.iter().any(|earlier| !thumbnail.continues(earlier)) {
            self.begin_shot();
        }
        let is_old = |earlier: &Thumbnail| time.saturating_sub(earlier.time) > COMPARED_TIME;
        while self.thumbnails.front().is_some_and(is_old) {
            self.thumbnails.pop_front();
        }
        self.thumbnails.push_back(thumbnail);
    }
}

/// What a frame shows.
#[derive(Clone, Debug)]
struct Thumbnail {
    /// ns.
    time: u64,
    /// By how much the mean grey value of each cell is above that of the frame.
    cells: [f32; COLUMNS * ROWS],
    /// The square root of the sum of their squares.
    norm: f32,
}

impl Thumbnail {
    fn new(samples: &FrameSamples, time: u64) -> Self {
        let mut cells = samples.cells;
        let mean = cells.iter().sum::<f32>() / cells.len() as f32;
        cells.iter_mut().for_each(|cell| *cell -= mean);
        let norm = dot(&cells, &cells).sqrt();
        Self { time, cells, norm }
    }

    /// Whether the frame shows anything.
    fn has_contrast(&self) -> bool {
        self.norm > MIN_CONTRAST * ((COLUMNS * ROWS) as f32).sqrt()
    }

    /// Whether the frame may belong to the shot of an earlier one.
    fn continues(&self, earlier: &Self) -> bool {
        if !self.has_contrast() || !earlier.has_contrast() {
            return self.has_contrast() == earlier.has_contrast();
        }
        dot(&self.cells, &earlier.cells) / (self.norm * earlier.norm)
            >= min_correlation(self.time.saturating_sub(earlier.time))
    }
}

/// The least correlation of two frames of a shot that are `interval`, ns, apart.
fn min_correlation(interval: u64) -> f32 {
    let share = interval.clamp(AT_ONCE, LATER) - AT_ONCE;
    let share = share as f32 / (LATER - AT_ONCE) as f32;
    MIN_CORRELATION_AT_ONCE + (MIN_CORRELATION_LATER - MIN_CORRELATION_AT_ONCE) * share
}

#[cfg(test)]
mod tests {
    use super::*;
    use gray_image::GrayImage;

    const PERIOD: u64 = 40_000_000;

    /// A room of `width` times `height` pixels, in which a person, a sixth of the width wide, stands at `person`, a share of
    /// the width; the camera is moved by `shift`, shares of the width.
    fn room(width: usize, height: usize, shift: f64, person: f64) -> Vec<u8> {
        let pixel = |i: usize| {
            let x = (i % width) as f64 / width as f64 + shift;
            let y = (i / width) as f64 / height as f64;
            let is_person = (person..person + 0.16).contains(&x) && y > 0.4;
            // Tiles of grey values that look random.
            let tile = (x * 12.0).floor() as i64 * 31 + (y * 7.0).floor() as i64 * 17;
            let wall = 30 + (tile.wrapping_mul(2_654_435_761) >> 9).rem_euclid(190) as u8;
            if is_person { 140 } else { wall }
        };
        (0..width * height).map(pixel).collect()
    }

    /// The number of shots that begin with each of `frames`, at 25 frames a second.
    fn shots(frames: impl IntoIterator<Item = (usize, usize, Vec<u8>)>) -> Vec<u32> {
        let mut counter = ShotCounter::default();
        let observe = |(index, (width, height, pixels)): (usize, (usize, usize, Vec<u8>))| {
            let image = GrayImage::new(&pixels, width, height, width).unwrap();
            counter.observe(&FrameSamples::new(&image), index as u64 * PERIOD, false);
            counter.shot()
        };
        frames.into_iter().enumerate().map(observe).collect()
    }

    fn frame(shift: f64, person: f64) -> (usize, usize, Vec<u8>) {
        (128, 72, room(128, 72, shift, person))
    }

    fn turned(frame: &(usize, usize, Vec<u8>)) -> (usize, usize, Vec<u8>) {
        (frame.0, frame.1, frame.2.iter().rev().copied().collect())
    }

    #[test]
    fn a_person_who_walks_and_light_that_changes_are_one_shot() {
        let walking = (0..50).map(|n| frame(0.0, f64::from(n) * 0.006));
        let dimmed = (0..20).map(|n| {
            let pixels = room(128, 72, 0.0, 0.3)
                .into_iter()
                .map(|p| (f64::from(p) * (1.0 - f64::from(n) * 0.02)) as u8);
            (128, 72, pixels.collect())
        });
        assert_eq!(shots(walking.chain(dimmed)), [0; 70]);
    }

    #[test]
    fn every_other_picture_begins_a_shot() {
        let other =
            (128, 72, (0..128 * 72).map(|i| (i % 128 * 2) as u8 ^ (i / 512) as u8).collect::<Vec<u8>>());
        let first = frame(0.0, 0.3);
        let flat = (128, 72, vec![16; 128 * 72]);
        for second in [other, turned(&first), frame(0.15, 0.3), flat] {
            // Back to the first picture, which is one more shot.
            let frames = [&first, &first, &second, &second, &first, &first].map(Clone::clone);
            assert_eq!(shots(frames), [0, 0, 1, 1, 2, 2]);
        }
    }

    #[test]
    fn a_cross_fade_and_a_slow_turn_end_a_shot_before_they_end() {
        let (from, to) = (frame(0.0, 0.2), turned(&frame(0.0, 0.2)));
        for count in [5, 12, 24] {
            let fade = (0..=count).map(|n| {
                let share = f64::from(n) / f64::from(count);
                let mix = from
                    .2
                    .iter()
                    .zip(&to.2)
                    .map(|(a, b)| (f64::from(*a) * (1.0 - share) + f64::from(*b) * share) as u8);
                (128, 72, mix.collect())
            });
            let found = shots(fade);
            assert!(found[0] == 0 && *found.last().unwrap() > 0, "{count}: {found:?}");
            let pan = (0..=count).map(|n| frame(f64::from(n) / f64::from(count) * 0.3, 0.2));
            assert!(*shots(pan).last().unwrap() > 0, "{count}");
        }
    }

    #[test]
    fn another_size_is_no_other_shot_and_may_begin_one() {
        let sized = |width: usize, shift| (width, width * 9 / 16, room(width, width * 9 / 16, shift, 0.3));
        assert_eq!(shots([sized(320, 0.0), sized(160, 0.0), sized(640, 0.0), sized(640, 0.2)]), [0, 0, 0, 1]);
        assert_eq!(shots([(0, 0, vec![]), (8, 4, vec![9; 32]), (8, 4, vec![200; 32])]), [0, 1, 1]);
    }

    #[test]
    fn a_shot_begins_on_demand_but_not_before_the_first_frame() {
        let mut counter = ShotCounter::default();
        counter.begin_shot();
        let pixels = room(64, 36, 0.0, 0.1);
        let image = GrayImage::new(&pixels, 64, 36, 64).unwrap();
        for (is_cut, shot) in [(false, 0), (false, 0), (true, 1), (false, 1)] {
            counter.observe(&FrameSamples::new(&image), 5, is_cut);
            assert_eq!(counter.shot(), shot);
        }
        counter.begin_shot();
        counter.observe(&FrameSamples::new(&image), 0, false);
        assert_eq!(counter.shot(), 2);
    }
}
