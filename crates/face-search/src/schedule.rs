//! When all of a frame is searched, and for faces of which roll.

/// What is searched in all of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Due {
    /// Whether faces that do not lean are searched for.
    pub(crate) upright: bool,
    /// Indexes of the tilted orientations.
    pub(crate) tilted: Vec<usize>,
}

/// While nobody is missed, tilted orientations are at least this far apart, ns.
const QUIET_INTERVAL: u64 = 1_000_000_000;

/// How long a shot that did not begin with the video may still be changing, as in a cross-fade, ns.
const SETTLING_TIME: u64 = 1_000_000_000;
/// Until then all of the frame is searched at this interval at least, ns.
const SETTLING_INTERVAL: u64 = SETTLING_TIME / 2;

/// Spreads the searches of an interval over its frames: upright faces at its start, then one orientation after
/// another, so that no frame takes much longer than with upright faces alone. The first frame of a shot is
/// searched for all: it may be a still image. While nobody is missed, only one tilted orientation has its turn in
/// an interval, and only one in [`QUIET_INTERVAL`]; in the first [`SETTLING_TIME`] of a shot who is in it is not known.
#[derive(Clone, Debug, Default)]
pub(crate) struct Schedule {
    /// Time of the last search for upright faces, ns.
    last_full_search: Option<u64>,
    /// The tilted orientation whose turn is next.
    next: usize,
    /// Number of tilted orientations searched since then.
    done: usize,
    /// Number of those to be searched in the interval.
    planned: usize,
    /// Start of the last interval in which there were any, ns.
    last_tilted: u64,
    /// Until when the shot may be changing, ns.
    settled: u64,
}

impl Schedule {
    /// Begins another shot at `time`, ns, with the next frame.
    pub(crate) fn begin_shot(&mut self, time: u64) {
        *self = Self { settled: time.saturating_add(SETTLING_TIME), ..Self::default() };
    }

    /// What is due in a frame at `time`, ns, and done from here on. `interval`, ns, is the time between two
    /// searches for upright faces, 0 for a search for all in every frame; `tilted` is the number of tilted orientations.
    /// `is_nobody_missed` says that all known faces were found by the last search for them.
    pub(crate) fn advance(&mut self, time: u64, interval: u64, tilted: usize, is_nobody_missed: bool) -> Due {
        let is_first = self.last_full_search.is_none();
        let is_settling = time < self.settled;
        let interval = if is_settling { interval.min(SETTLING_INTERVAL) } else { interval };
        let is_nobody_missed = is_nobody_missed && !is_settling;
        let last = self.last_full_search.filter(|last| time.saturating_sub(*last) < interval);
        let Some(last) = last else {
            self.last_full_search = Some(time);
            if is_first || interval == 0 {
                (self.done, self.planned, self.last_tilted) = (0, 0, time);
                self.plan(time, tilted, is_nobody_missed);
                return Due { upright: true, tilted: (0..tilted).collect() };
            }
            // Those that no frame was there for are done now.
            let remaining = self.take(self.planned, tilted);
            self.plan(time, tilted, is_nobody_missed);
            return Due { upright: true, tilted: remaining };
        };
        // Orientation i of the interval follows (i + 1) parts of it after its start.
        let parts = tilted as u128 + 1;
        let elapsed = (u128::from(time - last) * parts / u128::from(interval)) as usize;
        Due { upright: false, tilted: self.take(elapsed.min(self.planned), tilted) }
    }

    /// Begins an interval at `time`, ns.
    fn plan(&mut self, time: u64, tilted: usize, is_nobody_missed: bool) {
        self.done = 0;
        self.planned = match is_nobody_missed {
            true if time.saturating_sub(self.last_tilted) < QUIET_INTERVAL => 0,
            true => tilted.min(1),
            false => tilted,
        };
        if self.planned > 0 {
            self.last_tilted = time;
        }
    }

    /// The orientations up to number `end` of the interval that are not done yet.
    fn take(&mut self, end: usize, tilted: usize) -> Vec<usize> {
        let count = end.saturating_sub(self.done).min(tilted);
        self.done += count;
        let taken = (0..count).map(|index| (self.next + index) % tilted).collect();
        self.next = (self.next + count) % tilted.max(1);
        taken
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

    fn due(upright: bool, tilted: &[usize]) -> Due {
        Due { upright, tilted: tilted.to_vec() }
    }

    #[test]
    fn every_roll_is_searched_once_an_interval() {
        let mut schedule = Schedule::default();
        let mut advance = |time| schedule.advance(time, 300, 2, false);
        assert_eq!(advance(0), due(true, &[0, 1]), "the first frame may be a still image");
        for start in [0, 300, 600] {
            if start > 0 {
                assert_eq!(advance(start), due(true, &[]));
            }
            assert_eq!(advance(start + 99), due(false, &[]));
            assert_eq!(advance(start + 100), due(false, &[0]));
            assert_eq!(advance(start + 150), due(false, &[]));
            assert_eq!(advance(start + 210), due(false, &[1]));
        }
    }

    #[test]
    fn while_nobody_is_missed_one_tilted_roll_is_searched_in_turn() {
        const SECOND: u64 = 1_000_000_000;
        for (interval, intervals) in [
            (SECOND / 2, &[&[][..], &[], &[0], &[], &[1], &[], &[0]][..]),
            (SECOND, &[&[][..], &[0], &[1], &[0]]),
            (3 * SECOND, &[&[][..], &[0], &[1], &[0]]),
        ] {
            let mut schedule = Schedule::default();
            schedule.advance(0, interval, 2, true);
            let mut start = 0;
            for rolls in intervals {
                if start > 0 {
                    assert_eq!(schedule.advance(start, interval, 2, true), due(true, &[]));
                }
                assert_eq!(schedule.advance(start + interval / 4, interval, 2, true), due(false, &[]));
                assert_eq!(schedule.advance(start + interval / 2, interval, 2, false), due(false, rolls));
                assert_eq!(schedule.advance(start + interval - 1, interval, 2, false), due(false, &[]));
                start += interval;
            }
            assert_eq!(schedule.advance(start, interval, 2, false), due(true, &[]), "somebody is missed");
            assert_eq!(schedule.advance(start + interval - 1, interval, 2, false).tilted.len(), 2);
            start += interval;
            assert_eq!(schedule.advance(start, interval, 0, true), due(true, &[]), "no tilted roll");
            assert_eq!(schedule.advance(start + interval / 2, interval, 0, true), due(false, &[]));
        }
    }

    #[test]
    fn while_a_shot_may_be_changing_all_rolls_are_searched_and_more_often() {
        const SECOND: u64 = 1_000_000_000;
        let mut schedule = Schedule::default();
        let mut times = Vec::new();
        for frame in 0..100 {
            let time = frame * SECOND / 20;
            if frame == 33 {
                schedule.begin_shot(time);
            }
            let due = schedule.advance(time, SECOND, 2, true);
            times.extend(due.upright.then_some((frame, due.tilted.len())));
            times.extend((!due.upright && !due.tilted.is_empty()).then_some((frame, due.tilted.len())));
        }
        // After a second of the shot, each second one of the tilted ones.
        let expected = [
            [(0, 2), (20, 0), (27, 1)].as_slice(),
            &[(33, 2), (37, 1), (40, 1), (43, 0), (47, 1), (50, 1)],
            &[(63, 0), (70, 1), (83, 0), (90, 1)],
        ];
        assert_eq!(times, expected.concat());
    }

    #[test]
    fn nothing_is_left_out_where_frames_are_far_apart() {
        let mut schedule = Schedule::default();
        let mut advance = |time| schedule.advance(time, 300, 2, false);
        advance(0);
        assert_eq!(advance(250), due(false, &[0, 1]), "both at once");
        assert_eq!(advance(300), due(true, &[]));
        assert_eq!(advance(450), due(false, &[0]));
        assert_eq!(advance(900), due(true, &[1]), "what is left of the interval");
        assert_eq!(advance(1300), due(true, &[0, 1]), "no frame in the interval");
    }

    #[test]
    fn without_an_interval_every_frame_is_searched_for_all() {
        let mut schedule = Schedule::default();
        for time in [0, 1, 1, 2] {
            assert_eq!(schedule.advance(time, 0, 2, true), due(true, &[0, 1]));
        }
        assert_eq!(schedule.advance(3, 0, 0, false), due(true, &[]));
        assert_eq!(schedule.advance(4, 0, 3, false), due(true, &[0, 1, 2]), "the range has changed");
    }
}
