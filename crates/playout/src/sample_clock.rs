//! Maps positions in the audio to times.

/// Nanoseconds in a second.
const SECOND: u64 = 1_000_000_000;

/// Where sample 0 of the audio lies in time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StartTime {
    /// Its timestamp, ns.
    pub pts: u64,
    /// Its running time, ns.
    pub running_time: u64,
    /// Its stream time, ns.
    pub stream_time: u64,
}

/// Gives the times of samples. They are computed from the sample's number alone, so rounding never adds up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SampleClock {
    start: StartTime,
    rate: u32,
}

impl SampleClock {
    /// A clock for `rate` samples a second, which must be more than 0.
    pub fn new(start: StartTime, rate: u32) -> Self {
        Self { start, rate }
    }

    /// Samples a second.
    pub fn rate(&self) -> u32 {
        self.rate
    }

    /// The time from sample 0 to `sample`, ns.
    fn elapsed(&self, sample: u64) -> u64 {
        let elapsed = u128::from(sample) * u128::from(SECOND) / u128::from(self.rate.max(1));
        u64::try_from(elapsed).unwrap_or(u64::MAX >> 1)
    }

    /// The timestamp of a sample, ns.
    pub fn pts(&self, sample: u64) -> u64 {
        self.start.pts + self.elapsed(sample)
    }

    /// The running time of a sample, ns.
    pub fn running_time(&self, sample: u64) -> u64 {
        self.start.running_time + self.elapsed(sample)
    }

    /// The stream time of a sample, ns.
    pub fn stream_time(&self, sample: u64) -> u64 {
        self.start.stream_time + self.elapsed(sample)
    }

    /// The stream time of a running time, both in ns; 0 where it would be negative.
    pub fn running_to_stream_time(&self, running_time: u64) -> u64 {
        (running_time + self.start.stream_time).saturating_sub(self.start.running_time)
    }

    /// The number of samples that begin before a running time, ns.
    pub fn samples_until(&self, running_time: u64) -> u64 {
        let elapsed = u128::from(running_time.saturating_sub(self.start.running_time));
        let samples = (elapsed * u128::from(self.rate)).div_ceil(u128::from(SECOND));
        u64::try_from(samples).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_map_to_times_and_back() {
        let start = StartTime { pts: 10 * SECOND, running_time: 3 * SECOND, stream_time: 7 * SECOND };
        let clock = SampleClock::new(start, 48_000);
        assert_eq!(clock.pts(48_000), 11 * SECOND);
        assert_eq!(clock.running_time(48_000), 4 * SECOND);
        assert_eq!(clock.stream_time(48_000), 8 * SECOND);
        assert_eq!(clock.running_to_stream_time(4 * SECOND), 8 * SECOND);
        assert_eq!(clock.samples_until(4 * SECOND), 48_000);
        assert_eq!(clock.samples_until(4 * SECOND + 1), 48_001);
        assert_eq!(clock.samples_until(0), 0);
    }

    #[test]
    fn rounding_does_not_add_up() {
        let start = StartTime { running_time: 2 * SECOND, ..StartTime::default() };
        let clock = SampleClock::new(start, 44_100);
        assert_eq!(clock.running_time(1), 2 * SECOND + 22_675);
        assert_eq!(clock.running_time(44_100 * 86_400), 86_402 * SECOND);
    }
}
