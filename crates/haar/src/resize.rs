//! OpenCV's INTER_LINEAR_EXACT for 8-bit grey, bit by bit: two taps an axis, weights in 1/256, one rounding at the end.

use crate::kernel::Kernel;

/// One axis: where each output pixel lies between two input pixels.
#[derive(Clone, Debug)]
pub(crate) struct Axis {
    /// The left (upper) input pixel, at most the last but one.
    at: Vec<u32>,
    /// Weight of the pixel after it, 0-256.
    weight: Vec<u16>,
    /// As far as eight output pixels lie within 32 input pixels.
    eights: Vec<Eight>,
}

/// Eight neighbouring output pixels.
#[derive(Clone, Debug)]
pub(crate) struct Eight {
    /// An input pixel that 31 more follow.
    pub(crate) start: u32,
    /// From there on, the two input pixels of each output pixel.
    pub(crate) picks: [u8; 16],
    pub(crate) weights: [u16; 8],
}

impl Axis {
    /// From `source` (at least 2) to `target` (at least 1) pixels. Borders are repeated: there the weight is 0 or 256.
    pub(crate) fn new(source: usize, target: usize) -> Self {
        // Two divisions, as OpenCV goes by way of the inverse scale.
        let scale = 1.0 / (target as f64 / source as f64);
        let last = source.saturating_sub(2);
        let (at, weight): (Vec<_>, Vec<_>) = (0..target)
            .map(|pixel| {
                let place = scale * (pixel as f64 + 0.5) - 0.5;
                let floor = place.floor();
                if floor < 0.0 {
                    (0, 0)
                } else if floor as usize > last {
                    (last as u32, 256)
                } else {
                    (floor as u32, ((place - floor) * 256.0).round_ties_even() as u16)
                }
            })
            .unzip();
        let eights = Eight::all(&at, &weight, source).unwrap_or_default();
        Self { at, weight, eights }
    }

    /// The two input rows of an output row and the weight of the second.
    pub(crate) fn rows(&self, target: usize) -> (usize, u32) {
        (self.at[target] as usize, u32::from(self.weight[target]))
    }

    /// All whole eights of the output, or none.
    pub(crate) fn eights(&self) -> &[Eight] {
        &self.eights
    }

    /// A row in 1/256, from output pixel `first` on.
    pub(crate) fn across(&self, source: &[u8], target: &mut [u16], first: usize) {
        let places = self.at.iter().zip(&self.weight).skip(first);
        for (out, (&at, &weight)) in target[first..].iter_mut().zip(places) {
            if let [left, right] = source[at as usize..at as usize + 2] {
                *out = u16::from(left) * (256 - weight) + u16::from(right) * weight;
            }
        }
    }
}

impl Eight {
    /// The input pixels looked at from `start` on.
    pub(crate) const SPAN: usize = 32;

    /// `None` where the input is too short or too wide for that.
    fn all(at: &[u32], weight: &[u16], source: usize) -> Option<Vec<Self>> {
        let last = source.checked_sub(Self::SPAN)? as u32;
        at.chunks_exact(8)
            .zip(weight.chunks_exact(8))
            .map(|(at, weights)| {
                let start = at.first()?.min(&last).to_owned();
                let picks: Vec<_> = at.iter().flat_map(|at| [at - start, at - start + 1]).collect();
                let fit = picks.iter().all(|&pick| (pick as usize) < Self::SPAN);
                let picks: Vec<_> = picks.into_iter().map(|pick| pick as u8).collect();
                fit.then_some(Self {
                    start,
                    picks: picks.try_into().ok()?,
                    weights: weights.try_into().ok()?,
                })
            })
            .collect()
    }
}

/// Between two rows of 1/256; `weight` is the lower one's.
#[inline(always)]
pub(crate) fn down(upper: &[u16], lower: &[u16], weight: u32, target: &mut [u8]) {
    for ((out, &upper), &lower) in target.iter_mut().zip(upper).zip(lower) {
        *out = ((u32::from(upper) * (256 - weight) + u32::from(lower) * weight + (1 << 15)) >> 16) as u8;
    }
}

/// Makes the rows of one resized picture from top to bottom, going across each input row once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Resizer {
    lines: [Vec<u16>; 2],
    /// Which input row each line holds.
    held: [Option<usize>; 2],
}

impl Resizer {
    /// Forgets the rows of the picture before.
    pub(crate) fn start(&mut self, width: usize) {
        for line in &mut self.lines {
            line.resize(width, 0);
        }
        self.held = [None; 2];
    }

    /// Row `y` of the resized picture; `source` gives input rows.
    pub(crate) fn row<'a>(
        &mut self,
        kernel: Kernel,
        (x_axis, y_axis): (&Axis, &Axis),
        source: impl Fn(usize) -> &'a [u8],
        y: usize,
        target: &mut [u8],
    ) {
        let (upper, weight) = y_axis.rows(y);
        for row in [upper, upper + 1] {
            // Neighbours have different parity, so each has its line.
            let slot = row % 2;
            if self.held[slot] != Some(row) {
                kernel.across(x_axis, source(row), &mut self.lines[slot]);
                self.held[slot] = Some(row);
            }
        }
        let [even, odd] = &self.lines;
        let (upper, lower) = if upper % 2 == 0 { (even, odd) } else { (odd, even) };
        kernel.down(upper, lower, weight, target);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resize(source: &[u8], width: usize, target: (usize, usize)) -> Vec<u8> {
        let height = source.len() / width;
        let axes = (&Axis::new(width, target.0), &Axis::new(height, target.1));
        let mut resizer = Resizer::default();
        resizer.start(target.0);
        let mut out = vec![0; target.0 * target.1];
        for (y, row) in out.chunks_exact_mut(target.0).enumerate() {
            resizer.row(Kernel::Scalar, axes, |row| &source[row * width..][..width], y, row);
        }
        out
    }

    #[test]
    fn the_same_size_changes_nothing() {
        let source: Vec<u8> = (0..35).map(|i| (i * 37 % 256) as u8).collect();
        assert_eq!(resize(&source, 7, (7, 5)), source);
    }

    #[test]
    fn values_are_opencvs() {
        // cv2.resize(np.arange(0, 240, 10, np.uint8).reshape(4, 6), (4, 3), interpolation=cv2.INTER_LINEAR_EXACT)
        let source: Vec<u8> = (0..24).map(|i| i * 10).collect();
        assert_eq!(resize(&source, 6, (4, 3)), [13, 28, 43, 58, 93, 108, 123, 138, 172, 187, 202, 217]);
    }
}
