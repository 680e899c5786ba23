//! When all of a frame is searched, and for faces of which roll.

/// What is searched in all of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Due {
    /// Whether faces that do not lean are searched for.
    pub(crate) upright: bool,
    /// Indexes of the tilted orientations.
    pub(crate) tilted: Vec<usize>,
    /// Whether all tilted orientations are searched from this frame on, in it or in others of the interval.
    pub(crate) begins_round: bool,
}

/// What there is to find beside the known faces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attention {
    /// A known face was not found by the last search for it, or nobody is known.
    SomebodyMissed,
    /// Nobody is missed, and something else than the known people has moved.
    Moving,
    /// Nobody is missed, and nothing else has moved.
    Still,
}

/// While nobody is missed, two searches for one tilted orientation are at least so many seconds apart as there are
/// orientations: one a second in the mean.
const QUIET_INTERVAL: u64 = 1_000_000_000;
/// How many times as far apart they are while nothing else than the known people moves: who comes moves.
const STILL_FACTOR: u64 = 3;

/// How long a shot that did not begin with the video may still be changing, as in a cross-fade, ns.
const SETTLING_TIME: u64 = 1_000_000_000;
/// Until then all of the frame is searched at this interval at least, ns.
const SETTLING_INTERVAL: u64 = SETTLING_TIME / 2;

/// Spreads the searches of an interval over its frames: upright faces at its start, then one orientation after
/// another, so that no frame takes much longer than with upright faces alone. The first frame of a shot is
/// searched for all: it may be a still image. While nobody is missed, there are intervals without tilted orientations,
/// see [`QUIET_INTERVAL`] and [`STILL_FACTOR`]; in the first [`SETTLING_TIME`] of a shot who is in it is not known.
#[derive(Clone, Debug, Default)]
pub(crate) struct Schedule {
    /// Time of the last search for upright faces, ns.
    last_full_search: Option<u64>,
    /// Number of tilted orientations searched since then.
    done: usize,
    /// Number of those to be searched in the interval.
    planned: usize,
    /// Start of the last interval in which there were any, ns.
    last_round: u64,
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
    pub(crate) fn advance(&mut self, time: u64, interval: u64, tilted: usize, attention: Attention) -> Due {
        let is_first = self.last_full_search.is_none();
        let is_settling = time < self.settled;
        let interval = if is_settling { interval.min(SETTLING_INTERVAL) } else { interval };
        let attention = if is_settling { Attention::SomebodyMissed } else { attention };
        let last = self.last_full_search.filter(|last| time.saturating_sub(*last) < interval);
        let Some(last) = last else {
            self.last_full_search = Some(time);
            if is_first || interval == 0 {
                (self.done, self.planned, self.last_round) = (0, 0, time);
                self.plan(time, interval, tilted, attention);
                return Due { upright: true, tilted: (0..tilted).collect(), begins_round: tilted > 0 };
            }
            // Those that no frame was there for are done now.
            let remaining = self.take(self.planned, tilted);
            self.plan(time, interval, tilted, attention);
            return Due { upright: true, tilted: remaining, begins_round: self.planned > 0 };
        };
        // Orientation i of the interval follows (i + 1) parts of it after its start.
        let parts = tilted as u128 + 1;
        let elapsed = (u128::from(time - last) * parts / u128::from(interval)) as usize;
        let tilted = self.take(elapsed.min(self.planned), tilted);
        Due { upright: false, tilted, begins_round: false }
    }

    /// Begins an interval at `time`, ns.
    fn plan(&mut self, time: u64, interval: u64, tilted: usize, attention: Attention) {
        let quiet = QUIET_INTERVAL.max(interval).saturating_mul(tilted as u64);
        let is_due = match attention {
            Attention::SomebodyMissed => true,
            Attention::Moving => time.saturating_sub(self.last_round) >= quiet,
            Attention::Still => time.saturating_sub(self.last_round) >= quiet.saturating_mul(STILL_FACTOR),
        };
        (self.done, self.planned) = (0, if is_due { tilted } else { 0 });
        if self.planned > 0 {
            self.last_round = time;
        }
    }

    /// The orientations up to number `end` of the interval that are not done yet.
    fn take(&mut self, end: usize, tilted: usize) -> Vec<usize> {
        let first = self.done.min(tilted);
        let taken: Vec<usize> = (first..end.min(tilted).max(first)).collect();
        self.done = first + taken.len();
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

    use Attention::{Moving, SomebodyMissed, Still};

    /// What is searched in a frame: whether upright faces are, and the tilted orientations.
    fn searched(due: Due) -> (bool, Vec<usize>) {
        (due.upright, due.tilted)
    }

    #[test]
    fn every_roll_is_searched_once_an_interval() {
        let mut schedule = Schedule::default();
        let mut advance = |time| searched(schedule.advance(time, 300, 2, SomebodyMissed));
        assert_eq!(advance(0), (true, vec![0, 1]), "the first frame may be a still image");
        for start in [0, 300, 600] {
            if start > 0 {
                assert_eq!(advance(start), (true, vec![]));
            }
            assert_eq!(advance(start + 99), (false, vec![]));
            assert_eq!(advance(start + 100), (false, vec![0]));
            assert_eq!(advance(start + 150), (false, vec![]));
            assert_eq!(advance(start + 210), (false, vec![1]));
        }
    }

    #[test]
    fn while_nobody_is_missed_there_are_intervals_without_tilted_rolls() {
        const SECOND: u64 = 1_000_000_000;
        for (interval, attention, with_tilted) in [
            (SECOND / 2, Moving, &[4, 8, 12][..]),
            (SECOND, Moving, &[2, 4, 6, 8, 10, 12]),
            (3 * SECOND, Moving, &[2, 4, 6, 8, 10, 12]),
            (SECOND / 2, Still, &[12]),
            (SECOND, Still, &[6, 12]),
        ] {
            let mut schedule = Schedule::default();
            assert!(schedule.advance(0, interval, 2, attention).begins_round);
            for index in 1..=12 {
                let start = index * interval;
                let due = schedule.advance(start, interval, 2, attention);
                assert_eq!(
                    due.begins_round,
                    with_tilted.contains(&index),
                    "{interval} {attention:?} {index}"
                );
                assert_eq!(searched(due), (true, vec![]));
                // What is found meanwhile counts from the next interval on.
                let tilted = schedule.advance(start + interval - 1, interval, 2, SomebodyMissed);
                assert_eq!(!tilted.tilted.is_empty(), with_tilted.contains(&index));
            }
        }
    }

    #[test]
    fn who_is_missed_or_moves_after_a_quiet_time_is_searched_for_in_the_next_interval() {
        const SECOND: u64 = 1_000_000_000;
        for attention in [SomebodyMissed, Moving] {
            let mut schedule = Schedule::default();
            for second in 0..4 {
                schedule.advance(second * SECOND, SECOND, 2, Still);
            }
            assert!(schedule.advance(4 * SECOND, SECOND, 2, attention).begins_round);
            assert_eq!(schedule.advance(5 * SECOND - 1, SECOND, 2, Still).tilted, [0, 1]);
        }
        let mut schedule = Schedule::default();
        schedule.advance(0, SECOND, 0, Moving);
        for attention in [SomebodyMissed, Moving, Still] {
            let due = schedule.advance(9 * SECOND, SECOND, 0, attention);
            assert!(due.tilted.is_empty() && !due.begins_round, "no tilted roll");
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
            let due = schedule.advance(time, SECOND, 2, Moving);
            times.extend(due.upright.then_some((frame, due.tilted.len())));
            times.extend((!due.upright && !due.tilted.is_empty()).then_some((frame, due.tilted.len())));
        }
        // After a second of the shot, the tilted ones every two seconds.
        let expected = [
            [(0, 2), (20, 0)].as_slice(),
            &[(33, 2), (37, 1), (40, 1), (43, 0), (47, 1), (50, 1)],
            &[(63, 0), (83, 0), (90, 1), (97, 1)],
        ];
        assert_eq!(times, expected.concat());
    }

    #[test]
    fn nothing_is_left_out_where_frames_are_far_apart() {
        let mut schedule = Schedule::default();
        let mut advance = |time| searched(schedule.advance(time, 300, 2, SomebodyMissed));
        advance(0);
        assert_eq!(advance(250), (false, vec![0, 1]), "both at once");
        assert_eq!(advance(300), (true, vec![]));
        assert_eq!(advance(450), (false, vec![0]));
        assert_eq!(advance(900), (true, vec![1]), "what is left of the interval");
        assert_eq!(advance(1300), (true, vec![0, 1]), "no frame in the interval");
    }

    #[test]
    fn without_an_interval_every_frame_is_searched_for_all() {
        let mut schedule = Schedule::default();
        for time in [0, 1, 1, 2] {
            assert_eq!(searched(schedule.advance(time, 0, 2, Still)), (true, vec![0, 1]));
        }
        assert_eq!(searched(schedule.advance(3, 0, 0, SomebodyMissed)), (true, vec![]));
        assert_eq!(
            searched(schedule.advance(4, 0, 3, Moving)),
            (true, vec![0, 1, 2]),
            "the range has changed"
        );
    }
}
