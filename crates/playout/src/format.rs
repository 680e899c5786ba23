//! The format that all tracks are decoded to and that the mix has.

/// The format of interleaved `f32` audio.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AudioFormat {
    /// Samples per channel in a second; more than 0.
    pub rate: u32,
    /// Values a sample, one for each channel; more than 0.
    pub channels: u32,
}

impl AudioFormat {
    /// The number of channels as a length.
    pub(crate) fn channel_count(&self) -> usize {
        self.channels as usize
    }

    /// This many seconds in samples.
    pub fn seconds(&self, seconds: u64) -> u64 {
        seconds * u64::from(self.rate)
    }

    /// A second divided by `divisor`, in samples.
    pub(crate) fn second_divided_by(&self, divisor: u64) -> u64 {
        u64::from(self.rate) / divisor
    }
}
