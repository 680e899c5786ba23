//! How the integral images of a stripe lie in memory.

/// Zeros behind each row of pixels and room behind each row of sums, in elements, so that kernels may work in
/// whole vectors past the end of a row.
pub(crate) const ROW_PADDING: usize = 32;

/// The memory layout of the integral images of every stripe of a search.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Layout {
    /// Sums from one row to the next.
    pub(crate) stride: usize,
    /// Rows of sums, one more than rows of pixels.
    pub(crate) rows: usize,
    /// Whether a plane of tilted sums follows the plane of upright sums.
    pub(crate) tilted: bool,
    /// 2 where a row holds the sums of its even columns first and those of its odd columns from half the
    /// stride on, so that the sums of windows two columns apart are adjacent; else 1.
    pub(crate) step: usize,
}

impl Layout {
    /// The same layout for a level whose windows are `step` columns apart. Tilted sums are never split.
    pub(crate) fn with_step(self, step: usize) -> Self {
        Self { step: if self.tilted { 1 } else { step }, ..self }
    }

    /// Sums in one plane.
    pub(crate) fn plane_len(&self) -> usize {
        self.stride * self.rows
    }

    /// Number of planes of sums.
    pub(crate) fn planes(&self) -> usize {
        if self.tilted { 2 } else { 1 }
    }

    /// Offset of the sum at corner (x, y) of a window from the window's upper left sum. Where the step is 2,
    /// windows begin in even columns.
    pub(crate) fn offset(&self, x: i32, y: i32) -> u32 {
        let (stride, step) = (self.stride as u32, self.step as u32);
        let x = x as u32;
        y as u32 * stride + x % step * (stride / step) + x / step
    }

    /// Offset from an upright sum to the tilted sum of the same corner.
    pub(crate) fn tilted_offset(&self) -> u32 {
        self.plane_len() as u32
    }
}
