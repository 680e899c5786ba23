//! The hot loops in the instructions of a machine. The only unsafe code of the crate is here.

#![allow(unsafe_code, reason = "intrinsics, and loads without bounds checks")]

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod lanes;
#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;
#[cfg(test)]
mod tests;

use crate::Backend;
use crate::dense::Dense;
use crate::integral::{self, Layout};
use crate::program::Program;
use crate::resize::{self, Axis};

/// Windows judged in one call.
pub(crate) const BLOCK: usize = 64;

/// Sums that must follow the last one a window of the block needs.
pub(crate) const MARGIN: usize = 2 * BLOCK;

/// Proof that the machine has a backend's instructions.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kernel {
    Scalar,
    Portable(portable::Portable),
    #[cfg(target_arch = "x86_64")]
    Avx2(avx2::Avx2),
    #[cfg(target_arch = "x86_64")]
    Avx512(avx512::Avx512),
    #[cfg(target_arch = "aarch64")]
    Neon(neon::Neon),
}

/// Neighbouring windows of a row, and what became of the one before.
pub(crate) struct Block<'a> {
    /// From the corner of the first window on, at least [`MARGIN`] beyond what its last corner needs.
    pub(crate) sums: &'a [i32],
    pub(crate) squares: &'a [u32],
    /// At most [`BLOCK`].
    pub(crate) windows: usize,
    /// Whether the first window is skipped.
    pub(crate) skip: bool,
    /// Left for the windows that pass.
    pub(crate) norms: [f32; BLOCK],
}

/// Windows looked at together once they have no neighbours left.
pub(crate) const BATCH: usize = 16;

/// Windows that passed so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Survivors {
    pub(crate) windows: Vec<Survivor>,
    /// The integrals of a batch of windows: a line a corner.
    patch: Vec<Line>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Survivor {
    /// Where the sums of its corner lie.
    pub(crate) corner: usize,
    pub(crate) norm: f32,
    /// In the level.
    pub(crate) column: usize,
    pub(crate) row: usize,
}

/// The sums at one corner of a batch of windows.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
struct Line {
    _sums: [i32; BATCH],
}

impl Kernel {
    /// `None` where the machine lacks the instructions.
    pub(crate) fn new(backend: Backend) -> Option<Self> {
        match backend {
            Backend::Scalar => Some(Self::Scalar),
            Backend::Portable => Some(Self::Portable(portable::Portable)),
            #[cfg(target_arch = "x86_64")]
            Backend::Avx2 => avx2::Avx2::new().map(Self::Avx2),
            #[cfg(target_arch = "x86_64")]
            Backend::Avx512 => avx512::Avx512::new().map(Self::Avx512),
            #[cfg(target_arch = "aarch64")]
            Backend::Neon => neon::Neon::new().map(Self::Neon),
            #[cfg(not(target_arch = "x86_64"))]
            Backend::Avx2 | Backend::Avx512 => None,
            #[cfg(not(target_arch = "aarch64"))]
            Backend::Neon => None,
        }
    }

    /// A bit for each window that passes the near stages. Leaves in `skip` whether the window after the block is skipped.
    /// `None` where this backend has no way to look at many windows at once.
    #[inline]
    pub(crate) fn judge(self, program: &Program, dense: &Dense, block: &mut Block) -> Option<u64> {
        match self {
            Self::Scalar => None,
            Self::Portable(lanes) => Some(lanes.judge(program, dense, block)),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(lanes) => Some(lanes.judge(program, dense, block)),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(lanes) => Some(lanes.judge(program, dense, block)),
            #[cfg(target_arch = "aarch64")]
            Self::Neon(lanes) => Some(lanes.judge(program, dense, block)),
        }
    }

    /// Leaves the survivors that pass the far stages too.
    #[inline]
    pub(crate) fn narrow(self, program: &Program, dense: &Dense, sums: &[i32], survivors: &mut Survivors) {
        match self {
            Self::Scalar => (),
            Self::Portable(lanes) => lanes.narrow(program, dense, sums, survivors),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(lanes) => lanes.narrow(program, dense, sums, survivors),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(lanes) => lanes.narrow(program, dense, sums, survivors),
            #[cfg(target_arch = "aarch64")]
            Self::Neon(lanes) => lanes.narrow(program, dense, sums, survivors),
        }
    }

    /// [`Axis::across`] from the first pixel on.
    #[inline]
    pub(crate) fn across(self, axis: &Axis, source: &[u8], target: &mut [u16]) {
        match self {
            Self::Scalar => axis.across(source, target, 0),
            Self::Portable(lanes) => lanes.across(axis, source, target),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(lanes) => lanes.across(axis, source, target),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(lanes) => lanes.avx2.across(axis, source, target),
            #[cfg(target_arch = "aarch64")]
            Self::Neon(lanes) => lanes.across(axis, source, target),
        }
    }

    /// [`resize::down`].
    #[inline]
    pub(crate) fn down(self, upper: &[u16], lower: &[u16], weight: u32, target: &mut [u8]) {
        match self {
            Self::Scalar | Self::Portable(_) => resize::down(upper, lower, weight, target),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(lanes) => lanes.down(upper, lower, weight, target),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(lanes) => lanes.avx2.down(upper, lower, weight, target),
            #[cfg(target_arch = "aarch64")]
            Self::Neon(lanes) => lanes.down(upper, lower, weight, target),
        }
    }

    /// [`integral::sum_up`].
    #[inline]
    pub(crate) fn sum_up(self, layout: Layout, pixels: &[u8], rows: (&mut [i32], &mut [u32])) {
        match self {
            Self::Scalar => integral::sum_up(layout, pixels, rows),
            Self::Portable(lanes) => lanes.sum_up(layout, pixels, rows),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(lanes) => lanes.sum_up(layout, pixels, rows),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(lanes) => lanes.sum_up(layout, pixels, rows),
            #[cfg(target_arch = "aarch64")]
            Self::Neon(lanes) => lanes.sum_up(layout, pixels, rows),
        }
    }
}
