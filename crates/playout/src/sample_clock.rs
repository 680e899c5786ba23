//! Maps positions in the audio to times.

/// Nanoseconds in a second.
const SECOND: u64 = 1_000_000_000;

/// Where sample 0 of the audio lies in time, and how long a sample lasts.
///
/// Times are computed from the sample's number alone, so rounding never adds up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SampleClock {
    /// The timestamp of sample 0, ns.
    pub pts: u64,
    /// The running time of sample 0, ns.
    pub running_time: u64,
    /// The stream time of sample 0, ns.
    pub stream_time: u64,
    /// Samples in a second; more than 0.
    pub rate: u32,
}

impl SampleClock {
    /// The time from sample 0 to `sample`, ns.
    fn elapsed(&self, sample: u64) -> u64 {
        let elapsed = u128::from(sample) * u128::from(SECOND) / u128::from(self.rate.max(1));
        u64::try_from(elapsed).unwrap_or(u64::MAX >> 1)
    }

    /// The timestamp of a sample, ns.
    pub fn pts(&self, sample: u64) -> u64 {
        self.pts + self.elapsed(sample)
    }

    /// The running time of a sample, ns.
    pub fn running_time(&self, sample: u64) -> u64 {
        self.running_time + self.elapsed(sample)
    }

    /// The stream time of a sample, ns.
    pub fn stream_time(&self, sample: u64) -> u64 {
        self.stream_time + self.elapsed(sample)
    }

    /// The stream time of a running time, both in ns; 0 where it would be negative.
    pub fn running_to_stream_time(&self, running_time: u64) -> u64 {
        (running_time + self.stream_time).saturating_sub(self.running_time)
    }

    /// The number of samples that begin before a running time, ns.
    pub fn samples_until(&self, running_time: u64) -> u64 {
        let elapsed = u128::from(running_time.saturating_sub(self.running_time));
        let samples = (elapsed * u128::from(self.rate)).div_ceil(u128::from(SECOND));
        u64::try_from(samples).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_map_to_times_and_back() {
        let clock =
            SampleClock { pts: 10 * SECOND, running_time: 3 * SECOND, stream_time: 7 * SECOND, rate: 48_000 };
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
        let clock = SampleClock { pts: 0, running_time: 2 * SECOND, stream_time: 0, rate: 44_100 };
        assert_eq!(clock.running_time(1), 2 * SECOND + 22_675);
        assert_eq!(clock.running_time(44_100 * 86_400), 86_402 * SECOND);
    }
}
