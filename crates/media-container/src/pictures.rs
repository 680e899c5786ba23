//! The pictures of a stream that is read from its beginning, and where its clock jumps.

use std::io::{self, Read};

/// How far apart two consecutive times of a stream's clock may be, seconds. The standards ask for a time every 0.1 s in transport
/// and every 0.7 s in program streams (ISO/IEC 13818-1, 2.7.1 and 2.7.2); demuxers close larger gaps.
pub(crate) const MAX_CLOCK_STEP: f64 = 1.0;

/// Counts the pictures of a video stream and notes between which of them its clock jumps.
#[derive(Debug, Default)]
pub(crate) struct Pictures {
    /// Number of pictures so far, or of what is in proportion to it.
    count: u64,
    /// The number before each jump.
    jumps: Vec<u64>,
    /// The last time of the clock, in its unit.
    clock: Option<u64>,
}

impl Pictures {
    /// A picture begins; its number.
    pub(crate) fn add(&mut self) -> u64 {
        self.count += 1;
        self.count - 1
    }

    /// The clock shows `time`; it has `rate` units a second and begins again from 0 at `period`.
    pub(crate) fn set_clock(&mut self, time: u64, rate: f64, period: u64) {
        if let Some(last) = self.clock.replace(time) {
            let step = (time + period - last) % period;
            if step as f64 > MAX_CLOCK_STEP * rate {
                self.jump();
            }
        }
    }

    /// Another recording begins.
    pub(crate) fn jump(&mut self) {
        self.jumps.push(self.count);
    }

    /// Another recording begins with the picture of this number.
    pub(crate) fn jump_before(&mut self, picture: u64) {
        self.jumps.push(picture);
    }

    /// Where the jumps are, as shares of all pictures. Those before the first picture and behind the last are none.
    pub(crate) fn joins(mut self) -> Vec<f64> {
        self.jumps.retain(|before| (1..self.count).contains(before));
        self.jumps.sort_unstable();
        self.jumps.dedup();
        self.jumps.iter().map(|before| *before as f64 / self.count as f64).collect()
    }
}

/// Reads over `count` bytes; fewer at the end of the file.
pub(crate) fn skip(file: &mut impl Read, count: u64) -> io::Result<()> {
    io::copy(&mut file.take(count), &mut io::sink()).map(|_| ())
}

/// Fills `bytes`; false at the end of the file.
pub(crate) fn fill(file: &mut impl Read, bytes: &mut [u8]) -> io::Result<bool> {
    match file.read_exact(bytes) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        result => result.map(|()| true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_may_begin_again_at_its_period_and_rise_slowly() {
        let joins = |times: &[u64]| {
            let mut pictures = Pictures::default();
            for time in times {
                pictures.set_clock(*time, 10.0, 100);
                pictures.add();
            }
            pictures.joins()
        };
        assert_eq!(joins(&[85, 90, 95, 0, 5, 15]), [0.0; 0]);
        assert_eq!(joins(&[0, 5, 10, 0]), [0.75]);
        assert_eq!(joins(&[0, 5, 16, 0, 50]), [0.4, 0.6, 0.8]);
        assert_eq!(joins(&[]), [0.0; 0]);
    }
}
