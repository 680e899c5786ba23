//! From stream time to the clock of a receiver.

/// Clocks of computers differ by up to this share, so that the fastest arrival counts for less the longer it is past.
const DRIFT: f64 = 1e-4;
/// A step of the stream time against the clock that is no delay, s.
const JUMP: f64 = 5.0;

/// Maps stream time to another clock by the fastest arrival so far: what a frame waits for on the way is no jitter of its time, and
/// what all of them need, from the camera to here, is not taken off. Where stream time jumps, as after a pause, the mapping begins
/// anew. Pure: the clock's time is given. All times in seconds.
#[derive(Debug, Default)]
pub(crate) struct StreamClock {
    /// `None` before the first.
    latest: Option<Arrival>,
}

/// What came last.
#[derive(Clone, Copy, Debug)]
struct Arrival {
    /// The clock's time.
    now: f64,
    /// The clock's time at stream time 0.
    offset: f64,
}

impl StreamClock {
    /// The clock's time of `stream_time`, which arrives at `now` on that clock.
    pub fn map(&mut self, now: f64, stream_time: f64) -> f64 {
        let found = now - stream_time;
        let offset = match self.latest {
            Some(latest) if (found - latest.offset).abs() <= JUMP => {
                (latest.offset + DRIFT * (now - latest.now)).min(found)
            }
            _ => found,
        };
        self.latest = Some(Arrival { now, offset });
        stream_time + offset
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where stream times that arrive at the given times are put.
    fn map(arrivals: &[(f64, f64)]) -> Vec<f64> {
        let mut clock = StreamClock::default();
        arrivals.iter().map(|&(now, stream_time)| clock.map(now, stream_time)).collect()
    }

    #[track_caller]
    fn assert_close(found: &[f64], expected: &[f64], tolerance: f64) {
        let is_close = found.iter().zip(expected).all(|(a, b)| (a - b).abs() <= tolerance);
        assert!(is_close && found.len() == expected.len(), "{found:?}, not {expected:?}");
    }

    #[test]
    fn delays_on_the_way_are_no_jitter_once_one_frame_was_fast() {
        // 100 s ahead; the first frame is 0.3 s late, later ones up to 0.05 s.
        let found = map(&[(100.3, 0.0), (100.1, 0.1), (100.25, 0.2), (100.3, 0.3), (100.44, 0.4)]);
        assert_close(&found, &[100.3, 100.1, 100.2, 100.3, 100.4], 1e-4);
    }

    #[test]
    fn a_pause_and_a_seek_begin_anew() {
        let found = map(&[(100.0, 0.0), (100.1, 0.1), (160.0, 0.2), (160.1, 0.3), (160.2, 600.0)]);
        assert_close(&found, &[100.0, 100.1, 160.0, 160.1, 160.2], 1e-9);
    }

    #[test]
    fn a_clock_that_runs_slower_is_followed() {
        // An hour at 50 parts in a million: 0.18 s, of which nothing is left.
        let arrivals: Vec<(f64, f64)> = (0..3600).map(|s| (f64::from(s) * 1.000_05, f64::from(s))).collect();
        let expected: Vec<f64> = arrivals.iter().map(|arrival| arrival.0).collect();
        assert_close(&map(&arrivals), &expected, 1e-6);
    }
}
