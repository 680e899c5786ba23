//! When all of a frame is searched, and for faces of which roll.

use std::ops::Range;

/// What is searched in all of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Due {
    /// Whether faces that do not lean are searched for.
    pub(crate) upright: bool,
    /// Indexes of the tilted orientations.
    pub(crate) tilted: Range<usize>,
}

/// Spreads the searches of an interval over its frames: upright faces at its start, then one orientation after
/// another, so that no frame takes much longer than with upright faces alone. The first frame of a scene is
/// searched for all: it may be a still image.
#[derive(Clone, Debug, Default)]
pub(crate) struct Schedule {
    /// Time of the last search for upright faces, ns.
    last_full_search: Option<u64>,
    /// Number of tilted orientations searched since then.
    tilted_done: usize,
}

impl Schedule {
    /// What is due in a frame at `time`, ns, and done from here on. `interval`, ns, is the time between two
    /// searches for one roll, 0 for a search in every frame; `tilted` is the number of tilted orientations.
    pub(crate) fn advance(&mut self, time: u64, interval: u64, tilted: usize) -> Due {
        let last = self.last_full_search.filter(|last| time.saturating_sub(*last) < interval);
        let Some(last) = last else {
            // Those that no frame was there for are done now.
            let remaining =
                if self.last_full_search.is_none() || interval == 0 { 0 } else { self.tilted_done };
            self.last_full_search = Some(time);
            self.tilted_done = 0;
            return Due { upright: true, tilted: remaining.min(tilted)..tilted };
        };
        // Orientation i follows (i + 1) parts of the interval after its start.
        let parts = tilted as u128 + 1;
        let elapsed = (u128::from(time - last) * parts / u128::from(interval)) as usize;
        let first = self.tilted_done.min(tilted);
        self.tilted_done = first.max(elapsed.min(tilted));
        Due { upright: false, tilted: first..self.tilted_done }
    }

    /// Time of the last search for upright faces, ns.
    #[cfg(test)]
    pub(crate) fn last_full_search(&self) -> Option<u64> {
        self.last_full_search
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(upright: bool, tilted: Range<usize>) -> Due {
        Due { upright, tilted }
    }

    #[test]
    fn every_roll_is_searched_once_an_interval() {
        let mut schedule = Schedule::default();
        assert_eq!(schedule.advance(0, 300, 2), due(true, 0..2), "the first frame may be a still image");
        for start in [0, 300, 600] {
            if start > 0 {
                assert_eq!(schedule.advance(start, 300, 2), due(true, 2..2));
            }
            assert_eq!(schedule.advance(start + 99, 300, 2), due(false, 0..0));
            assert_eq!(schedule.advance(start + 100, 300, 2), due(false, 0..1));
            assert_eq!(schedule.advance(start + 150, 300, 2), due(false, 1..1));
            assert_eq!(schedule.advance(start + 210, 300, 2), due(false, 1..2));
        }
    }

    #[test]
    fn nothing_is_left_out_where_frames_are_far_apart() {
        let mut schedule = Schedule::default();
        schedule.advance(0, 300, 2);
        assert_eq!(schedule.advance(250, 300, 2), due(false, 0..2), "both at once");
        assert_eq!(schedule.advance(300, 300, 2), due(true, 2..2));
        assert_eq!(schedule.advance(450, 300, 2), due(false, 0..1));
        assert_eq!(schedule.advance(900, 300, 2), due(true, 1..2), "what is left of the interval");
        assert_eq!(schedule.advance(1300, 300, 2), due(true, 0..2), "no frame in the interval");
    }

    #[test]
    fn without_an_interval_every_frame_is_searched_for_all() {
        let mut schedule = Schedule::default();
        for time in [0, 1, 1, 2] {
            assert_eq!(schedule.advance(time, 0, 2), due(true, 0..2));
        }
        assert_eq!(schedule.advance(3, 0, 0), due(true, 0..0));
        assert_eq!(schedule.advance(4, 0, 3), due(true, 0..3), "the range has changed");
    }
}
