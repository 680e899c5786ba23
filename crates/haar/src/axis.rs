//! The interpolation tables of OpenCV's INTER_LINEAR_EXACT for 8-bit images: two taps per axis, weights in
//! 1/256.

/// Where each output pixel lies between two input pixels, along one axis.
#[derive(Clone, Debug)]
pub(crate) struct ResizeAxis {
    /// The left (upper) input pixel of each output pixel, at most the last but one.
    first_taps: Vec<u32>,
    /// Weight of the input pixel after it, 0-256.
    weights: Vec<u16>,
    /// The tables for vectors; empty where eight output pixels do not lie within [`TapGroup::SPAN`] input
    /// pixels.
    groups: Vec<TapGroup>,
}

/// The taps of eight neighbouring output pixels.
#[derive(Clone, Debug)]
pub(crate) struct TapGroup {
    /// First input pixel of the span that holds every tap.
    pub(crate) start: u32,
    /// For each output pixel, the positions of its two taps in the span.
    pub(crate) taps: [u8; 16],
    /// Weight of each second tap, 0-256.
    pub(crate) weights: [u16; 8],
}

impl ResizeAxis {
    /// The axis from `source` (at least 2) to `target` (at least 1) pixels. Borders are repeated: there the
    /// weight is 0 or 256.
    pub(crate) fn new(source: usize, target: usize) -> Self {
        // Two divisions, since OpenCV computes the inverse scale first.
        let scale = 1.0 / (target as f64 / source as f64);
        let last = source.saturating_sub(2);
        let (first_taps, weights): (Vec<_>, Vec<_>) = (0..target)
            .map(|pixel| {
                let position = scale * (pixel as f64 + 0.5) - 0.5;
                let floor = position.floor();
                if floor < 0.0 {
                    (0, 0)
                } else if floor as usize > last {
                    (last as u32, 256)
                } else {
                    (floor as u32, ((position - floor) * 256.0).round_ties_even() as u16)
                }
            })
            .unzip();
        let groups = TapGroup::try_build(&first_taps, &weights, source).unwrap_or_default();
        Self { first_taps, weights, groups }
    }

    /// The first of the two input pixels of an output pixel and the weight (0-256) of the second.
    pub(crate) fn tap(&self, target: usize) -> (usize, u32) {
        (self.first_taps[target] as usize, u32::from(self.weights[target]))
    }

    /// The first of the two input pixels and the weight of the second, for every output pixel.
    pub(crate) fn taps(&self) -> impl Iterator<Item = (usize, u16)> {
        self.first_taps.iter().zip(&self.weights).map(|(&tap, &weight)| (tap as usize, weight))
    }

    /// The output pixels in groups of eight, the last ones left out if they are fewer; or no groups at all.
    pub(crate) fn groups(&self) -> &[TapGroup] {
        &self.groups
    }
}

impl TapGroup {
    /// Input pixels read from `start` on.
    pub(crate) const SPAN: usize = 32;

    /// `None` where the input is shorter than a span or a group's taps do not fit one.
    fn try_build(first_taps: &[u32], weights: &[u16], source: usize) -> Option<Vec<Self>> {
        let last = source.checked_sub(Self::SPAN)? as u32;
        first_taps
            .chunks_exact(8)
            .zip(weights.chunks_exact(8))
            .map(|(first_taps, weights)| {
                let start = first_taps.first()?.min(&last).to_owned();
                let taps: Vec<_> = first_taps.iter().flat_map(|tap| [tap - start, tap - start + 1]).collect();
                let fits = taps.iter().all(|&tap| (tap as usize) < Self::SPAN);
                let taps: Vec<_> = taps.into_iter().map(|tap| tap as u8).collect();
                fits.then_some(Self { start, taps: taps.try_into().ok()?, weights: weights.try_into().ok()? })
            })
            .collect()
    }
}
