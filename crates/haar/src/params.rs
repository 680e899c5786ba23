//! The settings of a search.

use crate::backend::Backend;

/// A width and a height, in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}

impl Size {
    /// A square of this side, in pixels.
    pub fn square(side: u32) -> Self {
        Self { width: side, height: side }
    }
}

/// The settings of a search; the first four mean the same as in OpenCV's `detectMultiScale`.
///
/// The defaults are OpenCV's, except for a scale factor of 1.2 instead of 1.1: it halves the time, and on
/// every kind of image tried it gave fewer false detections at the cost of a few faces (`benches/quality.py`;
/// the figures are in benches/RESULTS.md).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Params {
    /// Ratio of one window size to the next smaller one, 1.001-100.
    pub scale_factor: f64,
    /// A detection needs more than this many similar windows; 0 returns every window ungrouped.
    pub min_neighbors: u32,
    /// Smallest window searched. Where the pyramid has no window size between the limits, the size nearest to
    /// this one is searched.
    pub min_size: Size,
    /// Largest window searched; 0 is no limit.
    pub max_size: Size,
    /// Number of threads, the calling one included; 0 is as many as are useful. The result does not depend on
    /// it.
    pub threads: usize,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            scale_factor: 1.2,
            min_neighbors: 3,
            min_size: Size::default(),
            max_size: Size::default(),
            threads: 1,
        }
    }
}

impl Params {
    /// Refuses a scale factor out of range.
    pub(crate) fn check(&self) -> Result<(), ParamsError> {
        let factor = self.scale_factor;
        if (1.001..=100.0).contains(&factor) { Ok(()) } else { Err(ParamsError::ScaleFactor(factor)) }
    }
}

/// Settings that a search cannot use.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ParamsError {
    /// The scale factor is out of range: the pyramid would not end, or would have a single level.
    #[error("the scale factor {0} is not a number from 1.001 to 100")]
    ScaleFactor(f64),
    /// The CPU lacks the backend's instructions.
    #[error("this machine has no {0}: choose another backend, or none for the fastest there is")]
    Backend(Backend),
}
